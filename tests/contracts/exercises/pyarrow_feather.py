"""Feather files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.feather"]
NAMES = "pyarrow.feather.read_table pyarrow.feather.read_feather pyarrow.feather.write_feather".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file."""
    _write("a.feather")(folder)


def _write(name: str) -> Any:
    def call(folder: Path) -> None:
        import pyarrow.feather as module

        module.write_feather(table(), str(folder / name))

    return call


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.feather as module

        return module.read_table(str(folder / name))

    return call


GOOD = [("file.read", "a.feather", _read("a.feather")), ("file.write", "b.feather", _write("b.feather"))]
BAD = [_read("missing.feather")]
