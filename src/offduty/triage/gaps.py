"""What no row of one's own explains: failures that look alike put together, and the rows that would explain them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from offduty.errors import MissingExtra
from offduty.triage.case import Case
from offduty.triage.diagnose import diagnose
from offduty.triage.propose import broad_row, row_for
from offduty.triage.row import Row, read
from offduty.triage.table import Table
from offduty.triage.verdict import GUESSED, Verdict

LINES_KEPT = 200
TEXT_CHARS = 500
ALIKE = 0.5  # of its words a failure has to share with a template
_VARIES = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d+(?:[.,:/-]\d+)*")


@dataclass(frozen=True)
class Unexplained:
    """A failed run that no row of one's own explains. `at`: when it started, RFC 3339. `verdict`: the catalogue's, with the team by it."""

    run: str
    job: str
    at: str
    case: Case
    verdict: Verdict


@dataclass(frozen=True)
class Gap:
    """Failures that look alike, the newest first. `template`: what they have in common, `<*>` for what differs."""

    template: str
    failures: tuple[Unexplained, ...]

    @property
    def newest(self) -> Unexplained:
        """The example that is shown."""
        return self.failures[0]


def unexplained(run: str, job: str, at: str, case: Case, verdict: Verdict) -> Unexplained:
    """The same with no more of the log than it takes to find a row for it."""
    return Unexplained(run, job, at, replace(case, lines=case.lines[-LINES_KEPT:]), verdict)


def said(case: Case) -> str:
    """A failure in one line: what was raised, or said last, or how it ended."""
    failure = case.failure
    if failure is not None and (failure.type or failure.message):
        return _line(": ".join(part for part in (failure.type, failure.message) if part))
    if last := next((line for line in reversed(case.lines) if line.strip()), ""):
        return _line(last)
    return f"exit status {case.exit_code}" if case.exit_code is not None else case.outcome.replace("_", " ")


def group(failures: Iterable[Unexplained]) -> list[Gap]:
    """Failures by template, the most frequent first, then the newest. Raises MissingExtra E701 without drain3."""
    try:
        from drain3.drain import Drain
    except ImportError as error:
        why = f"{error.name} is not installed"
        raise MissingExtra("E701", "failures cannot be put together by their texts", why=why, fix="pip install 'offduty[mine]'") from None
    drain = Drain(sim_th=ALIKE)
    found: dict[int, list[Unexplained]] = defaultdict(list)
    templates: dict[int, str] = {}
    for one in sorted(failures, key=lambda one: (one.at, one.run), reverse=True):
        cluster, _ = drain.add_log_message(_VARIES.sub("<*>", said(one.case)))
        found[cluster.cluster_id].append(one)
        templates[cluster.cluster_id] = cluster.get_template()
    gaps = [Gap(templates[number], tuple(alike)) for number, alike in found.items()]
    return sorted(gaps, key=lambda gap: len(gap.failures), reverse=True)  # a stable sort: the newest first among equals


def suggest(gaps: Sequence[Gap], known: Collection[str], teams: Collection[str]) -> list[tuple[dict[str, Any], int]]:
    """Rows that explain the failures, as TOML has them, each with how many it explains.

    `known`: the ids that are taken. `teams`: those that there are. Together the rows explain every failure that any row can be found for.
    """
    taken = set(known)
    rows: list[Row] = []
    counts: list[int] = []
    for one in (failure for gap in gaps for failure in gap.failures):
        holding = next((number for number, row in enumerate(rows) if _explains(row, one)), None)
        if holding is not None:
            counts[holding] += 1
        elif (row := _row(one, taken, teams)) is not None:
            taken.add(row.id)
            rows.append(row)
            counts.append(1)
    return [(row.as_values(), count) for row, count in zip(rows, counts, strict=True)]


def suggest_broad(gaps: Sequence[Gap], known: Collection[str], teams: Collection[str]) -> list[tuple[dict[str, Any], int]]:
    """A row for each kind of failure that the catalogue has explained, each with how many it would; `team` where all of them are one's."""
    kinds: dict[str, list[str | None]] = {}
    for one in (failure for gap in gaps for failure in gap.failures):
        if one.verdict.row and not one.verdict.row.startswith(GUESSED):
            kinds.setdefault(one.verdict.category, []).append(one.verdict.team)
    taken, rows = set(known), []
    for kind, whose in sorted(kinds.items(), key=lambda item: -len(item[1])):
        row = broad_row(kind, (whose[0] or "") if len(set(whose)) == 1 and whose[0] in teams else "")
        row["id"] = row["id"] if row["id"] not in taken else _free(str(row["id"]), taken)
        taken.add(row["id"])
        rows.append((row, len(whose)))
    return rows


def _row(one: Unexplained, taken: Collection[str], teams: Collection[str]) -> Row | None:
    """The narrowest row that explains a failure; None if none does."""
    values = row_for(one.case, one.verdict)
    values["id"] = _free(str(values["id"]), taken)
    if one.verdict.team in teams:
        values["team"] = one.verdict.team
    else:
        values.pop("team", None)
    whens: list[Mapping[str, Any]] = [values["when"], {"category": one.verdict.category}] if one.verdict.row else [values["when"]]
    for when in whens:
        row = read({**values, "when": when}, 1, lambda _: None)
        if row is not None and _explains(row, one):
            return row
    return None


def _explains(row: Row, one: Unexplained) -> bool:
    return diagnose(one.case, Table((row,)), {}, {}, {}, decided=one.verdict).source == "table"


def _free(name: str, taken: Collection[str]) -> str:
    base = name.rpartition("-")[0] or name
    return next(found for number in range(1, len(taken) + 2) if (found := f"{base}-{number:02d}") not in taken)


def _line(text: str) -> str:
    return " ".join(text[: 4 * TEXT_CHARS].split())[:TEXT_CHARS]
