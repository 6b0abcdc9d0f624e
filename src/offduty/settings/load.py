"""Everything that is configured, with every mistake at once; parts that are broken do not stop the parts that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from offduty import places
from offduty.errors import ConfigError, NotThere, quoted
from offduty.runs.job import is_name, slug
from offduty.settings import channels, files, layers, rules
from offduty.settings.convert import BAD, Report, convert, read_table, unknown, wrong
from offduty.settings.launch import expand, launch, path_in
from offduty.settings.layers import FileLayer, Layer, Source, VariableLayer
from offduty.settings.mistakes import DEGRADES, STOPS, STOPS_JOB, WARNS, ConfigErrors, Mistake, Path, from_error, nearest
from offduty.settings.quick import folder_of, merge
from offduty.settings.schema import (
    TABLES,
    Calendar,
    Channel,
    Conduct,
    Dependency,
    Digest,
    Job,
    Ping,
    Rehearsing,
    Row,
    Team,
    Telling,
    Top,
    Watch,
)

MISSING_JOB = "E506"


@dataclass(frozen=True)
class Settings:
    """What is configured. `jobs`, `teams` … by name; `mistakes` holds all there are, sorted by weight below.

    `top` is `[offduty]`; `triage` the rows, or `triage_file` the file that holds them; `files` the paths read, the weakest first.
    """

    jobs: dict[str, Job]
    teams: dict[str, Team]
    channels: dict[str, Channel]
    dependencies: dict[str, Dependency]
    calendars: dict[str, Calendar]
    triage: list[Row]
    triage_file: str | None
    owners: dict[str, str]
    drill: Rehearsing
    digest: Digest
    alerts: Telling
    watch: Watch
    ping: Ping
    top: Top
    mistakes: list[Mistake]
    layers: list[Layer] = field(repr=False)
    values: dict[str, Any] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    start: str = ""

    @property
    def files(self) -> list[str]:
        """The paths of the configuration files that were read, the weakest first."""
        return [layer.file.path for layer in self.layers if isinstance(layer, FileLayer)]

    @property
    def warnings(self) -> list[Mistake]:
        """What is said and changes nothing (E106, E206)."""
        return [mistake for mistake in self.mistakes if mistake.weight == WARNS]

    @property
    def degraded(self) -> list[Mistake]:
        """What is wrong in optional parts: runs go on without them, unless `strict`."""
        return [mistake for mistake in self.mistakes if mistake.weight == DEGRADES]

    @property
    def broken(self) -> dict[str, list[Mistake]]:
        """The jobs that cannot run, and why."""
        found: dict[str, list[Mistake]] = {}
        for mistake in self.mistakes:
            if mistake.weight == STOPS_JOB:
                found.setdefault(str(mistake.path[1]), []).append(mistake)
        return found

    def job(self, name: str) -> Job:
        """The job `name`. Raises ConfigErrors if its table is wrong, NotThere E506 if there is none."""
        if name in self.broken:
            raise ConfigErrors(self.broken[name])
        if name not in self.jobs:
            raise self._no_job(name)
        return self.jobs[name]

    def launch(self, name: str) -> dict[str, Any]:
        """What starting the job `name` needs: see `offduty.settings.launch.launch`. Raises as `job` does."""
        tells = bool(self.values.get("channel"))
        return {**launch(name, _launch_values(self.job(name)), self.folder(name), self.environ), "tells": tells}

    def folder(self, name: str) -> str:
        """What relative paths of the job `name` are relative to: the folder of the strongest file that mentions it."""
        return folder_of(name, _tables(self.layers)) or self.start

    def source(self, path: Path) -> Source:
        """Where the value at `path` came from; a job's default may be said in `[offduty.defaults]`."""
        path = _inherited(path, self.values)
        return layers.source(self.layers, path) if layers.has(self.values, path) else Source("default")

    def places(self) -> places.Places:
        """The folders: variables first, then `[offduty] state` and `logs`, then the usual ones."""
        named = {f"OFFDUTY_{key.upper()}_DIR": self._top_folder(key) for key in ("state", "logs")}
        systemd = {"OFFDUTY_STATE_DIR": "STATE_DIRECTORY", "OFFDUTY_LOGS_DIR": "LOGS_DIRECTORY"}
        ours = {key: path for key, path in named.items() if path and not self.environ.get(systemd[key])}
        return places.find({**ours, **{key: value for key, value in self.environ.items() if value}})

    def _top_folder(self, key: str) -> str:
        path = getattr(self.top, key)
        if path is None:
            return ""
        holders = [layer.file.folder for layer in self.layers if isinstance(layer, FileLayer) and layers.has(layer.table, ("offduty", key))]
        return path_in(holders[-1] if holders else self.start, path, self.environ)

    def _no_job(self, name: str) -> NotThere:
        known = sorted([*self.jobs, *self.broken])
        where = files.shown(self.files[-1]) if self.files else ""
        fix = nearest(name, known) or (f"there are: {', '.join(known)}" if known else "write a configuration with `offduty init`")
        return NotThere(MISSING_JOB, f"there is no job {quoted(name)}", where=where, fix=fix)


def load(start: str, environ: Mapping[str, str], *, config: str | None = None) -> Settings:
    """What counts for someone standing in the folder `start`; `config` is a file to take instead of searching for the project's.

    Raises ConfigErrors for what stops everything: a file that cannot be read or is not TOML, and mistakes in `[offduty]`.
    """
    found = _layers(start, environ, config)
    whole = layers.combined(found)
    mistakes: list[Mistake] = [mistake for layer in found if isinstance(layer, VariableLayer) for mistake in layer.mistakes]
    settings = _read(whole, found, environ, start, mistakes)
    _check(settings, mistakes.append)
    mistakes[:] = sorted({_placed(mistake, found): None for mistake in mistakes}, key=_order)
    if stopping := [mistake for mistake in mistakes if mistake.weight == STOPS]:
        raise ConfigErrors(stopping)
    return settings


def _layers(start: str, environ: Mapping[str, str], config: str | None) -> list[Layer]:
    found: list[Layer] = []
    mistakes = []
    try:
        config_files = files.find(start, environ, config)
    except ConfigError as error:
        raise ConfigErrors([from_error(error)]) from None
    for file in config_files:
        try:
            found.append(FileLayer(file))
        except ConfigError as error:
            mistakes.append(from_error(error))
    if mistakes:
        raise ConfigErrors(mistakes)
    return [*found, VariableLayer(environ, layers.combined(found))]


def _read(whole: dict[str, Any], found: list[Layer], environ: Mapping[str, str], start: str, mistakes: list[Mistake]) -> Settings:
    report = mistakes.append
    for key in whole:
        if key not in TABLES:
            report(unknown((), key, list(TABLES)))
    top_values = read_table(Top, whole.get("offduty", {}), ("offduty",), report)
    triage = _triage(whole.get("triage", []), report)
    return Settings(
        jobs=_jobs(whole, found, environ, start, report),
        teams=_named(whole, "team", Team, report),
        channels=_channels(whole, found, environ, start, report),
        dependencies=_named(whole, "dependency", Dependency, report),
        calendars=_named(whole, "calendar", Calendar, report),
        triage=triage if isinstance(triage, list) else [],
        triage_file=triage if isinstance(triage, str) else None,
        owners=_or_empty(convert(whole.get("owners", {}), TABLES["owners"], ("owners",), report)),
        drill=Rehearsing(**read_table(Rehearsing, whole.get("drill", {}), ("drill",), report)),
        digest=Digest(**read_table(Digest, whole.get("digest", {}), ("digest",), report)),
        alerts=Telling(**read_table(Telling, whole.get("alerts", {}), ("alerts",), report)),
        watch=Watch(**read_table(Watch, whole.get("watch", {}), ("watch",), report)),
        ping=Ping(**read_table(Ping, whole.get("ping", {}), ("ping",), report)),
        top=Top(**top_values),
        mistakes=mistakes,
        layers=found,
        values=whole,
        environ=environ,
        start=start,
    )


def _triage(value: object, report: Report) -> Any:
    """The file that holds the table, or those rows that are right."""
    if not isinstance(value, list):
        return convert(value, TABLES["triage"], ("triage",), report)
    rows = [convert(row, Row, ("triage", number), report) for number, row in enumerate(value)]
    return [row for row in rows if row is not BAD]


def _or_empty(values: Any) -> dict[str, Any]:
    return {} if values is BAD else values


def _named(whole: Mapping[str, Any], table: str, cls: type[Any], report: Report) -> dict[str, Any]:
    """`[team.NAME]` and its like: those that are right, by name."""
    good = {}
    for name, values in _entries(whole, table, report):
        converted = convert(values, cls, (table, name), report)
        if converted is not BAD:
            good[name] = converted
    return good


def _channels(whole: Mapping[str, Any], found: list[Layer], environ: Mapping[str, str], start: str, report: Report) -> dict[str, Channel]:
    entries = _entries(whole, "channel", report)
    good = {name: channels.read(name, table, _folders(("channel", name), found, start), environ, report) for name, table in entries}
    return {name: channel for name, channel in good.items() if channel is not None}


def _folders(path: Path, found: list[Layer], start: str) -> Callable[[str], str]:
    """What says for each setting below `path` which folder its paths are relative to: that of the strongest file that has it."""
    holders = [layer for layer in found if isinstance(layer, FileLayer)]

    def folder_of(key: str) -> str:
        said = [layer.file.folder for layer in holders if layers.has(layer.table, (*path, key))]
        return said[-1] if said else start

    return folder_of


def _entries(whole: Mapping[str, Any], table: str, report: Report) -> Iterator[tuple[str, object]]:
    entries = whole.get(table, {})
    if not isinstance(entries, dict):
        report(wrong((table,), f"tables like [{table}.NAME]", entries))
        return
    yield from entries.items()


def _jobs(whole: Mapping[str, Any], found: list[Layer], environ: Mapping[str, str], start: str, report: Report) -> dict[str, Job]:
    defaults = _defaults(whole)
    good = {}
    for name, table in _entries(whole, "job", report):
        mistakes: list[Mistake] = []
        values = _job_values(name, table, defaults, mistakes.append)
        _expandable(name, values, folder_of(name, _tables(found)) or start, environ, mistakes.append)
        for mistake in mistakes:
            report(mistake)
        if not mistakes:
            good[name] = Job(name=name, **values)
    return good


def _defaults(whole: Mapping[str, Any]) -> dict[str, Any]:
    """`[offduty.defaults]` if it is right; if not, that is reported once, and not again for every job."""
    top = whole.get("offduty", {})
    defaults = top.get("defaults", {}) if isinstance(top, dict) else {}
    mistakes: list[Mistake] = []
    read_table(Conduct, defaults, (), mistakes.append)
    return {} if mistakes else defaults


def _job_values(name: str, table: object, defaults: dict[str, Any], report: Report) -> dict[str, Any]:
    path: Path = ("job", name)
    if not is_name(name):
        fix = f"call it {slug(name)}" if is_name(slug(name)) else "choose another"
        why = "names are a-z, 0-9, . _ -, at most 100, a letter or digit first"
        report(Mistake("E104", path, f"{quoted(name)} cannot name a job", why, fix))
    if not isinstance(table, dict):
        report(wrong(path, "a table", table))
        return {}
    whole = merge(defaults, table)
    values = read_table(Job, whole, path, report)
    rules.job(values, whole, path, report)
    return values


def _expandable(name: str, values: Mapping[str, Any], folder: str, environ: Mapping[str, str], report: Report) -> None:
    """E205 for each `${NAME}` and each reference of a job that leads nowhere."""
    texts: dict[Path, str] = {(key,): values[key] for key in ("cwd", "notebook") if key in values}
    named = values.get("env_file", [])
    texts |= {("env_file",): named} if isinstance(named, str) else {("env_file", number): file for number, file in enumerate(named)}
    texts |= {("env", key): value for key, value in values.get("env", {}).items() if isinstance(value, str)}
    for key, text in texts.items():
        try:
            expand(text, environ)
        except ConfigError as error:
            report(from_error(error, ("job", name, *key)))
    rules.references(values.get("env", {}), ("job", name, "env"), folder, environ, report)


def _launch_values(job: Job) -> dict[str, Any]:
    values = {key: value for key, value in msgspec.structs.asdict(job).items() if value is not None}
    return {**values, **{key: msgspec.structs.asdict(values[key]) for key in ("log", "value")}}


def _check(settings: Settings, report: Report) -> None:
    """What concerns more than one table."""
    rules.names(settings.values, report)
    rules.expectations(settings.dependencies, report)
    if settings.values.get("triage"):
        from offduty.settings import triage

        triage.check(settings, report)
    for layer in settings.layers:
        if isinstance(layer, FileLayer):
            rules.inline_secrets(layer.table, layer.file.others_read, report)
            channels = layer.table.get("channel", {})
            rules.references(channels, ("channel",), layer.file.folder, settings.environ, report)


def _tables(found: list[Layer]) -> list[tuple[files.ConfigFile, dict[str, Any]]]:
    return [(layer.file, layer.table) for layer in found if isinstance(layer, FileLayer)]


def _placed(mistake: Mistake, found: list[Layer]) -> Mistake:
    """The mistake with the file and line, or the variable, it came from."""
    if mistake.where or not mistake.path:
        return mistake
    return replace(mistake, where=str(layers.source(found, _inherited(mistake.path, layers.combined(found)))))


def _inherited(path: Path, whole: Mapping[str, Any]) -> Path:
    """`path`, or where `[offduty.defaults]` says it for a job that does not."""
    defaults: Path = ("offduty", "defaults", *path[2:])
    is_inherited = path[0] == "job" and len(path) > 2 and not layers.has(whole, path) and layers.has(whole, defaults)
    return defaults if is_inherited else path


def _order(mistake: Mistake) -> tuple[str, int]:
    """By file, then line."""
    name, _, line = mistake.where.rpartition(":")
    return (name, int(line)) if line.isdigit() else (mistake.where, 0)
