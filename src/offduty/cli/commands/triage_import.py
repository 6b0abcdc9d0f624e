"""`offduty triage import`: a table that was edited elsewhere becomes the configured one; all of it, or nothing."""

from __future__ import annotations

import argparse

from offduty.cli.duty import settings_here
from offduty.cli.show import note
from offduty.cli.write import write_new
from offduty.errors import UsageError
from offduty.settings.load import Settings
from offduty.settings.triage import path_of
from offduty.triage import tablefile
from offduty.triage.flaw import TableErrors
from offduty.triage.table import as_text

HELP = "make a table that was edited elsewhere the configured one"
DESCRIPTION = """\
Reads FILE (.csv, .md or .toml). If anything is wrong with it, every mistake is told with its line, and nothing is written.
The rows go to the file that the configuration names (triage = "triage.md"), or to that of --to, in the form its name says.
"""
EXAMPLES = """\
offduty triage import edited.csv                   # into the configured file
offduty triage import edited.csv --to triage.toml
offduty triage check edited.csv                    # only look
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("file", metavar="FILE", help="the table: .csv, .md or .toml")
    parser.add_argument("--to", metavar="FILE", help="write the rows there instead of into the configured file")
    parser.add_argument("--force", action="store_true", help="replace the file of --to if it is there")


def main(args: argparse.Namespace) -> int:
    """Bring the table in. Raises TableErrors, ConfigError E402, E404."""
    tablefile.ending_of(args.file)
    table = tablefile.read(args.file)
    if table.flaws:
        raise TableErrors(list(table.flaws))
    target = args.to or _configured(settings_here(args))
    write_new(target, as_text(table.rows, tablefile.ending_of(target)), force=args.force or args.to is None)
    note(args, f"{len(table.rows)} rows written to {target}")
    if args.to:
        note(args, f'it counts once the configuration says triage = "{target}"')
    return 0


def _configured(settings: Settings) -> str:
    if settings.triage_file is None:
        why = "the rows stand in the configuration itself" if settings.triage else "the configuration names no file for them"
        raise UsageError("E111", "no file to import into", why=why, fix='name one with --to, and write triage = "…" into offduty.toml')
    return path_of(settings)
