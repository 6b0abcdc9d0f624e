"""`offduty triage show ROW`: all that one row says."""

from __future__ import annotations

import argparse

from offduty.cli.duty import duty_here, no_row, row_json, row_lines
from offduty.cli.show import Cell, print_cells, print_json, screen
from offduty.triage.formats import toml

HELP = "all that one row of the triage table says"
EXAMPLES = """\
offduty triage show FEED-01
offduty triage show FEED-01 --toml   # as it stands in a configuration
offduty triage show "row 3"          # one that has no id
"""
INDENT = 12


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("row", metavar="ROW", help="the id of a row, or `row 3`")
    parser.add_argument("--toml", action="store_true", help="as TOML")


def main(args: argparse.Namespace) -> int:
    """Print one row. Raises NotThere E520."""
    table = duty_here(args).table
    row = table.row(args.row)
    if row is None:
        raise no_row(args.row, [one.name for one in table.rows])
    if args.json:
        print_json({"schema": "offduty.triage_row/1", "row": row_json(row)})
    elif args.toml:
        print(toml.write([row.as_values()]), end="")
    else:
        before = ""
        for label, text in row_lines(row):
            print_cells(screen(args), [Cell(f"{'' if label == before else label:<{INDENT}}", "dim"), Cell(text)])
            before = label
    return 0
