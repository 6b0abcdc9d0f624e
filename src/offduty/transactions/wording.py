"""What changed since the good runs of a job, in words for people. Times are UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from offduty.transactions.baseline import Baseline, Range, is_read, template
from offduty.transactions.change import Change
from offduty.transactions.transaction import Transaction

SHOWN, NAMES_SHOWN = 3, 5
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def in_words(
    found: Sequence[Change], usual: Baseline, ledger: Iterable[Transaction], fingerprint: Mapping[str, Any] | None, now_year: str = ""
) -> str | None:
    """`since the last good run (21 Nov 06:02): input sales.csv -region · code same · packages same`; None without a good run.

    `found`: the changes of a run with this `ledger` and `fingerprint`. `now_year`: the year that need not be told.
    """
    if not usual.runs:
        return None
    data = [one for one in found if one.kind.startswith(("input.", "output."))]
    parts = [f"{one.kind.partition('.')[0]} {name_of(one.subject)} {one.text}" for one in data[:SHOWN]]
    parts += [f"{len(data) - SHOWN} more inputs and outputs"] if len(data) > SHOWN else []
    parts += ["inputs as ever"] if not data and any(is_read(one.op, one.target) and one.ok and usual.of(one) for one in ledger) else []
    for kind in ("code", "packages"):
        change = next((one for one in found if one.kind == kind), None)
        if change is not None or _both_know(kind, usual.fingerprints, fingerprint):
            parts.append(f"{kind} {change.text if change else 'same'}")
    parts += [f"{one.kind} {one.text}" for one in found if one.kind in ("python", "host", "command", "environment")]
    return f"since the last good run ({day(usual.started_at[0], now_year)}): {' · '.join(parts) or 'nothing that is known'}"


def _both_know(kind: str, good: Sequence[Mapping[str, Any] | None], now: Mapping[str, Any] | None) -> bool:
    last = next((one for one in good if one is not None), None)
    if not last or not now or kind != "code":
        return bool(last and now and last.get(kind) and now.get(kind))
    before, after = last.get("code") or {}, now.get("code") or {}
    return any(before.get(key) and after.get(key) for key in ("commit", "files"))


def name_of(target: str) -> str:
    """A target as people call it: `sales.csv`, `sales/2026-11-23.csv`, `SELECT stores`, `api.example/v1/calls`."""
    place, _, statement = target.partition(" ")
    if statement and ("://" in place or statement.partition(" ")[0].isupper()):
        return statement
    scheme, _, rest = target.partition("://")
    if scheme in ("http", "https"):
        return rest.partition("?")[0].rstrip("/")
    if not rest and not target.startswith("/"):
        return target
    parts = [part for part in target.split("/") if part]
    if len(parts) < 2:
        return "".join(parts) or target
    telling = any(c.isalpha() for c in template(parts[-1]).partition(".")[0])
    return parts[-1] if telling else "/".join(parts[-2:])


def day(moment: str, now_year: str = "") -> str:
    """`21 Nov 06:02` for an RFC 3339 time; with the year if it is another than `now_year`."""
    year, month, date = moment[:4], MONTHS[int(moment[5:7]) - 1], int(moment[8:10])
    return f"{date} {month} {'' if year == (now_year or year) else year + ' '}{moment[11:16]}"


def ranged(before: Range, worded: Callable[[float], str], runs: int) -> str:
    """`442 on 3 good runs`, `410 to 442 on 20 good runs`."""
    low, high = worded(before.low), worded(before.high)
    return f"{low if low == high else f'{low} to {high}'} on {good_runs(runs)}"


def good_runs(count: int, *, every: bool = False) -> str:
    """`the last good run`, `20 good runs`, `all 20 good runs`."""
    return "the last good run" if count == 1 else f"{'all ' if every else ''}{count} good runs"


def grouped(number: float) -> str:
    """`81 204`."""
    return f"{number:,.0f}".replace(",", " ")


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
