"""Julia: `ERROR: LoadError: ArgumentError: message`, `Stacktrace:`, `in expression starting at file:line`."""

from __future__ import annotations

import re

from offduty.runs.tails.finding import TRACE, Cause, Finding, Frame, Tail, joined

_WRAPPERS = ("LoadError: ", "InitError: ", "TaskFailedException: ")
_TYPE = re.compile(r"(?P<type>(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt))(?:\([^)]{0,200}\))?(?:: (?P<message>.*))?$")
_FUNCTION = re.compile(r"\s*\[\d{1,4}\] (?P<function>.{1,300}?)(?: at (?P<file>\S{1,300}?):(?P<line>\d{1,9}))?(?: \[inlined\])?$")
_PLACE = re.compile(r"\s*@ (?:(?P<module>[A-Z]\w*(?:\.\w+)*) )?(?P<file>\S{1,300}?):(?P<line>\d{1,9})(?: \[inlined\])?$")
_EXPRESSION = re.compile(r"in expression starting at (?P<file>\S{1,300}):(?P<line>\d{1,9})$")
_SOON = 30


def find(tail: Tail) -> Finding | None:
    """The last `ERROR:` that has a stack trace or a place with it."""
    for at in range(len(tail.plain) - 1, -1, -1):
        line = tail.plain[at]
        if line.startswith("ERROR: ") and (line.startswith("ERROR: LoadError: ") or _traced(tail, at)):
            return _finding(tail, at)
    return None


def _traced(tail: Tail, at: int) -> bool:
    return any(line.startswith(("Stacktrace:", "in expression starting at ")) for line in tail.plain[at + 1 : at + _SOON])


def _finding(tail: Tail, at: int) -> Finding:
    causes = [_unwrapped(tail.plain[at][len("ERROR: ") :])]
    messages, frames = [[causes[0].message or ""]], [list[Frame]()]
    in_trace, at = False, at + 1
    while at < len(tail.plain):
        line = tail.plain[at]
        if line.startswith("caused by: "):
            causes.append(_unwrapped(line[len("caused by: ") :]))
            messages.append([causes[-1].message or ""])
            frames.append([])
            in_trace = False
        elif line.startswith(("Stacktrace:", "in expression starting at ")):
            in_trace = True
            _place(line, frames[-1])
        elif in_trace:
            _place(line, frames[-1])
        elif line.strip():
            messages[-1].append(line)
        at += 1
        if in_trace and at < len(tail.plain) and _is_other(tail.plain[at]):
            break
    built = [
        Cause(cause.type, joined(message) or None, "cause" if i else None, frames=tuple(reversed(places)))
        for i, (cause, message, places) in enumerate(zip(causes, messages, frames, strict=True))
    ]
    return Finding("julia", tuple(built), TRACE, at)


def _is_other(line: str) -> bool:
    """Whether the stack trace is over at `line`."""
    return bool(line.strip()) and not line.startswith((" ", "caused by: ", "Stacktrace:", "in expression"))


def _unwrapped(text: str) -> Cause:
    for _ in _WRAPPERS:
        for wrapper in _WRAPPERS:
            text = text.removeprefix(wrapper)
    found = _TYPE.match(text.rstrip())
    return Cause(found["type"], found["message"]) if found else Cause(None, text.rstrip())


def _place(line: str, frames: list[Frame]) -> None:
    """Add the frame that `line` names; the expression's place only where the trace gave none of its own."""
    if found := _EXPRESSION.match(line.strip()):
        if not any(frame.own for frame in frames):
            frames.insert(0, Frame(found["file"], int(found["line"]), None, _is_own(found["file"])))
    elif found := _PLACE.match(line):
        if frames and not frames[-1].file:
            frames[-1] = Frame(found["file"], int(found["line"]), frames[-1].function, _is_own(found["file"]))
    elif found := _FUNCTION.match(line):
        file = found["file"] or ""
        name = found["function"].partition("(")[0].strip()
        line_number = int(found["line"]) if file else None
        frames.append(Frame(file, line_number, None if name == "top-level scope" else name, bool(file) and _is_own(file)))


def _is_own(file: str) -> bool:
    """Julia shows its own files as `./error.jl`, packages under `.julia`, the standard library under `share/julia`."""
    return not (file.startswith(("./", "none")) or "/.julia/" in file or "share/julia/" in file)
