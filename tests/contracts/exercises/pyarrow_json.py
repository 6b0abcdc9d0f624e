"""JSON lines of pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.json"]
NAMES = ["pyarrow.json.read_json", "pyarrow._json.read_json"]


def prepare(folder: Path) -> None:
    """One file."""
    (folder / "a.jsonl").write_text('{"region": "CANARY"}\n')


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.json

        return pyarrow.json.read_json(str(folder / name))

    return call


GOOD = [("file.read", "a.jsonl", _read("a.jsonl"))]
BAD = [_read("missing.jsonl")]
