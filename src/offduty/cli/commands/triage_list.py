"""`offduty triage list`: the rows of the table, in the order that counts."""

from __future__ import annotations

import argparse

from offduty.cli.duty import EMPTY, duty_here, row_json, when_text
from offduty.cli.show import Cell, note, one_line, print_json, print_table, screen

HELP = "the rows of the triage table, in the order that counts"
EXAMPLES = """\
offduty triage list
offduty triage list --json | jq -r '.rows[] | select(.team == null).id'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Only the options that all commands have."""


def main(args: argparse.Namespace) -> int:
    """Print the table."""
    table = duty_here(args).table
    if args.json:
        print_json({"schema": "offduty.triage/1", "rows": [row_json(row) for row in table.rows]})
    elif not table.rows and not table.flaws:
        print(EMPTY)
    else:
        rows = [[row.name, when_text(row), row.team or "-", str(len(row.steps)), row.title or row.cause] for row in table.rows]
        shown = [[Cell(one_line(text)) for text in row] for row in rows]
        print_table(screen(args), ("row", "when", "team", "steps", "cause"), shown, flexible=("when", "cause"), spare=("steps",))
    if table.flaws:
        note(args, f"{len(table.flaws)} mistakes are left out: `offduty triage check` shows them")
    return 0
