"""A document as PDF, by typst. Its texts go in as data: nothing in them is markup."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from offduty.errors import MissingExtra, OffdutyError, quoted
from offduty.handover.document import Document

SCRIPTS = (
    ("Chinese, Japanese or Korean", r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]",
     ("Noto Sans CJK", "Noto Serif CJK", "Source Han", "WenQuanYi", "IPA", "Droid Sans Fallback", "Unifont"), "fonts-noto-cjk"),
    ("Arabic", r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefe]",
     ("Noto Sans Arabic", "Noto Naskh", "DejaVu Sans", "Amiri"), "fonts-noto-core"),
    ("Hebrew", r"[\u0590-\u05ff]", ("Noto Sans Hebrew", "Noto Serif Hebrew", "DejaVu Sans"), "fonts-noto-core"),
    ("Devanagari", r"[\u0900-\u097f]", ("Noto Sans Devanagari", "Noto Serif Devanagari", "Lohit"), "fonts-noto-core"),
    ("Thai", r"[\u0e00-\u0e7f]", ("Noto Sans Thai", "Noto Serif Thai", "Loma", "Garuda"), "fonts-noto-core"),
    ("emoji", r"[\U0001f300-\U0001faff]", ("Noto Color Emoji", "Noto Emoji", "Symbola"), "fonts-noto-color-emoji"),
)  # fmt: skip
"""(script, how its characters are found, beginnings of the names of fonts that have it, Debian's package of one). No emoji, no Mono."""
MONO = "DejaVu Sans Mono"
"""Comes with typst, and begins with the name of a font that has more."""


def as_pdf(document: Document) -> bytes:
    """The whole file. Raises MissingExtra E701 without typst, OffdutyError E122 if it cannot make one."""
    typst = typst_module("PDF")
    source = files("offduty.handover").joinpath("templates/document.typ").read_bytes()
    try:
        made: bytes = typst.compile(source, format="pdf", sys_inputs={"document": json.dumps(document.as_json())})
    except typst.TypstError as error:
        raise OffdutyError(
            "E122", "the document could not be made", why=quoted(error), fix="make it as .html, and please report it"
        ) from None
    return made


def missing_fonts(document: Document) -> list[str]:
    """What cannot be read in the PDF for want of a font, and the package that has one."""
    families = [name for name in typst_module("PDF").Fonts().families() if name != MONO]
    said = json.dumps(document.as_json(), ensure_ascii=False)
    return [
        f"no font here has {script}: apt-get install {package}"
        for script, characters, fonts, package in SCRIPTS
        if re.search(characters, said) and not any(name.startswith(fonts) for name in families)
    ]


def typst_module(form: str) -> Any:
    """What makes files of this form. Raises MissingExtra E701 where it is not installed."""
    try:
        import typst
    except ImportError:
        raise MissingExtra("E701", f"{form} needs an extra", why="typst is not installed", fix="pip install 'offduty[pdf]'") from None
    return typst
