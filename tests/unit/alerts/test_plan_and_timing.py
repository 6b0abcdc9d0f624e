"""The plan that a run carries, and when its messages may go out."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.attempts import LONGEST_DELAY, delay
from offduty.alerts.plan import Policy, read_plan
from offduty.alerts.timing import not_before

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=10,
)
KEYS = st.sampled_from(["job", "owed", "policy", "failed", "channel", "urgency", "quiet_hours", "remind_s", "settle_s", "final"])


@given(st.recursive(JSON, lambda x: st.dictionaries(KEYS, x), max_leaves=20))
def test_no_plan_can_make_reading_fail(found):
    """B9: a spool file is data; a plan in it that makes no sense tells nobody, and stops nothing."""
    plan = read_plan(found)
    assert all(isinstance(to.channel, str) for to in plan.of("failed"))


def at(text, zone="Europe/London"):
    """Seconds since 1970 of a time on clocks there."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


LONDON = Policy(quiet_hours=(("22:00", "07:00"),), digest_at=("09:00", "17:00"), timezone="Europe/London")


@pytest.mark.parametrize(
    "urgency, now, due",
    [
        ("now", "2026-11-23T12:00", "2026-11-23T12:00"),
        ("now", "2026-11-23T23:30", "2026-11-24T07:00"),
        ("now", "2026-11-23T06:59", "2026-11-23T07:00"),
        ("now", "2026-11-23T07:00", "2026-11-23T07:00"),
        ("digest", "2026-11-23T08:59", "2026-11-23T09:00"),
        ("digest", "2026-11-23T09:00", "2026-11-23T17:00"),
        ("digest", "2026-11-23T17:30", "2026-11-24T09:00"),
        ("now", "2026-03-28T23:30", "2026-03-29T07:00"),
        ("now", "2026-10-24T23:30", "2026-10-25T07:00"),
    ],
)
def test_quiet_hours_and_digests_are_of_the_jobs_own_clocks(urgency, now, due):
    """Over midnight, and over both changes of clocks (F48b)."""
    assert not_before(urgency, LONDON, at(now)) == at(due)


def test_times_that_make_no_sense_hold_nothing_back():
    """A wrong time must not keep an alert from going out."""
    policy = Policy(quiet_hours=(("25:00", "x"), ("08:00", "08:00")), digest_at=("never",), timezone="Mars/Base")
    assert [not_before(urgency, policy, 1e9) for urgency in ("now", "digest")] == [1e9, 1e9]


def test_waits_double_up_to_a_quarter_of_an_hour():
    """F38: 5 s x 2^n with jitter, never over the cap."""
    waits = [delay(n, None, lambda: 0.5) for n in range(1, 12)]
    assert waits[:4] == [5, 10, 20, 40] and waits[-1] == LONGEST_DELAY
    assert all(delay(n, None, lambda: 0.999) <= LONGEST_DELAY for n in range(1, 400))


@pytest.mark.parametrize(
    "asked, waits", [(30.0, 30.0), (0.0, 1.0), (-5.0, 1.0), (1e12, 3600.0), (float("inf"), 3600.0), (float("nan"), 5.0)]
)
def test_what_the_receiver_asks_for_is_obeyed_within_bounds(asked, waits):
    """F39: Retry-After from 1 s to 1 h."""
    assert delay(1, asked, lambda: 0.5) == waits
