"""Documents as files: which form a file's name means, and how a document becomes one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from offduty.cli.show import note
from offduty.errors import UsageError, quoted
from offduty.handover.document import Document

ENDINGS = (".html", ".md", ".pdf")


def name_ending(*endings: str) -> Callable[[str], str]:
    """For argparse: a file name whose ending says the form. What it makes raises UsageError E112."""

    def document_name(text: str) -> str:
        if text.lower().endswith(endings):
            return text
        raise UsageError("E112", f"{quoted(text)} names no form", fix=f"end it with {' or '.join(endings)}")

    return document_name


def ending(path: str) -> str:
    """`.html` of `Runbook.HTML`."""
    return os.path.splitext(path)[1].lower()


def rendered(args: argparse.Namespace, document: Document, form: str) -> bytes:
    """The whole file, in one of ENDINGS. What no font here can show in a PDF is noted. Raises MissingExtra E701, OffdutyError E122."""
    if form == ".pdf":
        from offduty.handover.as_pdf import as_pdf, missing_fonts

        made = as_pdf(document)
        for text in missing_fonts(document):
            note(args, text)
        return made
    if form == ".html":
        from offduty.handover.as_html import as_html

        return as_html(document).encode("utf-8", "backslashreplace")
    from offduty.handover.as_markdown import as_markdown

    return as_markdown(document).encode("utf-8", "backslashreplace")
