"""What a job may not do in a drill: the rules, and an audit hook that refuses what no wrapper has led elsewhere.

The hook sees what Python itself opens, removes, renames or starts; what C code does by itself it does not see.
"""

from __future__ import annotations

import os
import sys
from fnmatch import fnmatchcase

from offduty_probe.capture.targets import path
from offduty_probe.patching import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from offduty_probe.drill import Drill

untouched_open = open
_mkdir, _stat, _lstat = os.mkdir, os.stat, os.lstat
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
READING = frozenset(
    "SELECT WITH SHOW EXPLAIN DESCRIBE DESC PRAGMA SET BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE USE VALUES FETCH DECLARE CLOSE".split()
)
ASKING = frozenset(["GET", "HEAD", "OPTIONS"])
CALLS = ("Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "AssumeRole")
CACHE = frozenset(
    "GET MGET HGET HMGET HGETALL HKEYS HVALS HLEN EXISTS TTL PTTL TYPE SCAN KEYS LRANGE LLEN LINDEX SMEMBERS SISMEMBER SCARD ZRANGE"
    " ZSCORE ZCARD STRLEN GETRANGE PING HELLO CLIENT SELECT AUTH INFO ECHO TIME DBSIZE CONNECT".split()
)
CHANGING = ("object.write", "queue.publish", "mail.send", "file.transfer")
LOOKING = frozenset("uname lsb_release lscpu ldconfig nproc getconf sysctl".split())
CHANGES = {  # audit event -> how many of its first arguments are paths that would change
    "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.symlink": 2, "os.link": 2,
    "os.utime": 1, "os.mkdir": 1, "os.setxattr": 1, "os.removexattr": 1,
}  # fmt: skip
PROGRAMS = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.spawn")


def forbidden(op: str, target: str, attributes: dict[str, Any]) -> str | None:
    """Why a drill does not let such a transaction happen; None where it reads only, or is somebody else's to judge."""
    if op in CHANGING:
        return f"{op} changes something outside"
    if op == "db.query":
        if target.startswith(("sqlite://", "duckdb://", "sqlite3 ", "duckdb ")):
            return None  # it is a copy
        verb = target.partition(" ")[2].partition(" ")[0]
        return None if not verb or verb in READING else f"{verb} changes the database"
    if op == "http.request":
        method = attributes.get("http.request.method")
        call = attributes.get("rpc.method")
        if (method and method not in ASKING) or (call and not str(call).startswith(CALLS)):
            return f"{method or call} may change something"
    if op == "cache.call":
        name = str(attributes.get("db.operation.name") or "").upper()
        return None if name in CACHE else f"{name or 'it'} may change something"
    return None


def is_free(drill: Drill, name: str) -> bool:
    """Whether a path may be written: the drill's own folder, the events, devices, and what the user allows."""
    return name.startswith((f"{drill.scratch}/", "/dev/", "/proc/self/")) or name in drill.free or drill.is_allowed(name)


def close(drill: Drill) -> None:
    """Hold the job back from now on, for as long as this process lives: an audit hook cannot be taken away."""
    replace(os, "mkdir", lambda original: _making_folders(drill, original))
    replace(os, "stat", lambda original: _looking(drill, original))
    replace(os, "lstat", lambda original: _looking(drill, original))
    sys.addaudithook(lambda event, args: _look(drill, event, args))


def _look(drill: Drill, event: str, args: tuple[Any, ...]) -> None:
    """Raises PermissionError for what is not allowed."""
    if event == "open":
        if isinstance(args[2], int) and args[2] & WRITES:
            _refuse(drill, "file.write", args[0])
    elif event in CHANGES:
        for name in args[: CHANGES[event]]:
            _refuse(drill, "file.delete" if event in ("os.remove", "os.rmdir") else "file.write", name)
    elif event in PROGRAMS:
        _refuse_program(drill, event, args)


def _refuse(drill: Drill, op: str, name: Any) -> None:
    if isinstance(name, int) or name is None:
        return
    target = path(os.fsdecode(name) if isinstance(name, (str, bytes)) else str(name))
    if not is_free(drill, target):
        drill.note("refused", op, target)
        raise PermissionError(1, "refused in a drill", target)


def _refuse_program(drill: Drill, event: str, args: tuple[Any, ...]) -> None:
    """A Python that gets the probe is held back by itself; so are programs that only look at the machine."""
    program, words = _program(event, args)
    name = program.rpartition("/")[2]
    if name in LOOKING or any(fnmatchcase(program, glob) or fnmatchcase(name, glob) for glob in drill.programs):
        return
    environ = args[3] if event == "subprocess.Popen" and len(args) > 3 else None
    if event == "subprocess.Popen" and _is_python(program) and not _hides(words) and (environ is None or _has_drill(environ)):
        return
    drill.note("refused", "process.spawn", program)
    raise PermissionError(1, "refused in a drill: it may change something", program)


def _program(event: str, args: tuple[Any, ...]) -> tuple[str, list[str]]:
    words = args[1] if len(args) > 1 and isinstance(args[1], (list, tuple)) else []
    first = args[0] if args and args[0] else (words or [""])[0]
    text = os.fsdecode(first) if isinstance(first, (str, bytes)) or hasattr(type(first), "__fspath__") else str(first)
    return (text.split() or [""])[0] if event == "os.system" else text, [
        os.fsdecode(word) for word in words if isinstance(word, (str, bytes))
    ]


def _is_python(program: str) -> bool:
    return program.rpartition("/")[2].startswith("python")


def _hides(words: list[str]) -> bool:
    """`-I`, `-E` or `-S` among the options of Python: then it does not load the probe."""
    for word in words[1:]:
        if not word.startswith("-") or word in ("-", "-c", "-m"):
            return False
        if not word.startswith("--") and set(word[1:]) & set("IES"):
            return True
    return False


def _has_drill(environ: Any) -> bool:
    return environ.get("OFFDUTY_DRILL") == "1" if hasattr(environ, "get") else False


def _making_folders(drill: Drill, original: Any) -> Any:
    def mkdir(name: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        target = path(os.fsdecode(name))
        if dir_fd is not None or is_free(drill, target) or os.path.lexists(target):
            original(name, mode, dir_fd=dir_fd) if not os.path.isdir(target) or is_free(drill, target) else _exists(target)
            return
        make_folders(f"{drill.scratch}/files{target}")
        drill.moved[target] = f"{drill.scratch}/files{target}"
        drill.note("redirected", "file.write", target, "a folder")

    return mkdir


def _exists(target: str) -> None:
    raise FileExistsError(17, "File exists", target)


def _looking(drill: Drill, original: Any) -> Any:
    """What was written in the mirror is there for the job."""

    def stat(name: Any, *args: Any, **kwargs: Any) -> Any:
        if drill.moved and isinstance(name, (str, os.PathLike)):
            name = drill.moved.get(path(os.fspath(name)), name)
        return original(name, *args, **kwargs)

    return stat


def make_folders(place: str) -> None:
    """As `os.makedirs`, past what is held back."""
    if place and not os.path.isdir(place):
        make_folders(os.path.dirname(place))
        try:
            _mkdir(place, 0o700)
        except FileExistsError:
            pass


def copy(old: str, new: str) -> None:
    """A file, past what is held back."""
    with untouched_open(old, "rb") as source, untouched_open(new, "wb") as target:
        target.write(source.read())
