"""What a log states: exceptions with their frames and their place in the chain, error records, and plain lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import ahocorasick_rs

from offduty.runs.tails.finding import Frame
from offduty.runs.tails.python import is_own
from offduty.triage.reading.lines import Line

MESSAGE_LINES = 14
STATEMENT_CHARS = 4000

_FRAME = re.compile(r'\s*(?:\[[^\]]{0,20}\]\s*)?File "?(?P<file>[^"]+?)"?, line (?P<line>\d{1,9})(?:,? in (?P<function>.{1,200}))?\s*$')
_NOTEBOOK = re.compile(
    r"\s*\[?(?:File )?(?P<file>(?:[~./]|[A-Za-z]:\\|<ipython|/|pandas/|Cell In|Input In)[^()\s]{0,400}(?:\.p(?:yx?|xi)|>"
    r"|\[\d+\]))\]?(?:[:(]\d+\)?)?(?:, line \d+)? ?,?(?: in (?P<function>[\w.<>]{1,200}))?.{0,400}$"
)
_SHORT = re.compile(r"\s+(?P<file>\S+\.py):\d+ in (?P<function>\w+)$")
_JVM_FRAME = re.compile(r"\s*at (?P<function>[\w.$<>/]{3,200})\((?P<file>[^()]{0,200})\)")
_JVM_MORE = re.compile(r"\s*\.\.\. \d+ (?:more|common frames)")
_NODE_FRAME = re.compile(r"\s+at .{1,300}:\d+:\d+\)?$")
_CODE = re.compile(r"\s*(?:-{1,6}>)? ?\d{1,6}(?:\s{2,}|\s*$)|\s*-{1,6}> ?\d{1,6}\s|\s*[\^~]+\s*$|\s*[│|] .*[│|]$|\s*❱")
_ODD = re.compile(r"[\s\d\[.~</>|│❱^FaCI-]|[A-Za-z]:\\|pandas/")  # how a frame or a line of source may begin: most lines do not
_ROW = re.compile(r"\s*[│|] ")
_CARETS = re.compile(r"\s{4,}[\^~]+\s*$")
_HEADER = "Traceback"
_CHAIN = re.compile(r"The above exception was the direct cause of|During handling of the above exception|Another exception occurred")
_ENDINGS = ("Error", "Exception", "Interrupt", "Timeout", "Worker", "Killed", "Violation", "Throwable", "Fault")
_NAMES = (
    "NoSuchKey", "NoSuchBucket", "BadRequest", "NotFound", "Forbidden", "Unauthorized", "Conflict", "TooManyRequests",
    "InternalServerError", "ServiceUnavailable", "ResourceExhausted", "DeadlineExceeded", "PermissionDenied", "Unauthenticated",
    "BadZipFile", "BadZipfile", "BadGzipFile", "UndefinedTable", "UndefinedColumn", "UndefinedFunction", "UndefinedObject",
    "InsufficientPrivilege", "DeadlockDetected", "LockNotAvailable", "DiskFull", "TooManyConnections", "NoRegion", "ArrowInvalid",
    "ArrowTypeError", "ArrowNotImplementedError", "NoBrokersAvailable", "DoesNotExist", "MultipleObjectsReturned", "SchemaErrors?",
    "InvalidGrant", "UnsupportedOperation", "gaierror", "herror", "ReadFailure", "ConnectTimeout", "ReadTimeout", "PoolTimeout",
    "SoftTimeLimitExceeded", "TimeLimitExceeded", "ImproperlyConfigured", "UnpicklingError",
)  # fmt: skip
CLASS = re.compile(
    rf"\b(?P<name>(?:[A-Za-z_$][\w$]*\.){{0,10}}(?:_?[A-Z]\w{{0,60}}?(?:{'|'.join(_ENDINGS)})\w{{0,30}}|{'|'.join(_NAMES)}))"
    r"(?=$|[\s:(,)'\"\]\[>;.!])"
)
_EXCEPTION = re.compile(r"\s{0,16}(?:(?:Uncaught |Unhandled )?(?:E\s{3})?)(?P<type>[A-Za-z_][\w.$]*)(?:: ?(?P<message>.*)|\(.*\))?$")
_LOWER_TYPES = (
    "ftplib.error_perm", "socket.timeout", "socket.gaierror", "socket.error", "select.error", "struct.error", "zlib.error",
    "binascii.Error", "error", "pickle.PicklingError", "lzma.LZMAError", "csv.Error", "shutil.Error", "AssertionError",
    "StopIteration", "KeyboardInterrupt", "SystemExit", "GeneratorExit", "Exception", "botocore.errorfactory", "pyodbc.Error",
    "xml.parsers.expat", "requests.exceptions", "concurrent.futures", "asyncio.exceptions", "pycurl.error", "smtplib", "ssl",
)  # fmt: skip
_DOTTED = re.compile(r"(?:[A-Za-z_]\w*\.)+[A-Z]\w*[a-z]\w*")
_PYTHON_LINE = re.compile(
    r"\s*(?:raise |return |await |with |for |if |elif |else:|try:|except |def |class |import |from \w[\w.]* import |self\.|print\("
    r"|assert |yield |while )"
)
_CAUSED = re.compile(r"\s*(?:Caused by|Suppressed|Nested exception is|Root cause):? ", re.IGNORECASE)


class Statement(NamedTuple):
    """One thing a log says.

    `kind`: raised (an exception), error, said, warning, info, transaction, or ended (how the process ended); `types`: the classes named
    in it, as printed; `frames`: of the trace it ends; `code`: the source lines shown with them; `order`: its place by depth (deepest
    cause first); `extra`: tags that are known without reading the text.
    """

    number: int
    text: str
    kind: str
    types: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    code: tuple[str, ...] = ()
    order: tuple[int, int] = (0, 0)
    extra: tuple[str, ...] = ()


@dataclass
class _Trace:
    """What was read of a trace so far. `last`: the place of its last frame, behind which source may stand."""

    frames: list[Frame]
    code: list[str]
    open: bool = False
    begun: int = 0
    python: bool = False
    indent: int = 0
    last: int = -2


def read(lines: list[Line]) -> list[Statement]:
    """The statements of a log, as they stand there."""
    return _Reader(lines).statements()


def classes(text: str) -> tuple[str, ...]:
    """The classes of exceptions that are named in `text`, each once; their names' ends are looked for first, which is much faster."""
    if not _endings().find_matches_as_indexes(text):
        return ()
    return tuple(dict.fromkeys(found["name"] for found in CLASS.finditer(text)))


@cache
def _endings() -> Any:
    return ahocorasick_rs.AhoCorasick([*_ENDINGS, *(name.removesuffix("s?") for name in _NAMES)])


class _Reader:
    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._found: list[Statement] = []
        self._trace = _Trace([], [])
        self._message_lines = 0
        self._depth = 0
        self._heading: tuple[int, str] | None = None

    def statements(self) -> list[Statement]:
        for at, line in enumerate(self._lines):
            if line.text.strip():
                self._take(at, line)
            else:
                self._message_lines = MESSAGE_LINES
        if self._heading and not any(one.kind == "raised" for one in self._found):  # the log was cut before the message
            number, name = self._heading
            self._found.append(Statement(number, name, "raised", (name,), tuple(self._trace.frames), tuple(self._trace.code), (number, 0)))
        return self._found

    def _take(self, at: int, line: Line) -> None:
        text = line.text
        odd = _ODD.match(text) is not None
        if _HEADER in text and (_HEADER + " (most recent call last)" in text or text.strip() == "Traceback:"):
            self._begin(line)
        elif odd and (frame := _frame(text)):
            self._trace.frames.append(frame)
            self._trace.open, self._trace.last = True, at
        elif self._is_code(line, odd) or ((self._trace.last == at - 1 or text.startswith("    ")) and self._is_shown(at)):
            self._trace.code.append(text.strip())
        elif "exception" in text and _CHAIN.search(text):
            self._message_lines = MESSAGE_LINES
        else:
            self._state(line)

    def _begin(self, line: Line) -> None:
        before = line.text.partition(_HEADER)[0]
        self._trace = _Trace([], [], True, line.number, True, len(before) if before.isspace() else 0)
        name = before.strip().rstrip(" -:")
        if CLASS.fullmatch(name):
            self._trace = _Trace([], [], True, line.number)
            self._heading = (line.number, name)

    def _is_code(self, line: Line, odd: bool) -> bool:
        text = line.text
        coded = odd and _CODE.match(text) is not None
        if not self._trace.open:  # then what was logged with a level, or stands in a table, is no source
            return coded and line.level == "said" and not _ROW.match(text)
        frames, deep = self._trace.frames, len(text) - len(text.lstrip()) - self._trace.indent
        if frames and frames[-1].file.endswith(".c"):
            return False
        if coded or (self._trace.python and deep >= 4 and frames):
            return True
        if _is_exception(text) or _CAUSED.match(text):
            return False
        if frames and deep > 0:
            return True
        return _PYTHON_LINE.match(text) is not None and not CLASS.match(text)

    def _is_shown(self, at: int) -> bool:
        """Whether the next line tells that this one is source: carets below it, or, behind a frame, an exception or another frame."""
        if at + 1 >= len(self._lines):
            return False
        text, following = self._lines[at].text, self._lines[at + 1].text
        if text.startswith("    ") and _CARETS.match(following):
            return True
        if not self._trace.open or self._trace.last != at - 1 or _is_exception(text) or classes(text):
            return False
        return _is_exception(following) or (_ODD.match(following) is not None and _FRAME.match(following) is not None)

    def _state(self, line: Line) -> None:
        text = line.text.strip()
        caused = _CAUSED.match(line.text)
        raised = _is_exception(line.text) or caused is not None
        if not raised and self._continues(line):
            self._extend(text)
            return
        types = classes(text)
        kind = _kind(line, raised, bool(types))
        frames, code = (tuple(self._trace.frames), tuple(self._trace.code)) if raised or self._trace.open else ((), ())
        self._depth = self._depth + 1 if caused else 0
        begun = self._found[-1].order[0] if caused and self._found else line.number
        self._found.append(Statement(line.number, text, kind, types or _first_word(text, raised), frames, code, (begun, -self._depth)))
        self._message_lines = 0 if raised else MESSAGE_LINES - 3
        self._trace = _Trace([], [])

    def _continues(self, line: Line) -> bool:
        """Whether the line is still of the statement before: of an exception's message, or indented below a record."""
        if not self._found or self._message_lines >= MESSAGE_LINES or self._trace.frames:
            return False
        last = self._found[-1]
        if last.kind == "ended" or line.number - last.number > 2 * MESSAGE_LINES:
            return False
        if last.kind == "raised":
            return (line.level in ("said", "error") and not _NEW.match(line.text)) or line.text[:1].isspace()
        return line.text[:1].isspace() and not classes(line.text)

    def _extend(self, text: str) -> None:
        last = self._found[-1]
        self._message_lines += 1
        if len(last.text) < STATEMENT_CHARS:
            types = tuple(dict.fromkeys([*last.types, *classes(text)]))
            self._found[-1] = last._replace(text=f"{last.text}\n{text}", types=types)


_NEW = re.compile(
    r"(?:FATAL|ERROR|Error|error|WARNING|INFO|HINT)\b|Process finished|Final app|make:|bash:|\S+: line \d|Killed|Aborted|Segmentation"
    r"|Terminated|Exit|exit"
    r"|Command|command|Job|Task|srun|slurmstepd|Warning|npm |rm:|terminate called|malloc|free\(\)|double free|\[\w+\]|\*\*\*|---"
)


def _kind(line: Line, raised: bool, names_class: bool) -> str:
    if line.level == "warning" or (raised and re.match(r"\s*[\w.]*Warning: ", line.text)):
        return "warning"
    if raised:
        return "raised"
    return "raised" if names_class and line.level == "error" else line.level


def _is_exception(text: str) -> bool:
    found = _EXCEPTION.match(text)
    if not found:
        return False
    name = found["type"]
    if CLASS.fullmatch(name) or name in _LOWER_TYPES:
        return True
    return found["message"] is not None and (name.startswith(_LOWER_TYPES) or _DOTTED.fullmatch(name) is not None)


def _first_word(text: str, raised: bool) -> tuple[str, ...]:
    return (re.split(r"[:(\s]", text, maxsplit=1)[0],) if raised else ()


def _frame(text: str) -> Frame | None:
    if found := _FRAME.match(text):
        return Frame(found["file"].strip(), int(found["line"]), (found["function"] or "").strip() or None, is_own(found["file"]))
    if found := _JVM_FRAME.match(text):
        return Frame(found["function"].rpartition(".")[0], None, found["function"].rpartition(".")[2], False)
    if _JVM_MORE.match(text) or _NODE_FRAME.match(text):
        return Frame("", None, None, False)
    if len(text) < 900 and (found := _SHORT.match(text) or _NOTEBOOK.match(text)):
        return Frame(found["file"], None, found["function"], is_own(found["file"]))
    return None
