"""The fast path: the launch values of one job, if everything about it is plain and right; else nothing, and `load` says what is wrong.

It may say "I do not know" for a job that is fine, and must never differ from the full loader when it answers (a test holds it to that).
Only `tomllib` is imported beyond what Python has loaded anyway: msgspec, cronsim and zoneinfo would cost 80 ms before the job starts.
"""

from __future__ import annotations

from offduty import durations
from offduty.errors import OffdutyError
from offduty.runs.job import OVERLAPS, PTY_MODES, is_name
from offduty.settings import files
from offduty.settings.envfile import is_variable_name
from offduty.settings.launch import EVENTS, RUNS, URGENCIES, is_bound, is_plain, launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from offduty.settings.remembered import Memory

    Table = dict[str, Any]

MAY_DEFAULT = frozenset((
    "alerts", "kill_after", "kill_leftovers", "log", "max_duration", "min_duration", "overlap", "owner", "pty", "redact", "retries",
    "retry_delay", "retry_max_delay", "secrets", "start_grace", "stop_grace", "strict", "survive", "timezone",
))  # fmt: skip
"""What `[offduty.defaults]` may say for all jobs: how they are run, never what they are."""

_CRON = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 7))  # days after the 28th are not in every month: left to the full loader
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = {3: _MONTHS, 4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat")}
_REFUSED_ZONES = ("EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "localtime", "posixrules", "Factory")


def quick_job(name: str, start: str, environ: Mapping[str, str], config: str | None = None, memory: Memory | None = None) -> Table | None:
    """What `settings.launch.launch` returns for the job `name`, seen from the folder `start`; None whenever `load` has to look.

    `memory`: where files may have been parsed before; what is parsed now is added to its `parsed`.
    """
    if not is_name(name) or any(key.startswith("OFFDUTY_") and "__" in key for key in environ):
        return None
    try:
        return _launch(name, files.find(start, environ, config), environ, memory)
    except (OffdutyError, ValueError, RecursionError):  # tomllib's errors are ValueErrors
        return None


def table_of(file: files.ConfigFile) -> Table:
    """Our table in a file: all of it, or `[tool.offduty]`. Raises tomllib.TOMLDecodeError, RecursionError."""
    import tomllib

    table: Any = tomllib.loads(file.text)
    for key in ("tool", "offduty") if file.is_pyproject else ():
        table = table.get(key, {})
        if not isinstance(table, dict):
            raise ValueError(key)
    return table  # type: ignore[no-any-return]


def suspicious(text: str) -> bool:
    """Whether `text` may nest deeply enough to cost tomllib minutes: to be looked at first."""
    return text.count(".") > 32 and any(line.count(".") > 32 for line in text.split("\n"))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    """`above` laid over `below`: tables are merged, everything else is replaced, a reference (`{ env = … }`) too."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, dict) and isinstance(under, dict) and not is_reference(value) and not is_reference(under)
        merged[key] = merge(under, value) if both else value  # type: ignore[arg-type]
    return merged


def is_reference(value: object) -> bool:
    """Whether `value` is `{ env = "NAME" }` or `{ file = "PATH" }`: points to a value instead of being one."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("env", value.get("file")), str)


def folder_of(name: str, tables: list[tuple[files.ConfigFile, Table]]) -> str:
    """The folder of the strongest file that mentions the job: what its paths are relative to."""
    for file, table in reversed(tables):
        jobs = table.get("job")
        if isinstance(jobs, dict) and name in jobs:
            return file.folder
    return ""


def _launch(name: str, found: list[files.ConfigFile], environ: Mapping[str, str], memory: Memory | None) -> Table | None:
    tables = [(file, _frame(file, name, memory)) for file in found]
    whole: Table = {}
    for _, table in tables:
        whole = merge(whole, {key: table[key] for key in ("offduty", "job") if key in table})
    job = whole.get("job", {}).get(name)
    defaults = whole.get("offduty", {}).get("defaults", {})
    if not isinstance(job, dict) or not isinstance(defaults, dict) or not MAY_DEFAULT.issuperset(defaults):
        return None
    own, general = _converted(job), _converted(defaults)
    if own is None or general is None or not all(_zone_is_there(table.get("timezone"), environ) for table in (own, general)):
        return None
    values = merge(general, own)
    tells = any(table.get("channel") for _, table in tables)
    return {**launch(name, values, folder_of(name, tables), environ), "tells": tells} if _fits(values) else None


def _frame(file: files.ConfigFile, job: str, memory: Memory | None) -> Table:
    """The tables of a file, from memory if that knows them. Raises ValueError for what is not plain."""
    known = memory.table(file, job) if memory is not None else None
    if known is not None:
        return known
    if suspicious(file.text) or not _plain_frame(table := table_of(file)):
        raise ValueError(file.path)
    if memory is not None:
        memory.parsed.append((file, table))
    return table


def _plain_frame(table: Table) -> bool:
    """Nothing at the top that the full loader would refuse everything for; `[offduty]` may hold `defaults` alone here."""
    jobs, top = table.get("job", {}), table.get("offduty", {})
    return isinstance(jobs, dict) and isinstance(top, dict) and set(top) <= {"defaults"} and not too_deep(table)


def too_deep(table: Table, limit: int = 32) -> bool:
    """Whether tables and lists nest deeper than `limit`."""
    level: list[Any] = [table]
    while level and limit > 0:
        level = [item for holder in level for item in _items(holder) if type(item) in (dict, list)]
        limit -= 1
    return bool(level)


def _items(holder: Any) -> Any:
    return holder.values() if isinstance(holder, dict) else holder


def _converted(job: Table) -> Table | None:
    """The table with durations in seconds and sizes in bytes; None for a key or value that is not plainly right."""
    values = {}
    for key, value in job.items():
        check = _PLAIN.get(key)
        converted = check(value) if check else None
        if converted is None:
            return None
        values[key] = converted
    return values


def _fits(job: Table) -> bool:
    """What the settings of a job must be together: see `settings.rules.job` for the same rules with words."""
    return (
        sum(key in job for key in RUNS) == 1
        and len(job.keys() & {"schedule", "every", "on_calendar"}) <= 1
        and ("parameters" not in job or "notebook" in job)
        and ("kill_after" not in job or "max_duration" in job)
        and job.get("min_duration", 0.0) <= job.get("max_duration", durations.LONGEST)
        and job.get("retry_delay", 30.0) <= job.get("retry_max_delay", 900.0)
        and job.get("start_grace", 0.0) <= _least_period(job)
    )


def _least_period(job: Table) -> float:
    """Seconds that surely lie between two slots."""
    if "every" in job:
        return float(job["every"])
    minute, hour, *_ = job.get("schedule", "0 0").split()
    if not minute.isdigit():
        return 60.0
    return 86400.0 if hour.isdigit() else 3600.0


def _zone_is_there(zone: str | None, environ: Mapping[str, str]) -> bool:
    """Only zones in the usual folder: where Python looks first, unless it is told otherwise."""
    if zone is None:
        return True
    if "PYTHONTZPATH" in environ or zone in _REFUSED_ZONES or zone.startswith(("posix/", "right/")):
        return False
    if not all(part and part.isascii() and part.translate({95: "0", 45: "0", 43: "0"}).isalnum() for part in zone.split("/")):  # _ - +
        return False
    try:
        with open(f"/usr/share/zoneinfo/{zone}", "rb") as file:
            return file.read(4) == b"TZif"
    except OSError:
        return False


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and "\0" not in value else None


def _filled(value: object) -> str | None:
    return _text(value) or None


def _texts(value: object) -> list[str] | None:
    return value if isinstance(value, list) and all(isinstance(item, str) and "\0" not in item for item in value) else None


def _command(value: object) -> list[str] | None:
    words = _texts(value)
    return words if words and words[0] else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _retries(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100 else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1_000_000 else None


def _seconds(value: object) -> float:
    return durations.parse(value)


def _seconds_or_none(value: object) -> float:
    return durations.parse(value, zero=True)


def _one_of(words: tuple[str, ...]) -> Callable[[object], str | None]:
    return lambda value: value if isinstance(value, str) and value in words else None


def _env(value: object) -> Table | None:
    """Text alone: a reference is left to the full loader, which looks whether it points to something."""
    if not isinstance(value, dict) or not all(map(is_variable_name, value)):
        return None
    return value if all(_text(item) is not None for item in value.values()) else None


def _alerts(value: object) -> Table | None:
    return value if isinstance(value, dict) and set(value) <= set(EVENTS) and all(v in URGENCIES for v in value.values()) else None


def _good_enough(value: object) -> Table | None:
    return value if isinstance(value, dict) and all(isinstance(v, str) and is_bound(v) for v in value.values()) else None


def _worth(value: object) -> Table | None:
    """What starting the job does not need; what is not plain is left to the full loader."""
    if not isinstance(value, dict) or not set(value) <= {"metric", "better", "per_run", "per_unit", "per_hour", "currency"}:
        return None
    numbers = [item for key, item in value.items() if key.startswith("per_")]
    if not all(type(item) in (int, float) and -1e15 < item < 1e15 for item in numbers) or _filled(value.get("metric", "x")) is None:
        return None
    return value if value.get("better", "lower") in ("lower", "higher") and _text(value.get("currency", "")) is not None else None


def _drill(value: object) -> Table | None:
    """Hours are left to the full loader."""
    plain = {
        "every": _seconds_or_none, "limit": _seconds, "longest": _seconds, "all": _flag, "for_real": _flag, "allow_writes": _globs,
        "allow_run": _globs, "through": _globs,
    }  # fmt: skip
    if not isinstance(value, dict) or not set(value) <= set(plain):
        return None
    values = {key: plain[key](item) for key, item in value.items()}
    return None if None in values.values() else values


def _globs(value: object) -> list[str] | None:
    return value if _texts(value) is not None and all(value) else None  # type: ignore[arg-type,return-value]


def _files(value: object) -> list[str] | None:
    files = [value] if isinstance(value, str) else value
    return files if _texts(files) is not None and all(files) else None  # type: ignore[arg-type,return-value]


def _outputs(value: object) -> list[Table] | None:
    if not isinstance(value, list) or not all(isinstance(one, dict) and set(one) == {"path", "max_age"} for one in value):
        return None
    return [{**one, "max_age": _seconds(one["max_age"])} for one in value] if all(_filled(one["path"]) for one in value) else None


def _log(value: object) -> Table | None:
    plain = {"keep": _seconds, "keep_runs": _count, "max_total": durations.parse_size, "max_size": durations.parse_size}
    if not isinstance(value, dict) or not set(value) <= set(plain):
        return None
    values = {key: plain[key](item) for key, item in value.items()}
    return None if None in values.values() else values


def _parameters(value: object) -> Table | None:
    return value if isinstance(value, dict) and is_plain(value) else None


def _cron(value: object) -> str | None:
    """A cron line that is surely right: five plain fields in lower case, ASCII digits, days that every month has."""
    fields = value.split(" ") if isinstance(value, str) else []
    return value if len(fields) == 5 and all(map(_is_cron_field, range(5), fields)) else None  # type: ignore[return-value]


def _is_cron_field(at: int, field: str) -> bool:
    return bool(field) and all(_is_cron_item(at, item) for item in field.split(","))


def _is_cron_item(at: int, item: str) -> bool:
    low, high = _CRON[at]
    values, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= high):
        return False
    if values == "*":
        return True
    ends = [_cron_number(at, end) for end in values.split("-")]
    return len(ends) <= 2 and all(low <= end <= high for end in ends) and ends == sorted(ends)


def _left_to_the_full_loader(_: object) -> None:
    """For what only a library can judge."""


def _cron_number(at: int, text: str) -> int:
    if text in _NAMES.get(at, ()):
        return _NAMES[at].index(text) + (1 if at == 3 else 0)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else -1


_PLAIN: dict[str, Callable[[object], Any]] = {
    "command": _command,
    "shell": _filled,
    "notebook": _filled,
    "parameters": _parameters,
    "owner": _filled,
    "description": _text,
    "schedule": _cron,
    "every": _seconds,
    "on_calendar": _left_to_the_full_loader,
    "not_on": _files,
    "output": _outputs,
    "ping": _left_to_the_full_loader,
    "timezone": _filled,
    "start_grace": _seconds,
    "max_duration": _seconds,
    "kill_after": _seconds_or_none,
    "min_duration": _seconds_or_none,
    "retries": _retries,
    "retry_delay": _seconds_or_none,
    "retry_max_delay": _seconds_or_none,
    "overlap": _one_of(OVERLAPS),
    "cwd": _filled,
    "env": _env,
    "env_file": _files,
    "stop_grace": _seconds_or_none,
    "pty": _one_of(PTY_MODES),
    "kill_leftovers": _flag,
    "survive": _flag,
    "strict": _flag,
    "redact": _flag,
    "secrets": _texts,
    "log": _log,
    "alerts": _alerts,
    "good_enough": _good_enough,
    "metrics": _globs,
    "value": _worth,
    "drill": _drill,
    "notes": _text,
}
"""The settings of a job, and how the fast path knows that a value is right."""
