"""The ledger of a run: numbered in the order in which transactions began, whatever process they were in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offduty.transactions.ledger import MOST, Ledger, struck, swallowed
from offduty.transactions.transaction import Transaction, from_json, log_line


def _begin(n, op="db.connect", target="postgresql://dw/sales", pid=7, at=100.0):
    return {"kind": "begin", "pid": pid, "at": at, "n": n, "op": op, "target": target, "where": "job.py:3 in load"}


def _ended(n, op="db.connect", target="postgresql://dw/sales", pid=7, at=130.0, took=30.0, error=None, **known):
    return {
        "kind": "transaction", "pid": pid, "at": at, "n": n, "op": op, "target": target, "where": "job.py:3 in load", "took": took,
        "ok": error is None, "error": error, **known,
    }  # fmt: skip


def _ledger_of(*events):
    ledger = Ledger()
    for event in events:
        ledger.add(event)
    return ledger


TIMEOUT = {"type": "OperationalError", "message": "timeout expired"}
READ = _ended(1, "file.read", "/feeds/sales.csv", took=0.61, rows=81204, columns=13)


def test_a_transaction_is_numbered_when_it_begins_not_when_it_ends():
    """A long one that began first is number 1, also if a short one overtakes it."""
    entries = _ledger_of(_begin(1), READ | {"n": 2}, _ended(1)).entries
    assert [(one.number, one.op) for one in entries] == [(1, "db.connect"), (2, "file.read")]


def test_processes_do_not_take_each_others_numbers():
    """Two workers both count from 1."""
    entries = _ledger_of(_begin(1, pid=7), _begin(1, pid=8), _ended(1, pid=8)).entries
    assert [one.ok for one in entries] == [None, True]


def test_a_failure_struck_where_its_own_exception_was_raised():
    """The transaction whose error is the failure's, or one of its causes, is the place."""
    entries = _ledger_of(READ, _begin(2), _ended(2, error=TIMEOUT)).entries
    where = struck(entries, [("RuntimeError", "no data"), ("OperationalError", "timeout expired")], died=False)
    assert where == "in transaction 2: connect postgresql://dw/sales, failed after 30 s"


def test_a_message_without_its_values_is_still_the_same():
    """The probe masks what drivers quote, and leaves out all lines but the first; the failure has it all."""
    masked = {"type": "psycopg.errors.InvalidText", "message": 'invalid input syntax for type integer: "***", line #'}
    full = 'invalid input syntax for type integer: "Lisbon", line 12\nLINE 1: SELECT'
    entries = _ledger_of(READ, _begin(2), _ended(2, error=masked)).entries
    assert struck(entries, [(masked["type"], full)], died=False).startswith("in transaction 2")
    assert struck(entries, [(masked["type"], "something else")], died=False).startswith("after transaction 2")
    assert struck(entries, [("ValueError", full)], died=False).startswith("after transaction 2")
    assert swallowed(entries, [(masked["type"], full)]) == []


def test_a_killed_run_points_at_what_never_ended():
    """What a worker was doing when it died is the likely culprit."""
    entries = _ledger_of(READ, _begin(2)).entries
    assert struck(entries, [], died=True) == "in transaction 2: connect postgresql://dw/sales, which never ended"


def test_any_other_failure_came_after_the_last_transaction():
    """With the size of what was read, and how far a good run gets."""
    where = struck(_ledger_of(READ).entries, [("KeyError", "'region'")], died=False, before=9)
    assert where == "after transaction 1 of 9: read /feeds/sales.csv  (ok, 81 204 rows x 13)"
    assert struck([], [("KeyError", "'region'")], died=False) is None


def test_failures_that_the_run_survived_were_swallowed():
    """Caught and passed over: what it failed of itself is not among them."""
    entries = _ledger_of(_ended(1, error=TIMEOUT), _ended(2, error={"type": "OSError", "message": "gone"})).entries
    assert [one.number for one in swallowed(entries, [("OSError", "gone")])] == [1]


def test_a_flood_of_different_ones_is_bounded_and_counted():
    """INV-11, INV-13: beyond the first 2 000 they are counted."""
    ledger = _ledger_of(*(_ended(n, target=f"/x/{n}") for n in range(1, MOST + 11)))
    assert (len(ledger.entries), ledger.left_out, ledger.size) == (MOST, 10, MOST + 10)


def test_the_line_of_a_transaction_reads_like_the_logs():
    """Verb, target, result, time, size, number, place."""
    line = log_line(_ledger_of(READ).entries[0])
    assert line.split() == "read /feeds/sales.csv ok 0.61 s 81 204 rows x 13 [1] job.py:3 in load".split()


@given(st.builds(
    Transaction, st.integers(1, 99), st.sampled_from(["file.read", "db.query"]), st.text(), rows=st.none() | st.integers(0, 10**9),
    shape=st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple), took_s=st.none() | st.floats(0, 1e6),
    error=st.none() | st.fixed_dictionaries({"type": st.text(), "message": st.text()}), ok=st.none() | st.booleans(),
))  # fmt: skip
def test_a_transaction_survives_the_store(one):
    """What is known comes back, what is not is left out."""
    assert from_json(one.as_json()) == one
