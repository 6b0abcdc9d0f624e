"""`offduty config show`: every setting as offduty understands it, and where it came from; secrets as ***."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from offduty.cli import COMMANDS
from offduty.cli.show import Cell, note, one_line, print_table, screen
from offduty.cli.show import print_json as print_document
from offduty.durations import spoken, spoken_size
from offduty.settings.convert import fields_of
from offduty.settings.layers import Source
from offduty.settings.load import Settings, load
from offduty.settings.mistakes import Path, dotted, is_bare
from offduty.settings.quick import is_reference
from offduty.settings.rules import is_secret
from offduty.settings.schema import SECRET_OPTIONS, Seconds, Size, Table

HELP = COMMANDS["config"][2]
DESCRIPTION = """\
The value that counts, after every file, variable and default. With --json, durations are numbers of seconds and sizes of bytes.
"""
EXAMPLES = """\
offduty config show                    what was set, and what it means
offduty config show --origin           and where each value came from
offduty config show --all --origin     the defaults too
OFFDUTY_JOB__FORECAST__RETRIES=5 offduty config show --origin
"""
HIDDEN = "***"


@dataclass(frozen=True)
class Setting:
    """One setting: its path, the value (secrets hidden), and where it came from."""

    path: Path
    value: Any
    source: Source


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("what", nargs="?", choices=("show",), metavar="show", default="show", help="what to do (there is only this)")
    parser.add_argument("--origin", action="store_true", help="print where each value came from")
    parser.add_argument("--all", action="store_true", help="print the defaults of every job too")


def main(args: argparse.Namespace) -> int:
    """Print the settings."""
    configured = load(os.getcwd(), os.environ, config=args.config)
    settings = [s for s in shown(configured) if args.all or s.source.kind != "default"]
    if args.json:
        print_document({"schema": "offduty.config/1", "files": configured.files, "settings": [_as_json(s) for s in settings]})
        return 0
    if not settings:
        note(args, "nothing is configured here; `offduty init` writes a first offduty.toml")
        return 0
    headers = ["setting", "value", *(["origin"] if args.origin else [])]
    print_table(screen(args), headers, [_row(s, origin=args.origin) for s in settings], flexible=["value"])
    if configured.mistakes:
        note(args, f"{len(configured.mistakes)} things are wrong: see `offduty check`")
    return 0


def shown(settings: Settings) -> Iterator[Setting]:
    """Every setting there is, those of good jobs first and with their defaults."""
    for name, job in settings.jobs.items():
        for path, value in _of_table(job, ("job", name)):
            yield Setting(path, _hidden(path, value), settings.source(path))
    for path, value in _flat(settings.values, ()):
        if not (path[0] == "job" and len(path) > 2 and path[1] in settings.jobs):
            yield Setting(path, _hidden(path, value), settings.source(path))


def _of_table(table: Table, path: Path) -> Iterator[tuple[Path, Any]]:
    for key in fields_of(type(table)):
        value = getattr(table, key)
        if isinstance(value, Table):
            yield from _of_table(value, (*path, key))
        elif value is not None:
            yield from _flat(value, (*path, key)) if isinstance(value, dict) and value else [((*path, key), value)]


def _flat(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Tables and lists of tables taken apart down to single values; a reference is one."""
    if isinstance(value, dict) and not is_reference(value):
        for key, item in value.items():
            yield from _flat(item, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            yield from _flat(item, (*path, number))
    else:
        yield path, value


def _hidden(path: Path, value: Any) -> Any:
    """`value`, or *** for what is, or looks, secret."""
    if path[0] == "channel" and path[2:3] and path[2] in (*SECRET_OPTIONS, "headers") and not is_reference(value):
        return HIDDEN
    is_env = path[0] == "job" and "env" in path[2:3]
    secret = isinstance(value, str) and is_secret(str(path[-1]) if is_env else "", value)
    if isinstance(value, list):
        return [_hidden(path, item) for item in value]
    return HIDDEN if secret or (is_env and not isinstance(value, str | dict)) else value


def _as_json(setting: Setting) -> dict[str, object]:
    origin = {"kind": setting.source.kind, "where": setting.source.where}
    return {"setting": dotted(setting.path), "value": _plain(setting.value), "origin": origin}


def _plain(value: Any) -> Any:
    """What JSON has: dates as text."""
    return json.loads(json.dumps(value, default=str))


def _row(setting: Setting, *, origin: bool) -> list[Cell]:
    style = "dim" if setting.source.kind == "default" else ""
    cells = [Cell(one_line(dotted(setting.path)), style), Cell(one_line(words(setting.value)), style)]
    return [*cells, Cell(one_line(str(setting.source)), style)] if origin else cells


def words(value: Any) -> str:
    """A value as people write it in the configuration."""
    if isinstance(value, Seconds):
        return spoken(value)
    if isinstance(value, Size):
        return spoken_size(value)
    if isinstance(value, list) and any(isinstance(one, Table) for one in value):
        return f"[{', '.join(map(words, value))}]"
    if isinstance(value, Table):
        return "{ " + ", ".join(f"{name} = {_item(getattr(value, name))}" for name in value.__struct_fields__) + " }"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key if is_bare(key) else json.dumps(key)} = {json.dumps(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | bool) else str(value)


def _item(value: Any) -> str:
    return json.dumps(words(value) if isinstance(value, Seconds | Size | str) else value, ensure_ascii=False, default=str)
