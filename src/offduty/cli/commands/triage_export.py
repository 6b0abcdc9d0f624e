"""`offduty triage export`: the table in another form, for those who edit it elsewhere."""

from __future__ import annotations

import argparse
import sys

from offduty.cli.duty import duty_here
from offduty.cli.show import note
from offduty.cli.write import write_new
from offduty.errors import ConfigError
from offduty.runs.logread import readable
from offduty.triage.formats import FORMATS
from offduty.triage.table import as_text
from offduty.triage.tablefile import ending_of

HELP = "the triage table as Markdown, CSV or TOML"
DESCRIPTION = """\
Nothing is lost on the way: `offduty triage import` brings it back. In CSV, a cell that a spreadsheet would run as a formula
gets a ' in front.
"""
EXAMPLES = """\
offduty triage export                          # Markdown, to look at or paste
offduty triage export triage.csv               # for a spreadsheet
offduty triage export --format toml >> offduty.toml
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="write it there: .md, .csv or .toml (default: print it)")
    parser.add_argument("--format", choices=[ending[1:] for ending in FORMATS], default="md", help="the form to print (default: md)")
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there")


def main(args: argparse.Namespace) -> int:
    """Write the table. Raises ConfigError E402 for a form nobody knows, E404 for a file that is there."""
    table = duty_here(args).table
    if table.flaws:
        raise ConfigError(
            "E402", "rows with mistakes cannot be exported", why=f"there are {len(table.flaws)}", fix="see `offduty triage check`"
        )
    if args.file is None:
        text = as_text(table.rows, f".{args.format}")
        if sys.stdout.isatty():
            text = "".join(f"{readable(line.encode())}\n" for line in text.splitlines())
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        return 0
    write_new(args.file, as_text(table.rows, ending_of(args.file)), force=args.force)
    note(args, f"{len(table.rows)} rows written to {args.file}")
    return 0
