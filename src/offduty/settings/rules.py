"""What settings must be together: a job's own rules, names that must exist, references that must lead somewhere, no open secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from offduty import durations
from offduty.errors import ConfigError, quoted
from offduty.settings import times
from offduty.settings.convert import Report, VariableText
from offduty.settings.launch import DEFAULTS, RUNS, follow, is_plain, path_in
from offduty.settings.mistakes import Mistake, Path, from_error, nearest
from offduty.settings.quick import is_reference
from offduty.settings.schema import SECRET_OPTIONS, Dependency

WHENS = ("schedule", "every", "on_calendar")
"""When a job is due: at most one of these."""
SECRET_WORDS = ("password", "passwd", "secret", "token", "apikey", "api_key", "access_key", "private_key", "credential", "webhook")


def job(values: Mapping[str, Any], given: Collection[str], path: Path, report: Report) -> None:
    """The rules for one job: E208 what it runs, E209 contradictions, E303 grace.

    `values` are those that are each right; `given` names all settings, so that a wrong value is not called a missing one too.
    """
    _what_runs([key for key in RUNS if key in given], values, path, report)
    for key, what, fix in _contradictions({**DEFAULTS, **values}, given):
        report(Mistake("E209", (*path, key), what, fix=fix))
    for key, value in values.get("parameters", {}).items():
        if not is_plain(value):
            report(
                Mistake("E203", (*path, "parameters", key), "a notebook gets texts, numbers, lists and tables", fix="write it as a text")
            )
    _grace(values, path, report)


def _what_runs(given: list[str], values: Mapping[str, Any], path: Path, report: Report) -> None:
    command, pings = values.get("command"), values.get("ping", False)
    if not given and not pings:
        report(Mistake("E208", path, "nothing to run", fix="add command, shell or notebook, or ping = true if it is started elsewhere"))
    if given and pings:
        what = f"{given[0]} and ping are both given: a job that offduty starts need not ping"
        report(Mistake("E208", path, what, fix="keep one of them"))
    if len(given) > 1:
        report(Mistake("E208", path, f"{' and '.join(given)} are both given", fix="keep one of them"))
    if command is not None and not (command and command[0]):
        report(Mistake("E203", (*path, "command"), "no program is named", fix='write it like ["python", "forecast.py"]'))


def _contradictions(values: Mapping[str, Any], given: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(setting, what is wrong, how to mend it)."""
    longest, shortest = values["max_duration"], values["min_duration"]
    delay, most = values["retry_delay"], values["retry_max_delay"]
    if len(several := [key for key in WHENS if key in given]) > 1:
        yield several[-1], f"{' and '.join(several)} are {'both' if len(several) == 2 else 'all'} given", "keep one of them"
    if "kill_after" in given and "max_duration" not in given:
        yield "kill_after", "kill_after counts from max_duration, which is not given", "add max_duration"
    if shortest is not None and longest is not None and shortest > longest:
        yield "min_duration", f"min_duration is longer than max_duration ({durations.spoken(longest)})", "swap them?"
    if delay > most:
        yield "retry_delay", f"retry_delay is longer than retry_max_delay ({durations.spoken(most)})", "raise retry_max_delay"
    if values["parameters"] and "notebook" not in given:
        yield "parameters", "parameters are for notebooks, and this job runs none", "put them into the command"


def _grace(values: Mapping[str, Any], path: Path, report: Report) -> None:
    grace = values.get("start_grace")
    if grace is None or not values.keys() & set(WHENS):
        return
    try:
        times.check_grace(grace, _period(values, grace))
    except ConfigError as error:
        report(from_error(error, (*path, "start_grace")))


def _period(values: Mapping[str, Any], grace: float) -> float:
    """Seconds between the two slots that are closest."""
    if "every" in values:
        return float(values["every"])
    if "on_calendar" in values:
        return times.least_step_of_calendar(values["on_calendar"])
    return times.least_period(values["schedule"], grace)


def names(whole: Mapping[str, Any], report: Report) -> None:
    """E207: a team, channel or dependency that is mentioned must be there."""
    for path, table, name in _mentions(whole):
        known = list(_table(whole, table))
        if isinstance(name, str) and name not in known:
            report(Mistake("E207", path, f"there is no {table} {quoted(name)}", fix=nearest(name, known) or f"add [{table}.{name}]"))


def _mentions(whole: Mapping[str, Any]) -> Iterator[tuple[Path, str, object]]:
    """(where, which table, which name) for every mention of something that has a table of its own."""
    for name, values in _tables(whole, "job"):
        if "owner" in values:
            yield ("job", name, "owner"), "team", values["owner"]
        named = values.get("not_on", [])
        for number, calendar in enumerate(named if isinstance(named, list) else [named]):
            yield ("job", name, "not_on", number) if isinstance(named, list) else ("job", name, "not_on"), "calendar", calendar
    for path, telling in _tellings(whole):
        yield from (((*path, "escalate_to"), "team", team) for team in [telling.get("escalate_to")] if team is not None)
        fallback = telling.get("fallback", [])
        for number, channel in enumerate(fallback if isinstance(fallback, list) else []):
            yield (*path, "fallback", number), "channel", channel
    for name, values in _tables(whole, "team"):
        channels = values.get("channels", [])
        for number, channel in enumerate(channels if isinstance(channels, list) else []):
            yield ("team", name, "channels", number), "channel", channel
    if "team" in _table(whole, "watch"):
        yield ("watch", "team"), "team", _table(whole, "watch")["team"]
    for name, values in _tables(whole, "dependency"):
        if "team" in values:
            yield ("dependency", name, "team"), "team", values["team"]
    yield from ((("ping", "team"), "team", team) for team in [_table(whole, "ping").get("team")] if team is not None)
    for pattern, team in _table(whole, "owners").items():
        yield ("owners", pattern), "team", team
    yield from _mentions_of_triage(whole.get("triage"))


def _tellings(whole: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """`[alerts]`, and that of each job."""
    yield ("alerts",), _table(whole, "alerts")
    for name, values in _tables(whole, "job"):
        yield ("job", name, "alerts"), _table(values, "alerts")


def _mentions_of_triage(rows: object) -> Iterator[tuple[Path, str, object]]:
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        when = row.get("when") if isinstance(row, dict) else None
        if isinstance(row, dict) and "team" in row:
            yield ("triage", number, "team"), "team", row["team"]
        named = when.get("dependency", []) if isinstance(when, dict) else []
        for name in named if isinstance(named, list) else [named]:
            if not (isinstance(name, str) and ("*" in name or "?" in name)):
                yield ("triage", number, "when", "dependency"), "dependency", name


def expectations(dependencies: Mapping[str, Dependency], report: Report) -> None:
    """E225: what is expected of a dependency whose transactions will never tell it."""
    for name, one in dependencies.items():
        patterns = [one.match] if isinstance(one.match, str) else one.match
        if not patterns:
            report(
                Mistake(
                    "E225", ("dependency", name, "match"), "matches nothing", fix='write what its transactions look like: "*/sales.csv"'
                )
            )
        for setting in EXPECTATIONS:
            kinds = {kind for pattern in patterns if setting in UNTOLD.get(kind := pattern.partition("://")[0].lower(), ())}
            if getattr(one, setting) and len(kinds) == len({pattern.partition("://")[0].lower() for pattern in patterns}) > 0:
                what = f"{setting} cannot be judged: transactions with {' and '.join(sorted(kinds))} do not tell it"
                report(Mistake("E225", ("dependency", name, setting), what, fix="leave it out, or use offduty.check in the job"))


EXPECTATIONS = ("max_age", "min_rows", "columns", "max_null_share")
_DATABASES = "postgresql postgres mysql mariadb sqlite duckdb oracle mssql snowflake bigquery redis".split()
UNTOLD: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("http", "https", "smtp", "mailto", "ftp", "sftp"), EXPECTATIONS),
    **dict.fromkeys(_DATABASES, ("max_age", "max_null_share")),
}
"""What a transaction with a target of that scheme never tells."""


def references(table: object, path: Path, folder: str, environ: Mapping[str, str], report: Report) -> None:
    """E205: every `{ env = … }` and `{ file = … }` in a channel or a job's env points to something that is there."""
    if is_reference(table):
        assert isinstance(table, dict)
        try:
            follow(table if "env" in table else {"file": path_in(folder, table["file"], environ)}, environ)
        except ConfigError as error:
            report(from_error(error, path))
    elif isinstance(table, dict):
        for key, value in table.items():
            references(value, (*path, key), folder, environ, report)


def inline_secrets(table: Mapping[str, Any], others_read: bool, report: Report) -> None:
    """E206: a secret that stands in the file itself; everyone who may read the file, or its history, has it."""
    why = "and everyone on this machine can read the file" if others_read else "and so in every copy of it"
    for path in _open_secrets(table):
        variable = "".join(c if c.isalnum() else "_" for c in f"{path[1]}_{path[-1]}".upper())
        fix = f'write {path[-1]} = {{ env = "{variable}" }}' if path[0] == "channel" else "keep it in a file named by env_file"
        report(Mistake("E206", path, "a secret stands in the configuration", why, fix))


def _open_secrets(table: Mapping[str, Any]) -> Iterator[Path]:
    for name, values in _tables(table, "channel"):
        for key in SECRET_OPTIONS:
            if isinstance(values.get(key), str) and not isinstance(values[key], VariableText) and values[key]:
                yield "channel", name, key
    for name, values in _tables(table, "job"):
        for key, value in _table(values, "env").items():
            if isinstance(value, str) and is_secret(key, value):
                yield "job", name, "env", key


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's name, or a password in a URL, says that its value is secret; `${…}` takes it from elsewhere."""
    userinfo = value.partition("://")[2].partition("/")[0].rpartition("@")[0]
    looks = any(word in name.lower() for word in SECRET_WORDS) or ":" in userinfo
    return looks and bool(value) and "${" not in value and not value.startswith(("/", "./"))


def _table(whole: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = whole.get(key)
    return table if isinstance(table, dict) else {}


def _tables(whole: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, values) for name, values in _table(whole, key).items() if isinstance(values, dict)]
