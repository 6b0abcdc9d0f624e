"""Checks and metrics of one run: taken in as they come, alike ones together, told in the log and in the summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

PASSED, WARNED, FAILED = "passed", "warned", "failed"
WORDS = {PASSED: "ok", WARNED: "WARN", FAILED: "FAIL"}
MOST = 1000  # kinds kept, and names of metrics
FIRST_LINES = 8  # of each kind that get a line in the log; then the 16th, 32nd …
SHOWN = 3
NAMED_CHARS, DETAIL_CHARS = 80, 120


@dataclass(frozen=True)
class Check:
    """One statement about the data. `outcome`: passed, warned or failed; `source`: who looked ("job", "offduty", "pandera" …).

    `count`: how many alike ones it stands for. `at`: seconds since 1970.
    """

    name: str
    outcome: str
    detail: str = ""
    source: str = "offduty"
    where: str | None = None
    count: int = 1
    at: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it and `--json` shows it; what is not known is left out."""
        keys = {"name": self.name, "outcome": self.outcome, "detail": self.detail, "source": self.source, "where": self.where}
        return {**{key: value for key, value in keys.items() if value}, "count": self.count}


def from_event(event: Mapping[str, Any]) -> Check:
    """The check of an event, or of what `as_json` made. Raises KeyError for what is neither."""
    return Check(
        event["name"], event["outcome"], event.get("detail") or "", event.get("source") or "job", event.get("where"),
        event.get("count") or 1, event.get("at") or 0.0,
    )  # fmt: skip


class Checks:
    """Grows while checks come; of alike ones (name, outcome, source) the last is kept, and how many there were.

    `left_out`: checks of kinds beyond the first thousand, counted by outcome and not kept.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], Check] = {}
        self.left_out: dict[str, int] = {}

    def add(self, one: Check) -> Check | None:
        """Take in a check; what deserves a line in the log, if it does: not the ninth of a flood."""
        key = (one.name, one.outcome, one.source)
        before = self._kinds.get(key)
        if before is None and len(self._kinds) >= MOST:
            self.left_out[one.outcome] = self.left_out.get(one.outcome, 0) + one.count
            return None
        seen = before.count if before else 0
        self._kinds[key] = replace(one, count=seen + one.count)
        told = seen < FIRST_LINES or seen.bit_length() != (seen + one.count).bit_length()
        return self._kinds[key] if told else None

    @property
    def entries(self) -> list[Check]:
        """Each kind once, in the order in which they came first."""
        return list(self._kinds.values())

    def worst(self) -> str:
        """`failed`, `warned`, `passed`; empty if there was none."""
        found = {one.outcome for one in self._kinds.values()} | set(self.left_out)
        return next((outcome for outcome in (FAILED, WARNED, PASSED) if outcome in found), "")

    def in_words(self) -> str | None:
        """`11 passed, 1 warned (stores_present: 3 of 412 missing)`; None without any."""
        parts = []
        for outcome in (PASSED, WARNED, FAILED):
            kinds = [one for one in self._kinds.values() if one.outcome == outcome]
            count = sum(one.count for one in kinds) + self.left_out.get(outcome, 0)
            if count:
                parts.append(f"{count:,} {outcome}".replace(",", " ") + (f" ({_named(kinds)})" if outcome != PASSED and kinds else ""))
        return ", ".join(parts) or None


def _named(kinds: list[Check]) -> str:
    shown = "; ".join(
        _short(one.name, NAMED_CHARS) + (f": {_short(one.detail, DETAIL_CHARS)}" if one.detail else "") for one in kinds[:SHOWN]
    )
    return shown + (f"; and {len(kinds) - SHOWN} more" if len(kinds) > SHOWN else "")


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def log_line(one: Check) -> str:
    """`check    columns of sales-feed                         WARN    "region" is gone`."""
    times = f"{one.count:,}x   ".replace(",", " ") if one.count > 1 else ""
    return f"{'check':8} {_short(one.name, NAMED_CHARS):44}  {WORDS[one.outcome]:7} {times}{one.detail}   {one.where or ''}".rstrip()


class Metrics:
    """The numbers that a run reports: of each name the last. `left_out`: names beyond the first thousand."""

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Any]] = {}
        self.left_out = 0

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in a metric: `name`, `value`, and `unit` if it has one."""
        if event["name"] not in self._latest and len(self._latest) >= MOST:
            self.left_out += 1
            return
        self._latest[event["name"]] = {key: event[key] for key in ("name", "value", "unit") if event.get(key) is not None}

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Each name once, in the order in which they came first."""
        return list(self._latest.values())


def metrics_in_words(metrics: Iterable[Mapping[str, Any]], good_enough: Mapping[str, str]) -> str | None:
    """`mape 0.081 (good enough: <= 0.12), rows 81 204`; None without any. `good_enough`: comparison by name of the metric."""
    shown = [_metric(one, good_enough.get(one["name"])) for one in metrics]
    more = f", and {len(shown) - 8} more" if len(shown) > 8 else ""
    return ", ".join(shown[:8]) + more if shown else None


def _metric(one: Mapping[str, Any], bound: str | None) -> str:
    text = f"{_short(one['name'], NAMED_CHARS)} {one['value']:.6g}" + (f" {one['unit']}" if one.get("unit") else "")
    if bound is None:
        return text
    return f"{text} ({'' if is_within(one['value'], bound) else 'not '}good enough: {bound})"


def is_within(value: float, bound: str) -> bool:
    """Whether `value` satisfies a comparison like `<= 0.12`."""
    comparison = next(c for c in ("<=", ">=", "==", "<", ">") if bound.startswith(c))
    limit = float(bound[len(comparison) :].strip())
    return {"<=": value <= limit, ">=": value >= limit, "==": value == limit, "<": value < limit, ">": value > limit}[comparison]
