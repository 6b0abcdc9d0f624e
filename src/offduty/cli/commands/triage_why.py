"""`offduty triage why RUN`: which row explains a run, and for each row why it does or does not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from offduty.cli.choose import run_of
from offduty.cli.duty import duty_here, verdict_lines, when_text
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, screen
from offduty.clock import Clock, short_id
from offduty.runs.store import Record
from offduty.triage.case import Case
from offduty.triage.decide import decide
from offduty.triage.diagnose import Judged, diagnose, why
from offduty.triage.propose import as_toml
from offduty.triage.verdict import UNKNOWN, Verdict
from offduty.wiring.explain import case_of_run

HELP = "which row explains a run, and why the others do not"
DESCRIPTION = """\
Holds each row of the table as it is now against what is kept of the run: its record, its transactions and checks, its log.
For a failure that no row explains, the row to add is printed, ready to be pasted and filled in.
"""
EXAMPLES = """\
offduty triage why                  # the latest run
offduty triage why 7f3a91c2
offduty triage why forecast --json  # the latest run of a job, for a program
"""
INDENT = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", nargs="?", metavar="ID|JOB", help="a run, or a job for its latest run (default: the latest run of all)")


def main(args: argparse.Namespace) -> int:
    """Print the rows and the verdict."""
    duty = duty_here(args)
    with open_for_reading(args, Clock()) as reach:
        run = run_of(reach.store, reach.planned, args.run)
        case = case_of_run(reach.store, run, duty)
    decided = decide(case)
    judged = why(case, duty.table, decided=decided)
    owner = duty.jobs.get(case.job)
    verdict = diagnose(case, duty.table, duty.teams, duty.owners, duty.dependency_teams, job_owner=owner, decided=decided)
    if run["outcome"] in ("succeeded", "running", "skipped"):
        verdict = Verdict()
    add = as_toml(case, verdict) if verdict.source != "table" and _is_wrong(run) else None
    if args.json:
        print_json(_document(run, judged, verdict, add))
    else:
        _print(screen(args), run, judged, verdict, add, case)
    return 0


def _is_wrong(run: Record) -> bool:
    return run["outcome"] not in ("succeeded", "running", "skipped")


def _document(run: Record, judged: Sequence[Judged], verdict: Verdict, add: str | None) -> dict[str, Any]:
    rows = [
        {
            "row": one.row.name,
            "where": one.row.where,
            "matches": one.matches,
            "wins": one.wins,
            "conditions": [{"key": it.key, "condition": it.condition, "holds": it.holds, "why": it.why} for it in one.reasons],
        }
        for one in judged
    ]
    told = verdict.as_json() if _is_wrong(run) else None
    return {"schema": "offduty.triage_why/1", "run": run["id"], "rows": rows, "verdict": told, "add": add}


def _print(on: Screen, run: Record, judged: Sequence[Judged], verdict: Verdict, add: str | None, case: Case) -> None:
    print_cells(on, [Cell(f"{'run':<{INDENT}}", "dim"), Cell(f"{short_id(run['id'])} of {run['job']}: {case.outcome.replace('_', ' ')}")])
    for one in judged:
        said = "explains it" if one.wins else "would, and an earlier row does" if one.matches else "no"
        style = "bold green" if one.wins else "yellow" if one.matches else "dim"
        print_cells(on, [Cell(f"{one_line(one.row.name):<{INDENT - 1}} "), Cell(said, style), Cell(f"  {when_text(one.row)}", "dim")])
        for reason in one.reasons:
            mark, style = ("+", "green") if reason.holds else ("-", "red")
            texts = [Cell(f"{'':{INDENT}}"), Cell(mark, style), Cell(f" {one_line(reason.condition)}: {one_line(reason.why)}")]
            print_cells(on, texts)
    if not _is_wrong(run):
        print("nothing to explain: it ended well")
        return
    before = ""
    for label, text in verdict_lines(verdict):
        print_cells(on, [Cell(f"{'' if label == before else label:<{INDENT}}", "dim"), Cell(text)])
        before = label
    if add:
        what = (
            "no row explains it; add one:"
            if verdict.source == UNKNOWN
            else "no row of your own explains it; to say more than the catalogue:"
        )
        print_cells(on, [Cell(f"\n{what}\n", "bold")])
        print(add, end="")
