"""TOML values into the types of the schema, value by value, so that every mistake shows and not just the first."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from offduty.errors import OffdutyError, quoted
from offduty.settings.mistakes import Mistake, Path, from_error, nearest
from offduty.settings.quick import is_reference
from offduty.settings.schema import Table, Text, Value

Report = Callable[[Mistake], None]
BAD: Any = object()
"""What `convert` returns for a value that is reported."""

_WANTED: dict[object, str] = {str: "a text", int: "an integer", bool: "true or false", float: "a number", dict: "a table", list: "a list"}
_REFERENCE = 'a text, { env = "NAME" } or { file = "PATH" }'


class VariableText(str):
    """A value that came from an environment variable: text, unless the setting takes something else; then it is read as TOML."""


def read_table(cls: type[Table], table: object, path: Path, report: Report) -> dict[str, Any]:
    """The good values of a table, by setting; each bad or unknown one is reported."""
    if not isinstance(table, dict):
        report(wrong(path, "a table", table))
        return {}
    fields = fields_of(cls)
    values = {}
    for key, value in table.items():
        if key not in fields:
            report(unknown(path, key, list(fields)))
        elif (converted := convert(value, fields[key][0], (*path, key), report)) is not BAD:
            values[key] = converted
    for key, (_, required) in fields.items():
        if required and key not in table:
            report(Mistake("E203", path, f"{key} is missing"))
    return values


@cache
def fields_of(cls: type[Table]) -> dict[str, tuple[Any, bool]]:
    """{setting: (its type, whether it must be given)} of a table; `name` is the table's own key."""
    return {field.name: (field.type, field.required) for field in msgspec.structs.fields(cls) if field.name != "name"}


def convert(value: object, wanted: Any, path: Path, report: Report) -> Any:
    """`value` as the type `wanted`, or BAD after reporting what is wrong with it."""
    wanted, alternatives = _without_none(wanted)
    if isinstance(value, VariableText):
        value = _from_variable(value, wanted)
    if alternatives:  # a text or a list: what is not a list can only be meant as the text
        wanted = next(kind for kind in alternatives if (typing.get_origin(kind) is list) == isinstance(value, list))
    if isinstance(wanted, type) and issubclass(wanted, Table):
        return _struct(value, wanted, path, report)
    if typing.get_origin(wanted) is list:
        return _list(value, wanted, path, report)
    if typing.get_origin(wanted) is dict:
        return _dict(value, wanted, path, report)
    try:
        return _single(value, wanted)
    except (TypeError, msgspec.ValidationError):
        report(wrong(path, wanted_words(wanted), value))
    except OffdutyError as error:
        report(from_error(error, path))
    return BAD


def wrong(path: Path, wanted: str, value: object) -> Mistake:
    """E203: `expected an integer, found the string "three"`. What a secret may hold is not quoted."""
    return Mistake("E203", path, f"expected {wanted}, found {found(value)}")


def unknown(path: Path, key: str, known: list[str]) -> Mistake:
    """E203 for a key nobody knows, with the nearest one."""
    return Mistake("E203", (*path, key), "unknown key", fix=nearest(key, known) or f"known are {', '.join(sorted(known))}")


def found(value: object) -> str:
    """`value` as an error describes it: its TOML type, and the value where that is short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    if isinstance(value, int | float):
        return f"the number {value}"[:60]
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"the date {value}"


def wanted_words(wanted: Any) -> str:
    """What the type `wanted` takes, in words."""
    if typing.get_origin(wanted) is typing.Literal:
        return " or ".join(f'"{word}"' for word in typing.get_args(wanted))
    if typing.get_origin(wanted) is list:
        return f"a list, each item {wanted_words(typing.get_args(wanted)[0])}"
    if wanted is Value:
        return _REFERENCE
    return getattr(wanted, "wanted", None) or _WANTED.get(typing.get_origin(wanted) or wanted, "something else")


def _without_none(wanted: Any) -> tuple[Any, tuple[Any, ...]]:
    """`X | None` is X; `X | Y` gives both to choose from."""
    if typing.get_origin(wanted) not in (types.UnionType, typing.Union):  # the latter is what `Literal[…] | None` makes
        return wanted, ()
    kinds = tuple(kind for kind in typing.get_args(wanted) if kind is not type(None))
    return (kinds[0], ()) if len(kinds) == 1 else (wanted, kinds)


def _from_variable(text: VariableText, wanted: Any) -> object:
    is_word = typing.get_origin(wanted) is typing.Literal
    is_text = is_word or wanted in (str, Value) or (isinstance(wanted, type) and issubclass(wanted, Text))
    if is_text or (isinstance(wanted, types.UnionType) and not text.startswith("[")):
        return str(text)
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return str(text)


def _struct(value: object, wanted: type[Table], path: Path, report: Report) -> Any:
    """A table as its class, or BAD if it, or anything in it, was reported."""
    mistakes: list[Mistake] = []
    values = read_table(wanted, value, path, mistakes.append)
    for mistake in mistakes:
        report(mistake)
    return BAD if mistakes else wanted(**values)


def _list(value: object, wanted: Any, path: Path, report: Report) -> Any:
    if not isinstance(value, list):
        report(wrong(path, wanted_words(wanted), value))
        return BAD
    kind = typing.get_args(wanted)[0]
    items = [convert(item, kind, (*path, number), report) for number, item in enumerate(value)]
    return BAD if BAD in items else items


def _dict(value: object, wanted: Any, path: Path, report: Report) -> Any:
    if not isinstance(value, dict):
        report(wrong(path, "a table", value))
        return BAD
    key_kind, kind = typing.get_args(wanted)
    items = {_key(key, key_kind, path, report): convert(item, kind, (*path, key), report) for key, item in value.items()}
    return BAD if BAD in items or BAD in items.values() else items


def _key(key: str, wanted: Any, path: Path, report: Report) -> Any:
    if typing.get_origin(wanted) is typing.Literal and key not in typing.get_args(wanted):
        report(unknown(path, key, list(typing.get_args(wanted))))
        return BAD
    return key if typing.get_origin(wanted) is typing.Literal else convert(key, wanted, (*path, key), report)


def _single(value: object, wanted: Any) -> Any:
    if wanted is Value and not isinstance(value, dict):
        return Text.read(value)
    if wanted is Value:
        if not is_reference(value):
            raise TypeError
        return value
    return wanted.read(value) if hasattr(wanted, "read") else msgspec.convert(value, wanted)
