"""ORC files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.orc"]
NAMES = "pyarrow.orc.read_table pyarrow.orc.write_table".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file."""
    _write("a.orc")(folder)


def _write(name: str) -> Any:
    def call(folder: Path) -> None:
        import pyarrow.orc as module

        module.write_table(table(), str(folder / name))

    return call


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.orc as module

        return module.read_table(str(folder / name))

    return call


GOOD = [("file.read", "a.orc", _read("a.orc")), ("file.write", "b.orc", _write("b.orc"))]
BAD = [_read("missing.orc")]
