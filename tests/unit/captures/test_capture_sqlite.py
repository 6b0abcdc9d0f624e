"""SQLite: connections and cursors are still what the job expects, and tell what they execute."""

from __future__ import annotations

import sqlite3
import traceback

import pytest


@pytest.fixture
def seen(watch):
    """With the capture."""
    return watch.install("sqlite3")


def test_statements_are_told_by_verb_and_tables(seen, tmp_path):
    """Of the connection and of cursors; rows where SQLite knows them; no literals, no parameters."""
    file = tmp_path / "sales.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE stores (name TEXT)")
    connection.cursor().executemany("INSERT INTO stores VALUES (?)", [("hunter2",), ("b",)])
    assert connection.execute("SELECT name FROM stores WHERE name = 'hunter2'").fetchall() == [("hunter2",)]
    connection.close()
    told = seen.told()
    verbs = ["CREATE stores", "INSERT stores", "SELECT stores"]
    assert [event["target"] for event in told] == [f"sqlite://{file}", *(f"sqlite://{file} {verb}" for verb in verbs)]
    assert told[2]["rows"] == 2
    assert told[2]["attributes"]["db.system.name"] == "sqlite"
    assert "test_statements_are_told" in told[3]["where"]


def test_a_failure_has_its_code_and_no_values(seen):
    """The job gets its own exception; only a part of the statement that was not understood is masked."""
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError, match="hunter2"):
        connection.execute("SELECT * FROM x WHERE 'a' hunter2")
    connection.close()
    (_, failed) = seen.told()
    assert (failed["ok"], failed["status"]) == (False, "SQLITE_ERROR")
    assert failed["error"] == {"type": "sqlite3.OperationalError", "message": 'near "***": syntax error'}


def test_the_wrappers_are_not_in_a_traceback(seen):
    """The job's frame is the only one, as without the capture."""
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT * FROM missing")
    connection.close()
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)] == ["test_the_wrappers_are_not_in_a_traceback"]


def test_a_factory_of_the_jobs_own_stays(seen):
    """Its methods are called, and it is still an instance."""

    class Mine(sqlite3.Connection):
        def execute(self, *args):
            self.executed = args[0]
            return super().execute(*args)

    class Cursor(sqlite3.Cursor):
        pass

    connection = sqlite3.connect(":memory:", factory=Mine)
    assert isinstance(connection, Mine)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    assert connection.executed == "SELECT 1"
    assert isinstance(connection.cursor(Cursor).execute("SELECT 2"), Cursor)
    connection.close()
    assert seen.lines() == ["db.connect sqlite:///:memory:", "db.query sqlite:///:memory: SELECT", "db.query sqlite:///:memory: SELECT"]


def test_it_looks_like_sqlite3(seen):
    """Names and attributes: the job cannot tell by `repr`, `isinstance` or by setting an attribute."""
    connection = sqlite3.connect(":memory:")
    assert isinstance(connection, sqlite3.Connection)
    assert repr(connection).startswith("<sqlite3.Connection object")
    with pytest.raises(AttributeError):
        connection.anything = 1
    with connection as same:
        assert same is connection
    connection.close()


def test_uninstalled_it_is_the_very_same(watch):
    """Both names of `connect`."""
    before = sqlite3.connect, sqlite3.dbapi2.connect
    watch.install("sqlite3")
    assert sqlite3.connect is not before[0]
    watch.uninstall()
    assert (sqlite3.connect, sqlite3.dbapi2.connect) == before
    assert sqlite3.connect is before[0]
