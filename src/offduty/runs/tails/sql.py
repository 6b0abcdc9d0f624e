"""What database clients print: psql, mysql, sqlite3, Oracle's tools, sqlcmd and bcp, DuckDB, BigQuery."""

from __future__ import annotations

import re
from collections.abc import Callable

from offduty.runs.tails.finding import LINE, Cause, Finding, Frame, Tail, joined

_MORE = re.compile(r"(?:LINE \d+|DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION):|\s*\^")
_PATTERNS = [
    re.compile(r"(?:psql:(?P<file>[^:\s]{1,300}):(?P<line>\d{1,9}): )?(?P<type>ERROR|FATAL|PANIC):  (?P<message>.+)$"),
    re.compile(
        r"(?P<type>psql|pg_dump|pg_restore|createdb|vacuumdb): (?=.*(?:connection|failed|FATAL|error))(?:error: |fatal: )?(?P<message>.+)$"
    ),
    re.compile(r"(?P<type>ERROR \d{3,5} \(\w{5}\))(?: at line (?P<line>\d{1,9}))?(?: in file: '(?P<file>[^']{1,300})')?: (?P<message>.+)$"),
    re.compile(r"(?P<type>(?:Parse|Runtime) error)(?: near line (?P<line>\d{1,9}))?: (?P<message>.+)$"),
    re.compile(r"(?P<type>Error): near line (?P<line>\d{1,9}): (?P<message>.+)$"),
    re.compile(r"(?P<type>(?:ORA|PLS|TNS|SP2|DPI|IMP|EXP|LRM|SQL\*Loader)-\d{3,5}): (?P<message>.+)$"),
    re.compile(
        r"(?P<type>Msg \d{1,9}, Level \d{1,3}), State \d{1,5}(?:, (?:Server|Procedure) [^,]{1,200}){0,2}"
        r"(?:, Line (?P<line>\d{1,9}))?(?P<message>)$"
    ),
    re.compile(r"(?P<type>Sqlcmd): (?:Error: )?(?P<message>.+)$"),
    re.compile(r"(?P<type>SQLState = \w{5}), NativeError = -?\d{1,9}(?P<message>)$"),
    re.compile(
        r"(?P<type>(?:Parser|Catalog|Binder|IO|Conversion|Constraint|Invalid Input|Out of Memory|Transaction) Error): (?P<message>.+)$"
    ),
    re.compile(r"(?P<type>BigQuery error) in (?:query|load|extract|cp|mk|ls|rm|show) operation: (?P<message>.+)$"),
    re.compile(r"(?P<type>\d{6} \(\w{5}\)): (?P<message>.+)$"),
]
_FOLLOWS = "current transaction is aborted"  # said of every statement after the one that failed
_STARTS: Callable[[str], object] = re.compile(r"psql|pg_|createdb|vacuumdb|ERROR|FATAL|PANIC|[A-Z][a-z*A-Z ]{1,20}[ -:]|\d{6} \(").match


def find(tail: Tail) -> Finding | None:
    """The last error of a client; of several in a row (Oracle stacks them) the first, which is the cause."""
    for at in range(len(tail.plain) - 1, -1, -1):
        if (found := _match(tail.plain[at])) and _FOLLOWS not in found["message"]:
            while at > 0 and (earlier := _match(tail.plain[at - 1])) and earlier["type"] and "-" in earlier["type"]:
                at, found = at - 1, earlier
            return _finding(tail, at, found)
    return None


def _match(line: str) -> re.Match[str] | None:
    return next((found for pattern in _PATTERNS if (found := pattern.match(line))), None) if _STARTS(line) else None


def _finding(tail: Tail, at: int, found: re.Match[str]) -> Finding:
    message = [found["message"]] if found["message"] else []
    at += 1
    if not message and at < len(tail.plain):  # sqlcmd and bcp say what on the next line
        message.append(tail.plain[at].removeprefix("Error = "))
        at += 1
    while at < len(tail.plain) and _MORE.match(tail.plain[at]):
        message.append(tail.plain[at])
        at += 1
    given = found.groupdict()
    line = int(given["line"]) if given.get("line") else None
    frames = (Frame(given.get("file") or "", line),) if line else ()
    return Finding("sql", (Cause(found["type"], joined(message) or None, frames=frames),), LINE, at)
