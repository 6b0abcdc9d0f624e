"""What `offduty doctor` looks at: folders, the store, locks, this machine. Each looker only reads, and says what is as `Fact`s."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import pwd
import shutil
import sqlite3
import stat
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from offduty import places
from offduty.durations import spoken, spoken_size
from offduty.stores import migrations

OLDEST_SQLITE = (3, 37)
LITTLE_SPACE = 100 << 20
LONG_IN_SPOOL = 86400.0
SILENT = 900.0  # seconds without a look; `watch --once` from cron looks every few minutes
GET_CHILD_SUBREAPER = 37  # prctl(2)


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at: `what` it is, its `value`; `care`: what is wrong with it, or empty; and how to `fix` that."""

    part: str
    what: str
    value: str
    care: str = ""
    fix: str = ""


def judged(part: str, what: str, value: str, *, wrong: bool, care: str, fix: str) -> Fact:
    """A fact that may be wrong in one way."""
    return Fact(part, what, value, care, fix) if wrong else Fact(part, what, value)


def folders(found: places.Places) -> Iterator[Fact]:
    """The state folder and what is in it, and the logs: there, ours, and closed to others."""
    for what, path, mode in (
        ("state", found.state, 0o700),
        ("store", found.store, 0o600),
        ("spool", found.spool, 0o700),
        ("locks", found.locks, 0o700),
        ("retries", found.retries, 0o700),
        ("logs", found.logs, 0o700),
    ):
        yield _closed(what, path, mode)


def _closed(what: str, path: str, wanted: int) -> Fact:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return _not_yet(what, path)
    except OSError as error:
        return Fact("folders", what, path, str(error.strerror).lower(), f"make it reachable for {_user(os.geteuid())}")
    mode, owner = stat.S_IMODE(status.st_mode), _user(status.st_uid)
    value = f"{path}  {mode:04o} {owner}"
    if stat.S_ISLNK(status.st_mode):
        return Fact("folders", what, value, "it is a symbolic link", "name the real folder with OFFDUTY_STATE_DIR or OFFDUTY_LOGS_DIR")
    if stat.S_ISDIR(status.st_mode) != (wanted == 0o700):
        return Fact("folders", what, value, f"it is no {'folder' if wanted == 0o700 else 'file'}", f"move it away: mv {path} {path}.old")
    if status.st_uid != os.geteuid():
        return Fact("folders", what, value, f"it belongs to {owner}", f"chown {_user(os.geteuid())} {path}, or run as {owner}")
    if mode & 0o077:
        return Fact("folders", what, value, "others can look into it", f"chmod {wanted:o} {path}")
    if mode & wanted != wanted:
        return Fact("folders", what, value, "its owner cannot use it", f"chmod {wanted:o} {path}")
    return Fact("folders", what, value)


def _not_yet(what: str, path: str) -> Fact:
    """Made by the first run, if the folder above lets us."""
    above = path
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK):
        return Fact("folders", what, f"{path}  made by the first run that needs it")
    return Fact(
        "folders",
        what,
        path,
        f"it cannot be made: {above} does not let us",
        "let us write there, or set OFFDUTY_STATE_DIR or OFFDUTY_LOGS_DIR",
    )


def space(found: places.Places) -> Iterator[Fact]:
    """What is free where logs and the store grow."""
    for what, path in (("free for state", found.state), ("free for logs", found.logs)):
        while not os.path.isdir(path):
            path = os.path.dirname(path)
        free = shutil.disk_usage(path).free
        yield judged(
            "folders",
            what,
            spoken_size(free),
            wrong=free < LITTLE_SPACE,
            care="the disk is nearly full",
            fix="make room, or keep fewer logs",
        )


def store(found: places.Places) -> Iterator[Fact]:
    """The store's version and whether SQLite finds it whole. Opened for reading only: looking must not repair, migrate or create."""
    if not os.path.exists(found.store):
        yield Fact("store", "runs", "none yet")
        return
    try:
        with closing(reading(found.store)) as database:
            yield _schema(migrations.version(database))
            yield _whole(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            yield Fact("store", "runs", str(database.execute("SELECT count(*) FROM run").fetchone()[0]))
    except sqlite3.Error as error:
        yield Fact("store", "contents", found.store, str(error), "the next run sets it aside and begins a new one; keep the old file")


def reading(path: str) -> sqlite3.Connection:
    """The store, for reading only. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True, timeout=1)


def watchers(found: places.Places, now: float) -> Iterator[Fact]:
    """Who notices what does not happen: when each watcher of this store last looked, and last called its outside address."""
    try:
        with closing(reading(found.store)) as database:
            rows = database.execute("SELECT id, tick_at, facts FROM watcher ORDER BY id").fetchall()
    except sqlite3.Error:  # there is no store, or an older one: `store` says so
        rows = []
    if not rows:
        yield Fact("watch", "watchers", "none: nobody notices what does not happen; `offduty watch` does")
    for name, tick_at, text in rows:
        ago = max(0.0, now - tick_at)
        silent, value = ago > SILENT, f"looked {spoken(ago)} ago"
        yield judged("watch", name, value, wrong=silent, care="it has fallen silent", fix="start it again: offduty watch")
        yield from _heartbeat(name, text, now)


def _heartbeat(name: str, text: str, now: float) -> Iterator[Fact]:
    try:
        facts = json.loads(text)
        at, problem = facts.get("heartbeat_at"), str(facts.get("heartbeat_problem") or "")
    except (ValueError, AttributeError):
        return
    if at is None and not problem:
        return
    value = f"got through {spoken(max(0.0, now - float(at)))} ago" if isinstance(at, int | float) else "never got through"
    yield judged("watch", f"{name} heartbeat", value, wrong=bool(problem), care=problem, fix="see [watch] heartbeat, and `offduty alerts`")


def _schema(version: int) -> Fact:
    from offduty.stores.sqlite import SQL

    newest = migrations.newest(f"{SQL}/migrations")
    if version > newest:
        return Fact("store", "schema", str(version), f"a newer offduty made it; this one knows {newest}", "use the newer offduty")
    return Fact("store", "schema", str(version) if version == newest else f"{version}, the next run brings it to {newest}")


def _whole(answer: str) -> Fact:
    return judged("store", "integrity", answer, wrong=answer != "ok", care="SQLite finds it damaged", fix="restore a copy of it")


def spool(found: places.Places, now: float) -> Iterator[Fact]:
    """Runs that the store has not taken yet: any command that reads takes them."""
    waiting = _ages(found.spool, ".spool", now)
    oldest = max(waiting, default=0.0)
    value = f"{len(waiting)} waiting, the oldest for {spoken(oldest)}" if waiting else "nothing waiting"
    stuck = oldest > LONG_IN_SPOOL
    yield judged(
        "store", "runs waiting", value, wrong=stuck, care="the store has not taken them", fix="`offduty runs` takes them, or says why"
    )


def _ages(folder: str, ending: str, now: float) -> list[float]:
    try:
        with os.scandir(folder) as entries:
            return [max(0.0, now - entry.stat(follow_symlinks=False).st_mtime) for entry in entries if entry.name.endswith(ending)]
    except OSError:
        return []


def pings(found: places.Places, now: float) -> Iterator[Fact]:
    """Jobs that ping: how many, when the last one did, and whether pings can be taken here."""
    from importlib.util import find_spec

    from offduty.watch.pings.check import read_check

    try:
        with closing(reading(found.store)) as connection:
            checks = [read_check(facts) for (facts,) in connection.execute("SELECT facts FROM ping_check")]
    except (sqlite3.Error, ValueError):  # there is no store yet, or an older one; what is wrong with it is said elsewhere
        return
    if checks:
        last = max((check.last_ping for check in checks if check.last_ping is not None), default=None)
        said = f"the last ping {spoken(max(0.0, now - last))} ago" if last is not None else "no ping yet"
        down = sum(check.status == "down" for check in checks)
        value = f"{len(checks)} checks, {down} down, {said}"
        lacking = find_spec("httptools") is None
        care = "no pings can be taken by this installation"
        yield judged("store", "pings", value, wrong=lacking, care=care, fix="pip install 'offduty[web]', if they are taken here")


def locks(found: places.Places) -> Iterator[Fact]:
    """The jobs that run now, and by which process."""
    held = [(name.removesuffix(".lock"), pid) for name in _names(found.locks) if (pid := holder(f"{found.locks}/{name}"))]
    yield Fact("store", "locks held", ", ".join(f"{job} (process {pid})" for job, pid in held) or "none held")


def holder(path: str) -> int:
    """The process that holds the lock at `path`, or 0. Asked of the kernel; the lock itself is not touched."""
    query = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        with open(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), "rb+", buffering=0) as file:
            kind, _, _, _, pid = struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, query))
    except OSError:
        return 0
    return int(pid) if kind != fcntl.F_UNLCK else 0


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".lock"))
    except OSError:
        return []


def machine() -> Iterator[Fact]:
    """What runs us, and what the kernel can do for a run."""
    yield Fact("machine", "python", f"{platform.python_version()}  {os.path.realpath('/proc/self/exe')}")
    old, version = sqlite3.sqlite_version_info < OLDEST_SQLITE, sqlite3.sqlite_version
    yield judged("machine", "sqlite", version, wrong=old, care="older than 3.37", fix="use a Python with a newer SQLite")
    yield _probe()
    pidfd, subreaper = _has_pidfd(), _has_subreaper()
    yield Fact("machine", "pidfd", "yes" if pidfd else "no: the end of a job is found by polling")
    yield Fact("machine", "subreaper", "yes" if subreaper else "no: what a job leaves behind cannot be found")


def _probe() -> Fact:
    import offduty

    packages = os.path.dirname(os.path.dirname(os.path.abspath(offduty.__file__)))
    path = f"{packages}/offduty_probe/path/sitecustomize.py"
    gone = not os.access(path, os.R_OK)
    return judged("machine", "probe", path, wrong=gone, care="it is not there: Python jobs tell nothing", fix="install offduty again")


def _has_pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def _has_subreaper() -> bool:
    import ctypes

    answer = ctypes.c_int()
    try:
        return int(ctypes.CDLL(None).prctl(GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
