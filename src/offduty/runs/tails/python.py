"""Python tracebacks: plain, chained, grouped, of other processes, of notebooks, boxed by rich, decorated by loggers and containers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from offduty.runs.tails.finding import LINE, TRACE, WRAPPER, Cause, Finding, Frame, Tail, joined

_HEADER = "Traceback (most recent call last)"
_MARKERS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}

_FRAME = re.compile(r'\s*File "?(?P<file>[^"]+?)"?, line (?P<line>\d{1,9})(?:,? in (?P<function>.{1,200}))?\s*$')
_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.]*(?:<locals>\.\w+)?)(?::(?: (?P<message>.*))?)?$")
_BARE = re.compile(
    r"""(?P<type>(?:[A-Za-z_]\w*\.)*
          (?:(?:[A-Z]\w*)?Exception | [A-Z]\w*(?:Error|Interrupt|Exit|Timeout|Worker|Failure|Failed|ExceptionGroup)
           | (?<=\.)(?:[A-Z]\w*[a-z]\w*|error|timeout|gaierror)))
        (?::(?:\ (?P<message>.*))?)?$""",
    re.VERBOSE,
)
_WRAPPED = re.compile(r"\((?P<type>(?:[A-Za-z_]\w*\.)+[A-Z]\w*)\) (?P<message>.*)$")
_JVM = re.compile(r"(?:java|javax|scala|kotlin|org|com|net|sun|jdk)\.")
_COMMAND = re.compile(r"[a-z0-9_./-]{1,80}(?:\[\d+\])?: \S")
_LEVEL = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|WARN|WARNING|INFO|DEBUG)\b|\[(?:error|critical|warning|info)\s*\]")

_INTRODUCTION = re.compile(r"Exception ignored |Exception in thread |--- Logging error ---|Task exception was |Process \S{1,80}-\d+:$")

_CELL = re.compile(r"\s*Cell In ?\[(?P<cell>\d+)\], line (?P<line>\d+)(?:, in (?P<function>.{1,200}))?")
_INPUT = re.compile(r"(?:Input )?In \[(?P<cell>\d+)\], in (?P<function>.{1,200})")
_IPYTHON_FILE = re.compile(r"File (?P<file>\S.{0,500}?):(?P<line>\d+)(?:, in (?P<function>.{1,200}))?$")
_IPYTHON_OLD = re.compile(r"\[?(?P<file><[^>]{1,200}>|[~./]?[\w~./\\:<>-][^\s()\]]{0,500})\]? in (?P<function>[\w.<>]{1,200})")
_ARROW = re.compile(r"\s*-{1,5}> ?(?P<line>\d{1,9})(?:\s|$)")
_BOXED = re.compile(r"[│|] (?P<file>\S.{0,500}?):(?P<line>\d+) in (?P<function>\S{1,200})\s*[│|]?\s*$")
_MEMBER = re.compile(r"\s*\+-\+?-{3,60} (?:\d+|\.\.\.) -{3,60}$")
_GUTTER = re.compile(r"\s*(?:\||\+(?!-))\s?")

_LIBRARY = re.compile(
    r"site-packages|dist-packages|[\\/]lib(?:64)?[\\/]python\d|(?:conda|python)[^\\/]{0,20}[\\/](?:envs[\\/][^\\/]{1,60}[\\/])?lib[\\/]"
    r"|\.py[xdi]$|\.egg[\\/]|pyspark\.zip|python\d+\.zip|[\\/]offduty_probe[\\/]",
    re.IGNORECASE,
)
LONGEST_BOXED = 1000  # characters of a place in a box
LONGEST_MESSAGE = 40  # lines
MOST_AFTER = 5  # lines between a notebook's last exception and the end of the output
_OWN_NAMES = ("<stdin>", "<string>", "<ipython-input", "<cell")


def is_own(file: str) -> bool:
    """Whether a file named in a traceback is the job's: not an installed package, not Python itself."""
    if file.startswith("<"):
        return file.startswith(_OWN_NAMES)
    return not _LIBRARY.search(file)


@dataclass(frozen=True)
class _Trace:
    """A chain as it was printed (deepest first) and where it stood. `rank`: 2 uncaught, 1 logged or of a thread or worker, 0 ignored."""

    causes: tuple[Cause, ...]
    end: int
    rank: int


def find(tail: Tail) -> Finding | None:
    """The last uncaught traceback; else one that was logged; else the last line that looks like an exception's."""
    traces = list(_traces(tail))
    whole = [trace for trace in traces if trace.causes[0].type]
    if whole:
        chosen = max(whole, key=lambda trace: (trace.rank, trace.end))
        return _followed(tail, Finding("python", chosen.causes, TRACE if chosen.rank else WRAPPER, chosen.end))
    bare = _bare(tail)
    if bare:
        return replace(bare, causes=(replace(bare.causes[0], frames=traces[-1].causes[0].frames),)) if traces else bare
    return Finding("python", traces[-1].causes, WRAPPER, traces[-1].end) if traces else None


def _followed(tail: Tail, finding: Finding) -> Finding:
    """A chain whose later exceptions were printed without their tracebacks, on the lines that follow at once."""
    if finding.end >= len(tail.plain) or not (found := _BARE.match(tail.plain[finding.end].strip())) or not found["message"]:
        return finding
    message, end = _message(tail.plain, tail.marked, finding.end, found["message"], None)
    inner = (replace(finding.causes[0], link="context"), *finding.causes[1:])
    return replace(finding, causes=(Cause(found["type"], message), *inner), end=end)


def _traces(tail: Tail) -> Iterator[_Trace]:
    reader, at = _Reader(tail), 0
    while at < len(tail.lines):
        if not reader.starts(at):
            at += 1
            continue
        causes, end = reader.chain(at)
        if causes:
            yield _Trace(causes, end, _rank(tail, at))
        at = max(end, at + 1)


def _rank(tail: Tail, at: int) -> int:
    """How much a traceback that begins at line `at` says about the end of the process, from what introduces it."""
    before = tail.lines[at].partition(_HEADER)[0] if _HEADER in tail.lines[at] else ""
    previous = next((tail.lines[i] for i in range(at - 1, max(at - 3, -1), -1) if tail.lines[i].strip()), "")
    if "Exception ignored " in previous or "--- Logging error ---" in previous:
        return 0
    introduced = previous.rstrip().endswith((":", "retrieved")) and any(
        word in previous for word in ("Exception in thread", "Process ", "Task ")
    )
    return 1 if introduced or _LEVEL.search(before) or _LEVEL.search(previous[:200]) else 2


def _bare(tail: Tail) -> Finding | None:
    """An exception's last line alone: all that is left when the traceback was cut off or never printed."""
    for at in range(len(tail.plain) - 1, -1, -1):
        line = tail.plain[at].strip()
        found = _BARE.match(line) or _WRAPPED.match(line)
        if found and not found["type"].endswith("Warning") and not _JVM.match(found["type"]) and (found["message"] or "." in found["type"]):
            message, end = _message(tail.plain, tail.marked, at, found["message"], None)
            return Finding("python", (Cause(found["type"], message),), LINE, end)
    return None


class _Reader:
    """Reads one chain of tracebacks out of a tail; a method takes the line to begin with and gives the line after what it read."""

    def __init__(self, tail: Tail) -> None:
        self.tail = tail
        self.lines = tail.plain

    def starts(self, at: int) -> bool:
        """Whether a traceback, or a marker between two, begins at line `at`."""
        line = self.tail.lines[at]
        if _HEADER in line or line.startswith("Fatal Python error: ") or self._marker(at) is not None:
            return True
        return "line " in line and _is_frame(self.lines[at])

    def chain(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """The chain that begins at line `at`, uncaught exception first, and the line after it."""
        printed: list[tuple[Cause, ...]] = []
        links: list[str] = []
        if self._marker(at) is None:
            causes, at = self._block(at)
            printed.append(causes)
        else:
            printed.append(self._before(at))
        while (link := self._marker(after := self._skip(at))) is not None:
            start = self._skip(after + 1)
            causes, end = self._block(start) if start < len(self.lines) and self.starts(start) else self._lone(start)
            if not causes:
                at = after + 1
                break
            printed.append(causes)
            links.append(link)
            at = end
        return _linked([causes for causes in printed if causes], links), at

    def _skip(self, at: int) -> int:
        """Past empty lines and the quotes around the traceback of another process."""
        while at < len(self.lines) and self.lines[at].strip() in ("", '"""', "'''", "|"):
            at += 1
        return at

    def _marker(self, at: int) -> str | None:
        return _MARKERS.get(self.lines[at].strip(" |\t")) if at < len(self.lines) else None

    def _before(self, at: int) -> tuple[Cause, ...]:
        """The exception above a marker when its traceback was not printed."""
        for i in range(at - 1, max(at - 6, -1), -1):
            if found := _BARE.match(self.lines[i].strip()):
                return (Cause(found["type"], found["message"]),)
        return ()

    def _lone(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """An exception without frames after a marker."""
        found = _EXCEPTION.match(self.lines[at].strip()) if at < len(self.lines) else None
        if not found:
            return (), at
        message, end = _message(self.lines, self.tail.marked, at, found["message"], None)
        return (Cause(found["type"], message),), end

    def _block(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """One traceback, in whichever of its forms."""
        line = self.tail.lines[at]
        before = line.partition(_HEADER)[0] if _HEADER in line else ""
        if line.startswith("Fatal Python error: "):
            return self._fatal(at)
        if "Exception Group" in before:
            return self._group(at)
        if "─" in before or "--" in before:
            return self._boxed(at + 1)
        words = before.split()
        if len(words) == 1 and before.endswith("  ") and _EXCEPTION.match(words[0]):
            return self._notebook(at + 1, words[0])
        return self._plain(at, before)

    def _plain(self, at: int, before: str) -> tuple[tuple[Cause, ...], int]:
        """`Traceback (most recent call last):`, frames, and the exception; or frames alone when the beginning is lost."""
        text = _Text(self.tail, at, before)
        frames: list[Frame] = []
        at += _HEADER in self.tail.lines[at]
        while at < len(self.lines):
            line = text.line(at)
            if frame := _frame(line):
                frames.append(frame)
            elif _HEADER in line or self._marker(at) is not None or (not line.strip() and frames):
                break
            elif line.strip() and not line[0].isspace() and not text.stranger(at):
                found = _EXCEPTION.match(line.rstrip())
                if not found:
                    break
                message, end = _message(self.lines, self.tail.marked, at, found["message"], text)
                return (Cause(found["type"], message, frames=tuple(frames)),), end
            at += 1
        return ((Cause(None, None, frames=tuple(frames)),) if frames else ()), at

    def _group(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """An exception group: the group, then its members one after the other, each with its own chain."""
        start = at
        while at < len(self.lines) and (at == start or _GUTTER.match(self.lines[at]) or "+-" in self.lines[at]):
            at += 1
        parts: list[list[str]] = [[]]
        for line in self.lines[start:at]:
            if _MEMBER.match(line):
                parts.append([])
            elif "+---" not in line:
                parts[-1].append(_GUTTER.sub("", line, count=1).replace("Exception Group Traceback", "Traceback"))
        chains = [_Reader(Tail(part, part, [False] * len(part))).first() for part in parts]
        members = [(replace(chain[0], link="group"), *chain[1:]) for chain in chains[1:] if chain]
        return tuple(cause for chain in (chains[0], *members) for cause in chain), at

    def first(self) -> tuple[Cause, ...]:
        """The first chain of these lines; a member of a group may be a lone exception."""
        start = next((at for at in range(len(self.lines)) if self.starts(at)), None)
        return self._lone(self._skip(0))[0] if start is None else self.chain(start)[0]

    def _boxed(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """rich's box: frames as `path:line in function`, the exception below the box."""
        frames: list[Frame] = []
        wrapped = ""  # the beginning of a path that is longer than the box is wide
        while at < len(self.lines) and self.lines[at].strip()[:1] in ("│", "|"):
            inner = self.lines[at].strip().strip("│|").strip()
            joined_up = (f"│ {wrapped}{glue}{inner}"[:LONGEST_BOXED] for glue in ("", " "))  # broken in the midst of a path, or at a space
            if found := next(filter(None, map(_BOXED.match, joined_up)), None):
                frames.append(Frame(found["file"], int(found["line"]), found["function"], is_own(found["file"])))
            goes_on = not found and inner and (wrapped or inner.startswith(("/", "~")) or inner[1:3] == ":\\")
            wrapped = f"{wrapped}{inner}"[:LONGEST_BOXED] if goes_on else ""
            at += 1
        causes, end = self._lone(self._skip(at + 1))
        if causes:
            return (replace(causes[0], frames=tuple(frames)),), end
        return ((Cause(None, None, frames=tuple(frames)),) if frames else ()), at

    def _notebook(self, at: int, name: str) -> tuple[tuple[Cause, ...], int]:
        """IPython: `KeyError   Traceback (most recent call last)`, frames, and `KeyError: 'x'` at the left edge."""
        frames: list[Frame] = []
        last = name.rpartition(".")[2]
        while at < len(self.lines):
            line = self.lines[at]
            found = _EXCEPTION.match(line.rstrip())
            if found and found["type"].rpartition(".")[2] == last and ":" in line:
                message, end = _message(self.lines, self.tail.marked, at, found["message"], None)
                return (Cause(found["type"], message, frames=tuple(frames)),), end
            if _HEADER in line or self._marker(at) is not None:
                break
            _notebook_line(line, frames)
            at += 1
        return self._notebook_end(name, tuple(frames), at)

    def _notebook_end(self, name: str, frames: tuple[Frame, ...], at: int) -> tuple[tuple[Cause, ...], int]:
        """The end was cut off, or the last line names another exception than the first: then that one."""
        bare = _bare(self.tail) if at == len(self.lines) else None
        if bare and at - bare.end < MOST_AFTER:
            return (replace(bare.causes[0], frames=frames),), bare.end
        return (Cause(name, None, frames=frames),), at

    def _fatal(self, at: int) -> tuple[tuple[Cause, ...], int]:
        """faulthandler: `Fatal Python error: Segmentation fault`, the deepest frame first."""
        message = self.lines[at].partition("Fatal Python error: ")[2].strip()
        frames: list[Frame] = []
        at += 1
        while at < len(self.lines) and (not frames or _is_frame(self.lines[at])):
            if frame := _frame(self.lines[at]):
                frames.append(frame)
            elif self.lines[at].strip() and "hread 0x" not in self.lines[at] and "Python runtime state" not in self.lines[at]:
                break
            at += 1
        return (Cause("Fatal Python error", message, frames=tuple(reversed(frames))),), at


class _Text:
    """The lines of one traceback without what stands in front of each: learned from the header, whose prefix the others repeat."""

    def __init__(self, tail: Tail, at: int, before: str) -> None:
        self._tail = tail
        self._prefix = _alike(before) if before and _HEADER in tail.lines[at] else None
        following = at + 1 < len(tail.lines)
        self._marked = following and (tail.marked[at + 1] or bool(self._prefix and self._prefix.match(tail.lines[at + 1])))

    def line(self, at: int) -> str:
        """Line `at` as Python printed it."""
        found = self._prefix.match(self._tail.lines[at]) if self._prefix else None
        return self._tail.lines[at][found.end() :] if found else self._tail.plain[at]

    def stranger(self, at: int) -> bool:
        """Whether another thread's log line came between: it has a time in front, and this traceback has not."""
        return self._tail.marked[at] and not self._marked


def _alike(before: str) -> re.Pattern[str]:
    """What matches other prefixes of the same make: any digits for digits, any amount of space but the indentation at the end."""
    indentation = len(before) - len(before.rstrip())
    body = before.rstrip()[-200:] if len(before) > 200 else before.rstrip()
    parts = re.split(r"(\d+|\s+)", body)
    pattern = "".join(r"\d+" if part.isdigit() else r"\s+" if part.isspace() else re.escape(part) for part in parts if part)
    return re.compile(pattern + r"\s" * indentation)


def _is_frame(line: str) -> bool:
    return _FRAME.match(line) is not None


def _frame(line: str) -> Frame | None:
    found = _FRAME.match(line)
    if not found:
        return None
    function = found["function"]
    return Frame(found["file"].strip(), int(found["line"]), function.strip() if function else None, is_own(found["file"]))


def _notebook_line(line: str, frames: list[Frame]) -> None:
    """Add the frame that `line` names, or the line number to the frame before."""
    if arrow := _ARROW.match(line):
        if frames and frames[-1].line is None:
            frames[-1] = replace(frames[-1], line=int(arrow["line"]))
        elif not frames:
            frames.append(Frame("<cell>", int(arrow["line"])))
        return
    if found := _CELL.match(line) or _INPUT.match(line):
        given = found.groupdict()
        frames.append(Frame(f"Cell In[{given['cell']}]", int(given["line"]) if given.get("line") else None, _called(given["function"])))
    elif found := _IPYTHON_FILE.match(line) or _IPYTHON_OLD.match(line):
        given = found.groupdict()
        number = int(given["line"]) if given.get("line") else None
        frames.append(Frame(given["file"], number, _called(given["function"]), is_own(given["file"])))


def _called(function: str | None) -> str | None:
    """`DataFrame.__getitem__(self, key)` → `DataFrame.__getitem__`; `<cell line: 1>()` → None: that is the cell itself."""
    name = (function or "").partition("(")[0].strip()
    return name if name and not name.startswith("<cell line") else None


def _message(lines: list[str], marked: list[bool], at: int, first: str | None, text: _Text | None) -> tuple[str | None, int]:
    """The message that begins on line `at`, with the lines that still belong to it, and the line after it.

    Where it would not end the job went on printing: then it is the first line.
    """
    found = [first or ""]
    at += 1
    while at < len(lines):
        line = text.line(at) if text else lines[at]
        if _ends_message(line) or (marked[at] and (text is None or text.stranger(at))):
            break
        found.append(line)
        at += 1
    if len(found) > LONGEST_MESSAGE:
        return joined(found[:1]) or None, at - len(found) + 1
    return joined(found) or None, at


def _ends_message(line: str) -> bool:
    """Whether `line` is surely no more of a message: empty, another traceback, the quotes around one, or a command's complaint."""
    text = line.strip()
    if not text or text in ('"""', "'''") or text in _MARKERS or _HEADER in text or _is_frame(line):
        return True
    return _COMMAND.match(line) is not None or _INTRODUCTION.match(text) is not None or (_BARE.match(line) is not None and ": " in line)


def _linked(printed: list[tuple[Cause, ...]], links: list[str]) -> tuple[Cause, ...]:
    """Printed deepest first; a chain is told from the uncaught exception down."""
    causes: list[Cause] = []
    for i, block in enumerate(reversed(printed)):
        link = links[len(links) - i] if i and len(links) >= i else None
        causes += [replace(block[0], link=link) if link else block[0], *block[1:]] if block else []
    return tuple(causes)
