"""Tables of pandas: files, text, a database, chunks."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path
from typing import Any

LIBRARIES = ["pandas"]
NAMES = """pandas.read_csv pandas.io.parsers.readers.read_csv pandas.io.api.read_csv pandas.read_parquet pandas.read_excel pandas.read_json
 pandas.read_sql pandas.read_hdf pandas.read_pickle pandas.core.generic.NDFrame.to_csv pandas.core.generic.NDFrame.to_sql
 pandas.DataFrame.to_parquet pandas.HDFStore.put pandas.io.parsers.readers.TextFileReader.read""".split()


def frame() -> Any:
    """Six rows, three columns."""
    import pandas

    return pandas.DataFrame({"region": ["CANARY", "b"] * 3, "sales": [1.5, 2.5] * 3, "n": range(6)})


def prepare(folder: Path) -> None:
    """The frame in several formats."""
    frame().to_csv(folder / "a.csv", index=False)
    frame().to_json(folder / "a.json")
    frame().to_pickle(folder / "a.pkl")
    with sqlite3.connect(folder / "a.db") as connection:
        frame().to_sql("stores", connection, index=False)
    connection.close()


def _pd(name: str, file: str, **kwargs: Any) -> Any:
    def call(folder: Path) -> Any:
        import pandas

        return _plain(getattr(pandas, name)(folder / file, **kwargs))

    return call


def _plain(table: Any) -> Any:
    """Something that `==` is about."""
    return table.to_dict() if hasattr(table, "to_dict") else table


def _chunks(folder: Path) -> Any:
    import pandas

    with pandas.read_csv(folder / "a.csv", chunksize=4) as reader:
        return [len(chunk) for chunk in reader]


def _buffer(folder: Path) -> Any:
    import pandas

    return _plain(pandas.read_csv(io.StringIO("region\nCANARY\n")))


def _text(folder: Path) -> Any:
    """The data in the place of a path: pandas 2 reads it, pandas 3 does not find it."""
    import pandas

    return _plain(pandas.read_json(io.StringIO('{"region": {"0": "CANARY"}}')))


def _sql(folder: Path) -> Any:
    import pandas

    connection = sqlite3.connect(folder / "a.db")
    try:
        return _plain(pandas.read_sql("select * from stores where region = 'CANARY'", connection))
    finally:
        connection.close()


def _to_sql(folder: Path) -> Any:
    connection = sqlite3.connect(":memory:")
    try:
        return frame().to_sql("sales", connection)
    finally:
        connection.close()


def _refused(folder: Path) -> Any:
    import pandas

    connection = sqlite3.connect(":memory:")
    try:
        return pandas.read_sql("select * from nothing where region = 'CANARY'", connection)
    finally:
        connection.close()


GOOD = [
    ("file.read", "a.csv", _pd("read_csv", "a.csv")),
    ("file.read", "a.csv", _chunks),
    ("file.read", "<buffer>", _buffer),
    ("file.read", "<buffer>", _text),
    ("file.read", "a.json", _pd("read_json", "a.json")),
    ("file.read", "a.pkl", _pd("read_pickle", "a.pkl")),
    ("db.query", "SELECT stores", _sql),
    ("db.query", "INSERT sales", _to_sql),
    ("file.write", "b.csv", lambda folder: frame().to_csv(folder / "b.csv")),
    ("file.write", "s.csv", lambda folder: frame()["sales"].to_csv(path_or_buf=str(folder / "s.csv"))),
    ("file.write", "b.json", lambda folder: frame().to_json(folder / "b.json")),
]
BAD = [
    _pd("read_csv", "missing.csv"),
    _pd("read_csv", "a.csv", usecols=["nothing"]),
    _pd("read_parquet", "a.csv"),
    _refused,
    _pd("read_csv", "a.csv", dtype=float),
]
