"""Captures together: what one library does through another counts once, at the outermost."""

from __future__ import annotations

import subprocess

import pandas
import pytest
import sqlalchemy


@pytest.fixture
def engine(postgres_port):
    """That has been used: at first SQLAlchemy asks the server who it is."""
    engine = sqlalchemy.create_engine(f"postgresql+psycopg://postgres:hunter2@127.0.0.1:{postgres_port}/postgres", pool_size=1)
    engine.connect().close()
    yield engine
    engine.dispose()


def test_read_sql_over_sqlalchemy_over_psycopg_counts_once(watch, engine):
    """The outermost is pandas."""
    watch.install("psycopg", "sqlalchemy", "pandas")
    assert len(pandas.read_sql("SELECT 'hunter2' AS region FROM pg_database LIMIT 1", engine)) == 1
    (told,) = watch.told()
    assert told["target"].endswith("/postgres SELECT pg_database")
    assert told["rows"] == 1


def test_sqlalchemy_is_told_by_the_driver(watch, engine, postgres_port):
    """Once, with the driver's code for a failure."""
    watch.install("psycopg", "sqlalchemy")
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.ProgrammingError):
        connection.execute(sqlalchemy.text("SELECT * FROM missing WHERE a = :a"), {"a": "hunter2"})
    (told,) = watch.told()
    assert told["target"] == f"postgresql://127.0.0.1:{postgres_port}/postgres SELECT missing"
    assert (told["status"], told["error"]["message"]) == ("42P01", 'relation "missing" does not exist')


def test_a_program_is_told_when_its_exit_code_is_known(watch):
    """Not when it starts: its exit code and how long it ran are what matters; no arguments."""
    watch.install("subprocess")
    process = subprocess.Popen(["sh", "-c", "sleep 0.1; exit 3", "hunter2"])
    assert '"transaction"' not in watch.events.read_text()
    assert process.wait() == 3
    (told,) = watch.told()
    assert (told["target"], told["ok"], told["status"]) == ("sh", True, 3)
    assert told["took"] >= 0.1


def test_a_program_that_nobody_waits_for_is_told_at_the_end(watch):
    """Forgotten, or still running: without an exit code."""
    watch.install("subprocess")
    process = subprocess.Popen(["sleep", "5"])
    watch.uninstall()
    (told,) = watch.told()
    process.kill()
    process.wait()
    assert (told["ok"], told.get("status")) == (True, None)


def test_a_command_that_failed_is_told_without_its_arguments(watch):
    """`check=True`: Python's message holds the whole command."""
    watch.install("subprocess")
    with pytest.raises(subprocess.CalledProcessError, match="hunter2"):
        subprocess.run(["sh", "-c", "exit 3", "hunter2"], check=True)
    (told,) = watch.told()
    assert told["error"]["message"] == "Command *** returned non-zero exit status 3."
    assert told["status"] == 3
