"""What `triage explain` is given: logs from anywhere, and JSON lines that hold some. Read here, judged elsewhere."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from offduty.errors import NotThere, quoted
from offduty.runs.closing import WORDS
from offduty.runs.logread import job_bytes, parse
from offduty.triage import sources

LONGEST_LINE = 64 << 20
_OUTCOME = re.compile(rb"^[^\n]{12} \*[ ~]outcome +([A-Z ]+?)(?: after| to start|  |:| by)[^\n]*", re.MULTILINE)
_EXIT = re.compile(rb"exit (\d{1,3})\)")


@dataclass(frozen=True)
class Given:
    """One log to be explained. `text`: what the job printed; `exit_code`, `outcome`: as far as known; `wrong`: why there is none."""

    id: Any
    text: str = ""
    exit_code: int | None = None
    outcome: str = "failed"
    wrong: str = ""


def of_file(path: str, exit_code: int | None = None, patterns: Sequence[str] = ()) -> Given:
    """The log in a file, plain, gzip or zstd; `-` for standard input. Of a large one, the beginning and the end count,
    and what has one of `patterns` in between. Raises NotThere E521, MissingExtra E701.
    """
    try:
        if path == "-":
            return of_bytes("-", sources.ends(sources.plain(sys.stdin.buffer, path)), exit_code)
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(21, "is a directory", path)
            os.set_blocking(file.fileno(), True)
            log = sources.plain(file, path)
            large = log is file and stat.S_ISREG(found.st_mode) and found.st_size > sources.HEAD_BYTES + sources.TAIL_BYTES
            return of_bytes(path, sources.of_large(file, found.st_size, patterns) if large else sources.ends(log), exit_code)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise NotThere("E521", f"{quoted(path)} cannot be read", why=why, fix="name a log file, or - for standard input") from None


def of_bytes(name: str, content: bytes, exit_code: int | None = None) -> Given:
    """The log in `content`; one that offduty wrote says by itself how the job ended."""
    first = content[: content.find(b"\n") + 1]
    if not first or parse(first) is None:
        return Given(name, content.decode("utf-8", "backslashreplace"), exit_code)
    said = b"".join(job_bytes([content if content.endswith(b"\n") else content + b"\n"]))
    outcome, code = _ended(content)
    return Given(name, said.decode("utf-8", "backslashreplace"), exit_code if exit_code is not None else code, outcome)


def of_json_lines(lines: Iterable[bytes]) -> Iterator[Given]:
    """One for each line: an object with `log`, and perhaps `id` and `exit_code`. A line that is none says why."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _of_json(line, number)


def _of_json(line: bytes, number: int) -> Given:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return Given(f"line {number}", wrong="is no JSON")
    if not isinstance(found, dict) or not isinstance(found.get("log"), str):
        return Given(f"line {number}", wrong="is no object with a text `log`")
    code = found.get("exit_code")
    if code is not None and (not isinstance(code, int) or isinstance(code, bool)):
        return Given(found.get("id", f"line {number}"), wrong="its exit_code is no number")
    text = found["log"].encode("utf-8", "replace").decode()  # JSON may hold half of a surrogate pair, which is no text
    return Given(found.get("id", f"line {number}"), text, code)


def _ended(log: bytes) -> tuple[str, int | None]:
    """(outcome, exit code) out of the summary of a log of ours."""
    lines = list(_OUTCOME.finditer(log[-(1 << 16) :]))
    if not lines:
        return "failed", None
    found = lines[-1]
    word = found[1].decode("ascii")
    outcome = next((outcome for outcome, shown in WORDS.items() if shown == word), "failed")
    code = _EXIT.search(found[0])
    return outcome, int(code[1]) if code else None
