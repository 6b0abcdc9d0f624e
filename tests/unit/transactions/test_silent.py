"""Silent failures: what good runs do, and what this one did not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from offduty.transactions.silent import Declared, Past, silent
from offduty.transactions.transaction import Transaction

DAY = 86400.0
NOTHING = Declared({})
NOT_FOUND = {"type": "FileNotFoundError", "message": "no"}


def read(number, target="sales.csv", *, modified=0.0, size=1000, **more):
    """A file that was read."""
    return Transaction(number, "file.read", target, ok=True, modified=modified, bytes=size, **more)


def write(number, target="out.csv", *, rows=42, **more):
    """A table that was written."""
    return Transaction(number, "file.write", target, ok=True, **{"rows": rows, "bytes": rows * 20, **more})


def failed(number, op="http.request", target="http://api/x", error=None, **more):
    """A transaction that failed."""
    return Transaction(number, op, target, ok=False, failed=1, error=error or {"type": "OSError", "message": "refused"}, **more)


def day(number, *entries, took=60.0):
    """The run of a day, counted backwards from today, 0; its feed is an hour old unless it says otherwise."""
    return Past(1e9 - number * DAY, took, entries or (read(1, modified=1e9 - number * DAY - 3600), write(2)))


HISTORY = [day(number) for number in range(1, 16)]


def told(run, past=HISTORY, declared=NOTHING):
    """The texts that make a run warned."""
    return [one.text for one in silent(run, past, declared) if one.warns]


def test_a_run_like_all_others_is_well():
    """Nothing is found in what good runs show."""
    assert silent(day(0), HISTORY, NOTHING) == []


def test_without_a_past_only_failures_are_told():
    """The first run of a job has nothing to be compared with."""
    assert told(day(0, write(1, rows=0)), []) == []
    assert told(day(0, failed(1)), []) == ["transaction 1 failed, and the job went on: call http://api/x: OSError: refused"]


def test_an_input_that_used_to_change_and_did_not():
    """The file of the last good run again: same time, same size."""
    stale = day(0, read(1, modified=1e9 - DAY - 3600), write(2))
    assert told(stale) == ["sales.csv is what the last good run has read already: 1 d 1 h old, and it used to be new on each run"]


def test_a_dead_feed_goes_on_being_told():
    """Stale runs become part of the past, and the feed is stale all the same."""
    dead = [day(number, read(1, modified=1e9 - 4 * DAY), write(2)) for number in (1, 2, 3)]
    assert len(told(day(0, read(1, modified=1e9 - 4 * DAY), write(2)), [*dead, *HISTORY[3:]])) == 1


def test_an_input_that_is_read_again_at_once_is_no_news():
    """Somebody who runs the job a second time on the same day expects the same file."""
    again = replace(day(0, read(1, modified=1e9 - DAY - 3600), write(2)), started=1e9 - DAY + 600)
    assert told(again) == []


def test_a_table_that_never_changes_may_stay():
    """A lookup table is the same on each run."""
    past = [day(number, read(1, "stores.csv", modified=5.0), write(2)) for number in range(1, 16)]
    assert told(day(0, read(1, "stores.csv", modified=5.0), write(2)), past) == []


def test_what_the_configuration_says_counts_for_more():
    """With `max_age`, `min_rows` and `min_duration`, nobody guesses."""
    stale = day(0, read(1, modified=1e9 - DAY - 3600), write(2, rows=1), took=0.1)
    declared = Declared({1: "feed", 2: "out"}, frozenset({"feed"}), frozenset({"out"}), duration=True)
    assert len(told(stale)) == 3
    assert told(stale, declared=declared) == []


@pytest.mark.parametrize(
    "run, note",
    [
        (day(0, write(2, rows=0)), "out.csv is empty: 0 rows; good runs write 42 rows"),
        (day(0, write(2, rows=4)), "out.csv is far smaller: 4 rows; good runs write 42 rows"),
        (day(0, read(1, modified=1e9)), "no output: out.csv was not written, as it was by each of the last 15 good runs"),
        (day(0, write(2), took=5.0), "far too fast: 5 s; good runs take 1 min to 1 min"),
    ],
)
def test_less_than_good_runs_do(run, note):
    """Output empty, far smaller, missing; a run that is over at once."""
    assert told(run) == [note]


def test_an_output_named_after_the_day_is_the_same_output():
    """`out/2026-11-23.csv` is what `out/2026-11-22.csv` was the day before."""
    past = [day(number, write(1, f"out/2026-11-{28 - number:02}.csv")) for number in range(1, 9)]
    assert told(day(0, write(1, "out/2026-11-28.csv")), past) == []
    assert told(day(0, write(1, "out/2026-11-28.csv", rows=0)), past) == ["out/2026-11-28.csv is empty: 0 rows; good runs write 42 rows"]


def test_a_table_that_is_not_filled():
    """Rows come one by one or all at once, so their number says nothing; that none came does."""
    past = [
        day(number, *(Transaction(n, "db.query", "postgresql://dw INSERT sales", ok=True, rows=1) for n in range(9)))
        for number in range(1, 9)
    ]
    assert told(day(0, Transaction(1, "db.query", "postgresql://dw INSERT sales", ok=True, rows=1)), past) == []
    [text] = told(day(0, read(1, modified=1e9)), past)
    assert text == "no output: postgresql://dw INSERT sales was not written, as it was by each of the last 8 good runs"


def test_what_was_tried_again_and_worked_is_a_notice():
    """It is said, and the run is no worse for it."""
    found = silent(day(0, failed(1), Transaction(2, "http.request", "http://api/x", ok=True), write(3)), HISTORY, NOTHING)
    assert [(one.text, one.warns) for one in found] == [("failed, and then went well or is nothing new: call http://api/x", False)]


def test_a_failure_of_every_day_is_a_notice():
    """What most good runs swallow, too, is the way this job works."""
    past = [day(number, failed(1), write(2)) for number in range(1, 7)]
    assert told(day(0, failed(1), write(2)), past) == []


def test_a_file_that_was_looked_for_is_a_notice_until_a_good_run_has_read_it():
    """A cache that is not there is nothing; a feed that was there on each run is."""
    looked = failed(1, "file.read", "cache.json", NOT_FOUND)
    assert told(day(0, looked, write(2))) == []
    assert told(day(0, failed(1, "file.read", "sales.csv", NOT_FOUND), write(2))) == [
        "transaction 1 failed, and the job went on: read sales.csv: FileNotFoundError: no"
    ]


def test_a_failure_of_a_dependency_is_always_told():
    """It is declared, so nobody may say that it does not matter."""
    declared = Declared({1: "feed"})
    looked = failed(1, "file.read", "cache.json", NOT_FOUND)
    assert told(day(0, looked, write(2)), declared=declared) == [
        "transaction 1 failed, and the job went on: read cache.json (feed): FileNotFoundError: no"
    ]


def test_thousands_of_failures_cost_no_more_than_thousands_of_steps():
    """A run is summed up within two seconds, whatever it did: time grows with the ledgers, not with their product (INV-2, INV-11)."""
    full = [failed(number, target=f"http://api/{number:x}x") for number in range(1, 2001)]
    before = time.process_time()
    silent(day(0, *full), [day(number, *full) for number in range(1, 31)], NOTHING)
    assert time.process_time() - before < 5  # their product is 120 million


def test_many_failures_are_told_in_a_few_lines():
    """A summary is for reading (INV-11)."""
    run = day(0, *(failed(number, target=f"http://api/{'x' * number}") for number in range(1, 101)), write(200))
    assert told(run)[-1] == "95 more transactions failed, and the job went on"
    assert len(told(run)) == 6
