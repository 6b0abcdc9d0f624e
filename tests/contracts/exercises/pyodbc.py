"""Databases by pyodbc: SQLite through its driver for ODBC."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

LIBRARIES = ["pyodbc"]
NAMES = ["pyodbc.connect"]


def prepare(folder: Path) -> None:
    """The driver has to be there."""
    pyodbc = pytest.importorskip("pyodbc")
    if "SQLite3" not in pyodbc.drivers():
        pytest.skip("no driver for SQLite (Debian: libsqliteodbc)")


def _ask(folder: Path) -> Any:
    import pyodbc

    with closing(pyodbc.connect(f"DRIVER=SQLite3;Database={folder}/sales.db;PWD=CANARY")) as connection:
        return [tuple(row) for row in connection.cursor().execute("SELECT 'CANARY'").fetchall()]


def _by_keywords(folder: Path) -> Any:
    import pyodbc

    pyodbc.connect(driver="{SQLite3}", database=f"{folder}/sales.db", uid="CANARY").close()


def _nobody(folder: Path) -> Any:
    import pyodbc

    pyodbc.connect("DRIVER={PostgreSQL Unicode};SERVER=127.0.0.1;PORT=1;DATABASE=sales;UID=CANARY;PWD={CANARY;}", timeout=2)


def _no_driver(folder: Path) -> Any:
    import pyodbc

    pyodbc.connect("DRIVER={There is none};SERVER=tcp:dw,1433;PWD=CANARY")


GOOD = [("db.connect", "/sales.db", _ask), ("db.connect", "/sales.db", _by_keywords)]
BAD = [_nobody, _no_driver]
