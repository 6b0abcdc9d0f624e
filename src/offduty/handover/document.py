"""A document as plain data: sections of blocks, every text inert. Renderers turn it into HTML, Markdown and PDF.

A block is a dict with `kind`: `text` (`text`), `notes` (`text`: somebody's Markdown), `code` (`text`), `steps` and `points` (`items`),
`facts` (`pairs` of label and text), `grid` (`headers`, `rows` of texts, which columns are `numeric`), `card` (`anchor`, `title`, `badge`,
`blocks`), `links` (`items`), `picture` (`svg`). In texts, items, pairs and cells, what stands in `backticks` is shown as code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]
LONGEST_TEXT, LONGEST_CODE = 4000, 8000
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make a text look like another one."""
NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?( %)?")


@dataclass(frozen=True)
class Section:
    """A heading, where links lead to, and what stands below."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """`made`: when, and of what, in words."""

    title: str
    subtitle: str
    made: str
    sections: tuple[Section, ...]

    def as_json(self) -> dict[str, Any]:
        """As the templates take it."""
        sections = [{"anchor": one.anchor, "title": one.title, "blocks": list(one.blocks)} for one in self.sections]
        return {"title": self.title, "subtitle": self.subtitle, "made": self.made, "sections": sections}


def clean(text: object, longest: int = LONGEST_TEXT) -> str:
    """Text from outside that cannot do anything to whoever reads it: no control characters but line breaks, nothing that reorders."""
    shown = "".join(_shown(c) for c in str(text)[: longest + 1].replace("\r\n", "\n").replace("\t", "    "))
    return f"{shown[:longest]}…" if len(shown) > longest else shown


def _shown(c: str) -> str:
    if c == "\n" or (unicodedata.category(c) not in ("Cc", "Cs", "Co") and c not in BIDI):
        return c
    return "\ufffd"


def line(text: object) -> str:
    """The same, in one line."""
    return " ".join(clean(text).split())


def text(said: object) -> Block:
    """A paragraph."""
    return {"kind": "text", "text": clean(said)}


def notes(said: object) -> Block:
    """What somebody wrote, in Markdown."""
    return {"kind": "notes", "text": clean(said)}


def code(said: object) -> Block:
    """A command, or a stretch of a log."""
    return {"kind": "code", "text": clean(said, LONGEST_CODE)}


def steps(items: Iterable[object]) -> Block:
    """What to do, in this order."""
    return {"kind": "steps", "items": [clean(item) for item in items]}


def points(items: Iterable[object]) -> Block:
    """What is so, in no order."""
    return {"kind": "points", "items": [clean(item) for item in items]}


def facts(pairs: Iterable[tuple[str, object]]) -> Block:
    """Labels and what stands for them; what is empty is left out."""
    return {"kind": "facts", "pairs": [[label, clean(value)] for label, value in pairs if str(value)]}


def grid(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Block:
    """A table. `numeric`: of which columns each cell that is not empty is a number."""
    shown = [[clean(cell) for cell in row] for row in rows]
    columns = [[row[place] for row in shown if row[place]] for place in range(len(headers))]
    numeric = [bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells) for cells in columns]
    return {"kind": "grid", "headers": list(headers), "rows": shown, "numeric": numeric}


def card(anchor: str, title: object, badge: str, blocks: Iterable[Block]) -> Block:
    """Something with a heading of its own within a section."""
    return {"kind": "card", "anchor": anchor, "title": line(title), "badge": badge, "blocks": list(blocks)}


def picture(svg: str) -> Block:
    """A picture of ours: SVG that was made here, every text in it escaped."""
    return {"kind": "picture", "svg": svg}


def links(items: Iterable[object]) -> Block:
    """Addresses: those of the web can be followed, all others are only shown."""
    shown = [line(item) for item in items]
    return {"kind": "links", "items": [[one, one.lower().startswith(("https://", "http://"))] for one in shown]}
