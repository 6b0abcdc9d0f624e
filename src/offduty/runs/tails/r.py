"""R: `Error in f(x) : message`, the errors of rlang and the tidyverse with their bullets and causes, `Execution halted`."""

from __future__ import annotations

import re

from offduty.runs.tails.finding import LINE, TRACE, Cause, Finding, Frame, Tail, joined

_ERROR = re.compile(
    r"Error(?: in (?P<call>.{1,400}?))?"
    r"(?: \(from (?P<from>[^()#]{1,200})#(?P<from_line>\d{1,9})\)| at (?P<at>\S{1,200}?)[#:](?P<at_line>\d{1,9}))?"
    r" ?:(?: (?P<message>.*))?$"
)
_CAUSED = re.compile(r"Caused by error(?: in (?P<call>.{1,200}?))? ?:(?: (?P<message>.*))?$")
_END = ("Execution halted", "Calls: ", "Backtrace:", "In addition: ", "Traceback:", "Run `rlang::", "Warning message", "Caused by error")
_HALTED = 40


def find(tail: Tail) -> Finding | None:
    """The last error that R printed. `Error: message` alone is R's only if `Execution halted` follows."""
    for at in range(len(tail.plain) - 1, -1, -1):
        line = tail.plain[at]
        if not line.startswith("Error"):
            continue
        found = _ERROR.match(line)
        halted = any(text.startswith("Execution halted") for text in tail.plain[at : at + _HALTED])
        if found and (halted or (found["call"] and (line.rstrip().endswith((" :", "`:")) or " : " in line))):
            return _finding(tail, at, found, TRACE if halted else LINE)
    return None


def _finding(tail: Tail, at: int, found: re.Match[str], strength: int) -> Finding:
    message, at = _message(tail, at, found["message"])
    causes = [Cause(None, message, frames=_frames(found))]
    while at < len(tail.plain) and not tail.plain[at].startswith("Execution halted"):
        if caused := _CAUSED.match(tail.plain[at]):
            message, at = _message(tail, at, caused["message"])
            causes.append(Cause(None, message, "cause", frames=_call_frame(caused["call"], "", None)))
        else:
            at += 1
    return Finding("r", tuple(causes), strength, min(at + 1, len(tail.plain)))


def _message(tail: Tail, at: int, first: str | None) -> tuple[str | None, int]:
    """The text up to the next part of the report. rlang's bullets: `!` says what, `i` and `x` say more."""
    found = [first.strip()] if first and first.strip() else []
    at += 1
    while at < len(tail.plain) and tail.plain[at].strip() and not tail.plain[at].startswith(_END):
        found.append(tail.plain[at].strip())
        at += 1
    headlines = [line[2:] for line in found if line.startswith("! ")]
    rest = [line for line in found if not line.startswith("! ")]
    return joined(headlines + rest) or None, at


def _frames(found: re.Match[str]) -> tuple[Frame, ...]:
    file, line = (found["from"], found["from_line"]) if found["from"] else (found["at"] or "", found["at_line"])
    return _call_frame(found["call"], file, int(line) if line else None)


def _call_frame(call: str | None, file: str, line: int | None) -> tuple[Frame, ...]:
    """R says which call failed, seldom in which file."""
    name = (call or "").strip("` ").partition("(")[0].strip()
    return (Frame(file, line, name or None),) if name or file else ()
