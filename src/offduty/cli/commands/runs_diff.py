"""`offduty runs diff`: what is another about one run than about another: its inputs and outputs, its code, packages and the rest."""

from __future__ import annotations

import argparse

from offduty.cli.choose import run_of
from offduty.cli.reach import Reach, open_for_reading
from offduty.cli.show import Cell, one_line, print_cells, print_json, screen
from offduty.clock import Clock, short_id
from offduty.errors import NotThere
from offduty.runs.store import Record
from offduty.transactions.baseline import Baseline, Gathering
from offduty.transactions.change import Change
from offduty.transactions.changes import changes
from offduty.transactions.transaction import from_json
from offduty.transactions.wording import day, name_of

HELP = "what changed from one run to another"
EXAMPLES = """\
offduty runs diff 7f3a91c2          # the last good run before it, and this one
offduty runs diff 7f3a91c2 c90df28b # any two runs, the older one first
offduty runs diff forecast --json   # the latest run of a job, for a program
"""
INDENT = 14
ENDED_WELL = ("succeeded", "warned")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", metavar="ID|JOB", help="a run, or a job for its latest run")
    parser.add_argument(
        "other", nargs="?", metavar="ID|JOB", help="a later run to hold against it (default: it is held against the last good run)"
    )


def main(args: argparse.Namespace) -> int:
    """Print what changed."""
    with open_for_reading(args, Clock()) as reach:
        before, run = _both(reach, args)
        found = _changes(reach, before, run)
    if args.json:
        shown = [one.as_json() for one in found]
        print_json({"schema": "offduty.diff/1", "from": before["id"], "to": run["id"], "changes": shown})
    else:
        show(args, before, run, found)
    return 0


def _both(reach: Reach, args: argparse.Namespace) -> tuple[Record, Record]:
    """The run to compare with, and the one to compare. Raises NotThere."""
    first = run_of(reach.store, reach.planned, args.run)
    if args.other is not None:
        return first, run_of(reach.store, reach.planned, args.other)
    good = reach.store.good_runs(first["job"], 1, before=(first["started_at"], first["id"]))
    if not good:
        fix = "name two runs: offduty runs diff ID ID"
        raise NotThere("E501", f"{first['job']} has no good run before {short_id(first['id'])} to compare with", fix=fix)
    return good[0], first


def _changes(reach: Reach, before: Record, run: Record) -> list[Change]:
    store = reach.store
    ledger = [from_json(entry) for entry in store.ledger(run["id"])]
    came_to_end = run["outcome"] in ENDED_WELL
    return changes(_alone(reach, before), ledger, store.fingerprint(run["id"]), came_to_end=came_to_end, cwd=run["cwd"])


def _alone(reach: Reach, run: Record) -> Baseline:
    """A run as the only one to go by."""
    gathering = Gathering()
    gathering.add(run, reach.store.ledger(run["id"]), reach.store.fingerprint(run["id"]))
    return gathering.baseline()


def show(args: argparse.Namespace, before: Record, run: Record, found: list[Change]) -> None:
    """A line a change; what may well matter is marked in words."""
    on = screen(args)
    for label, one in (("from", before), ("to", run)):
        text = f"{short_id(one['id'])}  {one['job']}  {one['outcome'].replace('_', ' ')}  {day(one['started_at'])} UTC"
        print_cells(on, [Cell(f"{label:<{INDENT}}", "dim"), Cell(one_line(text))])
    for change in found:
        name = f"{name_of(change.subject)}: " if change.subject else ""
        mark = "  (unusual)" if change.unusual else ""
        print_cells(on, [Cell(f"{change.kind:<{INDENT}}  ", "dim"), Cell(one_line(f"{name}{change.text}")), Cell(mark, "yellow")])
    if not found:
        print_cells(on, [Cell("nothing that is known has changed")])
