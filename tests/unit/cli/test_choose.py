"""From words to jobs, runs and moments."""

from __future__ import annotations

import time

import pytest

from offduty.cli import choose
from offduty.cli.commands.status import in_a_row
from offduty.cli.reach import Planned
from offduty.errors import NotThere, OffdutyError
from offduty.stores.memory import MemoryStore
from offduty.watch.schedule import Cron

NOW = 1_795_413_600.0  # Monday 2026-11-23 06:00:00 UTC


def record(number: int, **changes):
    """The record of a run; a larger number is a later run."""
    base = {
        "id": f"01932f6c-0000-7000-8000-{number:012x}", "job": "forecast", "trigger": "manual", "attempt": 1, "attempts": 1,
        "outcome": "succeeded", "exit_code": 0, "exit_source": "child", "signal": None, "started_at": f"2026-11-23T06:{number:02d}:00.000Z",
        "ended_at": f"2026-11-23T06:{number:02d}:01.000Z", "duration_s": 1.0, "log": "", "host": "h", "user": "u", "pid": 1, "boot_id": "b",
        "pid_started": 1, "command": ["true"], "cwd": "/", "summary": None,
    }  # fmt: skip
    whole = {**base, **changes}
    return {"root_id": whole["id"], **whole}


@pytest.fixture
def store():
    """Three runs of two jobs, the latest of which was skipped."""
    store = MemoryStore()
    for run in (record(1), record(2, job="cafe1234"), record(3, outcome="skipped", exit_code=None)):
        store.put_run(run)
    return store


@pytest.mark.parametrize(
    "word, number",
    [(None, 2), ("forecast", 1), ("cafe1234", 2), ("000000000001", 1), ("01932f6c-0000-7000-8000-000000000003", 3)],
)
def test_a_word_means_the_latest_run_of_a_job_or_the_run_with_that_id(store, word, number):
    """A job wins over an id that looks like it; a skipped run, which printed nothing, only counts when it is named."""
    assert choose.run_of(store, [], word)["id"] == record(number)["id"]


@pytest.mark.parametrize(
    "word, code, says",
    [
        ("forcast", "E506", "did you mean forecast?"),
        ("0193", "E502", "give more digits"),
        ("beef", "E501", "`offduty runs` lists them"),
        ("planned", "E506", "start it: offduty run planned"),
        ("../x", "E506", "`offduty status` lists the jobs"),
        ("a\nb\x1b[2J", "E506", "`offduty status` lists the jobs"),
        ("", "E506", ""),
        ("x" * 300, "E506", ""),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_that_is(store, word, code, says):
    """B1, T22: bad names are names nobody has; nothing of them reaches a path or the terminal."""
    with pytest.raises(OffdutyError) as refused:
        choose.run_of(store, ["planned"], word)
    assert (refused.value.code, refused.value.status) == (code, 66)
    assert says in str(refused.value)
    assert str(refused.value).isprintable()


def test_without_any_run_the_error_teaches():
    """The empty state says what to do."""
    with pytest.raises(OffdutyError, match="no runs yet"):
        choose.run_of(MemoryStore(), [], None)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("7d", "2026-11-16T06:00:00.000Z"),
        ("1h30m", "2026-11-23T04:30:00.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        ("2026-07-20", "2026-07-19T23:00:00.000Z"),
        ("2026-11-20T06:30Z", "2026-11-20T06:30:00.000Z"),
    ],
)
def test_a_moment_is_so_long_ago_or_a_day_of_the_readers_zone(monkeypatch, text, moment):
    """In London, a day in July begins at 23:00 UTC."""
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    try:
        assert choose.point_in_time(text, NOW) == moment
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "abc", "1e99", "inf", "NaN", "-1", "2026-02-30", "9999-99-99", "-", "٧d", "1h30", "0", "P1M"])
def test_what_is_no_time_is_refused(text):
    """B1: E102 for everything that is neither a duration nor a day."""
    with pytest.raises(OffdutyError) as refused:
        choose.point_in_time(text, NOW)
    assert refused.value.code == "E102"


@pytest.mark.parametrize(
    "outcomes, answer",
    [
        ([], (None, 0)),
        (["succeeded", "warned", "failed", "succeeded"], (True, 2)),
        (["lost", "timed_out", "failed", "terminated", "succeeded"], (False, 4)),
        (["succeeded"] * 3, (True, 3)),
    ],
)
def test_runs_in_a_row_are_counted_until_things_were_different(outcomes, answer):
    """Warned is good; failed, timed out, terminated and lost are bad."""
    assert in_a_row(record(50 - n, outcome=outcome) for n, outcome in enumerate(outcomes)) == answer


def test_the_last_attempt_speaks_for_its_run():
    """A run that succeeded in its third attempt is one good run, not two bad ones and a good one."""
    first = record(1)["id"]
    attempts = [record(3, root_id=first), record(2, root_id=first, outcome="failed"), record(1, outcome="failed"), record(0)]
    assert in_a_row(attempts) == (True, 2)


def unreadable():
    """As where the file of a calendar is gone."""
    raise NotThere("E512", "this calendar cannot be read")


@pytest.mark.parametrize(
    "planned, last, due",
    [
        (Planned(), NOW, None),
        (Planned(lambda: Cron("30 6 * * *")), None, NOW + 1800),
        (Planned(lambda: Cron("0 6 * * mon-fri", "Europe/Berlin")), None, NOW + 23 * 3600),
        (Planned(unreadable), None, None),
        (Planned(every=3600.0), NOW - 600, NOW + 3000),
        (Planned(every=3600.0), NOW - 7200, NOW - 3600),
        (Planned(every=3600.0), None, None),
    ],
)
def test_next_due_follows_the_schedule_in_its_zone(planned, last, due):
    """`every` counts from the last start, so that a late one lies in the past."""
    assert planned.next_due(last, NOW) == due
