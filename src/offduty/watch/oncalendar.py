"""Calendar expressions as systemd's timers take them (systemd.time(7), "Calendar events"), told by cronsim.

`[weekdays] [[year-]month-day] [hour:minute[:second]] [zone]`, each number `*`, `4`, `4..8`, `0/15` or several with commas between; words
like `hourly`. Days counted from the end of the month: `~01`, the last one, alone. Left out is midnight, every day.
The library of the same name would be our choice, but comes as source alone, and we install wheels only (decision 0006).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

WORDS = {
    "minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00", "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "semiannually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00", "annually": "*-01-01 00:00:00",
}  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_YEAR = 2200  # systemd looks no further either
YEARS = range(1970, LAST_YEAR)


class NotACalendar(ValueError):
    """This is no calendar expression; says why."""


@dataclass(frozen=True)
class Calendar:
    """An expression, taken apart: a cron line of six fields, and what cron has no field for."""

    cron: str
    weekdays: frozenset[int]
    years: frozenset[int]
    zone: str = ""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times later than `moment`, in its zone, or in that of the expression."""
        start = moment.astimezone(ZoneInfo(self.zone)) if self.zone else moment
        if start.year < min(self.years):
            start = start.replace(year=min(self.years), month=1, day=1, hour=0, minute=0, second=0) - timedelta(seconds=1)
        for found in CronSim(self.cron, start):
            if found.year > max(self.years):
                return
            if found.weekday() in self.weekdays and found.year in self.years:
                yield found


def parse(expression: str) -> Calendar:
    """Raises NotACalendar."""
    parts = WORDS.get(expression.strip().lower(), expression).split()
    zone = parts.pop() if len(parts) > 1 and _is_zone(parts[-1]) else ""
    time = parts.pop() if parts and ":" in parts[-1] else "00:00:00"
    date = parts.pop() if parts and parts[-1][0] in "0123456789*" else "*-*-*"
    weekdays = _weekdays(" ".join(parts).replace(", ", ",")) if parts else frozenset(range(7))
    if not expression.strip() or len(parts) > 2:
        raise NotACalendar("it is not [weekdays] [date] [time] [zone]")
    second, minute, hour = _time(time)
    day, month, years = _date(date)
    return Calendar(f"{second} {minute} {hour} {day} {month} *", weekdays, years, zone)


def _time(text: str) -> tuple[str, str, str]:
    """(second, minute, hour) as cron fields."""
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise NotACalendar(f"{text} is no time")
    hour, minute, second = (*parts, "0")[:3]
    return _field(second, range(60)), _field(minute, range(60)), _field(hour, range(24))


def _date(text: str) -> tuple[str, str, frozenset[int]]:
    """(day, month) as cron fields, and the years."""
    head, from_end, tail = text.partition("~")
    parts = [part for part in head.split("-") if part] if from_end else text.split("-")
    year, month, *day = parts if len(parts) == (2 if from_end else 3) else ("*", *parts)
    if len(day) != (0 if from_end else 1) or (from_end and tail.lstrip("0") != "1"):
        raise NotACalendar(f"{text} is no date")
    days = "L" if from_end else _field(day[0], range(1, 32))
    return days, _field(month, range(1, 13)), frozenset(YEARS) if year == "*" else frozenset(_numbers(year, YEARS))


def _field(text: str, whole: range) -> str:
    if text == "*":
        return "*"
    return ",".join(map(str, sorted(_numbers(text, whole))))


def _numbers(text: str, whole: range) -> set[int]:
    """`4`, `4..8`, `0/15`, `8..18/2` and several of them."""
    found: set[int] = set()
    for part in text.split(","):
        values, slash, step = part.partition("/")
        first, dots, last = values.partition("..")
        begin = whole[0] if values == "*" else _number(first, whole)
        end = _number(last, whole) if dots else (whole[-1] if slash else begin)
        found |= set(range(begin, end + 1, _number(step, range(1, 1000)) if slash else 1))
    if not found:
        raise NotACalendar(f"{text} is empty")
    return found


def _number(text: str, whole: range) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) in whole):
        raise NotACalendar(f"{text or 'nothing'} is not from {whole[0]} to {whole[-1]}")
    return int(text)


def _weekdays(text: str) -> frozenset[int]:
    """`Mon`, `Mon..Fri`, `Sat,Sun`: Monday is 0."""
    found: set[int] = set()
    for part in text.rstrip(",").lower().split(","):
        first, dots, last = part.replace("-", "..").partition("..")
        begin = _weekday(first)
        end = _weekday(last) if dots else begin
        if end < begin:
            raise NotACalendar(f"{part} ends before it begins")
        found |= set(range(begin, end + 1))
    return frozenset(found)


def _weekday(text: str) -> int:
    for number, name in enumerate(DAYS):
        if text in (name, name[:3]):
            return number
    raise NotACalendar(f"{text or 'nothing'} is no weekday")


def _is_zone(word: str) -> bool:
    if word[0] in "0123456789*" or ":" in word or word[:3].lower() in {name[:3] for name in DAYS}:
        return False
    try:
        ZoneInfo(word)
    except (OSError, ValueError, KeyError):
        return False
    return True
