"""What letting go remembers, in every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offduty.handover.request import Request
from offduty.handover.store import Acceptance, Reading, Touch
from offduty.stores.memory import MemoryStore
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, a_run

TAKEN = Acceptance("forecast", "lab", "LAB-01", "d1", True, "ada", MONDAY)


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """A store of each kind."""
    made = MemoryStore() if request.param == "memory" else open_store(str(tmp_path / "s"))
    yield made
    made.close()


def test_the_newest_acceptance_of_each_team_and_row_counts(store):
    """A refusal after an acceptance counts, other rows and jobs stay."""
    refused = replace(TAKEN, accepted=False, reason="not ours", at=MONDAY + 1)
    store.handover.accept([TAKEN, replace(TAKEN, row="")])
    store.handover.accept([refused, replace(TAKEN, job="other")])
    assert store.handover.acceptances("forecast") == [replace(TAKEN, row=""), refused]


def test_touches_come_by_time(store):
    """Also when told later, and with hours that nobody said."""
    late, early = Touch("forecast", 20.0, "ada", "holidays", 3.0), Touch("forecast", 10.0, "bob", "looked")
    store.handover.touch(late)
    store.handover.touch(early)
    assert store.handover.touches("forecast") == [early, late]


def test_requests_are_numbered_and_changed_by_number(store):
    """One that is not there is not changed."""
    wish = Request("forecast", "weekends <b>", "planners", 5.0, hours=2.0)
    number = store.handover.add_request(wish)
    agreed = replace(wish, number=number, state="agreed")
    assert store.handover.put_request(agreed)
    assert not store.handover.put_request(replace(agreed, number=99))
    assert store.handover.requests("forecast") == [agreed] == store.handover.requests()


def test_a_reading_is_kept_when_it_is_another(store):
    """A watcher that looks every minute must not fill the disk."""
    first = Reading("forecast", 1.0, "on duty", 20, {"R01": "not yet"})
    assert store.handover.read(first)
    assert not store.handover.read(replace(first, at=2.0))
    assert store.handover.read(replace(first, at=3.0, level="watched"))
    assert [one.at for one in store.handover.readings("forecast")] == [1.0, 3.0]


def test_the_past_is_what_ended_oldest_first(store):
    """Drills, skipped and running ones left out; versions by the files that ran; metrics in order."""
    for n, outcome, trigger in [
        (0, "succeeded", "manual"),
        (1, "failed", "scheduled"),
        (2, "skipped", "scheduled"),
        (3, "succeeded", "drill"),
    ]:
        code = {"code": {"commit": "a1b2c3d4e5", "dirty": False, "files": {"f.py": "0123456789ab"}}}
        metrics = [{"name": "mape", "value": 0.1, "unit": None}]
        store.put_run(a_run(outcome=outcome, trigger=trigger, at=MONDAY + n), fingerprint=code, metrics=metrics)
    store.put_run(a_run(outcome="running", at=MONDAY + 9))
    past = store.handover.past("forecast")
    assert [(run.outcome, run.at - MONDAY, run.label) for run in past] == [("succeeded", 0, "a1b2c3d"), ("failed", 1, "")]
    assert [run.outcome for run in store.handover.past("forecast", 1)] == ["failed"]
    ours = {run.id for run in past}
    assert [one for one in store.handover.measured("forecast") if one[0] in ours] == [(r.id, "mape", 0.1, "") for r in past]


def test_where_no_file_is_known_the_commit_is_the_version(store):
    """Runs that share their packages, of two commits; one more without a fingerprint; metrics in the order in which they were told."""
    packages = {"numpy": "2.0"}
    for n, commit in enumerate(["a1b2c3d4e5", "a1b2c3d4e5", "f6f6f6f6f6"]):
        metrics = [{"name": name, "value": float(n), "unit": None} for name in ("z", "a")]
        store.put_run(a_run(at=MONDAY + n), fingerprint={"code": {"commit": commit, "dirty": False}, "packages": packages}, metrics=metrics)
    store.put_run(a_run(at=MONDAY + 3))
    assert [run.version for run in store.handover.past("forecast")] == ["a1b2c3d", "a1b2c3d", "f6f6f6f", ""]
    assert [(name, value) for _, name, value, _ in store.handover.measured("forecast")] == [(x, float(n)) for n in range(3) for x in "za"]
