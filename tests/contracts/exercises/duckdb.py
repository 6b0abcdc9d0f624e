"""DuckDB, in memory and in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["duckdb", "pandas"]
NAMES = "duckdb.DuckDBPyConnection.execute duckdb.DuckDBPyConnection.executemany duckdb.DuckDBPyConnection.sql".split()


def prepare(folder: Path) -> None:
    """A database."""
    import duckdb

    with duckdb.connect(str(folder / "a.db")) as connection:
        connection.execute("CREATE TABLE stores AS SELECT 'CANARY' AS name")


def _connect(folder: Path) -> None:
    import duckdb

    duckdb.connect(str(folder / "a.db")).close()


def _ask(statement: str) -> Any:
    def call(folder: Path) -> Any:
        import duckdb

        with duckdb.connect(str(folder / "a.db")) as connection:
            return connection.execute(statement).fetchall()

    return call


def _variable(folder: Path) -> Any:
    import duckdb
    import pandas

    frame = pandas.DataFrame({"region": ["CANARY", "b"]})
    assert len(frame) == 2
    with duckdb.connect() as connection:
        return connection.execute("SELECT count(*) FROM frame WHERE region = 'CANARY'").fetchall()


def _relation(folder: Path) -> Any:
    import duckdb
    import pandas

    frame = pandas.DataFrame({"region": ["CANARY", "b"]})
    assert len(frame) == 2
    return duckdb.sql("SELECT region FROM frame").fetchall()


GOOD = [
    ("db.connect", "duckdb:///:memory:", lambda folder: __import__("duckdb").connect().close()),
    ("db.connect", "a.db", _connect),
    ("db.connect db.query", "a.db SELECT stores", _ask("SELECT * FROM stores WHERE name = 'CANARY'")),
    ("db.connect db.query", ":memory: SELECT frame", _variable),
    ("db.query", ":memory: SELECT frame", _relation),
]
BAD = [
    _ask("SELECT * FROM missing WHERE name = 'CANARY'"),
    _ask("SELECT CAST('CANARY' AS int)"),
    _ask("SELECT 1 CANARY 'CANARY'"),
]
