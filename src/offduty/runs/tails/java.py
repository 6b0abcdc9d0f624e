"""Stack traces of the Java machine: Java, Scala, Kotlin, Spark, also inside a Python exception of py4j."""

from __future__ import annotations

import re
from dataclasses import replace

from offduty.runs.tails.finding import LINE, TRACE, Cause, Finding, Frame, Tail, joined

_START = re.compile(
    r"(?P<before>Exception in thread \"[^\"]{0,200}\" |Caused by: |: |.{0,200}threw exception: )?"
    r"(?P<type>(?:[a-z_$][\w$]{0,60}\.){1,12}[A-Z][\w$]{0,120})(?::(?: (?P<message>.*))?)?$"
)
_FRAME = re.compile(
    r"\s+at (?:[\w.$@-]{1,100}/{1,2})?(?P<class>[\w.$]{1,300})\.(?P<method>[\w$<>]{1,200})"
    r"\((?P<file>[^():]{1,200})(?::(?P<line>\d{1,9}))?\)"
)
_MORE = re.compile(r"\s+\.\.\. \d+ (?:more|common frames omitted)")
_LIBRARY = re.compile(
    r"(?:java|javax|jdk|sun|com\.sun|scala|kotlin|kotlinx|akka|py4j|org\.(?:apache|springframework|hibernate|postgresql|junit|eclipse|jboss|slf4j|scalatest)"
    r"|com\.(?:google|amazonaws|fasterxml|mysql|microsoft|zaxxer|databricks|esotericsoftware)|io\.(?:netty|grpc|delta|vertx))\."
)


def find(tail: Tail) -> Finding | None:
    """The last stack trace with its causes, or a line that names an exception of the Java machine."""
    found: Finding | None = None
    at = 0
    while at < len(tail.plain):
        start = _START.match(tail.plain[at].strip())
        if start and (start["before"] or _has_frames(tail, at) or start["type"].endswith(("Exception", "Error"))):
            finding = _chain(tail, at)
            found = finding if found is None or finding.strength >= found.strength else found
            at = finding.end
        else:
            at += 1
    return found


def _chain(tail: Tail, at: int) -> Finding:
    causes: list[Cause] = []
    while at < len(tail.plain) and (start := _START.match(tail.plain[at].strip())):
        if causes and not (start["before"] or "").startswith("Caused by"):
            break
        cause, at = _cause(tail, at, start)
        causes.append(replace(cause, link="cause" if causes else None))
    strength = TRACE if any(cause.frames for cause in causes) else LINE
    return Finding("java", tuple(causes), strength, at)


def _cause(tail: Tail, at: int, start: re.Match[str]) -> tuple[Cause, int]:
    """One exception: its message (as far as the frames, at most 20 lines) and its frames."""
    at += 1
    message, first = [start["message"] or ""], at
    while at - first < 20 and _has_frames(tail, at) and not _is_frame(tail, at) and not _START.match(tail.plain[at].strip()):
        message.append(tail.plain[at])
        at += 1
    frames: list[Frame] = []
    while at < len(tail.plain) and _is_frame(tail, at):
        if found := _FRAME.match(tail.plain[at]):
            frames.append(_frame(found))
        at += 1
    return Cause(start["type"], joined(message) or None, frames=tuple(reversed(frames))), at


def _is_frame(tail: Tail, at: int) -> bool:
    return _FRAME.match(tail.plain[at]) is not None or _MORE.match(tail.plain[at]) is not None


def _has_frames(tail: Tail, at: int) -> bool:
    """Whether frames follow soon: what lies between is the rest of a message."""
    return any(_is_frame(tail, i) for i in range(at + 1, min(at + 8, len(tail.plain))))


def _frame(found: re.Match[str]) -> Frame:
    name = f"{found['class'].rpartition('.')[2].rstrip('$')}.{found['method']}"
    return Frame(found["file"], int(found["line"]) if found["line"] else None, name, not _LIBRARY.match(found["class"]))
