"""Append one event in one write; fold floods of alike events into counts.

Built so that nothing has to be locked: a lock that another thread holds at the moment of a fork is never released in the child.
One `write` to a file opened with O_APPEND is atomic against all other writers of a local file; the rest are single operations
on built-in types, which the interpreter does not interrupt.

The job may close any file descriptor and get the same number again for a file of its own. So ours is kept on a high number,
and before every write it is asked whether it is still the file that was opened.
"""

from __future__ import annotations

import _stat
import itertools
import os
import time
from _thread import get_ident

from offduty_probe.lines import dumps, line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Hashable, Iterator

MOST_KINDS = 256
MOST_PROBLEMS = 16
MARK, GET_MARK = 23, 11  # SIGURG, which is ignored by default; `F_GETSIG` of Linux
HIGH_NUMBERS = (1000, 250, 100, 50)
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class Recorder:
    """Writes the events of this process to the file at `path`, under `token`. No method raises OSError."""

    def __init__(self, path: str, token: str) -> None:
        self.path, self.token = path, token
        # Kept here because libraries that fake time or files in tests replace names in modules.
        self._open, self._write, self._fstat, self._lstat = os.open, os.write, os.fstat, os.lstat
        self._now, self._pid = time.time, os.getpid
        self.file: tuple[int, int, int] | None = None
        self.mark_of: Callable[[int, int], int] | None = None
        self.at_forget: list[Callable[[], object]] = []
        self.at_flush: list[Callable[[], object]] = []
        self.forget()

    def aim(self, path: str, token: str) -> None:
        """Write to another file from now on; to none if `path` is empty. The last one is closed: blocks may come by the thousand."""
        file, self.path, self.token, self.file = self.file, path, token, None
        if file is not None and self._is_ours(*file):
            os.close(file[0])
        self.forget()

    def forget(self) -> None:
        """Begin anew, as the child of a fork must: what the parent counted, the parent will tell."""
        self.main_thread = get_ident()
        self.kinds: dict[Hashable, Kind] = {}
        self.pending: dict[str, dict[str, Any]] = {}
        self.busy: set[int] = set()
        self.told_problems: set[str] = set()
        self.lost, self.why, self.torn = 0, "", False
        self.exits = 0
        self.beginning = f'{{"token":{dumps(self.token)},"pid":{self._pid()},"kind":'  # of a line that others build
        for forget in self.at_forget:
            forget()

    def record(self, kind: str, keys: dict[str, Any]) -> None:
        """Append an event of `kind` with `keys` beside the four that every event has."""
        event = {"token": self.token, "kind": kind, "at": self._now(), "pid": self._pid()}
        event.update(keys)
        self.append(line_of(event))

    def build_and_record(self, kind: str, build: Callable[[], dict[str, Any]]) -> None:
        """`record(kind, build())`. What `build` provokes by printing the job's objects is not the job's doing: not recorded."""
        me = get_ident()
        if me in self.busy:
            return
        self.busy.add(me)
        try:
            self.record(kind, build())
        finally:
            self.busy.discard(me)

    def fold(self, kind: str, key: Hashable, build: Callable[[], dict[str, Any]]) -> None:
        """Count one event of `kind`; alike ones share `key`. The 1st, 2nd, 4th, 8th … is built and written, with the count since."""
        if get_ident() in self.busy:
            return
        alike = self.kinds.get((kind, key)) or self._new_kind(kind, key)
        count = next(alike.counter)
        if count & (count - 1) == 0:
            self.build_and_record(kind, lambda: alike.event(build(), count))

    def _new_kind(self, kind: str, key: Hashable) -> Kind:
        if len(self.kinds) >= MOST_KINDS:
            self.problem(f"more than {MOST_KINDS} kinds of warnings and log records: the others are counted together")
            key = None
        return self.kinds.setdefault((kind, key), Kind(kind))

    def flush(self) -> None:
        """Write what was counted and not yet told, and what was lost. Counting may go on afterwards."""
        for flush in self.at_flush:
            flush()
        for alike in list(self.kinds.values()):
            rest = alike.rest()
            if rest:
                self.record(alike.kind, rest)
        for kind, keys in list(self.pending.items()):
            self.record(kind, keys)
        self.pending.clear()
        if self.lost:
            self.record("problem", {"what": f"{self.lost} events could not be written: {self.why}"})

    def problem(self, what: str) -> None:
        """Tell what the probe could not do: each once, and not more than a few."""
        if what not in self.told_problems and len(self.told_problems) < MOST_PROBLEMS:
            self.told_problems.add(what)
            self.record("problem", {"what": what})

    def nothing_written_yet(self) -> bool:
        """Whether no process of the run has written so far."""
        try:
            return self._fstat(self._descriptor()).st_size == 0
        except OSError:
            return False

    def append(self, line: bytes) -> None:
        """Write a line, newline included, that begins with `beginning`."""
        file, mark_of = self.file, self.mark_of
        if self.torn:  # end the torn line, so that it spoils no other
            line = b"\n" + line
        try:
            try:  # the short way, for speed
                is_ours = file is not None and mark_of is not None and mark_of(file[0], GET_MARK) == MARK
            except OSError:  # the job closed it
                is_ours = False
            written = self._write(file[0] if is_ours and file is not None else self._descriptor(), line)
        except OSError as error:
            self.lost, self.why = self.lost + 1, error.strerror or type(error).__name__
            return
        if written == len(line):
            self.torn = False
            return
        self.torn = 0 < written < len(line)
        if self.torn:
            self.lost, self.why = self.lost + 1, "only a part of a line was written"

    def _descriptor(self) -> int:
        """The file descriptor of the events file, opened again if the job has closed it or put its own file there."""
        if self.file is not None and self._is_ours(*self.file):
            return self.file[0]
        fd = _on_a_high_number(self._open(self.path, FLAGS, 0o600))
        stat = self._fstat(fd)
        named = self._lstat(self.path)
        if not _stat.S_ISREG(stat.st_mode) or (stat.st_dev, stat.st_ino) != (named.st_dev, named.st_ino):
            raise OSError(0, "the events file is not what its name says")  # the number may be the job's already: not ours to close
        self.file = (fd, stat.st_dev, stat.st_ino)
        self.mark_of = _mark(fd)
        return fd

    def _is_ours(self, fd: int, device: int, inode: int) -> bool:
        try:
            if self.mark_of is not None:
                return self.mark_of(fd, GET_MARK) == MARK
            stat = self._fstat(fd)
        except OSError:
            return False
        return stat.st_ino == inode and stat.st_dev == device


class Kind:
    """Alike events: how many there were, and what was told of them."""

    __slots__ = ("counter", "kind", "last", "told")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.counter: Iterator[int] = itertools.count(1)  # its `next` is one step, so threads need no lock to count
        self.told = 0
        self.last: dict[str, Any] = {}

    def event(self, keys: dict[str, Any], count: int) -> dict[str, Any]:
        """`keys` with the number of events since the last told one, when this is the `count`th: 1, 2, 4, 8 …"""
        self.last = {key: value for key, value in keys.items() if key != "exception"}
        return dict(keys, count=count - max(count // 2, self.told))

    def rest(self) -> dict[str, Any] | None:
        """The event that tells the untold ones; None if there are none."""
        count = next(self.counter) - 1
        self.counter = itertools.count(count + 1)
        told = max(self.told, (1 << count.bit_length()) >> 1)
        self.told = count
        return dict(self.last, count=count - told) if count > told else None


def _mark(fd: int) -> Callable[[int, int], int] | None:
    """Mark the open file, and give what asks for the mark: a third of the time that `fstat` takes.

    The mark is the signal that would tell of input if it were asked for, which it is not: free for use on a file. Linux only.
    """
    try:
        from fcntl import F_SETSIG, fcntl

        fcntl(fd, F_SETSIG, MARK)
    except (ImportError, OSError):
        return None
    return fcntl


def _on_a_high_number(fd: int) -> int:
    """Move `fd` out of the way of jobs that close a range of small numbers, and of the numbers they would get themselves."""
    try:
        from fcntl import F_DUPFD_CLOEXEC, fcntl
    except ImportError:
        return fd
    for lowest in HIGH_NUMBERS:
        try:
            high = fcntl(fd, F_DUPFD_CLOEXEC, lowest)
        except OSError:
            continue
        os.close(fd)
        return high
    return fd
