"""The questions to SQLite: answered from indexes, and cheap to load."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from offduty.stores import STORES
from offduty.stores.record import FIELDS
from offduty.stores.sqlite import QUERIES, SQL, named_queries, open_store

RANGE = {"since": "", "until": "~", "until_id": "", "outcomes": "[]", "limit": 1, "job": "a", "host": "h"}
PART = {"part": "0193", "after": "0193g", "limit": 6}


@pytest.mark.parametrize(
    "name, values, index",
    [
        ("get", ("x",), "sqlite_autoindex_run_1"),
        ("find", PART, "sqlite_autoindex_run_1"),
        ("find", PART, "COVERING INDEX sqlite_autoindex_run_1"),
        ("runs", RANGE, "run_by_start"),
        ("runs_of_job", RANGE, "run_by_job"),
        ("running", RANGE, "run_running"),
        ("jobs", (), "run_by_job"),
        ("last", ("a",), "run_by_job"),
        ("last_at_all", ("a",), "run_by_job"),
        ("last_good", ("a",), "run_by_job"),
        ("counts", (), "COVERING INDEX run_by_job"),
    ],
)
def test_every_question_is_answered_from_an_index(tmp_path, name, values, index):
    """100 000 runs must not be read, nor sorted, to show 50 of them."""
    db = open_store(str(tmp_path / "s")).open()
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step == "SCAN run"]
    assert not [step for step in plan if "TEMP B-TREE" in step and name in ("runs", "runs_of_job", "last", "last_at_all", "last_good")]


def test_the_columns_are_the_fields_of_the_record(tmp_path):
    """The document, the checks and the table list the same names in the same order."""
    columns = open_store(str(tmp_path / "s")).open().execute("PRAGMA table_info(run)").fetchall()
    assert tuple(column[1] for column in columns) == FIELDS


def test_every_query_has_a_name_and_every_name_is_used():
    """A query nobody asks is a mistake, and so is one that is asked and not there."""
    folder = os.path.dirname(os.path.dirname(SQL))
    with open(f"{folder}/sqlite.py", encoding="utf-8") as file:
        source = file.read()
    assert [name for name in named_queries(f"{SQL}/runs.sql") if f'"{name}"' not in source] == []


def test_the_store_is_cheap_to_import():
    """It is loaded while a job runs: nothing but what sqlite3 and json bring along, and a few small ones."""
    code = "import sqlite3, json, typing, sys; had = set(sys.modules); import offduty.stores.sqlite; print(*(set(sys.modules) - had))"
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in out if not name.startswith("offduty")} <= {"__future__", "errno", "fcntl"}


def test_every_store_is_listed():
    """The contract suite runs over `STORES`: a store that is not in it is not tested."""
    assert {place.partition(":")[0] for place in STORES.values()} == {"offduty.stores.memory", "offduty.stores.sqlite"}
