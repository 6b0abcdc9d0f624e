"""The record of a run on its way to and from a store: checked both ways, because what a disk gives back is not to be trusted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

from offduty.errors import NotThere, StoreError, quoted
from offduty.stores.failures import BUG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from offduty.runs.store import Happened, Record

OUTCOMES = ("running", "succeeded", "warned", "failed", "timed_out", "terminated", "lost", "skipped")
GOOD = ("succeeded", "warned")
TRIGGERS = ("manual", "scheduled", "retry", "drill")
SHOWN_CANDIDATES = 5
LARGEST = 2**63 - 1  # of SQLite's integers
_COMPACT = json.JSONEncoder(separators=(",", ":")).encode  # made once: `json.dumps` makes an encoder for each call
_STRICT = json.JSONEncoder(allow_nan=False).encode

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PART = re.compile(r"[0-9a-f-]+")
_JOB = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_TIME = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")


class NotARecord(ValueError):
    """Something that should be the record of a run, and is not; says which field."""


def _matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise ValueError

    return check


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError

    return check


def _text(value: object) -> str:
    """Bytes of a path that are no UTF-8 arrive as lone surrogates, which no database takes: they become `\\xNN`."""
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    if value.isascii():
        return value
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _integer(value: object) -> int:
    if type(value) is int and -LARGEST <= value <= LARGEST:
        return value
    raise ValueError


def _seconds(value: object) -> float:
    if type(value) in (int, float) and 0 <= (number := float(cast("float", value))) < float("inf"):
        return number
    raise ValueError


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [_text(item) for item in value]
    raise ValueError


def _object(value: object) -> dict[str, Any]:
    """A JSON object; `NaN` and what JSON does not have are refused. What comes out shares nothing with what came in."""
    if not isinstance(value, dict):
        raise ValueError
    return cast("dict[str, Any]", json.loads(_STRICT(value)))


def _or_null(check: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value is None else check(value)


# The fields in the order of the document, and of the columns.
CHECKS: dict[str, Callable[[Any], object]] = {
    "id": _matching(_ID),
    "root_id": _matching(_ID),
    "job": _matching(_JOB),
    "trigger": _one_of(TRIGGERS),
    "attempt": _integer,
    "attempts": _integer,
    "outcome": _one_of(OUTCOMES),
    "exit_code": _or_null(_integer),
    "exit_source": _or_null(_one_of(("child", "offduty"))),
    "signal": _or_null(_integer),
    "started_at": _matching(_TIME),
    "ended_at": _or_null(_matching(_TIME)),
    "duration_s": _or_null(_seconds),
    "log": _text,
    "host": _text,
    "user": _text,
    "pid": _integer,
    "boot_id": _text,
    "pid_started": _integer,
    "command": _texts,
    "cwd": _text,
    "summary": _or_null(_object),
}
FIELDS = tuple(CHECKS)
_EACH = tuple(CHECKS.items())
_JSON = tuple(FIELDS.index(name) for name in ("command", "summary"))


def checked(record: object) -> Record:
    """`record` as a copy with exactly the known fields, each of its type; those of a newer offduty are left out. Else `NotARecord`."""
    if not isinstance(record, dict):
        raise NotARecord("not an object")
    given = record.get
    try:
        result: Record = {name: check(given(name)) for name, check in _EACH}
    except (ValueError, TypeError, RecursionError):
        raise NotARecord(_what_is_wrong(record)) from None
    if (result["outcome"] == "running") != (result["ended_at"] is None):
        raise NotARecord(f"outcome is {result['outcome']} and ended_at is {result['ended_at']}")
    return result


def _what_is_wrong(record: Record) -> str:
    for name, check in _EACH:
        try:
            check(record.get(name))
        except (ValueError, TypeError, RecursionError):
            return f"{name} is {quoted(record[name])}" if name in record else f"{name} is missing"
    return "it changed meanwhile"


def accepted(record: Mapping[str, object]) -> Record:
    """`checked`, for callers who should have known: E611."""
    try:
        return checked(dict(record))
    except NotARecord as error:
        raise StoreError("E611", "this is not the record of a run", why=str(error), fix=BUG) from None


def as_json(value: object) -> str:
    """As it stands in a column: ASCII, so that no lone surrogate can trouble the database."""
    return _COMPACT(value)


def to_row(record: Record) -> tuple[object, ...]:
    """The columns of a checked record, in the order of `FIELDS`; lists and objects as JSON."""
    row = list(record.values())
    for index in _JSON:
        row[index] = None if row[index] is None else as_json(row[index])
    return tuple(row)


def from_row(row: Sequence[object]) -> Record:
    """The record in a row, or `NotARecord` if the disk changed it."""
    record: dict[str, object] = dict(zip(FIELDS, row, strict=True))
    try:
        for index in _JSON:
            text = record[FIELDS[index]]
            record[FIELDS[index]] = None if text is None else json.loads(cast("str", text))
    except (ValueError, TypeError, RecursionError):
        raise NotARecord("its JSON is damaged") from None
    return checked(record)


def what_happens(stored: str | None, new: str) -> Happened:
    """What a record with outcome `new` does to a different one with outcome `stored` (None: not there). This is the rule INV-4."""
    if stored is None:
        return "added"
    if stored == "running":
        return "updated" if new == "running" else "ended"
    return "recovered" if stored == "lost" and new not in ("running", "lost") else "kept"


def id_part(part: str) -> str:
    """`part` as it stands in ids: lower case, dashes where an id has them if it is a whole one without; E503 if it cannot be a part."""
    text = part.strip().lower()
    if len(text) == 32 and text.isalnum():
        text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    if _PART.fullmatch(text) and len(text.replace("-", "")) >= 4:
        return text
    raise NotThere("E503", f"{quoted(part)} is not the id of a run", fix="give four or more hex digits of its beginning or end")


def the_one(part: str, found: Sequence[Record]) -> Record:
    """The only run among `found`, or E501, or E502 with the candidates."""
    if not found:
        raise NotThere("E501", f"no run has the id {quoted(part)}", fix="`offduty runs` lists them")
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"{run['id']} ({run['job']}, {run['started_at']})" for run in found[:SHOWN_CANDIDATES])
    more = " and others" if len(found) > SHOWN_CANDIDATES else ""
    raise NotThere("E502", f"several runs have the id {quoted(part)}", why=f"{shown}{more}", fix="give more digits")
