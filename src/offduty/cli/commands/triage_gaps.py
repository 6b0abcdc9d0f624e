"""`offduty triage gaps`: failures that no row of one's own explains, the most frequent first."""

from __future__ import annotations

import argparse
from typing import Any

from offduty.cli.choose import known_job, point_in_time
from offduty.cli.duty import duty_here
from offduty.cli.progress import progress
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, moment, note, one_line, parse_time, print_cells, print_json, print_table, screen
from offduty.clock import Clock, short_id
from offduty.triage.gaps import Gap, group
from offduty.wiring.gaps import MOST, failed_runs, find
from offduty.wiring.triage import Duty

HELP = "failures that no row of your own explains, the most frequent first"
DESCRIPTION = """\
Holds the table as it is now against the failed runs in the store (at most the newest 2,000), and puts those that no row explains
together by what they say; <*> stands for what differs. Needs: pip install 'offduty[mine]'
"""
EXAMPLES = """\
offduty triage gaps
offduty triage gaps forecast --since 30d
offduty triage gaps --json | jq -r '.gaps[] | [.count, .template] | @tsv'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="only this job")
    parser.add_argument("--since", metavar="TIME", help="only runs since then: 30d, 12h, 2026-11-20")


def main(args: argparse.Namespace) -> int:
    """Print them."""
    duty = duty_here(args)
    failures, gaps = look(args, duty)
    if args.json:
        print_json(_document(failures, gaps))
    else:
        _print(args, failures, gaps)
    return 0


def look(args: argparse.Namespace, duty: Duty) -> tuple[int, list[Gap]]:
    """How many failures were looked at, and the gaps. Raises NotThere E506, MissingExtra E701."""
    group([])  # what is missing is said before the work, not after it
    clock = Clock()
    since = point_in_time(args.since, clock.wall()) if args.since else None
    with open_for_reading(args, clock) as reach:
        job = known_job(args.job, {*reach.store.jobs(), *reach.planned}) if args.job else None
        runs = failed_runs(reach.store, job, since)
        if len(runs) == MOST:
            note(args, f"only the newest {MOST} failures are looked at; --since or a job narrows it")
        with progress(args, "failures", len(runs)) as done:
            return len(runs), group(find(reach.store, runs, duty, done))


def shown(gap: Gap) -> str:
    """What the catalogue says of a gap."""
    verdict = gap.newest.verdict
    return f"{verdict.category} ({verdict.row})" if verdict.row else verdict.category


def _document(failures: int, gaps: list[Gap]) -> dict[str, Any]:
    found = [
        {
            "template": gap.template,
            "count": len(gap.failures),
            "last": gap.newest.at,
            "run": gap.newest.run,
            "jobs": sorted({one.job for one in gap.failures}),
            "verdict": gap.newest.verdict.as_json(),
        }
        for gap in gaps
    ]
    return {
        "schema": "offduty.triage_gaps/1",
        "failures": failures,
        "explained": failures - sum(len(gap.failures) for gap in gaps),
        "gaps": found,
    }


def _print(args: argparse.Namespace, failures: int, gaps: list[Gap]) -> None:
    on, now = screen(args), Clock().wall()
    unexplained = sum(len(gap.failures) for gap in gaps)
    if not gaps:
        told = f"all {failures} failures are explained by rows of your own" if failures else "no failures: nothing to explain"
        print_cells(on, [Cell(told)])
        return
    headers = ("COUNT", "LAST", "RUN", "CATALOGUE", "WHAT")
    rows = [
        (str(len(gap.failures)), moment(parse_time(gap.newest.at), now), short_id(gap.newest.run), shown(gap), gap.template) for gap in gaps
    ]
    print_table(on, headers, [[Cell(one_line(text)) for text in row] for row in rows], flexible=("WHAT", "CATALOGUE"))
    print_cells(on, [Cell(f"{unexplained} of {failures} failures have no row of your own; ready ones: offduty triage suggest", "dim")])
