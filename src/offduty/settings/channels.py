"""`[channel.NAME]`: which options there are is for the class of its kind to say; here a table is read against that class.

Reading follows references, so that a value that cannot be used is found when settings load, and keeps the references: values are
read again when something is sent.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from offduty.alerts.channels import CHANNELS, kind
from offduty.alerts.options import Arguments, FilePath, Line
from offduty.errors import ConfigError, OffdutyError
from offduty.secrets import Secret
from offduty.settings.convert import BAD, Report, VariableText, convert, unknown, wanted_words, wrong
from offduty.settings.launch import follow, path_in
from offduty.settings.mistakes import Mistake, Path, from_error
from offduty.settings.quick import is_reference
from offduty.settings.schema import Channel

FolderOf = Callable[[str], str]
"""The folder that paths in an option are relative to."""


def read(name: str, table: object, folder_of: FolderOf, environ: Mapping[str, str], report: Report) -> Channel | None:
    """The channel `name`, or None after reporting all that is wrong with its table."""
    path: Path = ("channel", name)
    if not isinstance(table, dict):
        report(wrong(path, "a table", table))
        return None
    word = table.get("kind")
    if not isinstance(word, str) or word not in CHANNELS:
        known = " or ".join(f'"{name}"' for name in CHANNELS)
        report(wrong((*path, "kind"), known, word) if "kind" in table else Mistake("E203", path, "kind is missing", fix=f"write {known}"))
        return None
    options = {key: _placed(key, value, word, folder_of, environ) for key, value in table.items() if key != "kind"}
    channel = Channel(kind=word, options=options)
    mistakes: list[Mistake] = []
    build(name, channel, environ, mistakes.append, loading=True)
    for mistake in mistakes:
        report(mistake)
    return None if mistakes else channel


def build(name: str, channel: Channel, environ: Mapping[str, str], report: Report, *, loading: bool = False) -> Any:
    """The ready channel, or BAD after reporting what is wrong.

    `loading`: a reference that leads nowhere is not reported, because `rules.references` does that, with its line.
    """
    path: Path = ("channel", name)
    cls, types = kind(channel.kind), option_types(channel.kind)
    mistakes: list[Mistake] = _missing_extra(cls, path)
    away = [key for key, value in channel.options.items() if loading and not _leads_somewhere(value, environ)]
    values = {}
    for key, value in channel.options.items():
        if key not in types:
            mistakes.append(unknown(path, key, list(types)))
        elif key not in away:
            values[key] = _value(value, types[key], environ, (*path, key), mistakes.append)
    mistakes += [Mistake("E203", path, f"{key} is missing") for key in required(channel.kind) if key not in channel.options]
    if not mistakes and not away:
        try:
            return cls(**values)
        except ConfigError as error:
            mistakes.append(from_error(error, path))
    for mistake in mistakes:
        report(mistake)
    return BAD


@cache
def option_types(word: str) -> dict[str, Any]:
    """{option: its type} of a kind."""
    hints = typing.get_type_hints(kind(word))
    return {field.name: hints[field.name] for field in dataclasses.fields(kind(word))}


def required(word: str) -> list[str]:
    """The options that a kind cannot do without."""
    empty = dataclasses.MISSING
    return [field.name for field in dataclasses.fields(kind(word)) if field.default is empty and field.default_factory is empty]


def _missing_extra(cls: Any, path: Path) -> list[Mistake]:
    module, extra = getattr(cls, "requires", ("", ""))
    if not module or importlib.util.find_spec(module) is not None:
        return []
    return [Mistake("E701", path, f"this kind of channel needs {module}", fix=f"pip install 'offduty[{extra}]'")]


def _placed(key: str, value: object, word: str, folder_of: FolderOf, environ: Mapping[str, str]) -> object:
    """`value` with its paths made absolute: what is sent later is sent from elsewhere."""
    try:
        wanted = _kinds(option_types(word).get(key))
        if is_reference(value) and "file" in typing.cast(dict[str, str], value):
            return {"file": path_in(folder_of(key), typing.cast(dict[str, str], value)["file"], environ)}
        if FilePath in wanted and isinstance(value, str):
            return path_in(folder_of(key), value, environ)
        if Arguments in wanted and isinstance(value, list) and value and isinstance(value[0], str) and "/" in value[0]:
            return [path_in(folder_of(key), value[0], environ), *value[1:]]
        if isinstance(value, dict) and not is_reference(value):
            return {inner: _placed(key, item, word, folder_of, environ) if is_reference(item) else item for inner, item in value.items()}
    except ConfigError:  # a ${NAME} that is not set; reported with the value itself
        pass
    return value


def _leads_somewhere(value: object, environ: Mapping[str, str]) -> bool:
    try:
        _followed(value, environ)
    except ConfigError:
        return False
    return True


def _value(value: object, wanted: Any, environ: Mapping[str, str], path: Path, report: Report) -> Any:
    """The value as its type. What comes by reference is not quoted when it is wrong."""
    try:
        given = _followed(value, environ)
    except ConfigError as error:
        report(from_error(error, path))
        return BAD
    mistakes: list[Mistake] = []
    made = _converted(given, wanted, path, mistakes.append)
    for mistake in mistakes:
        is_quoted = given is not value and mistake.what.startswith("expected ")
        report(dataclasses.replace(mistake, what=f"what it points to is not {wanted_words(wanted)}") if is_quoted else mistake)
    return made


def _converted(given: object, wanted: Any, path: Path, report: Report) -> Any:
    if isinstance(given, VariableText) and any(isinstance(kind, type) and issubclass(kind, Line | Secret) for kind in _kinds(wanted)):
        given = str(given)
    try:
        return convert(given, wanted, path, report)
    except OffdutyError as error:
        report(from_error(error, path))
        return BAD


def _kinds(wanted: Any) -> tuple[Any, ...]:
    """`X | None` taken apart."""
    return typing.get_args(wanted) or (wanted,)


def _followed(value: object, environ: Mapping[str, str]) -> object:
    """`value` with references replaced by what they point to; a table's too."""
    if is_reference(value):
        return VariableText(follow(typing.cast(dict[str, str], value), environ))
    if isinstance(value, dict) and any(map(is_reference, value.values())):
        return {key: _text(_followed(item, environ)) for key, item in value.items()}
    return value


def _text(value: object) -> object:
    return str(value) if isinstance(value, VariableText) else value
