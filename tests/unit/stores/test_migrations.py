"""The schema, and how a database gets there."""

from __future__ import annotations

import sqlite3

import pytest

from offduty.stores import migrations
from offduty.stores.sqlite import SQL, open_store


def test_the_migrations_make_the_schema_that_is_committed(tmp_path):
    """Drift: `schema.sql` shows a reader what the migrations add up to; it changes in the same commit."""
    made = migrations.schema(open_store(str(tmp_path / "s")).open())
    with open(f"{SQL}/schema.sql", encoding="utf-8") as file:
        assert file.read() == made


def test_migrations_are_numbered_without_holes():
    """A hole would be filled by somebody later, and then be skipped where the next one is applied already."""
    numbers = [migration.number for migration in migrations.load(f"{SQL}/migrations")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert migrations.newest(f"{SQL}/migrations") == numbers[-1]


def test_what_was_applied_is_on_record(tmp_path):
    """Number, name, checksum and time of each migration stand in the database itself."""
    rows = (
        open_store(str(tmp_path / "s"))
        .open()
        .execute("SELECT number, name, length(checksum), length(applied_at) FROM migration")
        .fetchall()
    )
    assert rows == [
        (1, "0001_runs.sql", 64, 24),
        (2, "0002_ledger.sql", 64, 24),
        (3, "0003_evidence.sql", 64, 24),
        (4, "0004_alerts.sql", 64, 24),
        (5, "0005_watch.sql", 64, 24),
        (6, "0006_proofs.sql", 64, 24),
        (7, "0007_handover.sql", 64, 24),
        (8, "0008_pings.sql", 64, 24),
        (9, "0009_drills.sql", 64, 24),
        (10, "0010_recurring.sql", 64, 24),
    ]


def test_applying_again_does_nothing():
    """`migrate` says what it did, and the second time that is nothing."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    steps = migrations.load(f"{SQL}/migrations")
    assert [migrations.migrate(connection, steps, 0.0), migrations.migrate(connection, steps, 0.0)] == [[step.number for step in steps], []]
    connection.close()


def test_a_migration_that_fails_leaves_nothing():
    """Its first statement is undone with the rest, and the version stays."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(sqlite3.Error):
        migrations.migrate(connection, [migrations.Migration(1, "bad", "CREATE TABLE a (x);\nCREATE TABLE a (x);\n")], 0.0)
    assert (migrations.version(connection), migrations.schema(connection)) == (0, "\n")
    connection.close()


def test_a_script_is_cut_into_its_statements():
    """Semicolons in texts, comments and triggers do not end a statement."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n DELETE FROM b;\n DELETE FROM c;\nEND;\n"
    first = "-- a; b\nINSERT INTO a VALUES (';\n');\n"
    assert list(migrations.statements(first + trigger)) == [first, trigger]
    with pytest.raises(ValueError, match="within a statement"):
        list(migrations.statements("SELECT 1"))
