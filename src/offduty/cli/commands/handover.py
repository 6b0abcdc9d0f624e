"""`offduty handover`: the document a support team can work from."""

from __future__ import annotations

import argparse
import os

from offduty.cli import COMMANDS
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import store_of
from offduty.cli.write import write_bytes
from offduty.clock import Clock
from offduty.errors import UsageError, quoted
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
ENDINGS = (".html", ".md", ".pdf")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job to hand over")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=document_name, help="write it there: .html, .md or .pdf (default: Markdown, to stdout)"
    )


def document_name(text: str) -> str:
    """A file name whose ending says the form. Raises UsageError E112."""
    if text.lower().endswith(ENDINGS):
        return text
    raise UsageError("E112", f"{quoted(text)} names no form", fix=f"end it with {' or '.join(ENDINGS)}")


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

        print(as_markdown(document), end="")
    return 0


def _write(args: argparse.Namespace, document: Document) -> None:
    """Made from what is known, so an older one is replaced."""
    ending = os.path.splitext(args.output)[1].lower()
    write_bytes(args.output, _rendered(args, document, ending))
    if args.json:
        print_json({"schema": "offduty.handover/1", "job": args.job, **document.as_json()})
    else:
        note(args, f"written: {args.output}")


def _rendered(args: argparse.Namespace, document: Document, ending: str) -> bytes:
    if ending == ".pdf":
        from offduty.handover.as_pdf import as_pdf, missing_fonts

        made = as_pdf(document)
        for text in missing_fonts(document):
            note(args, text)
        return made
    if ending == ".html":
        from offduty.handover.as_html import as_html

        return as_html(document).encode()
    from offduty.handover.as_markdown import as_markdown

    return as_markdown(document).encode()
