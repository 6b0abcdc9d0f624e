"""Taking the spool in: every run that was written to a file of its own goes into the store, once, and its file goes away.

For each file:

1. It is read only if it is a plain file of our own; anything else goes to `damaged/`.
2. A line counts only if its checksum is right and it is the record of the run that the file is named after.
3. A run without an end whose supervisor is gone is read again (its last words may have come in between), and is `lost` if there is none:
   unless the job's exit is known (`exited`), and only what there is to say about it is not.
4. The record is committed. Only then is the file deleted; if some line of it was damaged, it goes to `damaged/` instead.

A crash at any point leaves the file, and taking it in again changes nothing. So any number of processes may do this at once.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any
from zlib import crc32

from offduty.errors import StoreError
from offduty.runs.lost import lost
from offduty.runs.spool import ENDING
from offduty.stores.parts import accepted_parts
from offduty.stores.record import NotARecord, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from offduty.clock import Clock
    from offduty.runs.store import Record, Store

    Alive = Callable[[Mapping[str, object]], bool | None]
    Judge = Callable[[Record], Mapping[str, Any]]

LARGEST = 16 * 2**20  # bytes of a spool file: it is held in memory
DAMAGED = "damaged"
MOST_DAMAGED = 1000  # files kept as evidence
SETTLED = 60.0  # seconds without a change after which nobody is in the midst of writing a file's first line
HEAD = 8  # hex digits of the checksum, before a space
BEGINNING = b' {"kind":'
UNREADABLE = (errno.ELOOP, errno.EACCES, errno.EPERM, errno.EIO, errno.ENXIO, errno.ENODEV, errno.EISDIR)


class Replayed:
    """What came of it: runs that were new or changed (`taken`), files with damage (`damaged`), ids of the runs now known to be `lost`."""

    def __init__(self) -> None:
        self.taken, self.damaged = 0, 0
        self.lost: list[str] = []

    def __repr__(self) -> str:
        return f"Replayed(taken={self.taken}, damaged={self.damaged}, lost={self.lost})"


class Spooled:
    """What a spool file says: the records of its `started`, `exited` and `ended` lines, what goes with the end, how many were `damaged`."""

    def __init__(self, started: Record | None, ended: Record | None, damaged: int) -> None:
        self.started, self.ended, self.damaged = started, ended, damaged
        self.exited: Record | None = None
        self.parts: dict[str, Any] = {}


class Unfit(Exception):
    """This is not a file that offduty wrote; says why."""


def replay(folder: str, store: Store, *, alive: Alive, clock: Clock, judge: Judge | None = None) -> Replayed:
    """Take in every file of the spool, then judge the runs that the store believes to be running.

    `alive` says of a run whether its supervisor lives (None: cannot be said from here), like `offduty.runs.alive.supervisor_alive`.
    `judge`: what the summary of a run that is lost says by triage; it does not raise.
    `StoreError` if the store cannot take them: then they stay where they are.
    """
    return _at_work(folder, store, alive, clock, lambda work: work.everything(), judge)


def take(folder: str, run_id: str, store: Store, *, alive: Alive, clock: Clock) -> Replayed:
    """`replay` for the file of one run: what its own run command does, which has no time for the files of others."""
    return _at_work(folder, store, alive, clock, lambda work: work.file(run_id + ENDING))


def parse(data: bytes, run_id: str) -> Spooled:
    """What the bytes of the spool file of `run_id` say. Nothing in them can make this raise."""
    spooled = Spooled(None, None, 0)
    for line in filter(None, data.split(b"\n")):
        body, torn = _body(line)
        kind, record, parts = _record(body, run_id) if body is not None else ("", None, {})
        spooled.damaged += torn or record is None
        if kind == "exited":
            spooled.exited = record
            if spooled.ended is None:
                spooled.parts = parts if parts["tell"] is not None else spooled.parts
        elif record is not None and record["outcome"] == "running":
            spooled.started = record
            if parts["tell"] is not None and spooled.ended is None:  # the first line is written before the configuration is read
                spooled.parts = {"tell": parts["tell"]}
        elif record is not None and spooled.ended is None:
            spooled.ended, spooled.parts = record, parts
    return spooled


def _body(line: bytes) -> tuple[bytes | None, bool]:
    """The JSON of a line if its checksum is right, and whether something torn stands before it (as after a full disk)."""
    start = line.rfind(BEGINNING) - HEAD
    body = line[start + HEAD + 1 :]
    if start < 0 or line[start : start + HEAD] != b"%08x" % crc32(body):
        return None, True
    return body, start > 0


def _record(body: bytes, run_id: str) -> tuple[str, Record | None, dict[str, Any]]:
    """The kind of a line, the run in it if that is of this kind, else None; and what goes with it."""
    try:
        value = json.loads(body)
        run = checked(value["run"])
    except (ValueError, TypeError, KeyError, RecursionError, NotARecord):
        return "", None, {}
    kind = value["kind"]
    if kind not in (("started",) if run["outcome"] == "running" else ("exited", "ended")) or run["id"] != run_id:
        return "", None, {}
    return kind, run, accepted_parts(value)


def _at_work(
    folder: str, store: Store, alive: Alive, clock: Clock, what: Callable[[_Replay], None], judge: Judge | None = None
) -> Replayed:
    done = Replayed()
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        fd = -1
    except OSError as error:
        raise _spool_error(error, folder) from None
    try:
        what(_Replay(fd, store, alive, clock, done, judge))
    except OSError as error:
        raise _spool_error(error, folder) from None
    finally:
        if fd >= 0:
            os.close(fd)
    return done


def _spool_error(error: OSError, folder: str) -> StoreError:
    why = os.strerror(error.errno or 0).lower()
    return StoreError("E614", "the spool cannot be taken in", where=folder, why=why, fix="make it readable and writable for this user")


class _Replay:
    """One pass. `fd`: the spool's folder (-1: there is none), so that no name in it can lead out of it."""

    def __init__(self, fd: int, store: Store, alive: Alive, clock: Clock, done: Replayed, judge: Judge | None) -> None:
        self.fd, self.store, self.alive, self.clock, self.done, self.judge = fd, store, alive, clock, done, judge

    def everything(self) -> None:
        for name in self._names():
            self.file(name)
        for run in self.store.running():
            if self.alive(run) is False:
                self._without_end(run)

    def _names(self) -> Iterator[str]:
        """In the order in which the runs began, so that what was bad before it was good is not told as if it were bad now."""
        if self.fd >= 0:
            with os.scandir(self.fd) as entries:
                yield from sorted(entry.name for entry in entries if entry.name.endswith(ENDING))

    def _without_end(self, run: Record) -> None:
        """Its end may have come to the spool since we looked there; if not, the claim decides who calls it lost."""
        self.file(run["id"] + ENDING)
        end = self._lost(run, 0)
        if self.store.mark_lost(run["id"], ended_at=end["ended_at"], summary=end["summary"]):
            self.done.lost.append(run["id"])

    def file(self, name: str) -> None:
        """Take one file in, if it is there."""
        try:
            self._take(name)
        except Unfit:
            self._quarantine(name)
        except FileNotFoundError:
            pass  # somebody else was faster

    def _take(self, name: str) -> None:
        spooled = self._read(name)
        gone = spooled.ended is None and spooled.started is not None and self.alive(spooled.started) is False
        if gone:
            spooled = self._read(name)
        record = spooled.ended or spooled.started
        if record is None:
            self._unless_being_written(name)
            return
        if gone and spooled.ended is None:
            record = spooled.exited or self._lost(record, spooled.damaged)
        self._commit(record, spooled.parts)
        if gone or spooled.ended is not None:
            self._finish(name, spooled)

    def _lost(self, run: Record, damaged: int) -> Record:
        said = dict(self.judge(run)) if self.judge else {}
        notes = [*([f"{damaged} damaged lines in its spool file"] if damaged else []), *said.pop("notes", ())]
        end = lost(run, self.clock.wall(), notes)
        return {**end, "summary": {**end["summary"], **said}}

    def _commit(self, record: Record, parts: Mapping[str, Any]) -> None:
        happened = self.store.put_run(record, **parts)
        changed = happened not in ("same", "kept")
        self.done.taken += changed
        if changed and record["outcome"] == "lost":
            self.done.lost.append(record["id"])

    def _finish(self, name: str, spooled: Spooled) -> None:
        if spooled.damaged:
            self._quarantine(name)
        else:
            os.unlink(name, dir_fd=self.fd)

    def _unless_being_written(self, name: str) -> None:
        """No line of it is any good. Young, it may be about to get its first one; else nobody will ever be able to read it."""
        changed = os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_mtime
        if abs(self.clock.wall() - changed) > SETTLED:
            self._quarantine(name)

    def _read(self, name: str) -> Spooled:
        if self.fd < 0:
            raise FileNotFoundError(name)
        self._check(os.stat(name, dir_fd=self.fd, follow_symlinks=False))  # before opening: a device may do something when opened
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.fd)
            with open(fd, "rb") as file:
                self._check(os.fstat(fd))
                data = file.read(LARGEST)
        except OSError as error:
            if error.errno in UNREADABLE:
                raise Unfit from error
            raise
        return parse(data, name.removesuffix(ENDING))

    def _check(self, status: os.stat_result) -> None:
        """Owned by us or by the folder's owner (root may look after the spool of another user), under one name, not too large."""
        owners = (os.geteuid(), os.fstat(self.fd).st_uid)
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in owners or status.st_nlink > 1 or status.st_size > LARGEST:
            raise Unfit

    def _quarantine(self, name: str) -> None:
        """Move it out of the way as evidence: nothing reads it again, so it cannot trouble every command from now on."""
        try:
            os.mkdir(DAMAGED, 0o700, dir_fd=self.fd)
        except FileExistsError:
            pass
        try:
            os.rename(name, f"{DAMAGED}/{self._free_name(name)}", src_dir_fd=self.fd, dst_dir_fd=self.fd)
        except FileNotFoundError:
            return  # somebody else was faster, and has counted it
        self.done.damaged += 1

    def _free_name(self, name: str) -> str:
        kept = self._evidence()
        for old in kept[: max(0, len(kept) - MOST_DAMAGED + 1)]:
            self._forget(f"{DAMAGED}/{old}")
        return next(free for number in range(len(kept) + 1) if (free := f"{name}.{number}" if number else name) not in kept)

    def _forget(self, path: str) -> None:
        try:
            os.unlink(path, dir_fd=self.fd)
        except OSError:
            pass  # a folder: not ours to empty

    def _evidence(self) -> list[str]:
        """What lies in `damaged/`, oldest first, since the names of runs sort by time."""
        fd = os.open(DAMAGED, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.fd)
        try:
            return sorted(os.listdir(fd))
        finally:
            os.close(fd)
