"""Files of SQL with several statements, each under a line `-- name: …`."""

from __future__ import annotations


def read(path: str) -> str:
    """The text of such a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def split(text: str) -> dict[str, str]:
    """The statements of such a text by their names."""
    parts = [part.partition("\n") for part in text.split("-- name: ")[1:]]
    return {name.strip(): sql.strip().rstrip(";") for name, _, sql in parts}
