"""CSV files of pyarrow, written in C."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.csv"]
NAMES = "pyarrow.csv.read_csv pyarrow._csv.read_csv pyarrow.csv.write_csv".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file."""
    _write("a.csv")(folder)


def _write(name: str) -> Any:
    def call(folder: Path) -> None:
        import pyarrow.csv as module

        module.write_csv(table(), str(folder / name))

    return call


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.csv as module

        return module.read_csv(str(folder / name))

    return call


def _retyped(folder: Path) -> Any:
    import pyarrow
    import pyarrow.csv

    options = pyarrow.csv.ConvertOptions(column_types={"region": pyarrow.int64()})
    return pyarrow.csv.read_csv(str(folder / "a.csv"), convert_options=options)


GOOD = [("file.read", "a.csv", _read("a.csv")), ("file.write", "b.csv", _write("b.csv"))]
BAD = [_read("missing.csv"), _retyped]
