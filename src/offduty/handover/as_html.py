"""A document as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from offduty.handover.document import Block, Document

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt

CODE = re.compile(r"`([^`\n]+)`")
PLAIN = re.compile(r"[^A-Za-z0-9 ]")
LONGEST_HEADER = 80
NARROW = 50
"""So many letters at most in the widest row: a table that a phone can show as one."""


def as_html(document: Document) -> str:
    """The whole page. Every text is escaped; Markdown is rendered without HTML, images or links that run something."""
    return _template("document.html").render(document.as_json())


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        loader=PackageLoader("offduty.handover"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["markdown"] = lambda text: Markup(_markdown().render(text))  # html=False: rendered, not taken over
    environment.filters["prose"] = lambda text: Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # escaped first
    environment.filters["css_text"] = _css_text
    environment.filters["form"] = _form
    environment.filters["picture"] = Markup  # ours: see `document.picture`
    return environment.get_template(name)


def _css_text(text: str) -> str:
    """What stands between quotes in a style sheet: all but letters, digits and blanks by their numbers."""
    return PLAIN.sub(lambda found: f"\\{ord(found[0]):x} ", text[:LONGEST_HEADER])


def _form(block: Block) -> str:
    """How a table is shown where there is no room for columns: `two` of them below one another, a `narrow` one as it is."""
    if len(block["headers"]) <= 2:
        return "two"
    rows = [block["headers"], *block["rows"]]
    return "narrow" if sum(max(len(row[place]) for row in rows) for place in range(len(block["headers"]))) <= NARROW else "wide"


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
