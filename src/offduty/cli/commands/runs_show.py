"""`offduty runs show ID`: the whole record of one run, and its summary."""

from __future__ import annotations

import argparse
from typing import Any

from offduty.alerts.compose import told_in_words
from offduty.alerts.owed import Owed
from offduty.cli.choose import run_of
from offduty.cli.reach import open_for_reading
from offduty.cli.record_text import whole
from offduty.cli.show import Cell, one_line, print_cells, print_json, screen
from offduty.cli.telling import alert_json, store_of
from offduty.clock import Clock
from offduty.runs.store import Record
from offduty.transactions import check
from offduty.transactions.transaction import from_json, log_line

HELP = "all about one run: its record and its summary"
EXAMPLES = """\
offduty runs show 7f3a91c2          # by the end of its id, as `offduty runs` shows it
offduty runs show                   # the latest run
offduty runs show forecast --json   # the latest run of a job, for a program
"""
INDENT = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("run", nargs="?", metavar="ID|JOB", help="a run, or a job for its latest run (default: the latest run of all)")


def main(args: argparse.Namespace) -> int:
    """Print one run."""
    with open_for_reading(args, Clock()) as reach:
        run = run_of(reach.store, reach.planned, args.run)
        transactions = reach.store.ledger(run["id"])
        checks, metrics = reach.store.checks(run["id"]), reach.store.metrics(run["id"])
        fingerprint = reach.store.fingerprint(run["id"])
        told = [row for row in reversed(store_of(reach).alerts.alerts(job=run["job"], limit=1000)) if row.run == run["id"]]
    if args.json:
        parts = {"transactions": transactions, "checks": checks, "metrics": metrics, "fingerprint": fingerprint}
        parts["told"] = [alert_json(row) for row in told]
        print_json({"schema": "offduty.run/1", "run": run, **parts})
    else:
        show(args, run)
        show_ledger(args, run, transactions)
        show_checks(args, checks)
        show_told(args, told)
    return 0


def show(args: argparse.Namespace, run: Record) -> None:
    """A line for each fact, its label in front of the first of several alike."""
    on, before = screen(args), ""
    for label, text in whole(run):
        shown = on.outcome(run["outcome"]) if label == "outcome" else Cell(text)
        print_cells(on, [Cell(f"{'' if label == before else label:<{INDENT}}", "dim"), shown])
        before = label


def show_ledger(args: argparse.Namespace, run: Record, transactions: list[dict[str, Any]]) -> None:
    """What the run touched, a line each, as in its log."""
    on, label = screen(args), "touched"
    for entry in transactions:
        print_cells(on, [Cell(f"{label:<{INDENT}}", "dim"), Cell(one_line(log_line(from_json(entry), run["cwd"])))])
        label = ""


def show_told(args: argparse.Namespace, rows: list[Owed]) -> None:
    """Who was told of it, as of now: a message that waited when the run ended may have arrived since."""
    on, label = screen(args), "told"
    for row in rows:
        print_cells(on, [Cell(f"{label:<{INDENT}}", "dim"), Cell(f"{row.event}: {one_line(told_in_words(row, {}))}")])
        label = ""


def show_checks(args: argparse.Namespace, checks: list[dict[str, Any]]) -> None:
    """What was checked, a line each, as in its log."""
    on, label = screen(args), "checked"
    for entry in checks:
        line = check.log_line(check.from_event(entry)).removeprefix("check").lstrip()
        print_cells(on, [Cell(f"{label:<{INDENT}}", "dim"), Cell(one_line(line))])
        label = ""
