"""The short ways that captures take when the same comes again: they tell what the long way would."""

from __future__ import annotations

import email.message
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offduty_probe.capture import ledger as ledgers

Watching = Any  # `Watch` of conftest.py


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders with a table of the same name, of one and of two rows."""
    monkeypatch.chdir(tmp_path)  # the test leaves from here, so that it comes back
    made = [tmp_path / "north", tmp_path / "south"]
    for rows, folder in enumerate(made, 1):
        folder.mkdir()
        (folder / "sales.csv").write_text("region,sales\n" + "a,1\n" * rows)
    return made


def in_each(folders: list[Path], act: Callable[[], object]) -> None:
    """`act()` at one place in the job's code, each time in another folder."""
    for folder in [*folders, folders[0]]:
        os.chdir(folder)
        act()


def test_a_relative_path_is_looked_at_each_time(watch: Watching, folders: list[Path]) -> None:
    """One line that reads `sales.csv` in one folder after the other: three transactions with the files they really read."""
    pandas = pytest.importorskip("pandas")
    watch.install("pandas")
    in_each(folders, lambda: pandas.read_csv("sales.csv"))
    told = [(event["target"], event["rows"]) for event in watch.told()]
    assert told == [(str(folders[n] / "sales.csv"), n + 1) for n in (0, 1, 0)]


def test_a_relative_target_of_the_jobs_own_is_looked_at_each_time(watch: Watching, folders: list[Path]) -> None:
    """The JSON of a target is kept for the next time, but not where the current folder is a part of it; nor is another one's taken."""
    for target in ("sales.csv", "/srv/a.csv", "/srv/a.csv", "/srv/b.csv"):
        in_each(folders, lambda target=target: watch.ledger.transaction("file.read", target).done())  # type: ignore[misc]
    south = str(folders[1] / "sales.csv")
    north = str(folders[0] / "sales.csv")
    absolute = [name for name in ("/srv/a.csv", "/srv/a.csv", "/srv/b.csv") for _ in range(3)]
    assert [event["target"] for event in watch.told()] == [north, south, north, *absolute]


def test_begin_and_end_name_the_same_target(watch: Watching) -> None:
    """Two transactions of one place that overlap: each end has the target of its own begin."""

    def begin(target: str) -> Any:
        transaction = watch.ledger.transaction("http.request", target)
        transaction.leave()
        return transaction

    one, two = [begin(target) for target in ("https://a.example/1", "https://a.example/2")]
    two.done()
    one.done()
    events = [event for event in watch.all() if "n" in event]
    begun = {event["n"]: event["target"] for event in events if event["kind"] == "begin"}
    assert {event["n"]: event["target"] for event in events if event["kind"] == "transaction"} == begun
    assert sorted(begun.values()) == ["https://a.example/1", "https://a.example/2"]


def test_statements_that_come_again_are_told_apart(watch: Watching, tmp_path: Path) -> None:
    """Of equal and different statements, on two databases in turn: each with its own verb, table and database; INV-12: no literal."""
    watch.install("sqlite3")
    paths = [str(tmp_path / name) for name in ("one.db", "two.db")]
    connections = [sqlite3.connect(path) for path in paths]
    for connection in connections:
        connection.execute("CREATE TABLE stores (name TEXT)")
    watch.told()
    statements = ["SELECT name FROM stores", "INSERT INTO stores VALUES ('hunter2')", "SELECT name FROM stores"]
    for connection in connections:
        for statement in statements:
            connection.execute(statement)
    assert watch.lines() == [
        f"db.query sqlite://{path} {what}" for path in paths for what in ("SELECT stores", "INSERT stores", "SELECT stores")
    ]
    for connection in connections:
        connection.close()


def test_a_mistake_of_ours_hides_nothing_that_follows(watch: Watching) -> None:
    """A target that is no text, which no capture gives: the call is left out, it is said, and the next transaction is told."""
    assert watch.ledger.transaction("db.query", 5) is None
    watch.ledger.transaction("db.query", "postgresql://dw/sales SELECT stores").done()
    watch.recorder.flush()
    events = [json.loads(line) for line in watch.events.read_text().splitlines()]
    assert ["TypeError" in event["what"] for event in events if event["kind"] == "problem"] == [True]
    assert [event["target"] for event in events if event["kind"] == "transaction"] == ["postgresql://dw/sales SELECT stores"]


def test_the_first_at_a_place_is_always_told(watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """INV-11, INV-13: when a process has told as many in full as it may, the first at a new place is told still, the others are counted."""
    monkeypatch.setattr(ledgers, "MOST_IN_FULL", 3)
    for _ in range(8):
        watch.ledger.transaction("db.query", "a").done()
    watch.ledger.transaction("db.query", "b").done()
    for _ in range(8):
        watch.ledger.transaction("db.query", "c").done()
    told = [(event["target"], event["count"]) for event in watch.told()]
    assert [count for target, count in told if target == "a"][:3] == [1, 1, 1]
    assert {name: sum(count for target, count in told if target == name) for name in "abc"} == {"a": 8, "b": 1, "c": 8}


@pytest.mark.parametrize("headers, size", [({"Content-Length": "12"}, 12), ({}, None), ({"content-length": "many"}, None)])
def test_an_answer_tells_its_status_and_length(headers: dict[str, str], size: int | None) -> None:
    """Through requests' own headers and through any others, with a length, without one, and with one that is none."""
    requests = pytest.importorskip("requests")
    from offduty_probe.capture import requests as capture

    known = capture._answered(requests.structures.CaseInsensitiveDict)
    answer = requests.Response()
    answer.status_code = 503
    for kind in (requests.structures.CaseInsensitiveDict, email.message.Message):
        answer.headers = kind()
        for name, value in headers.items():
            answer.headers[name] = value
        found = known(answer, (), {})
        assert (found["status"], found.get("bytes"), found["attributes"]) == (503, size, {"http.response.status_code": 503})
