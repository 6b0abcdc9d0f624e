"""The catalogue as it is read at run time: all of its TOML in one JSON file, with the literals of each pattern worked out.

Reading the TOML and taking 3,000 patterns apart costs 0.2 s, the JSON a few ms.
`python -m offduty.triage.compiled` writes it anew; a test compares.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE = os.path.join(os.path.dirname(__file__), "catalogue.json")


@cache
def compiled() -> dict[str, Any]:
    """`categories`, `facts` (by where they are looked for: name, pieces), `signatures` and `pieces` (of each pattern). Read once."""
    with open(FILE, "rb") as file:
        text = file.read()
    with all_kept():
        found: dict[str, Any] = json.loads(text)
    return found


@contextmanager
def all_kept() -> Iterator[None]:
    """While much is made that is all kept: looking for what is not would cost a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def compile_catalogue() -> str:
    """The JSON, made from the TOML."""
    from pathlib import Path  # like `tomllib` not at run time

    from offduty.triage.patterns import pieces_of

    here = Path(FILE).parent
    categories = _read(here / "categories.toml")["category"]
    facts = {where: {name: _pieces(words) for name, words in table.items()} for where, table in _read(here / "facts.toml").items()}
    files = sorted((here / "catalogue").glob("*.toml"))
    signatures = [{**row, "family": path.stem} for path in files for row in _read(path).get("signature", [])]
    patterns = {
        pattern: pieces_of(pattern) for row in signatures for key in ("text", "log", "no_text") for pattern in _listed(row["when"].get(key))
    }
    found = {"categories": categories, "facts": facts, "signatures": signatures, "pieces": patterns}
    return json.dumps(found, ensure_ascii=False, indent=0) + "\n"


def _pieces(words: list[str]) -> list[Any]:
    from offduty.triage.patterns import pieces_of

    return [piece for word in words for piece in pieces_of(word)]


def _listed(given: str | list[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(path.read_text("utf-8"))


if __name__ == "__main__":
    made = compile_catalogue()
    with open(FILE, "w", encoding="utf-8") as file:
        file.write(made)
