"""What good runs look like, and how another run's targets and figures are matched with theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.transactions.baseline import Gathering, Range, is_read, is_write, range_of, template
from offduty.transactions.transaction import Transaction

DAY = 86400.0


def usual(*ledgers):
    """The baseline of runs with these ledgers, newest first."""
    gathering = Gathering()
    for number, ledger in enumerate(ledgers):
        run = {"id": str(number), "started_at": f"2026-11-{22 - number:02}T06:00:00.000Z", "duration_s": 10.0 + number}
        gathering.add(run, [{"number": at, "ok": True, **entry} for at, entry in enumerate(ledger, 1)])
    return gathering.baseline()


def read(target, **known):
    """An entry that reads `target`."""
    return {"op": "file.read", "target": target, **known}


@pytest.mark.parametrize(
    "one, other",
    [
        ("/feeds/sales-2026-11-22.csv", "/feeds/sales-2026-11-23.csv"),
        ("s3://feeds/2026/9/1/part-00001.parquet", "s3://feeds/2026/11/23/part-00017.parquet"),
        ("http://127.0.0.1:38485/calls", "http://127.0.0.1:41/calls"),
        ("/tmp/report-Nov-2026.csv", "/tmp/report-Dec-2026.csv"),
        ("/run/7f3a91c2-0b6e-7c11-9a53-0242ac120002/x", "/run/01932f6c-aaaa-7000-8000-00000000abcd/x"),
    ],
)
def test_dates_numbers_and_ids_do_not_tell_targets_apart(one, other):
    """The input of today is that of yesterday under another name."""
    assert template(one) == template(other)


@pytest.mark.parametrize("one, other", [("/sales.csv", "/stores.csv"), ("/a/x.csv", "/b/x.csv"), ("/december.csv", "/november.csv")])
def test_names_tell_targets_apart(one, other):
    """Letters are names; a word that only begins like a month is none."""
    assert template(one) != template(other)


def test_a_fixed_target_is_matched_by_its_name():
    """Two inputs that differ by a number, both read on every run, are two inputs."""
    known = usual(*[[read("/store_1.csv", rows=10), read("/store_2.csv", rows=900)]] * 3)
    assert known.like("file.read", "/store_1.csv").rows == Range(10, 10, 3)
    assert known.like("file.read", "/store_2.csv").rows == Range(900, 900, 3)


def test_a_dated_target_is_matched_by_its_template():
    """Each day has a file of its own: they are one input."""
    known = usual(*[[read(f"/sales-{day}.csv", rows=100 + day)] for day in range(9)])
    assert known.subjects == {}
    assert known.like("file.read", "/sales-99.csv").rows == Range(100, 108, 9)
    assert known.like("file.write", "/sales-99.csv") is None


def test_one_good_run_is_enough_to_know_the_next_days_file():
    """After a single run nobody can tell a fixed name from a dated one: both ways match."""
    known = usual([read("/sales-1.csv", rows=5)])
    assert known.like("file.read", "/sales-1.csv").exact
    assert known.like("file.read", "/sales-2.csv").rows == Range(5, 5, 1)


def test_columns_of_every_run_and_types_ever_seen():
    """A column that came and went is not missed; a type that was seen is no news."""
    known = usual([read("/x", shape=[["a", "int64"], ["b", "str"]])], [read("/x", shape=[["a", "float64"], ["c", "str"]])])
    subject = known.like("file.read", "/x")
    assert subject.always == {"a"}
    assert subject.types["a"] == {"int64", "float64"}


@pytest.mark.parametrize(
    "low, high, count, value, verdict",
    [
        (442, 442, 3, 400, ""),
        (442, 442, 3, 221, "below"),
        (442, 442, 3, 0, "below"),
        (42, 42, 3, 30, ""),
        (1, 1, 20, 0, "below"),
        (1000, 1000, 20, 880, "below"),
        (1000, 1200, 20, 1500, ""),
        (1000, 1200, 20, 1700, "above"),
        (0, 10, 20, 0, ""),
        (4, 4, 20, 7, ""),
    ],
)
def test_far_outside_is_more_than_chance_and_custom(low, high, count, value, verdict):
    """A tenth (three with few runs), thrice the root, twice the width: and nothing, where there always was something."""
    assert Range(low, high, count).judge(value) == verdict


@given(st.lists(st.integers(0, 10**9), min_size=1), st.integers(0, 10**9))
def test_what_good_runs_had_is_never_far_outside(values, value):
    """And whatever is judged, it is judged."""
    known = range_of(values)
    assert all(known.judge(one) == "" for one in values)
    assert known.judge(value) in ("", "below", "above")


def test_an_input_that_should_have_been_replaced_is_stale():
    """It changes daily and is read two hours later: a day and two hours old, it is stale; the same afternoon it is not."""
    known = usual(*[[read("/feed", at=day * DAY + 7200, modified=day * DAY)] for day in (9, 8, 7)])
    subject = known.like("file.read", "/feed")
    assert subject.interval == DAY
    assert not subject.is_stale(8 * 3600)
    assert subject.is_stale(26 * 3600)


def test_an_input_that_never_changes_is_never_stale():
    """A table of stores, made once: its age grows and says nothing."""
    known = usual(*[[read("/stores", at=day * DAY, modified=0.0)] for day in (9, 8, 7)])
    assert not known.like("file.read", "/stores").is_stale(99 * DAY)


def test_what_every_good_run_wrote_is_missed():
    """An output under a fixed name, and a dated one; not if it came under the name of today."""
    known = usual(*[[{"op": "file.write", "target": "/list.csv"}, {"op": "file.write", "target": f"/out-{day}.csv"}] for day in (3, 2, 1)])
    today = Transaction(1, "file.write", "/out-4.csv", ok=True)
    assert {subject.target for subject in known.missing([])} == {"/list.csv", "/out-#.csv"}
    assert [subject.target for subject in known.missing([today])] == ["/list.csv"]


def test_failures_before_are_counted_back_to_the_last():
    """ "It worked on the last two good runs" has to be true."""
    known = usual([read("/x")], [read("/x")], [read("/x", ok=False)], [read("/x")])
    assert known.like("file.read", "/x").unfailing == 2


@pytest.mark.parametrize(
    "op, target, reads, writes",
    [
        ("file.read", "/x", True, False),
        ("db.query", "postgresql://dw/sales SELECT stores", True, False),
        ("db.query", "sqlite3 insert forecasts", False, True),
        ("db.query", "postgresql://dw/sales", False, False),
        ("db.connect", "postgresql://dw/sales", False, False),
    ],
)
def test_what_brings_data_in_and_what_puts_it_out(op, target, reads, writes):
    """A statement is judged by its verb."""
    assert (is_read(op, target), is_write(op, target)) == (reads, writes)


@pytest.mark.parametrize("shape", [5, "x", [5], [["a"]], [["a", 3]], {"a": "b"}])
def test_a_shape_that_the_disk_has_changed_is_none(shape):
    """B9: a run must not be left unexplained for a good run's damaged record."""
    (subject,) = usual([read("/srv/a.csv", shape=shape)]).subjects.values()
    assert (subject.always, subject.types) == (frozenset(), {})
