"""Which slots were kept and which were missed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.watch.lateness import clock_step, due_at, first_slot, overdue_after, seen_at, settle
from offduty.watch.promise import Output, Promise, read_promise

DAY, HOUR, MINUTE = 86_400.0, 3600.0, 60.0
SIX = datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp()
DAILY = Promise("forecast", cron="0 6 * * *", start_grace=15 * MINUTE)
HOURLY = Promise("tick", cron="0 * * * *", start_grace=10 * MINUTE)
EACH_HOUR = Promise("each", every=HOUR, start_grace=10 * MINUTE)


@pytest.mark.parametrize("start", [SIX, SIX - 4 * MINUTE, SIX + 15 * MINUTE])
def test_a_run_near_its_slot_keeps_it_and_no_other(start: float) -> None:
    """F53: a little early, in time, within the grace."""
    settled = settle(DAILY, SIX, [start], start + 1)
    assert (settled.slot, settled.missed, settled.kept) == (SIX + DAY, (), 1)


@pytest.mark.parametrize("start", [SIX - 6 * MINUTE, SIX - 5 * HOUR])
def test_a_run_long_before_its_slot_does_not_keep_it(start: float) -> None:
    """F53: somebody ran it by hand at night; the one at six is owed all the same."""
    assert settle(DAILY, SIX, [start], start + 1).slot == SIX
    assert settle(DAILY, SIX, [start], SIX + 16 * MINUTE).missed == (SIX,)


def test_a_slot_is_missed_only_when_its_grace_is_over() -> None:
    """F52: not a moment before, and once."""
    deadline = due_at(DAILY, SIX)
    assert deadline == SIX + 15 * MINUTE
    assert settle(DAILY, SIX, [], deadline).missed == ()
    settled = settle(DAILY, SIX, [], deadline + 1)
    assert (settled.missed, settled.slot) == ((SIX,), SIX + DAY)
    assert settle(DAILY, settled.slot, [], deadline + 2).missed == ()


def test_a_run_that_comes_after_its_slot_was_missed_does_not_keep_the_next() -> None:
    """F53: 6:20 is for six o'clock, too late; seven is owed."""
    after = settle(HOURLY, SIX, [], SIX + 11 * MINUTE)
    assert settle(HOURLY, after.slot, [SIX + 20 * MINUTE], SIX + 71 * MINUTE).missed == (SIX + HOUR,)


def test_many_slots_at_once_are_each_judged_by_the_starts_that_came() -> None:
    """F61: the watcher was away for six hours, two runs came."""
    settled = settle(HOURLY, SIX, [SIX + HOUR, SIX + 3 * HOUR + 5 * MINUTE], SIX + 5.5 * HOUR)
    assert [round((slot - SIX) / HOUR) for slot in settled.missed] == [0, 2, 4, 5]
    assert (settled.kept, settled.slot) == (2, SIX + 6 * HOUR)


def test_slots_that_nobody_could_judge_are_passed_over() -> None:
    """F55: the clock was set a day ahead; the slots in between never were."""
    assert settle(HOURLY, SIX, [], SIX + DAY, judge_from=SIX + DAY).missed == ()


def test_a_period_counts_from_the_last_run() -> None:
    """every = "1 h": whenever it comes, the next is due an hour later."""
    settled = settle(EACH_HOUR, SIX, [SIX - MINUTE], SIX)
    assert settled.slot == SIX - MINUTE + HOUR
    late = settle(EACH_HOUR, SIX, [SIX + 30 * MINUTE], SIX + 30 * MINUTE + 1)
    assert (late.missed, late.slot) == ((SIX,), SIX + 90 * MINUTE)


def test_a_period_without_any_run_is_missed_each_time() -> None:
    """It goes on being owed."""
    assert settle(EACH_HOUR, SIX, [], SIX + 2.5 * HOUR).missed == (SIX, SIX + HOUR, SIX + 2 * HOUR)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e5), st.floats(0, 1e4))
def test_what_another_clock_wrote_down_is_only_believed_within_two_ticks(skew: float, tick: float, gap: float) -> None:
    """F59 INV-10: a machine whose clock is days off starts its job when we see it."""
    at = seen_at(SIX + skew, SIX + tick, SIX + tick + gap)
    assert SIX + tick <= at <= SIX + tick + gap


@pytest.mark.parametrize("skew", [-DAY, -HOUR, 0.0, HOUR, DAY])
def test_a_clock_that_is_a_day_off_makes_nothing_missed(skew: float) -> None:
    """F59: the run starts at 6:01, its machine writes something else, the watcher ticks every ten seconds."""
    at = seen_at(SIX + 60 + skew, SIX + 55, SIX + 65)
    assert settle(DAILY, SIX, [at], SIX + 65).kept == 1


@pytest.mark.parametrize(
    "wall, monotonic, step", [(10.0, 10.0, 0.0), (50.0, 10.0, 0.0), (3610.0, 10.0, 3600.0), (-3590.0, 10.0, -3600.0), (0.0, 70.0, -70.0)]
)
def test_a_clock_that_was_set_is_told_from_a_slow_machine(wall: float, monotonic: float, step: float) -> None:
    """F54 F55 F60: both clocks are asked."""
    assert clock_step(SIX + wall, SIX, 100 + monotonic, 100) == step


@given(
    st.lists(st.floats(SIX - DAY, SIX + 9 * DAY), max_size=20), st.floats(SIX, SIX + 9 * DAY), st.sampled_from([DAILY, HOURLY, EACH_HOUR])
)
def test_slots_are_settled_the_same_in_one_go_as_step_by_step(starts: list[float], now: float, promise: Promise) -> None:
    """INV-9: how often the watcher looks changes nothing about what was missed."""
    starts = sorted(at for at in starts if at <= now)
    whole = settle(promise, SIX, starts, now)
    slot: float | None = SIX
    missed: list[float] = []
    for number, at in enumerate(starts):
        step = settle(promise, slot, [at], at)
        slot, missed = step.slot, [*missed, *step.missed]
        del number
    last = settle(promise, slot, [], now)
    assert ([*missed, *last.missed], last.slot) == (list(whole.missed), whole.slot)


def test_a_run_takes_too_long_as_promised_or_as_learned() -> None:
    """Overdue: the setting wins; without one, five good runs are needed to say anything."""
    assert overdue_after(60.0, [1000.0] * 9) == 60.0
    assert overdue_after(None, [100.0] * 4) is None
    assert overdue_after(None, [100.0, 300.0, 200.0, 250.0, 260.0]) == 900.0
    assert overdue_after(None, [1.0] * 5) == 600.0


def test_a_promise_comes_back_from_the_store_as_it_went() -> None:
    """Round trip."""
    promise = Promise("x", cron="0 6 * * *", zone="Europe/London", except_on=("2026-12-25",), outputs=(Output("/srv/out.csv", 3600.0),))
    assert read_promise(promise.as_json()) == promise


@pytest.mark.parametrize(
    "harm",
    [
        None,
        [],
        {"job": "x", "cron": "nonsense"},
        {"job": "x", "cron": "0 6 * * *", "zone": "Mars/Base"},
        {"every": -1},
        {"every": float("nan")},
    ],
)
def test_a_promise_nobody_can_keep_leaves_the_watcher_standing(harm: object) -> None:
    """F58 F64 B9: that job has no schedule, the others go on."""
    assert first_slot(read_promise(harm), SIX) is None
