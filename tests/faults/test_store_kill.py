"""F68, F76: SIGKILL, at any moment, costs nothing that was acknowledged. `OFFDUTY_TORTURE=200` makes it 200 times as many kills."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time

import pytest

from offduty.stores import migrations
from offduty.stores.sqlite import SQL, open_store
from offduty.testing import a_run

KILLS = 60 * int(os.environ.get("OFFDUTY_TORTURE", "1"))
ID_LENGTH = 36


def forked(work):
    """A child that does `work(report)`: its pid, and the end of a pipe from which everything it reports can be read."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work(lambda data: os.write(writing, data))
        finally:
            os._exit(0)
    os.close(writing)
    return pid, reading


def report_of(pid, reading):
    """What a child said until its end."""
    with open(reading, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    return said


def killed_after(seconds, work, *, reports=0):
    """What a child said that got SIGKILL `seconds` after so many reports."""
    pid, reading = forked(work)
    said = b"".join(os.read(reading, ID_LENGTH) for _ in range(reports))
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return said + report_of(pid, reading)


def at_once(number, work):
    """What each of `number` children said."""
    return [report_of(*child) for child in [forked(work) for _ in range(number)]]


def test_no_acknowledged_run_is_lost_by_kills(tmp_path):
    """F68: after each kill in the midst of commits, every acknowledged run is there, and the file is whole."""
    path, chance, acknowledged = str(tmp_path / "offduty.sqlite3"), random.Random(7), []

    def work(report):
        store = open_store(path)
        while True:
            run = a_run(outcome="running")
            store.put_run(run)
            store.put_run(a_run(id=run["id"]))
            report(run["id"].encode())

    for _ in range(KILLS):
        said = killed_after(chance.uniform(0, 0.01), work, reports=chance.randrange(1, 5)).decode()
        acknowledged += [said[i : i + ID_LENGTH] for i in range(0, len(said), ID_LENGTH)]
    store = open_store(path)
    there = {run["id"] for run in store.runs(outcomes=("succeeded",), limit=10**9)}
    assert len(acknowledged) >= KILLS
    assert set(acknowledged) <= there
    assert store.open().execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert store.notes() == []


def test_a_store_half_made_is_made_again(tmp_path):
    """F76: killed while the first store is being made: the next one begins anew, with nothing left over and nothing set aside."""
    chance = random.Random(7)
    for n in range(KILLS // 2):
        folder = tmp_path / str(n)
        killed_after(chance.uniform(0, 0.01), lambda report, folder=folder: open_store(f"{folder}/offduty.sqlite3"))
        store = open_store(f"{folder}/offduty.sqlite3")
        assert (store.put_run(a_run()), store.notes()) == ("added", [])
        store.close()
        assert sorted(os.listdir(folder)) == ["offduty.sqlite3", "offduty.sqlite3.lock"]


NEXT = migrations.newest(f"{SQL}/migrations") + 1


def later_sql(folder):
    """A folder like ours with a migration of three statements more."""
    shutil.copytree(SQL, folder)
    statements = ("ALTER TABLE run ADD COLUMN mood TEXT", "UPDATE run SET mood = job", "CREATE INDEX run_by_mood ON run (mood)")
    (folder / "migrations" / f"{NEXT:04}_mood.sql").write_text(";\n".join(statements) + ";\n")
    return str(folder)


@pytest.mark.parametrize("fatal", range(1, 10))
def test_a_migration_killed_at_any_statement_is_whole_or_not_there(tmp_path, fatal):
    """F76: killed before its n-th statement of eight, a migration has left no trace; the next opening does all of it."""
    path, sql = str(tmp_path / "offduty.sqlite3"), later_sql(tmp_path / "sql")
    store = open_store(path)
    store.put_run(a_run("cheerful"))
    store.close()

    def work(report):
        connection, seen = sqlite3.connect(path, isolation_level=None), []

        def die_at(statement):
            seen.append(statement)
            if len(seen) == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

        connection.set_trace_callback(die_at)
        migrations.migrate(connection, migrations.load(f"{sql}/migrations")[NEXT - 1 :], 0.0)
        report(b"done")

    said = report_of(*forked(work))
    with sqlite3.connect(path) as connection:
        half = (connection.execute("PRAGMA user_version").fetchone()[0], len(connection.execute("PRAGMA table_info(run)").fetchall()))
    connection.close()
    assert (said, half) == ((b"done", (NEXT, 23)) if fatal > 8 else (b"", (NEXT - 1, 22)))
    assert open_store(path, sql=sql).open().execute("SELECT mood FROM run").fetchall() == [("cheerful",)]


def test_many_processes_that_open_at_once_all_succeed(tmp_path):
    """F76: the first store is made, and an older one migrated, exactly once, whoever comes first."""
    path, sql = str(tmp_path / "offduty.sqlite3"), later_sql(tmp_path / "sql")
    for folder in (SQL, sql):
        said = at_once(8, lambda report, folder=folder: report(open_store(path, sql=folder).put_run(a_run()).encode()))
        assert said == [b"added"] * 8
    store = open_store(path, sql=sql)
    assert (len(store.runs()), store.notes()) == (16, [])
    assert store.open().execute("SELECT number FROM migration").fetchall() == [(number,) for number in range(1, NEXT + 1)]
