"""Read what the probe wrote, line by line, trusting nothing that does not carry the run's token.

The job's user owns the file and may write anything into it; what is not an event of this run is counted and never raises.
A line is a JSON object of at most 64 KiB (docs/explanation/how-the-parts-meet.md, "Events").
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
Check = Callable[[Any], bool]

LINE_LIMIT = 64 * 1024
CHUNK = 256 * 1024
DEPTH = 20  # an exception chain needs 5
KEEP_BYTES = 8 * 1024 * 1024
KEEP_LAST = 64  # exceptions and exits beyond KEEP_BYTES: the last words are the ones that explain


@dataclass(frozen=True)
class Events:
    """The events of a run in the order of the file, and what was not taken: lines not understood, kinds not known, events too many."""

    events: tuple[Event, ...] = ()
    protocol_errors: int = 0
    unknown: int = 0
    dropped: int = 0


class EventsReader:
    """Read an events file while it grows. `redact` is applied to every text in it.

    `protocol_errors`: lines that are malformed, too long, torn, or without the token.
    `unknown`: events of a kind this version does not know.
    """

    def __init__(self, path: str, token: str, redact: Callable[[str], str] | None = None) -> None:
        self.protocol_errors = 0
        self.unknown = 0
        self._path, self._token, self._redact = path, token, redact
        self._offset = 0
        self._rest = b""
        self._skipping = False
        self._refused = False

    def poll(self) -> list[Event]:
        """The events written since the last call, from at most 256 KiB of the file; [] when there are none now."""
        return [event for event, _ in self.poll_sized()]

    def finish(self) -> None:
        """No more will be written: a line without its end is torn, and counted."""
        self.protocol_errors += bool(self._rest)
        self._rest = b""

    def poll_sized(self) -> list[tuple[Event, int]]:
        """As `poll`, each event with the bytes of its line."""
        while chunk := self._chunk():
            if found := [(event, len(line)) for line in self._lines(chunk) if (event := self._event(line))]:
                return found
        return []

    def _chunk(self) -> bytes:
        """The next bytes. Not a plain file, or one that cannot be read: counted once, and empty. Not there: simply empty."""
        try:
            with open(os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(self._path)
                self._notice_truncation(status.st_size)
                chunk = os.pread(file.fileno(), CHUNK, self._offset)
        except FileNotFoundError:
            return b""
        except (OSError, ValueError):  # ValueError: NUL in the path
            self.protocol_errors += not self._refused
            self._refused = True
            return b""
        self._offset += len(chunk)
        return chunk

    def _notice_truncation(self, size: int) -> None:
        """Somebody cut the file: read it again from its start, or every later event would be missed."""
        if size < self._offset:
            self.protocol_errors += 1
            self._offset, self._rest, self._skipping = 0, b"", False

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The whole lines in `chunk`; never keeps more than LINE_LIMIT of a line without an end."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if self._skipping and lines:
            self._skipping = False
            del lines[0]
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > LINE_LIMIT:
            self.protocol_errors += 1
            self._rest, self._skipping = b"", True
        return lines

    def _event(self, line: bytes) -> Event | None:
        """The event in `line`. One that was written behind a torn line (the disk was full for a moment) is taken, and the tear counted."""
        event = self._decoded(line)
        if event is None:
            self.protocol_errors += 1
            start = line.rfind(b'{"token"')
            event = self._decoded(line[start:]) if start > 0 else None
        if event is None:
            return None
        shape = SHAPES.get(event["kind"])
        if shape is None:
            self.unknown += 1
            return None
        if not all(check(event.get(key)) for key, check in shape.items()):
            self.protocol_errors += 1
            return None
        return event

    def _decoded(self, line: bytes) -> Event | None:
        """`line` as an event of this run, without its token; None if it is not one."""
        if len(line) > LINE_LIMIT:
            return None
        try:
            event = _DECODER.decode(line.decode("utf-8"))
            if not isinstance(event, dict) or event.pop("token", None) != self._token:
                return None
            event = _cleaned(event, self._redact or _same, DEPTH)
        except (ValueError, RecursionError):
            return None
        return event if all(check(event.get(key)) for key, check in ALWAYS.items()) else None


def read_events(path: str, token: str, redact: Callable[[str], str] | None = None) -> Events:
    """All events of a run that is over. At most 8 MiB are kept, then only the last exceptions and exits; the rest is counted as dropped."""
    reader = EventsReader(path, token, redact)
    kept: list[Event] = []
    last: deque[Event] = deque(maxlen=KEEP_LAST)
    size = seen = 0
    while found := reader.poll_sized():
        seen += len(found)
        for event, length in found:
            size += length
            if size <= KEEP_BYTES:
                kept.append(event)
            elif event["kind"] in ("exception", "exit"):
                last.append(event)
    reader.finish()
    events = (*kept, *last)
    return Events(events, reader.protocol_errors, reader.unknown, seen - len(events))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key given twice means whatever the reader takes it to mean: refused."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e400
        raise ValueError(text)
    return number


def _refuse(text: str) -> float:
    raise ValueError(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)


def _same(text: str) -> str:
    return text


def _cleaned(value: Any, redact: Callable[[str], str], depth: int) -> Any:
    """`value` with every text redacted and free of lone surrogates. Raises ValueError where it is too deep or a number too large."""
    if depth < 0:
        raise ValueError("too deep")
    if isinstance(value, str):
        return redact(_encodable(value))
    if isinstance(value, dict):
        return {_encodable(key): _cleaned(item, redact, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, redact, depth - 1) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("too large")
    return value


def _encodable(text: str) -> str:
    r"""A lone surrogate, which no file or terminal takes, as `\udc80`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _maybe_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _bool(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _maybe_number(value: Any) -> bool:
    return value is None or _number(value)


def _count(value: Any) -> bool:
    return value is None or (_number(value) and value > 0)


def _maybe_code(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _maybe_moment(value: Any) -> bool:
    return value is None or _moment(value)


def _finite_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _duration(value: Any) -> bool:
    return _finite_number(value) and 0 <= value < 1e11


def _error(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and _text(value.get("type")) and _text(value.get("message")))


def _shape(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 and all(map(_text, pair)) for pair in value)
    )


def _numbers(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(map(_number, value)))


def _verdict(value: Any) -> bool:
    return value in ("passed", "warned", "failed")


def _texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(map(_text, value)))


def _chain(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and _each(value, CAUSE)


def _frames(value: Any) -> bool:
    return value is None or (isinstance(value, list) and _each(value, FRAME))


def _each(values: Iterable[Any], shape: dict[str, Check]) -> bool:
    return all(isinstance(value, dict) and all(check(value.get(key)) for key, check in shape.items()) for value in values)


FRAME: dict[str, Check] = {"file": _text, "line": _maybe_number, "function": _maybe_text, "own": _flag}
CAUSE: dict[str, Check] = {
    "type": _maybe_text,
    "message": _maybe_text,
    "link": _maybe_text,
    "notes": _texts,
    "frames": _frames,
    "bases": _texts,
}
ALWAYS: dict[str, Check] = {"kind": _text, "at": _moment, "pid": lambda value: _number(value) and 0 < value < 2**31}

# What an event of each kind must look like. Keys that are not named here are nobody's business and stay as they are.
SHAPES: dict[str, dict[str, Check]] = {
    "hello": {"python": _text, "executable": _maybe_text, "argv": _texts, "ppid": _maybe_number, "main": _flag, "site": _texts},
    "exception": {"where": _maybe_text, "chain": _chain, "uncaught": _flag},
    "exit": {"code": _maybe_code, "message": _maybe_text, "frame": _maybe_text},
    "warning": {"category": _text, "message": _text, "where": _maybe_text, "count": _count},
    "log": {
        "level": _text, "levelno": _maybe_code, "logger": _maybe_text, "message": _text, "where": _maybe_text, "count": _count,
        "library": _maybe_text, "exception": lambda value: value is None or _chain(value),
    },
    "problem": {"what": _text},
    "begin": {"n": _number, "op": _text, "target": _text, "where": _maybe_text},
    "transaction": {
        "n": _number, "op": _text, "target": _text, "where": _maybe_text, "took": _duration, "ok": _bool, "error": _error,
        "count": _maybe_number, "failed": _maybe_number, "bytes": _maybe_number, "rows": _maybe_number, "columns": _maybe_number,
        "status": lambda value: value is None or isinstance(value, str) or _number(value), "modified": _maybe_moment,
        "shape": _shape, "nulls": _numbers, "attributes": lambda value: value is None or isinstance(value, dict),
    },
    "check": {
        "name": _text, "outcome": _verdict, "detail": _maybe_text, "source": _maybe_text, "where": _maybe_text, "count": _maybe_number,
    },
    "metric": {"name": _text, "value": _finite_number, "unit": _maybe_text},
    "modules": {"files": _texts},
}  # fmt: skip
