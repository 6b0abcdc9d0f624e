"""When a job is due, in all time zones of the world."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from offduty.errors import ScheduleError
from offduty.settings.times import check_on_calendar
from offduty.watch.schedule import Cron, Every, Except, OnCalendar, last_before, slots

SHAPES = ("30 2 * * *", "0 0 * * *", "30 1 * * *", "15,45 2 * * *", "0 * * * *", "*/15 * * * *", "0 */3 * * *", "5 2 * * sun")
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})


def moment(text: str, zone: str = "UTC") -> float:
    """Seconds since 1970 of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(slot: float | None, zone: str) -> str:
    """A slot as the clock on the wall there shows it."""
    assert slot is not None
    return datetime.fromtimestamp(slot, ZoneInfo(zone)).isoformat(sep=" ")


def transitions(zone: str) -> list[float]:
    """The moments from 2020 to 2037 at which the zone's offset from UTC changes, to the second."""
    place, found = ZoneInfo(zone), []
    day = BEGIN
    while day < END:
        following = day + timedelta(days=7)
        if day.astimezone(place).utcoffset() != following.astimezone(place).utcoffset():
            found.append(_bisected(place, day, following))
        day = following
    return found


def _bisected(place: ZoneInfo, before: datetime, after: datetime) -> float:
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(place).utcoffset() == before.astimezone(place).utcoffset():
            before = middle
        else:
            after = middle
    return round(after.timestamp())


RULES: dict[tuple[tuple[float, str], ...], str] = {}


def distinct_zones() -> list[str]:
    """One zone for each set of transitions: the others are its other names."""
    if not RULES:
        for zone in ZONES:
            place = ZoneInfo(zone)
            key = tuple((at, str(datetime.fromtimestamp(at, place).utcoffset())) for at in transitions(zone))
            RULES.setdefault(key, zone)
    return sorted(RULES.values())


def test_every_zone_and_change_of_clocks_agrees_with_debians_rule() -> None:
    """F56 F57: around each change from 2020 to 2037, asked from any moment, slots grow strictly and are those cronsim walks through."""
    slowest, changes = 0.0, 0
    for zone in distinct_zones():
        for change in transitions(zone):
            changes += 1
            for shape in SHAPES:
                start = datetime.fromtimestamp(change - 30 * 3600, ZoneInfo(zone))
                walked = sorted({found.timestamp() for found in islice(CronSim(shape, start), 40)})
                inside = [slot for slot in walked if slot <= change + 30 * 3600]
                for before, after in zip([start.timestamp(), *inside], inside, strict=False):
                    asked = time.perf_counter()
                    assert Cron(shape, zone).after(before) == after, (zone, shape, shown(before, zone))
                    slowest = max(slowest, time.perf_counter() - asked)
    assert changes > 1000
    assert slowest < 0.5, "next() must not loop; 50 ms is the budget on a machine that is not busy"


@pytest.mark.parametrize(
    "line, zone, asked, expected",
    [
        ("30 2 * * *", "Europe/London", "2026-03-29 00:00", "2026-03-29 02:30:00+01:00"),
        ("30 1 * * *", "Europe/London", "2026-03-29 00:00", "2026-03-29 02:00:00+01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 03:00:00+02:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:00", "2026-10-25 02:30:00+02:00"),
        ("*/15 * * * *", "Europe/Berlin", "2026-03-29 01:45", "2026-03-29 03:00:00+02:00"),
    ],
)
def test_a_fixed_job_runs_right_after_a_gap_and_once_in_a_repeated_hour(line: str, zone: str, asked: str, expected: str) -> None:
    """F56 F57: spelled out for people."""
    assert shown(Cron(line, zone).after(moment(asked, zone)), zone) == expected


def test_a_fixed_job_is_not_due_again_in_the_second_round_of_the_hour() -> None:
    """F57: asked from within the repeated hour, the slot that was is not found again."""
    first = moment("2026-10-25 02:30", "Europe/Berlin")
    assert shown(Cron("30 2 * * *", "Europe/Berlin").after(first + 2700), "Europe/Berlin") == "2026-10-26 02:30:00+01:00"


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers((1.58e9).__int__(), (2.1e9).__int__()),
)
def test_slots_grow_strictly_from_any_moment(line: str, zone: str, at: int) -> None:
    """F56: a loop over slots always gets on."""
    found = [float(at), *islice(slots(Cron(line, zone), at), 5)]
    assert found == sorted(set(found))


@given(st.floats(60, 1e7), st.floats(0, 2e9), st.floats(0, 2e9))
def test_a_period_counts_from_its_start(period: float, start: float, at: float) -> None:
    """`every = "1 h"`: later than asked, by no more than a period."""
    slot = Every(period, start).after(at)
    assert at < slot <= at + period * 1.000001 + 1e-3


def test_an_expression_of_systemd_is_read_in_its_zone() -> None:
    """OnCalendar, with a zone given beside it or within."""
    assert shown(OnCalendar("Mon..Fri 06:00", "Europe/London").after(moment("2026-11-21 12:00")), "UTC") == "2026-11-23 06:00:00+00:00"
    assert (
        shown(OnCalendar("*-*-* 06:00 Asia/Tokyo", "Europe/London").after(moment("2026-11-21 12:00")), "UTC") == "2026-11-21 21:00:00+00:00"
    )


@pytest.mark.parametrize("expression", ["", "nonsense", "*-13-01", "*-02-30", "25:00", "Mon..Sun 06:00 Mars/Base"])
def test_an_expression_that_is_none_is_refused(expression: str) -> None:
    """B3: found when the configuration is read."""
    with pytest.raises(ScheduleError, match="is no schedule"):
        check_on_calendar(expression)


def test_holidays_are_left_out() -> None:
    """The day is the one on the wall where the job is due."""
    christmas = Except(Cron("0 6 * * *", "Europe/London"), frozenset({date(2026, 12, 25), date(2026, 12, 26)}), "Europe/London")
    assert shown(christmas.after(moment("2026-12-24 07:00")), "UTC") == "2026-12-27 06:00:00+00:00"


def test_a_schedule_of_which_nothing_is_left_ends() -> None:
    """Every slot on a holiday: None, not a loop."""
    days = {date(year, 1, 1) for year in range(2026, 2201)}
    assert Except(OnCalendar("yearly"), frozenset(days)).after(moment("2026-01-01 00:00")) is None


def test_the_last_slot_before_a_moment_is_found() -> None:
    """A job that is due once a year too."""
    now = moment("2026-11-23 12:00")
    assert shown(last_before(Cron("0 6 * * mon-fri"), now, 86400), "UTC") == "2026-11-23 06:00:00+00:00"
    assert shown(last_before(Cron("0 6 1 2 *"), now, 86400), "UTC") == "2026-02-01 06:00:00+00:00"
