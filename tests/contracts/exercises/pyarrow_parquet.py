"""Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.parquet"]
NAMES = """pyarrow.parquet.read_table pyarrow.parquet.core.read_table pyarrow.parquet.write_table pyarrow.parquet.ParquetFile.__init__
 pyarrow.parquet.ParquetWriter.__init__ pyarrow.parquet.ParquetWriter.close""".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file, and one that is no such file."""
    import pyarrow.parquet

    (folder / "broken.parquet").write_text("nonsense" * 10)
    pyarrow.parquet.write_table(table(), folder / "a.parquet")


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.read_table(folder / name)

    return call


def _opened(folder: Path) -> Any:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(folder / "a.parquet") as file:
        return file.read()


def _piece_by_piece(folder: Path) -> None:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(folder / "c.parquet", table().schema) as writer:
        writer.write_table(table())
        writer.write_table(table())


def _written(folder: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(table(), where=folder / "b.parquet")


GOOD = [
    ("file.read", "a.parquet", _read("a.parquet")),
    ("file.read", "a.parquet", _opened),
    ("file.write", "b.parquet", _written),
    ("file.write", "c.parquet", _piece_by_piece),
]
BAD = [_read("missing.parquet"), _read("broken.parquet")]
