"""A document as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from offduty.handover.document import Document

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt


def as_html(document: Document) -> str:
    """The whole page. Every text is escaped; Markdown is rendered without HTML, images or links that run something."""
    return _template("document.html").render(document.as_json())


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("offduty.handover"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["markdown"] = lambda text: Markup(_markdown().render(text))  # html=False: rendered, not taken over
    environment.filters["picture"] = Markup  # ours: see `document.picture`
    return environment.get_template(name)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
