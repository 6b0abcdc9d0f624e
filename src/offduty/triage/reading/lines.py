"""A log's lines without what loggers, containers, terminals and quoting put in front; the level each was logged with."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import ahocorasick_rs

from offduty.triage.reading.trouble import around_trouble

MOST_LINES = 4000  # of the end of a log; and so many of its beginning, where errors stand that explain the end
FIRST_LINES = 200
LINE_CHARS = 2000

_TERMINAL = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|\x1b.?|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LEVELS = {
    "TRACE": "info", "DEBUG": "info", "INFO": "info", "NOTICE": "info", "LOG": "said", "WARN": "warning", "WARNING": "warning",
    "ERROR": "error", "ERR": "error", "SEVERE": "error", "EXCEPTION": "error", "CRITICAL": "error", "FATAL": "error", "PANIC": "error",
}  # fmt: skip
_LEVEL_NAME = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL)"
_TIME = (
    r"(?:(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/. ](?:\d\d|[A-Z][a-z]{2})[-/. ]\d{2,4}|(?:[A-Z][a-z]{2},? ){1,2} ?\d\d?)[T ,:]{0,3})?"
    r"\d\d?:\d\d:\d\d(?:[.,:]\d{1,9})?(?: ?[AP]M)?(?:(?: ?Z| UTC| GMT| ?[+-]\d\d:?\d\d| [A-Z]{3,4}(?=[\])])))?"
)
_MARKS = (
    rf"[\[(<]?{_TIME}[\])>]?(?:(?=[\s:,|\-\[])|$)",
    r"\[?<ts>\]?",
    rf"[\[(<]\s?{_LEVEL_NAME}\s{{0,5}}[\])>]",
    rf"{_LEVEL_NAME}(?=\s{{0,8}}[:|\-]|\s\s|\s\[)",
    r"\[[^\[\]]{1,100}\](?=\s|:\s)",
    r"\{{1,2}[^{}]{1,80}:\d{1,6}\}{1,2}",
    r"std(?:out|err) [FP] ",
    r"[A-Za-z][\w.\-/]{0,60}\s{0,20}\|(?=\s|$)",
    r">(?=\s)",
)
_MARK = re.compile(rf"\s{{0,8}}(?:{'|'.join(_MARKS)})[:,|\-]?(?: -(?= ))? ?")
_NAMED = re.compile(r"(?:[a-zA-Z_][\w.]*|\S+:\d+)(?::[a-zA-Z_]\w*)?(?::\d+)? - (?=.)")
_SERVICE = re.compile(r"[a-z][\w.-]{1,40}: {1,3}(?=\[?\d\d?:\d\d|\[\d{4}| *Traceback| *File )")
_LEVEL_WORD = re.compile(rf"{_LEVEL_NAME}(?=[\s\]):|/,-]|$)")  # what stands before is asked afterwards: so the search is fast
_TROUBLES = (
    r"\w*error", r"\w*exception", "failed", "failure", "fatal", "denied", "refused", "killed", "sigkill", "cannot", "can't", "traceback",
    "timed out", "time limit", "died", "evicted", "terminated",
)  # fmt: skip
_TROUBLE = re.compile(rf"\b(?:{'|'.join(_TROUBLES)})\b", re.IGNORECASE)
_EVENT = re.compile(r"\s*Warning\s+[A-Z][a-z]\w+\s")  # of Kubernetes, which has only normal and warning
_WARNING = re.compile(r"\b\w*Warning: |^\s*warning[:\s]|^Warning message", re.IGNORECASE)


class Line(NamedTuple):
    """`text`: what was said, indentation kept; `level`: info, said, warning or error; `number`: its place in the log, from 1."""

    number: int
    text: str
    level: str


def read(lines: list[str]) -> list[Line]:
    """The lines of a log, cleaned; of a long one the beginning, the end, and what is near trouble in between."""
    places: Sequence[int] = range(len(lines))
    if len(lines) > FIRST_LINES + MOST_LINES:
        between = [FIRST_LINES + place for place in around_trouble(lines[FIRST_LINES:-MOST_LINES])]
        places = [*places[:FIRST_LINES], *between, *places[-MOST_LINES:]]
    return [line for place in places for line in _cleaned(place + 1, lines[place])]


def _cleaned(number: int, raw: str) -> list[Line]:
    text = raw[: LINE_CHARS * 4] if raw.isprintable() else _without_controls(raw)
    stripped = text.lstrip()
    if stripped.startswith("{") and stripped.rstrip().endswith("}") and (record := _json_record(number, stripped)):
        return record
    text = text[:LINE_CHARS]
    body, marks = _undecorated(text)
    return [Line(number, body, _level(marks, body))]


def _without_controls(raw: str) -> str:
    """What a terminal would show of a line."""
    text = _TERMINAL.sub("", raw.rstrip("\r\n")[: LINE_CHARS * 4])
    return text[text.rfind("\r") + 1 :]


def _undecorated(text: str) -> tuple[str, str]:
    """What was said, and what stood in front of it."""
    start = 0
    for _ in range(7):
        found = _MARK.match(text, start) or _SERVICE.match(text, start)
        if not found or found.end() == start:
            break
        start = found.end()
    if start and (found := _NAMED.match(text, start)):
        start = found.end()
        while found := _MARK.match(text, start):
            start = found.end()
    return text[start:], text[:start]


def _level(marks: str, body: str) -> str:
    level = _named_level(marks) if marks else None
    if level:
        return "said" if level == "info" and _speaks_of_trouble(body) else level  # the output of a subprocess, often
    if not body.isascii() or "warning" in body.lower():
        if _EVENT.match(body):
            return "error"
        if _WARNING.search(body[:250]):
            return "warning"
    return _named_level(body[:60]) or "said"


def _named_level(text: str) -> str | None:
    """The first level that stands in `text` as a word."""
    for found in _LEVEL_WORD.finditer(text):
        at = found.start()
        if at == 0 or text[at - 1] in "[(|:" or text[at - 1].isspace():
            return _LEVELS.get(found.group(), "said")
    return None


def _speaks_of_trouble(body: str) -> bool:
    """Whether a word of trouble is there; looked for as plain text first, which is much faster."""
    return bool(not body.isascii() or _trouble().find_matches_as_indexes(body.lower())) and _TROUBLE.search(body) is not None


@cache
def _trouble() -> Any:
    return ahocorasick_rs.AhoCorasick([word.removeprefix(r"\w*") for word in _TROUBLES])


def _json_record(number: int, text: str) -> list[Line] | None:
    """A log line that is a JSON object: its message and its exception, each line of them."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    record = {str(key).lower(): value for key, value in found.items()}
    said = next(
        (record[key] for key in ("message", "msg", "event", "log", "textpayload", "text") if isinstance(record.get(key), str)), None
    )
    if said is None:
        return None
    named = record.get("level") or record.get("levelname") or record.get("severity") or record.get("lvl") or ""
    level = _LEVELS.get(str(named).upper(), "said")
    more = [
        record[key]
        for key in ("exception", "exc_info", "traceback", "stack_trace", "error", "stack", "err")
        if isinstance(record.get(key), str)
    ]
    parts = [part for block in (said, *more) for part in str(block).splitlines()[:200]]
    if parts and len(text) < LINE_CHARS:
        parts[0] = f"{parts[0]} {_others(record)}".rstrip()
    return [Line(number, _undecorated(part[:LINE_CHARS])[0], level) for part in parts] or None


def _others(record: dict[str, object]) -> str:
    """The short texts of a record besides its message: a reason or an action often stands there."""
    known = (
        "message",
        "msg",
        "event",
        "log",
        "text",
        "textpayload",
        "level",
        "levelname",
        "severity",
        "logger",
        "name",
        "timestamp",
        "time",
        "ts",
        "asctime",
    )
    return " ".join(
        f"{key}={value}"
        for key, value in record.items()
        if isinstance(value, str) and len(value) < 100 and key not in known and "\n" not in value
    )
