"""`offduty triage coverage`: of everything that can fail, what the table explains, and the holes with a row for each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from offduty.cli.commands.ready import jobs_meant
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.clock import Clock, rfc3339
from offduty.drills.coverage import Coverage, Hole
from offduty.drills.store import Looked
from offduty.errors import FINDINGS, UsageError, quoted
from offduty.triage.formats import toml
from offduty.wiring.coverage import coverage_of

HELP = "what the table explains of everything that can fail; the holes, and a row for each"
DESCRIPTION = """\
Takes everything the job touches (found in its source, seen in its past runs) and the job as a whole (missed, overdue, lost, killed),
holds each typical fault of it against the table, and says which row would explain it, what only the built-in catalogue knows, and where
an `except` hides the failure, so that no log would tell. Nothing is run. The share counts what rows of your own explain;
a row for whatever nothing else explains (category = "*") does not count.
Each look is remembered. Exit status 1 with --min if the share is lower.
"""
EXAMPLES = """\
offduty triage coverage
offduty triage coverage forecast --min 90
offduty triage coverage forecast --rows          # a ready row for each hole
offduty triage coverage forecast --broad         # a few for whole kinds of failure: who is called at least
offduty triage coverage --json | jq -r '.jobs[].holes[].where'
"""
SHOWN = 4


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="only this job")
    parser.add_argument("--min", metavar="PERCENT", type=percent, help="exit status 1 if less than this is explained")
    parser.add_argument("--rows", action="store_true", help="print a row for each hole, as TOML")
    parser.add_argument("--broad", action="store_true", help="print a row for each kind of failure that only the catalogue knows, as TOML")
    parser.add_argument("--path", action="append", metavar="PATH", help="its sources (default: those of its last good run, or its folder)")


def percent(text: str) -> float:
    """0 to 100. Raises UsageError E103."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UsageError("E103", f"{quoted(text)} is no percentage", where="--min", fix="0 to 100")
    return value


def main(args: argparse.Namespace) -> int:
    """Look, remember, print."""
    settings, clock = settings_here(args), Clock()
    names = jobs_meant(settings, args.job)
    with open_for_reading(args, clock) as reach:
        found = [coverage_of(settings, name, reach.store, args.path or ()) for name in names]
        drills = store_of(reach).drills
        before = {name: drills.coverages(name) for name in names}
        for one in found:
            drills.looked(Looked(one.job, clock.wall(), one.share, one.known, len(one.holes), len(one.answers)))
    if args.json:
        print_json({"schema": "offduty.triage_coverage/1", "jobs": [_document(one, before[one.job]) for one in found]})
    elif args.rows or args.broad:
        _print_rows(found if args.rows else [])
        _print_broad(found if args.broad else [])
    else:
        for one in found:
            _print(screen(args), one, before[one.job])
    return FINDINGS if args.min is not None and any(one.share * 100 < args.min for one in found) else 0


def _document(one: Coverage, before: Sequence[Looked]) -> dict[str, Any]:
    return {
        "job": one.job,
        "share": round(one.share, 4),
        "known": round(one.known, 4),
        "faults": len(one.answers),
        "answers": [
            {"op": it.spot.op, "target": it.spot.target, "where": it.spot.where, "fault": it.fault, "by": it.by, "row": it.row or None,
             "team": it.team or None, "category": it.category}
            for it in one.answers
        ],
        "holes": [
            {"op": it.spot.op, "target": it.spot.target, "where": it.spot.where, "swallowed": it.spot.swallowed, "faults": list(it.faults),
             "what": it.what, "proposed": it.proposed}
            for it in one.holes
        ],
        "broad": list(one.broad),
        "unreached": list(one.unreached),
        "history": [{"at": rfc3339(it.at), "share": round(it.share, 4), "holes": it.holes} for it in before],
    }  # fmt: skip


def _print_rows(found: Sequence[Coverage]) -> None:
    rows = list({str((hole.proposed or {})["when"]): hole for one in found for hole in one.holes if hole.proposed}.values())
    for number, hole in enumerate(rows):
        print(f"{chr(10) * (number > 0)}# {one_line(_place(hole))}: {', '.join(hole.faults)}")
        print(toml.write([dict(hole.proposed or {})]), end="")


def _print_broad(found: Sequence[Coverage]) -> None:
    rows = {row["id"]: dict(row) for one in found for row in one.broad}
    print("\n".join(toml.write([row]) for row in rows.values()), end="")


def _print(on: Screen, one: Coverage, before: Sequence[Looked]) -> None:
    spots = len({answer.spot for answer in one.answers})
    was = f"; it was {_percent(before[-1].share)}" if before and _percent(before[-1].share) != _percent(one.share) else ""
    head = f"{_percent(one.share)} of {len(one.answers)} faults in {spots} places have a row{was}; {_percent(one.known)} with the catalogue"
    print_cells(on, [Cell(one_line(one.job), "bold"), Cell(f": {head}")])
    if one.holes:
        rows = [
            [Cell(one_line(_place(hole))), Cell(_faults(hole)), Cell(hole.what, "bold red" if hole.spot.swallowed else "")]
            for hole in one.holes
        ]
        print_table(on, ("hole", "faults", ""), rows, flexible=("hole", "faults"))
    for name in one.unreached:
        print_cells(on, [Cell(f"row {one_line(name)}", "bold"), Cell(": none of these faults makes it win: it may never match")])
    if any(hole.proposed for hole in one.holes):
        print_cells(on, [Cell("rows to start from: offduty triage coverage --rows, or --broad for whole kinds of failure", "dim")])


def _percent(share: float) -> str:
    return f"{int(share * 100)} %"


def _place(hole: Hole) -> str:
    spot = hole.spot
    return f"{spot.where}  {spot.op} {spot.target}".strip() if spot.op else "the job as a whole"


def _faults(hole: Hole) -> str:
    more = len(hole.faults) - SHOWN
    return ", ".join(hole.faults[:SHOWN]) + (f" and {more} more" if more > 0 else "")
