"""What every store remembers of checks and their pings, over every line of `STORES`."""

from __future__ import annotations

import importlib
from dataclasses import replace as replaced

import pytest
from msgspec.structs import replace

from offduty.stores import STORES
from offduty.testing import MONDAY, a_run
from offduty.watch.pings.check import Check, Filters, Heard, Key, Open
from offduty.watch.pings.store import REMEMBERED
from offduty.watch.promise import Promise

CODE, OTHER = "684e2e73-017e-465f-8149-d70b7c5aaa49", "0b5f8f6e-6c1b-4f35-9a1d-0d8f0b2f6c11"
CHECK = Check(
    "backup",
    CODE,
    "backup",
    "ops",
    "ops",
    True,
    MONDAY,
    "down",
    True,
    Filters(True, True, ("a",), ("b",), ("c",)),
    Promise("backup", every=60.0).as_json(),
    7,
    1.5,
    2.5,
    OTHER,
    3.5,
    (Open("run", OTHER, 2.5, "log"),),
)
KEY = Key("ops", "secret-secret-secret-24ch", "ops")


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """An empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made
    made.close()


def test_a_check_comes_back_as_it_was(store):
    """All of it, by each of its names."""
    store.pings.change(lambda pings: (pings.put_key(KEY), pings.put(CHECK)))
    assert store.pings.checks() == [CHECK] == store.pings.look(CODE) == store.pings.look(key=KEY.secret, slug="backup")
    assert store.pings.change(lambda pings: (pings.by_code(CODE), pings.check("backup"), pings.by_slug("ops", "backup"))) == (
        CHECK,
        CHECK,
        [CHECK],
    )
    assert store.pings.change(lambda pings: (pings.key(KEY.secret), pings.key_called("ops"), pings.count("ops"))) == (KEY, KEY, 1)


def test_what_nobody_has_is_not_there(store):
    """Neither by a wrong secret, nor by the right one of something else."""
    store.pings.change(lambda pings: (pings.put_key(KEY), pings.put(CHECK)))
    assert store.pings.look(OTHER) == store.pings.look(key="wrong", slug="backup") == store.pings.look(key=KEY.secret, slug="other") == []
    assert store.pings.change(lambda pings: (pings.by_code("backup"), pings.key("ops"), pings.by_slug("", "backup"))) == (None, None, [])


def test_another_address_replaces_the_old_one(store):
    """Rotation: the old uuid and the old key are nobody's."""
    store.pings.change(lambda pings: (pings.put_key(KEY), pings.put(CHECK)))
    new = replace(CHECK, code=OTHER)
    store.pings.change(lambda pings: (pings.put(new), pings.put_key(replaced(KEY, secret="new"))))
    assert store.pings.look(CODE) == store.pings.look(key=KEY.secret, slug="backup") == []
    assert store.pings.look(OTHER) == store.pings.look(key="new", slug="backup") == [new] and store.pings.keys() == [
        replaced(KEY, secret="new")
    ]


def test_the_last_pings_are_remembered(store):
    """INV-11: the newest hundred, newest first."""
    store.pings.change(lambda pings: pings.put(CHECK))
    heard = [Heard(number, MONDAY, "fail", 3, OTHER, "POST", "10.0.0.1", "curl", 5, "run") for number in range(1, REMEMBERED + 51)]
    store.pings.change(lambda pings: [pings.hear("backup", one) for one in heard])
    assert store.pings.heard("backup") == heard[: -REMEMBERED - 1 : -1]


def test_a_check_is_forgotten_and_its_runs_stay(store):
    """Pings go with it."""
    store.pings.change(lambda pings: (pings.put(CHECK), pings.hear("backup", Heard(1, 1.0, "log", None, "", "GET", "", "", 0, ""))))
    store.pings.change(lambda pings: pings.put_run(a_run("backup"), None))
    store.pings.change(lambda pings: pings.remove("backup"))
    assert store.pings.checks() == [] == store.pings.heard("backup") and store.jobs() == ["backup"]


def test_one_transaction_is_all_or_nothing(store):
    """F79, F82: what was not finished has not happened."""

    def work(pings):
        pings.put(CHECK)
        raise KeyError("in between")

    with pytest.raises(KeyError):
        store.pings.change(work)
    assert store.pings.checks() == []


def test_runs_and_promises_go_in_with_the_ping(store):
    """INV-5: run, incident, and what is owed are one transaction; its start is news to the watcher."""
    run = a_run("backup", "failed")
    tell = {"job": "backup", "team": "ops", "cause": "x", "owed": {"failed": [{"channel": "desk", "urgency": "now", "team": "ops"}]}}

    def work(pings):
        pings.promise(Promise("backup", every=60.0), "pings", MONDAY)
        pings.put_run(run, tell)
        return pings.run(run["id"]), pings.run("0" * 36), pings.has_runs("backup"), pings.has_runs("other")

    assert store.pings.change(work) == (run, None, True, False)
    assert len(store.alerts.incidents("backup")) == len(store.alerts.alerts(job="backup", limit=5)) == 1
    assert [one.run for one in store.watch.started_after(0, 5)] == [run["id"]]
    store.pings.change(lambda pings: pings.forget("backup"))
    assert store.watch.watched() == []
