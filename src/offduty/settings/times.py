"""Schedules and time zones that can be: everything impossible is found when the configuration is read, not at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from offduty import durations
from offduty.errors import ScheduleError, quoted
from offduty.watch import oncalendar

LONGEST_CRON = 256
LONGEST = 366 * 86400
FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
BY_CITY = {"EST5EDT": "America/New_York", "CST6CDT": "America/Chicago", "MST7MDT": "America/Denver", "PST8PDT": "America/Los_Angeles"}
NO_PLACE = ("localtime", "posixrules", "Factory")

_SOME_DAY = datetime(2023, 12, 31, 23, 59, tzinfo=UTC)


def check_cron(text: str) -> None:
    """Raise ScheduleError E301, naming the field, unless `text` is a five-field cron line that matches some time."""
    if text.strip().startswith("@"):
        raise _bad_cron(text, _why_not_macro(text.strip()), 'write five fields like "0 6 * * mon-fri", or use every = "1 h"')
    if len(text) > LONGEST_CRON:
        raise _bad_cron(text, f"it is {len(text)} characters long", f"{LONGEST_CRON} are plenty")
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise _bad_cron(text, f"it has {len(fields)} fields", "write five: minute hour day-of-month month day-of-week")
    try:
        next(CronSim(text, _SOME_DAY))
    except CronSimError as error:
        raise _bad_cron(text, _bad_field(str(error), fields), "see crontab(5) for what it takes") from None
    except StopIteration:
        raise _bad_cron(text, "no day matches it", "correct the day or the month") from None


def check_on_calendar(text: str) -> None:
    """Raise ScheduleError E301 unless `text` is an expression of systemd.time(7) that matches some time."""
    try:
        next(oncalendar.parse(text).after(_SOME_DAY))
    except (oncalendar.NotACalendar, CronSimError) as error:
        raise _bad_calendar(text, str(error).lower()) from None
    except StopIteration:
        raise _bad_calendar(text, "no day matches it") from None


def days_of(text: str) -> list[date]:
    """The days that `2026-12-25` or `2026-12-24..2027-01-01` means; none if it is neither, or more than a year of them."""
    first, dots, last = text.partition("..")
    try:
        begin = date.fromisoformat(first)
        end = date.fromisoformat(last) if dots else begin
    except ValueError:
        return []
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)] if (end - begin).days <= LONGEST // 86400 else []


def is_time_of_day(text: str) -> bool:
    """Whether `text` is hours and minutes, as a clock of 24 hours shows them."""
    hours, colon, minutes = text.partition(":")
    plain = len(hours) == len(minutes) == 2 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    return bool(colon) and plain and int(hours) < 24 and int(minutes) < 60


def check_zone(name: str) -> None:
    """Raise ScheduleError E302 unless `name` is a time zone of the tz database, spelled as it spells it."""
    if not _is_zone(name):
        raise ScheduleError("E302", f"{quoted(name)} is no time zone", why="not in the tz database", fix=_near_zone(name))
    if name in BY_CITY:
        raise ScheduleError("E302", f"{quoted(name)} is no place", why="its rules belong to no country", fix=f"write {BY_CITY[name]}")


def check_grace(grace: float, period: float) -> None:
    """Raise ScheduleError E303 if a run may be later than the next one is due."""
    if grace > period:
        why = f"the next run may be due {durations.spoken(period)} after"
        raise ScheduleError("E303", f"{durations.spoken(grace)} is too long", why=why, fix=f"at most {durations.spoken(period)}")


def least_period(cron: str, enough: float) -> float:
    """Seconds (UTC) between the two slots of `cron` that are closest; at least `enough` is all that is asked, so it looks no further."""
    rule = CronSim(cron, _SOME_DAY)
    times = sorted(hour * 3600 + minute * 60 for hour in rule.hours for minute in rule.minutes)
    within_a_day = min((after - before for before, after in pairwise(times)), default=LONGEST)
    over_night = times[0] + 86400 - times[-1]  # if the rule matches two days in a row
    if within_a_day <= over_night or enough <= over_night:
        return float(min(within_a_day, over_night))
    return min(within_a_day, _least_step(rule))


def least_step_of_calendar(text: str) -> float:
    """Seconds between the two closest of the next hundred slots of an OnCalendar expression."""
    return _least_step(oncalendar.parse(text).after(_SOME_DAY))


def _least_step(moments: Iterator[datetime]) -> float:
    return min(((after - before).total_seconds() for before, after in pairwise(islice(moments, 100))), default=float(LONGEST))


def _bad_calendar(text: str, why: str) -> ScheduleError:
    return ScheduleError("E301", f"{quoted(text)} is no schedule", why=why, fix="see systemd.time(7) for what OnCalendar takes")


def _bad_cron(text: str, why: str, fix: str) -> ScheduleError:
    return ScheduleError("E301", f"{quoted(text)} is no schedule", why=why, fix=fix)


def _why_not_macro(text: str) -> str:
    return "@reboot is not supported, a run belongs to a time" if text == "@reboot" else "@ words are not supported"


def _bad_field(message: str, fields: list[str]) -> str:
    """cronsim's "Bad hour" with what was found there."""
    name = message.removeprefix("Bad ")
    return f"the {name} field cannot be {quoted(fields[FIELDS.index(name)])}" if name in FIELDS else message.lower()


def _is_zone(name: str) -> bool:
    """Membership in `available_timezones()`, without walking through its 600 files (50 ms)."""
    if name in NO_PLACE or name.startswith(("posix/", "right/")):
        return False
    try:
        return ZoneInfo(name).key == name
    except (OSError, ValueError, KeyError):  # a folder, a path that leads away, no such file
        return False


def _near_zone(name: str) -> str:
    import difflib

    known = {zone.lower(): zone for zone in available_timezones() - set(NO_PLACE)}
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {known[near[0]]}?" if near else 'write one like "Europe/London" or "UTC"'
