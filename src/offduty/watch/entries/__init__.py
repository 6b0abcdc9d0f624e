"""What other schedulers are given so that they start a job: a line, a timer, a manifest. One small file each."""

from __future__ import annotations

from dataclasses import dataclass

from offduty.errors import ScheduleError


@dataclass(frozen=True)
class Start:
    """What is to be started, and when: exactly one of `cron` (five fields), `every` (seconds) and `on_calendar`, read in `zone`.

    `program`: the words that start offduty, absolute; `folder`: where, also absolute; `grace`: seconds it may be late; `stop_grace`:
    seconds it takes to stop.
    """

    job: str
    program: tuple[str, ...]
    folder: str
    zone: str
    cron: str | None = None
    every: float | None = None
    on_calendar: str | None = None
    description: str = ""
    grace: float | None = None
    stop_grace: float = 25.0

    @property
    def words(self) -> tuple[str, ...]:
        """The command line."""
        return (*self.program, "run", "--trigger", "scheduled", self.job)


def impossible(what: str, why: str, fix: str) -> ScheduleError:
    """E305: this scheduler cannot do that."""
    return ScheduleError("E305", what, why=why, fix=fix)


def cron_of(start: Start) -> str:
    """The five fields that mean what `start` says. Raises ScheduleError E305 where there are none."""
    if start.cron is not None:
        return start.cron
    if start.every is not None and (line := _cron_of_period(start.every)):
        return line
    what = f"every {start.every:g} s" if start.every is not None else f'on_calendar = "{start.on_calendar}"'
    raise impossible(f"{what} cannot be said in five fields", "cron repeats by the hour, day, month and week", "install it with --systemd")


def _cron_of_period(seconds: float) -> str | None:
    """Periods that divide an hour, a day or are one or a week."""
    minutes, rest = divmod(seconds, 60)
    if rest:
        return None
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes:.0f} * * * *" if minutes > 1 else "* * * * *"
    hours, rest = divmod(minutes, 60)
    if rest:
        return None
    if hours < 24 and 24 % hours == 0:
        return f"0 */{hours:.0f} * * *" if hours > 1 else "0 * * * *"
    return {24.0: "0 0 * * *", 168.0: "0 0 * * mon"}.get(hours)
