"""A document as Markdown (CommonMark with tables), in which no text from outside means anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from offduty.handover.document import Block, Document

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|$~&#!])")
LEADING = re.compile(r"^(?:\d{1,9}(?=[.)])|(?=[-+=:@]))")
"""What begins a list, an underline or a definition, or in a spreadsheet a formula."""

CODE = re.compile(r"\\`([^`\n]+?)\\`")
BREAK = "\\\n   "
"""A hard line break within an item of a list."""


def as_markdown(document: Document, *, contents: bool = True) -> str:
    """The whole text; without its table of contents, and what that leads to, if it is a short one."""
    parts = [f"# {escaped(document.title)}", escaped(document.subtitle), escaped(document.made)]
    if contents:
        parts.append("\n".join(f"- [{escaped(one.title)}](#{one.anchor})" for one in document.sections))
    for section in document.sections:
        anchor = f'<a id="{section.anchor}"></a>\n\n' if contents else ""
        parts.append(f"{anchor}## {escaped(section.title)}")
        parts += [rendered for block in section.blocks for rendered in _block(block)]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(text: str, between: str = " ") -> str:
    """One line in which every character stands for itself: HTML, links, emphasis, formulas. `between`: what stands for a line break."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return between.join(LEADING.sub(r"\g<0>\\", SPECIAL.sub(r"\\\1", line)) for line in lines if line)


def prose(text: str, between: str = " ") -> str:
    """The same, but what stands in backticks is code; where that could mean something else to a reader, it stays text."""
    return CODE.sub(_code_span, escaped(text, between))


def _code_span(found: re.Match[str]) -> str:
    inner = re.sub(r"\\(.)", r"\1", found[1])
    return found[0] if set(inner) & set("|<>\\") else f"`{inner}`"


def _block(block: Block) -> Iterator[str]:
    yield from _KINDS[block["kind"]](block)


def _text(block: Block) -> Iterator[str]:
    yield from (prose(part) for part in block["text"].split("\n\n"))


def _quoted(block: Block) -> Iterator[str]:
    """Somebody's Markdown, as they wrote it but for HTML and images: quoted, so that a heading of theirs is not one of ours."""
    inert = re.sub(r"[<&]|!\[|\](?=[(:](?!https?://|#|mailto:))", lambda found: "\\" + found[0], block["text"])
    yield "\n".join(f"> {line}".rstrip() for line in inert.split("\n"))


def _code(block: Block) -> Iterator[str]:
    """Indented: no fence that the text could close."""
    yield "\n".join(f"    {line}" for line in block["text"].split("\n"))


def _steps(block: Block) -> Iterator[str]:
    yield "\n".join(f"{number}. {prose(item, BREAK)}" for number, item in enumerate(block["items"], 1))


def _points(block: Block) -> Iterator[str]:
    yield "\n".join(f"- {prose(item, BREAK)}" for item in block["items"])


def _facts(block: Block) -> Iterator[str]:
    yield _table(["", ""], block["pairs"])


def _grid(block: Block) -> Iterator[str]:
    yield _table(block["headers"], block["rows"])


def _table(headers: list[str], rows: list[list[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell if cell == "---" else prose(cell, "; ") for cell in cells) + " |" for cells in lines)


def _card(block: Block) -> Iterator[str]:
    badge = f" ({escaped(block['badge'])})" if block["badge"] else ""
    yield f'<a id="{block["anchor"]}"></a>\n\n### {escaped(block["title"])}{badge}'
    for inner in block["blocks"]:
        yield from _block(inner)


def _links(block: Block) -> Iterator[str]:
    yield "\n".join(
        f"- <{address}>" if web and not set(address) & set("<> \\") else f"- {escaped(address)}" for address, web in block["items"]
    )


def _picture(block: Block) -> Iterator[str]:
    """There is none: what it shows stands in the table below it."""
    yield from ()


_KINDS: dict[str, Callable[[Block], Iterator[Any]]] = {
    "text": _text, "notes": _quoted, "code": _code, "steps": _steps, "points": _points, "facts": _facts, "grid": _grid, "card": _card,
    "links": _links, "picture": _picture,
}  # fmt: skip
