"""A timer and the service it starts, as systemd reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

from cronsim import CronSim

from offduty.watch.entries import Start, impossible
from offduty.watch.oncalendar import parse

DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def units(start: Start) -> dict[str, str]:
    """{file name: text} of the service and the timer."""
    return {f"offduty-{start.job}.service": _service(start), f"offduty-{start.job}.timer": _timer(start)}


def _service(start: Start) -> str:
    return f"""\
# By `offduty schedule install {start.job}`; written anew each time.
[Unit]
Description={_plain(start.description or f"offduty: {start.job}")}

[Service]
Type=oneshot
WorkingDirectory={_escaped(start.folder)}
ExecStart={" ".join(map(_word, start.words))}
# A run that was skipped because the last one is still going is no failure.
SuccessExitStatus=75
# offduty passes the signal on, and stops the job after its own grace.
KillMode=mixed
TimeoutStopSec={start.stop_grace + 15:.0f}
StandardOutput=null
"""


def _timer(start: Start) -> str:
    return f"""\
# By `offduty schedule install {start.job}`; written anew each time.
[Unit]
Description={_plain(f"when offduty starts {start.job}")}

[Timer]
{_when(start)}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def _when(start: Start) -> str:
    """A slot that passed while the machine was off is made up for when it is on again."""
    if start.every is not None:
        return f"OnActiveSec=0\nOnUnitActiveSec={start.every:.0f}s"
    lines = [start.on_calendar] if start.on_calendar is not None else calendars(start.cron or "", start.zone)
    zoned = [line if parse(line).zone else f"{line} {start.zone}" for line in lines]
    return "\n".join([*(f"OnCalendar={line}" for line in zoned), "Persistent=true"])


def calendars(cron: str, zone: str) -> list[str]:
    """The OnCalendar expressions that mean what a cron line means: two where cron takes a day of the month *or* of the week.

    Raises ScheduleError E305 for what systemd has no word for (the last day, the third Friday).
    """
    rule = CronSim(cron, datetime(2023, 12, 31, tzinfo=UTC))
    days, weekdays = rule.days, rule.weekdays
    if not all(isinstance(day, int) and day >= 0 for day in (*days, *weekdays)):
        raise impossible(f'the schedule "{cron}" has no form for systemd', "it counts weekdays, or days from the end", "write on_calendar")
    numbers = {day % 7 for day in weekdays if isinstance(day, int)}
    day_part, week_part = _ranges(days, range(1, 32)), _weekdays(numbers)
    time = f"{_ranges(rule.hours, range(24))}:{_ranges(rule.minutes, range(60))}:00 {zone}"
    month = _ranges(rule.months, range(1, 13))
    if week_part and day_part != "*" and not rule.day_and:
        return [f"*-{month}-{day_part} {time}", f"{week_part} *-{month}-* {time}"]
    return [f"{week_part} *-{month}-{day_part} {time}".strip()]


def _weekdays(numbers: set[int]) -> str:
    return "" if len(numbers) == 7 else ",".join(DAYS[number] for number in sorted(numbers))


def _ranges(values: set[int], whole: range) -> str:
    """`*`, or numbers and ranges: `1..5,9`."""
    if set(whole) <= values:
        return "*"
    parts = []
    for _, group in groupby(enumerate(sorted(values)), lambda pair: pair[1] - pair[0]):
        run = [value for _, value in group]
        parts.append(f"{run[0]:02d}..{run[-1]:02d}" if len(run) > 2 else ",".join(f"{value:02d}" for value in run))
    return ",".join(parts)


def _plain(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _word(word: str) -> str:
    """One argument of ExecStart: systemd has quotes and % and $ of its own."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_escaped(plain)}"' if plain != word or not word or any(c.isspace() or c in "';" for c in word) else _escaped(word)
