"""What is remembered of coverage and drills, in every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offduty.drills.store import Looked, Rehearsed, Turn
from offduty.stores.memory import MemoryStore
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY

DONE = Rehearsed(
    "forecast", MONDAY, "LAB-01", "missing", "file.read", "/lab.csv", True, "failed, LAB-01 won", True, True, True, None, 2.5, {"x": 1}
)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """A store of each kind."""
    made = MemoryStore() if request.param == "memory" else open_store(str(tmp_path / "s"))
    yield made
    made.close()


def test_the_newest_drill_of_each_fault_counts(store):
    """A drill that went wrong after one that went well, with everything that was kept of it; other jobs stay apart."""
    wrong = replace(DONE, at=MONDAY + 1, passed=False, entry={"x": 2})
    store.drills.rehearse([DONE, replace(DONE, fault="torn")])
    store.drills.rehearse([wrong, replace(DONE, job="other")])
    assert store.drills.rehearsals("forecast") == [wrong, replace(DONE, fault="torn")]


def test_looks_at_the_coverage_come_by_time(store):
    """The trend is there, the oldest first."""
    looks = [Looked("forecast", MONDAY + hour, hour / 10, 0.9, 3, 40) for hour in range(3)]
    for look in looks:
        store.drills.looked(look)
    store.drills.looked(Looked("other", MONDAY, 1.0, 1.0, 0, 1))
    assert store.drills.coverages("forecast") == looks


def test_a_turn_is_kept_from_its_beginning(store):
    """It gets a number, and is the same turn when it is taken up again and when it is over; the newest of each job is found at once."""
    begun = store.drills.put_turn(Turn("forecast", MONDAY))
    assert begun.number == 1 and store.drills.last_turns() == {"forecast": begun}
    over = store.drills.put_turn(
        replace(begun, tries=2, ended_at=MONDAY + 60, outcome="failed", passed=1, of=2, said="FEED-01", code="E821")
    )
    other = store.drills.put_turn(Turn("other", MONDAY, by="hand"))
    second = store.drills.put_turn(Turn("forecast", MONDAY + 90))
    assert store.drills.turns("forecast") == [over, second]
    assert store.drills.last_turns() == {"forecast": second, "other": other}


def test_drills_of_long_ago_are_forgotten(store, monkeypatch):
    """INV-11: and of those that come every minute all but the newest; the last turn says when the next is due, so it stays as long."""
    monkeypatch.setattr("offduty.stores.drills.KEPT", 3)
    store.drills.rehearse([replace(DONE, at=MONDAY + n, fault=f"f{n}") for n in range(6)] + [replace(DONE, job="other", at=MONDAY)])
    store.drills.put_turn(Turn("forecast", MONDAY))
    store.drills.put_turn(Turn("forecast", MONDAY + 5))
    assert store.drills.forget(MONDAY + 2) == 5
    assert [one.fault for one in store.drills.rehearsals("forecast")] == ["f3", "f4", "f5"]
    assert [one.began_at for one in store.drills.turns("forecast")] == [MONDAY + 5]
