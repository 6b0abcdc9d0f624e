"""What may stand in a configuration: one class a table, one field a setting. The field's type says what it takes.

A type with `read` is a text or number with a meaning (a duration, a schedule); `wanted` is what an error says it expects.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Literal, Self

import msgspec

from offduty import durations
from offduty.errors import ConfigError, UsageError, quoted
from offduty.settings import times
from offduty.settings.envfile import is_variable_name
from offduty.settings.launch import DEFAULTS, LOG_DEFAULTS, is_bound

Event = Literal[
    "started", "succeeded", "warned", "failed", "timed_out", "terminated", "recovered", "missed", "overdue", "lost", "stuck", "stale",
    "reminder", "escalated", "drill_failed",
]  # fmt: skip
Urgency = Literal["quiet", "digest", "now", "off"]
Severity = Literal["info", "notice", "low", "warning", "medium", "error", "high", "critical"]


class Seconds(float):
    """A duration over 0."""

    wanted: ClassVar[str] = 'a duration like "90 s" or "2h30m"'
    zero: ClassVar[bool] = False

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises UsageError E102."""
        return cls(durations.parse(value, zero=cls.zero))


class SecondsOrNone(Seconds):
    """A duration that may be 0."""

    zero = True


class Grace(Seconds):
    """How late a run may start: a duration over 0, up to a year (E303)."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E303."""
        try:
            return cls(durations.parse(value))
        except UsageError as error:
            raise ConfigError("E303", error.what, why=error.why, fix=error.fix) from None


class Size(int):
    """A number of bytes over 0."""

    wanted: ClassVar[str] = 'a size like "500 MB" or "1 GiB"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises UsageError E102."""
        return cls(durations.parse_size(value))


class Retries(int):
    """0 to 100."""

    wanted: ClassVar[str] = "an integer from 0 to 100"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises ConfigError E103 for an integer out of range, TypeError for what is none."""
        number = _integer(value)
        if not 0 <= number <= 100:
            raise ConfigError("E103", f"{number} retries", why="a job may be tried again 0 to 100 times", fix="write one of those")
        return cls(number)


class Count(int):
    """1 to 1 000 000."""

    wanted: ClassVar[str] = "an integer from 1 to 1000000"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not 1 <= _integer(value) <= 1_000_000:
            raise TypeError
        return cls(_integer(value))


class Rows(int):
    """1 or more."""

    wanted: ClassVar[str] = "a whole number over 0"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not 1 <= _integer(value) < 2**53:
            raise TypeError
        return cls(_integer(value))


class Share(float):
    """0 to 1."""

    wanted: ClassVar[str] = "a share from 0 to 1, like 0.05"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise TypeError
        return cls(value)


class Text(str):
    """Any text without NUL: it may go into a command line or a variable."""

    wanted: ClassVar[str] = "a text"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ConfigError E203."""
        if not isinstance(value, str):
            raise TypeError
        if "\0" in value:
            raise ConfigError("E203", f"{quoted(value)} holds a NUL byte", fix="remove it")
        return cls(value)


class Filled(Text):
    """A text that is not empty."""

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ConfigError E203."""
        text = super().read(value)
        if not text:
            raise ConfigError("E203", "is empty", fix="fill it in, or leave the setting out")
        return text


class Cron(Text):
    """A five-field cron line that matches some time."""

    wanted: ClassVar[str] = 'a schedule like "0 6 * * mon-fri"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ScheduleError E301."""
        text = super().read(value)
        times.check_cron(text)
        return text


class OnCalendar(Text):
    """An expression as systemd's timers take it, that matches some time."""

    wanted: ClassVar[str] = 'an OnCalendar expression like "Mon..Fri 06:00"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ScheduleError E301."""
        text = super().read(value)
        times.check_on_calendar(text)
        return text


class Days(Text):
    """A day, or the days from one to another."""

    wanted: ClassVar[str] = 'a day like "2026-12-25", or days like "2026-12-24..2027-01-01"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        text = super().read(str(value) if isinstance(value, date) else value)  # TOML knows days without quotes too
        if not times.days_of(text):
            raise TypeError
        return text


class Zone(Text):
    """A name in the tz database."""

    wanted: ClassVar[str] = 'a time zone like "Europe/London"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ScheduleError E302."""
        text = super().read(value)
        times.check_zone(text)
        return text


class Amount(float):
    """Any finite number: of money, or of anything else."""

    wanted: ClassVar[str] = "a number"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not -1e15 < value < 1e15:
            raise TypeError
        return cls(value)


class Bound(Text):
    """A comparison with a number."""

    wanted: ClassVar[str] = 'a comparison like "<= 0.12"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        text = super().read(value)
        if not is_bound(text):
            raise TypeError
        return text


class Variable(Text):
    """The name of an environment variable."""

    wanted: ClassVar[str] = "the name of a variable: letters, digits and _"

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError, ConfigError E205 for a `${…}` in a name."""
        if isinstance(value, str) and "${" in value:
            raise ConfigError("E205", f"{quoted(value)} is no name", why="${…} is replaced in values only", fix="write the name out")
        if not isinstance(value, str) or not is_variable_name(value):
            raise TypeError
        return cls(value)


class TimeOfDay(Text):
    """Hours and minutes."""

    wanted: ClassVar[str] = 'a time of day like "09:00"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        text = super().read(value)
        if not times.is_time_of_day(text):
            raise TypeError
        return text


class Hours(Text):
    """A part of the day; it may reach over midnight."""

    wanted: ClassVar[str] = 'hours like "22:00-06:00"'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        text = super().read(value)
        begin, dash, end = text.partition("-")
        if not (dash and begin != end and times.is_time_of_day(begin) and times.is_time_of_day(end)):
            raise TypeError
        return text


class Reference:
    """A value kept elsewhere: `{ env = "NAME" }` or `{ file = "PATH" }`. Read values stay plain tables, so that nothing holds a secret."""


class Value:
    """A text, or a Reference."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all tables."""


class Log(Table, frozen=True, kw_only=True):
    """`log = { … }`: how long logs are kept, and how large one may get."""

    keep: Seconds = Seconds(LOG_DEFAULTS["keep"])
    keep_runs: Count = Count(LOG_DEFAULTS["keep_runs"])
    max_total: Size = Size(LOG_DEFAULTS["max_total"])
    max_size: Size = Size(LOG_DEFAULTS["max_size"])


class Telling(Table, frozen=True, kw_only=True):
    """`[alerts]` for all jobs, and `alerts` of one: how urgent each event is, and how an incident behaves while it is open."""

    started: Urgency | None = None
    succeeded: Urgency | None = None
    warned: Urgency | None = None
    failed: Urgency | None = None
    timed_out: Urgency | None = None
    terminated: Urgency | None = None
    recovered: Urgency | None = None
    missed: Urgency | None = None
    overdue: Urgency | None = None
    lost: Urgency | None = None
    stuck: Urgency | None = None
    stale: Urgency | None = None
    reminder: Urgency | None = None
    escalated: Urgency | None = None
    drill_failed: Urgency | None = None
    copy_owner: Urgency | None = None
    severity: dict[Severity, Urgency] = {}
    after_failures: Count | None = None
    settle: SecondsOrNone | None = None
    remind: Seconds | None = None
    remind_max: Seconds | None = None
    escalate_after: Seconds | None = None
    escalate_to: Filled | None = None
    quiet_hours: list[Hours] | None = None
    digest_at: list[TimeOfDay] | None = None
    timezone: Zone | None = None
    fallback: list[Filled] | None = None
    link: Text | None = None


class Conduct(Table, frozen=True, kw_only=True):
    """How a job is run: what `[offduty.defaults]` may say for all of them."""

    owner: Filled | None = None
    timezone: Zone | None = None
    start_grace: Grace | None = None
    max_duration: Seconds | None = None
    kill_after: SecondsOrNone | None = None
    min_duration: SecondsOrNone | None = None
    retries: Retries = Retries(DEFAULTS["retries"])
    retry_delay: SecondsOrNone = SecondsOrNone(DEFAULTS["retry_delay"])
    retry_max_delay: SecondsOrNone = SecondsOrNone(DEFAULTS["retry_max_delay"])
    overlap: Literal["skip", "queue", "allow"] = DEFAULTS["overlap"]
    stop_grace: SecondsOrNone = SecondsOrNone(DEFAULTS["stop_grace"])
    pty: Literal["auto", "always", "never"] = DEFAULTS["pty"]
    kill_leftovers: bool = DEFAULTS["kill_leftovers"]
    survive: bool = DEFAULTS["survive"]
    strict: bool = DEFAULTS["strict"]
    redact: bool = DEFAULTS["redact"]
    secrets: list[Text] = []
    log: Log = Log()
    alerts: Telling = Telling()


class Output(Table, frozen=True, kw_only=True):
    """`[[job.NAME.output]]`: files that the job leaves behind; the newest is at most so old."""

    path: Filled
    max_age: Seconds


class Rehearsing(Table, frozen=True, kw_only=True):
    """`[drill]` for all jobs, and `drill` of one: when failures are rehearsed by themselves, and what the job may do meanwhile.

    `every`: 0 for never. `hours`: begun only then, in the job's zone. `limit`: of one rehearsal; `longest`: of all of them together.
    """

    every: SecondsOrNone | None = None
    hours: Hours | None = None
    limit: Seconds | None = None
    longest: Seconds | None = None
    all: bool | None = None
    for_real: bool | None = None
    allow_writes: list[Filled] | None = None
    allow_run: list[Filled] | None = None
    through: list[Filled] | None = None


class Worth(Table, frozen=True, kw_only=True):
    """`[job.NAME.value]`: what a run, a better metric and an hour of work are worth. `metric`: the one that counts."""

    metric: Filled | None = None
    better: Literal["lower", "higher"] | None = None
    per_run: Amount | None = None
    per_unit: Amount | None = None
    per_hour: Amount | None = None
    currency: Text = Text("")


class Job(Conduct, frozen=True, kw_only=True):
    """`[job.NAME]`: exactly one of command, shell and notebook, and how it is run."""

    name: str = ""
    command: list[Text] | None = None
    shell: Filled | None = None
    notebook: Filled | None = None
    parameters: dict[str, Any] = {}
    description: Text = Text("")
    schedule: Cron | None = None
    every: Seconds | None = None
    on_calendar: OnCalendar | None = None
    not_on: Filled | list[Filled] = []
    ping: bool = False
    output: list[Output] = []
    cwd: Filled | None = None
    env: dict[Variable, Value] = {}
    env_file: Filled | list[Filled] = []
    good_enough: dict[str, Bound] = {}
    metrics: list[Filled] = []
    value: Worth = Worth()
    drill: Rehearsing = Rehearsing()
    notes: Text = Text("")


class Top(Table, frozen=True, kw_only=True):
    """`[offduty]`: the folders, and defaults for all jobs."""

    state: Filled | None = None
    logs: Filled | None = None
    defaults: Conduct = Conduct()


class Team(Table, frozen=True, kw_only=True):
    """`[team.NAME]`: who is told."""

    contact: Text = Text("")
    channels: list[Filled] = []
    title: Text = Text("")
    hours: Text = Text("")
    timezone: Zone | None = None
    notes: Text = Text("")
    alerts: dict[Event, Urgency] = {}
    digest: bool = True


class Channel(Table, frozen=True, kw_only=True):
    """`[channel.NAME]`: a way to tell someone. `options`: its kind's (`offduty.settings.channels`); references stay references."""

    kind: str
    options: dict[str, Any] = {}


class Dependency(Table, frozen=True, kw_only=True):
    """`[dependency.NAME]`: something jobs rely on, and the team that runs it."""

    match: Filled | list[Filled]
    team: Filled | None = None
    description: Text = Text("")
    max_age: Seconds | None = None
    min_rows: Rows | None = None
    columns: list[Filled] = []
    max_null_share: Share | None = None


class Watch(Table, frozen=True, kw_only=True):
    """`[watch]`: the watcher. `heartbeat`: an address that is called while all is well; `team`: who hears when a watcher falls silent."""

    tick: Seconds = Seconds(10)
    heartbeat: Value | None = None
    heartbeat_every: Seconds = Seconds(60)
    heartbeat_allow: list[Filled] = []
    team: Filled | None = None


class Digest(Table, frozen=True, kw_only=True):
    """`[digest]`: when each team is sent its week. `timezone`: for teams that name none."""

    send: bool = True
    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    at: TimeOfDay = TimeOfDay("09:00")
    timezone: Zone | None = None


class Ping(Table, frozen=True, kw_only=True):
    """`[ping]`: jobs that others start, and that tell by HTTP how they are. `rate`: pings of one job in a second."""

    url: Text = Text("http://127.0.0.1:8000/ping")
    body_limit: Size = Size(100_000)
    rate: Count = Count(10)
    team: Filled | None = None


class Calendar(Table, frozen=True, kw_only=True):
    """`[calendar.NAME]`: days on which jobs are not due, here or in a file with one a line."""

    dates: list[Days] = []
    file: Filled | None = None


class Row(Table, frozen=True, kw_only=True):
    """`[[triage]]`: when this is seen, what it is, what to do, whose it is."""

    when: dict[str, Any]
    id: Text = Text("")
    title: Text = Text("")
    cause: Text = Text("")
    steps: list[Text] = []
    team: Filled | None = None
    severity: Severity = "error"
    links: list[Text] = []
    notes: Text = Text("")


KEYS_OF_PEOPLE = ("job", "team", "channel", "dependency", "calendar")
"""The tables whose next key is a name that the user chose."""

TABLES: dict[str, Any] = {
    "offduty": Top,
    "job": Job,
    "team": Team,
    "channel": Channel,
    "dependency": Dependency,
    "calendar": Calendar,
    "triage": Filled | list[Row],
    "owners": dict[str, Filled],
    "alerts": Telling,
    "watch": Watch,
    "ping": Ping,
    "drill": Rehearsing,
    "digest": Digest,
}
"""Every table there may be at the top of a configuration."""

SECRET_OPTIONS = ("url", "password", "token", "secret", "routing_key")
"""Options of a channel whose values are secret: to be given by reference."""


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value
