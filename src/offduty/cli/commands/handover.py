"""`offduty handover`: the document a support team can work from."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.documents import ENDINGS, ending, name_ending, rendered
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json, print_markdown, screen
from offduty.cli.telling import store_of
from offduty.cli.write import write_bytes
from offduty.clock import Clock
from offduty.handover.document import Document

HELP = COMMANDS["handover"][2]
DESCRIPTION = """\
What the job does and for whom, when it runs and what late means, how to see, stop and rerun it, how to read its log, the triage table
with contacts, what it relies on, the last incidents and how they were solved, what was rehearsed, known quirks, who accepted it.
It is made from the configuration, the code and the history, so make it again instead of editing it. PDF needs offduty[pdf].
"""
EXAMPLES = """\
offduty handover forecast -o runbook.html
offduty handover forecast -o runbook.pdf
offduty handover forecast > runbook.md
offduty handover accept forecast --team lab --by "Mei Chen"
"""
SUBCOMMANDS = {"accept": "offduty.cli.commands.handover_accept"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job to hand over")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=name_ending(*ENDINGS),
        help="write it there: .html, .md or .pdf (default: Markdown, to stdout)",
    )


def main(args: argparse.Namespace) -> int:
    """Make the document."""
    from offduty.wiring.runbook import runbook_of

    settings, clock = settings_here(args), Clock()
    settings.job(args.job)
    with open_for_reading(args, clock) as reach:
        document = runbook_of(settings, args.job, store_of(reach), clock.wall(), reach.places.logs)
    if args.output is not None:
        _write(args, document)
    elif args.json:
        print_json({"schema": "offduty.handover/1", "job": args.job, **document.as_json()})
    else:
        from offduty.handover.as_markdown import as_markdown

        print_markdown(screen(args), as_markdown(document))
    return 0


def _write(args: argparse.Namespace, document: Document) -> None:
    """Made from what is known, so an older one is replaced."""
    write_bytes(args.output, rendered(args, document, ending(args.output)))
    if args.json:
        print_json({"schema": "offduty.handover/1", "job": args.job, **document.as_json()})
    else:
        note(args, f"written: {args.output}")
