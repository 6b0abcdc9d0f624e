"""Programs that bring their own trace: Go and Rust panics, Node.js errors, C++ `terminate called`."""

from __future__ import annotations

import re

from offduty.runs.tails.finding import LINE, TRACE, Cause, Finding, Frame, Tail

_GO = re.compile(r"(?:panic|fatal error): (?P<message>.*)$")
_GO_PLACE = re.compile(r"\t(?P<file>/?\S{1,300}\.go):(?P<line>\d{1,9})(?: \+0x[0-9a-f]+)?$")
_RUST = re.compile(
    r"thread '[^']{0,100}'(?: \(\d+\))? panicked at (?:'(?P<old>.*)', )?(?P<file>[^\s:]{1,300}):(?P<line>\d{1,9})(?::\d{1,9})?:?$"
)
_NODE = re.compile(r"(?:Uncaught )?(?P<type>[A-Z]\w*(?:Error|Exception))(?: \[\w+\])?: (?P<message>.*)$")
_NODE_FRAME = re.compile(r"    at (?:(?P<function>[^()]{1,200}) \()?(?:file://)?(?P<file>[^\s():]{1,300}):(?P<line>\d{1,9}):\d{1,9}\)?$")
_CPP = "terminate called after throwing an instance of '"
_SOON = 12


def find(tail: Tail) -> Finding | None:
    """The last such trace."""
    for at in range(len(tail.plain) - 1, -1, -1):
        for reader in (_go, _rust, _node, _cpp):
            if finding := reader(tail.plain, at):
                return finding
    return None


def _go(lines: list[str], at: int) -> Finding | None:
    found = _GO.match(lines[at])
    if not found or not any(line.startswith("goroutine ") for line in lines[at + 1 : at + _SOON]):
        return None
    places = [place for line in lines[at + 1 : at + 60] if (place := _GO_PLACE.match(line))]
    frames = [Frame(p["file"], int(p["line"]), None, "/pkg/mod/" not in p["file"] and "/go/src/" not in p["file"]) for p in places]
    return Finding(None, (Cause("panic", found["message"], frames=tuple(reversed(frames))),), TRACE, min(at + 60, len(lines)))


def _rust(lines: list[str], at: int) -> Finding | None:
    found = _RUST.match(lines[at])
    if not found:
        return None
    message = found["old"] or (lines[at + 1].strip() if at + 1 < len(lines) else None)
    return Finding(None, (Cause("panic", message, frames=(Frame(found["file"], int(found["line"])),)),), TRACE, min(at + 2, len(lines)))


def _node(lines: list[str], at: int) -> Finding | None:
    found = _NODE.match(lines[at])
    if not found:
        return None
    places = [place for line in lines[at + 1 : at + _SOON] if (place := _NODE_FRAME.match(line))]
    if not places:
        return None
    frames = [
        Frame(p["file"], int(p["line"]), p["function"], not p["file"].startswith("node") and "node_modules" not in p["file"])
        for p in places
    ]
    cause = Cause(found["type"], found["message"], frames=tuple(reversed(frames)))
    return Finding(None, (cause,), TRACE, min(at + 1 + len(places), len(lines)))


def _cpp(lines: list[str], at: int) -> Finding | None:
    if not lines[at].startswith(_CPP):
        return None
    what = lines[at + 1].partition("what():")[2].strip() if at + 1 < len(lines) else ""
    return Finding(None, (Cause(lines[at][len(_CPP) :].rstrip("' "), what or None),), LINE, min(at + 2, len(lines)))
