"""Datasets: folders of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.dataset"]
NAMES = "pyarrow.dataset.dataset pyarrow.dataset.write_dataset".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file."""
    _write("a.parts")(folder)


def _write(name: str) -> Any:
    def call(folder: Path) -> None:
        import pyarrow.dataset as module

        module.write_dataset(table(), folder / name, format="parquet", existing_data_behavior="overwrite_or_ignore")

    return call


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.dataset as module

        return module.dataset(folder / name).to_table()

    return call


GOOD = [("file.read", "a.parts", _read("a.parts")), ("file.write", "b.parts", _write("b.parts"))]
BAD = [_read("missing.parts")]
