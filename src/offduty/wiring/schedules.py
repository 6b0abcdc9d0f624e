"""When the jobs of a configuration are due, and what starts them there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from offduty.errors import NotThere, quoted
from offduty.settings.launch import path_in
from offduty.settings.times import days_of
from offduty.watch.entries import Start
from offduty.watch.schedule import Cron, Every, Except, OnCalendar, Schedule

if TYPE_CHECKING:
    from offduty.settings.load import Settings


def machine_zone() -> str:
    """The name of the machine's time zone in the tz database; UTC if it has none."""
    from tzlocal import get_localzone_name

    try:
        return str(get_localzone_name() or "UTC").replace("Etc/UTC", "UTC")
    except Exception:  # noqa: BLE001 -- tzlocal raises its own and zoneinfo's errors for a zone that is set up wrongly
        return "UTC"


def schedule_of(settings: Settings, name: str, *, since: float = 0.0) -> Schedule | None:
    """When the job `name` is due; None if nothing says so. `since`: where `every` counts from, seconds since 1970.

    Raises NotThere E512 for a calendar's file that cannot be read, or holds what is no day.
    """
    job = settings.job(name)
    zone = job.timezone or machine_zone()
    schedule: Schedule | None = None
    if job.schedule is not None:
        schedule = Cron(job.schedule, zone)
    elif job.on_calendar is not None:
        schedule = OnCalendar(job.on_calendar, zone)
    elif job.every is not None:
        schedule = Every(job.every, since)
    named = [job.not_on] if isinstance(job.not_on, str) else job.not_on
    days = frozenset(day for calendar in named for day in days_off(settings, calendar))
    return Except(schedule, days, zone) if schedule is not None and days else schedule


def days_off(settings: Settings, name: str) -> Iterable[date]:
    """The days of `[calendar.NAME]`, those in its file too. Raises NotThere E512."""
    calendar = settings.calendars[name]
    for text in calendar.dates:
        yield from days_of(text)
    if calendar.file is not None:
        folder = os.path.dirname(settings.files[-1]) if settings.files else settings.start
        yield from _in_file(path_in(folder, calendar.file, settings.environ))


def _in_file(path: str) -> Iterable[date]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read(1 << 20).splitlines()
    except (OSError, ValueError) as error:
        raise NotThere("E512", "this calendar cannot be read", where=path, why=str(error).lower(), fix="correct the path") from None
    for number, line in enumerate(lines, 1):
        if text := line.partition("#")[0].strip():
            if not (days := days_of(text)):
                fix = "write a day like 2026-12-25, or days like 2026-12-24..2027-01-01"
                raise NotThere("E512", f"{quoted(text)} is no day", where=f"{path}:{number}", fix=fix)
            yield from days


def start_of(settings: Settings, name: str) -> Start:
    """What a scheduler is given for the job `name`."""
    job = settings.job(name)
    config = settings.files[-1] if settings.files else ""
    folder = os.path.dirname(config) or settings.start
    own_name = os.path.basename(config) in ("offduty.toml", "pyproject.toml")
    program = (*offduty_program(), *(() if own_name else ("--config", config)))
    return Start(
        name, program, folder, job.timezone or machine_zone(), job.schedule, job.every, job.on_calendar,
        job.description, job.start_grace, float(job.stop_grace),
    )  # fmt: skip


def offduty_program() -> tuple[str, ...]:
    """The words that start this offduty from anywhere."""
    beside = os.path.join(os.path.dirname(sys.executable), "offduty")
    found = beside if os.access(beside, os.X_OK) else shutil.which("offduty")
    return (found,) if found else (sys.executable, "-m", "offduty")
