"""What there is to say about a run that has ended: the evidence folded into a Summary, and the Summary as the closing block of the log."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from offduty.durations import spoken
from offduty.runs.closing import KEY, WIDTH, after, escaped, grouped, header, line, outcome_line, style_of, success
from offduty.runs.failure import Failure, headline, short_place, signal_name
from offduty.transactions.change import Change

__all__ = ["Folded", "Summary", "Warnings", "fold", "render", "style_of", "success"]

WHAT_CHARS = 300
WARNING_CHARS = 80
VALUE_CHARS = 2000
KINDS_KEPT, KINDS_SHOWN = 100, 5
NOTES_KEPT = 20
LAST_LINES = 3
LEVELS = {"CRITICAL": 50, "FATAL": 50, "ERROR": 40, "WARNING": 30, "WARN": 30}
REST = "other"


@dataclass(frozen=True)
class Folded:
    """Warnings or log records of one kind: `count` of them, `message` and `where` of the first."""

    category: str
    message: str
    where: str | None
    count: int


@dataclass(frozen=True)
class Summary:
    """What a run left to say; None or empty: nothing. The fields are a record's `summary` (docs/explanation/how-the-parts-meet.md)."""

    what: str | None = None
    where: str | None = None
    because: str | None = None
    triage: str | None = None
    do: tuple[str, ...] = ()
    changed: str | None = None
    checks: str | None = None
    metrics: str | None = None
    told: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[Folded, ...] = ()
    failure: Failure | None = None
    verdict: Mapping[str, Any] | None = None
    changes: tuple[Change, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the record of a run holds it."""
        lists = {"do": list(self.do), "notes": list(self.notes), "warnings": [asdict(one) for one in self.warnings]}
        changes = [one.as_json() for one in self.changes]
        parts = {"failure": self.failure.as_json() if self.failure else None, "verdict": self.verdict, "changes": changes}
        return {**{name: getattr(self, name) for name in TEXTS}, **lists, **parts}


TEXTS = ("what", "where", "because", "triage", "changed", "checks", "metrics", "told")


class Warnings:
    """Counts warnings and log records while they come, alike ones together; bounded, whatever comes."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str | None], list[Any]] = {}
        self._rest = 0

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in one `warning` or `log` event; any other is passed over."""
        if event["kind"] not in ("warning", "log"):
            return
        category = event["category"] if event["kind"] == "warning" else event["level"]
        key = (category, _template(event["message"]), event.get("where"))
        count = event.get("count") or 1
        if key in self._kinds:
            self._kinds[key][1] += count
        elif len(self._kinds) < KINDS_KEPT:
            self._kinds[key] = [event["message"], count]
        else:
            self._rest += count

    def folded(self) -> tuple[Folded, ...]:
        """The kinds, errors first, then the most frequent. Those beyond the first hundred are one entry, "other"."""
        kinds = [Folded(category, message, where, count) for (category, _, where), (message, count) in self._kinds.items()]
        kinds.sort(key=lambda one: (-(LEVELS.get(one.category, 0) >= 40), -one.count))
        return (*kinds, Folded(REST, f"beyond the first {KINDS_KEPT} kinds", None, self._rest)) if self._rest else tuple(kinds)


def fold(
    failure: Failure | None = None,
    events: Iterable[Mapping[str, Any]] = (),
    *,
    warnings: Warnings | None = None,
    notes: Sequence[str] = (),
    protocol_errors: int = 0,
    dropped: int = 0,
    told: str | None = None,
    checks: str | None = None,
    metrics: str | None = None,
    because: str | None = None,
    changed: str | None = None,
    triage: str | None = None,
    do: Sequence[str] = (),
    where: str | None = None,
    verdict: Mapping[str, Any] | None = None,
    changes: Sequence[Change] = (),
) -> Summary:
    """The Summary of a run from its evidence.

    `events`: the run's; `warnings`: counts taken while it ran, to which those of `events` are added.
    `protocol_errors` and `dropped`: as `Events` has them.
    """
    counted = warnings or Warnings()
    problems: dict[str, None] = {}
    for event in events:
        counted.add(event)
        if event["kind"] == "problem":
            problems[f"probe: {event['what']}"] = None
    lost = []
    if protocol_errors:
        lost.append(f"{grouped(protocol_errors)} lines of the events file could not be understood, and were left out")
    if dropped:
        lost.append(f"{grouped(dropped)} events were too many, and were left out")
    return Summary(
        what=_what(failure) if failure else None, failure=failure, warnings=counted.folded(), notes=_bounded([*notes, *problems, *lost]),
        where=where, because=because, triage=triage, do=tuple(do), changed=changed, checks=checks, metrics=metrics, told=told,
        verdict=verdict, changes=tuple(changes),
    )  # fmt: skip


def _template(message: str) -> str:
    """`message` without what differs from one of its kind to the next: numbers, what is quoted."""
    return _VARIES.sub("#", message[:500])


_VARIES = re.compile(r"""'[^']*'|"[^"]*"|0x[0-9a-fA-F]+|\d+(?:[.,:]\d+)*""")


def _bounded(notes: list[str]) -> tuple[str, ...]:
    notes = [_cut(note, WHAT_CHARS) for note in notes]
    return tuple(notes) if len(notes) <= NOTES_KEPT else (*notes[:NOTES_KEPT], f"{len(notes) - NOTES_KEPT} more notes")


def _what(failure: Failure) -> str:
    """`KeyError: 'region'  (forecast.py:88 in features)`; without any message, the last lines that were printed."""
    says = ": ".join(part for part in (_named(failure), _first_line(failure.message)) if part) or _last_words(failure)
    more = len([text for text in (failure.message or "").splitlines() if text.strip()]) - 1
    lines = f" [{more} more line{'s' * (more > 1)}]" if more > 0 else ""
    place = f"  ({failure.where})" if failure.where else ""
    return f"{_cut(says, WHAT_CHARS)}{lines}{place}{_raised_as(failure)}"


def _named(failure: Failure) -> str | None:
    """The exception's type; the message of a signal or an exit says its own."""
    told = failure.kind in ("signal", "timeout", "not_started", "lost") or failure.type == "SystemExit"
    return None if told or (failure.kind == "exit" and (failure.type or "").startswith("SIG")) else failure.type


def _raised_as(failure: Failure) -> str:
    """The uncaught exception, where its cause is the one that is shown."""
    if not failure.chain or not (at := headline(failure.chain)):
        return ""
    top, message = failure.chain[0], _first_line(failure.chain[0].message)
    if (_first_line(failure.chain[at].message) or top.type or "") in message:
        return ""
    return f"; seen as {_cut(': '.join(part for part in (top.type, message) if part), WHAT_CHARS // 2)}"


def _last_words(failure: Failure) -> str:
    return " / ".join(text.strip() for text in failure.tail[-LAST_LINES:]) or "it said nothing"


def _first_line(message: str | None) -> str:
    return next((text.strip().replace("\t", " ") for text in (message or "").splitlines() if text.strip()), "")


def _cut(text: str, limit: int) -> str:
    """`text`, or its start and how much of it is not shown."""
    return text if len(text) <= limit else f"{text[:limit]}… [{grouped(len(text) - limit)} more characters]"


def render(summary: Summary, run: Mapping[str, Any], *, width: int = WIDTH, limit_s: float | None = None) -> list[str]:
    """The closing block, line by line, without newlines, safe to print. `run`: its record; `limit_s`: the job's `max_duration`."""
    said = _said(summary, run, limit_s)
    skipped = run["outcome"] == "skipped"
    block = [header(width), outcome_line(run, said)]
    block += [] if skipped else wrapped("what", summary.what, width)
    for key in ("because", "triage"):
        block += wrapped(key, getattr(summary, key), width)
    block += _steps(summary.do, width)
    for key in ("where", "changed", "checks", "metrics"):
        block += wrapped(key, getattr(summary, key), width)
    block += wrapped("warnings", _warnings_text(summary.warnings, run.get("cwd") or ""), width)
    for note in summary.notes:
        block += wrapped("note", note, width)
    block += wrapped("told", summary.told, width)
    return [*block, line("log", run.get("log") or "none")]


def _said(summary: Summary, run: Mapping[str, Any], limit_s: float | None) -> str:
    """What follows the outcome's word."""
    outcome, kind = run["outcome"], summary.failure.kind if summary.failure else None
    if outcome == "skipped":
        return f": {summary.what}" if summary.what else ""
    if outcome == "timed_out":
        return after(run) + (f" (limit {spoken(limit_s)})" if limit_s else "")
    if outcome == "terminated" and run.get("signal"):
        return f" by {signal_name(run['signal'])}{after(run)}"
    if outcome == "failed" and kind == "not_started":
        return f" to start (exit {run.get('exit_code')})"
    if outcome != "failed":
        return after(run)
    name = f"{signal_name(run['signal'])}, " if run.get("signal") else ""
    return f"{after(run)} ({name}exit {run['exit_code']})" if run.get("exit_code") is not None else after(run)


def wrapped(key: str, value: str | None, width: int) -> list[str]:
    """`value` behind `key`, further lines below its start; a word that is too long (a path) stays whole. Safe to print."""
    if not value or not value.strip():
        return []
    text, room = escaped(_cut(value, VALUE_CHARS)), max(20, width - KEY)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) if len(text) > room else [text]
    return [f"{key if i == 0 else '':{KEY}}{part}" for i, part in enumerate(lines)]


def _steps(steps: Sequence[str], width: int) -> list[str]:
    lines = [text for number, step in enumerate(steps, 1) for text in wrapped("", f"{number}. {step}", width)]
    return [f"{'do':{KEY}}{lines[0][KEY:]}", *lines[1:]] if lines else []


def _warnings_text(warnings: Sequence[Folded], cwd: str) -> str | None:
    """`3 kinds, 4 031 times: 4 000x FutureWarning "…" (forecast.py:12); …`."""
    if not warnings:
        return None
    kinds = [one for one in warnings if one.category != REST or one.where]
    total = sum(one.count for one in warnings)
    shown = "; ".join(_warning_text(one, cwd) for one in kinds[:KINDS_SHOWN])
    more = f"; and {len(kinds) - KINDS_SHOWN} more kinds" if len(kinds) > KINDS_SHOWN else ""
    over = "over " if len(kinds) < len(warnings) else ""
    return f"{over}{len(kinds)} kind{'s' * (len(kinds) != 1)}, {grouped(total)} time{'s' * (total != 1)}: {shown}{more}"


def _warning_text(one: Folded, cwd: str) -> str:
    message = _cut(_first_line(one.message), WARNING_CHARS)
    place = f" ({short_place(one.where, cwd)})" if one.where else ""
    return f'{grouped(one.count)}x {one.category} "{message}"{place}'
