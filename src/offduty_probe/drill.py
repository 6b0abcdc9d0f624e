"""In a drill: break one thing on purpose, and keep the job from changing anything outside of the drill's own folder.

Only with `OFFDUTY_DRILL=1` and `OFFDUTY_DRILL_SPEC`, a JSON file: `scratch` (the folder), `fault` (what to break: `name`, `op`, `target`,
`column`, `age`; null: nothing), `allow` (globs of what may be written all the same), `run` (globs of programs that may be started), `held`
(whether the kernel holds the job back by itself: then files and programs are not this module's business).
What was broken, redirected or refused is appended to `notes.jsonl` in that folder. `Ledger.drill` is None in every other run.

Reads of a struck file get a spoilt copy, or a place where nothing is; calls of a struck service raise what the library would raise.
Files are written into a mirror below the folder, and are read from there afterwards; a SQLite or DuckDB file is copied before it is opened.
"""

from __future__ import annotations

import os
import sys
from _contextvars import ContextVar
from fnmatch import fnmatchcase

from offduty_probe import fault_errors, rollback, sandbox
from offduty_probe.capture.noise import is_noise
from offduty_probe.capture.targets import path
from offduty_probe.capture.wrapping import COROUTINE, unseen
from offduty_probe.chain import type_name
from offduty_probe.lines import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping

    from offduty_probe.capture.ledger import Describe, Known

REFUSED_STATUS = 125
MOST_NOTES = 500
FRONTS = ("pandas", "polars", "pyarrow")
"""Libraries that have another one do it: that one fails, and they make of it what they make of it."""
ON_FILES = ("missing", "empty", "torn", "stale", "denied", "disk-full")
SIGNALS = {"sigkill": 9, "oom": 9, "sigterm": 15}
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


def begin(environ: Mapping[str, str]) -> Drill | None:
    """The drill of this process; None if there is none. Ends the process if the drill cannot be made safe."""
    if environ.get("OFFDUTY_DRILL") != "1" or not environ.get("OFFDUTY_DRILL_SPEC"):
        return None
    try:
        drill = Drill(read(environ["OFFDUTY_DRILL_SPEC"]), environ.get("OFFDUTY_EVENTS", ""))
        if not drill.held:
            sandbox.close(drill)
    except BaseException as error:  # better no job than one that is not held back
        os.write(2, f"offduty: the drill cannot be made safe: {type(error).__name__}: {error}\n".encode())
        os._exit(REFUSED_STATUS)
    return drill


def read(place: str) -> dict[str, Any]:
    """The spec. Raises OSError, ValueError or TypeError."""
    from json import load

    with open(place, encoding="utf-8") as file:
        spec = load(file)
    if not isinstance(spec, dict) or not os.path.isdir(spec["scratch"]):
        raise TypeError("no spec of a drill")
    return spec


class Drill:
    """What is to be broken, and what was done about writing. `moved`: the place in the mirror of each path that was written."""

    def __init__(self, spec: dict[str, Any], events: str) -> None:
        self.scratch: str = os.path.realpath(spec["scratch"])
        self.fault: dict[str, Any] = spec.get("fault") or {}
        self.name: str = self.fault.get("name", "")
        self.allow: list[str] = list(spec.get("allow") or ())
        self.programs: list[str] = list(spec.get("run") or ())
        self.held = bool(spec.get("held"))
        self.free = {events}
        self.moved: dict[str, str] = {}
        self.spoilt: dict[str, str] = {}
        self.armed: ContextVar[str] = ContextVar("offduty_armed", default="")
        self.noted: set[tuple[str, str, str]] = set()

    def note(self, did: str, op: str, target: str, why: str = "") -> None:
        """Tell the drill, each thing once."""
        key = (did, op, target)
        if key in self.noted or len(self.noted) >= MOST_NOTES:
            return
        self.noted.add(key)
        line = f'{{"did":{dumps(did)},"op":{dumps(op)},"target":{dumps(target)},"why":{dumps(why)},"pid":{os.getpid()}}}\n'
        fd = os.open(f"{self.scratch}/notes.jsonl", APPEND, 0o600)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def count_kill(self) -> None:
        """As the kernel counts a kill for want of memory in a control group: the supervisor of a drill looks there."""
        with sandbox.untouched_open(f"{self.scratch}/memory.events", "w") as file:
            file.write("oom_kill 1\n")

    def is_allowed(self, target: str) -> bool:
        """Whether the user lets the job write there."""
        return any(fnmatchcase(target, glob) for glob in self.allow)

    def is_struck(self, op: str, target: str) -> bool:
        """Whether this transaction is the one to break."""
        fault = self.fault
        return bool(self.name) and fnmatchcase(op, fault.get("op", "*")) and fault.get("target", "*") in ("*", target)

    def around(self, original: Any, describe: Describe) -> Any:
        """`original`, a function, as it behaves in this drill. Called by the wrapper of a capture, inside the transaction."""
        code = getattr(original, "__code__", None)
        if code is not None and code.co_flags & COROUTINE:
            return self._around_coroutine(original, describe)

        @unseen(getattr(original, "__name__", "call"))
        def call(*args: Any, **kwargs: Any) -> Any:
            step = Step(self, original, describe, args, kwargs)
            if step.error is not None:
                raise step.error
            if step.answer is not None:
                return step.answer[0]
            try:
                result = original(*step.args, **step.kwargs)
            except BaseException as error:
                step.rename(error)
                raise
            finally:
                step.leave()
            return step.after(result)

        return call

    def _around_coroutine(self, original: Any, describe: Describe) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            step = Step(self, original, describe, args, kwargs)
            if step.error is not None:
                raise step.error
            if step.answer is not None:
                return step.answer[0]
            try:
                result = await original(*step.args, **step.kwargs)
            except BaseException as error:
                step.rename(error)
                raise
            finally:
                step.leave()
            return step.after(result)

        return call

    def opener(self, original: Any) -> Any:
        """`open` as it behaves in this drill."""

        @unseen("open")
        def call(*args: Any, **kwargs: Any) -> Any:
            step = Step(self, original, opened, args, kwargs)
            if step.error is not None:
                raise step.error
            try:
                return original(*step.args, **step.kwargs)
            except OSError as error:
                step.rename(error)
                raise

        return call

    def known(self, target: str, known: Known) -> Known:
        """What is known of a file that was spoilt: its own size and age, not those of the file that stands there."""
        place = self.spoilt.get(target) or self.moved.get(target)
        if place is None:
            return known
        try:
            stat = os.stat(place)
        except OSError:
            return known
        return dict({key: value for key, value in known.items() if key != "file"}, bytes=stat.st_size, modified=stat.st_mtime)

    def spoil(self, target: str) -> str:
        """The place of a spoilt copy of the file `target`, or one where nothing is. Raises OSError where it cannot be copied."""
        if target in self.spoilt:
            return self.spoilt[target]
        place = self.place_of(target, "spoilt")
        if self.name != "missing":
            with sandbox.untouched_open(target, "rb") as file:
                data = file.read()
            with sandbox.untouched_open(place, "wb") as file:
                file.write(b"" if self.name == "empty" else torn(data) if self.name == "torn" else data)
            if self.name == "stale":
                then = os.stat(place).st_mtime - float(self.fault.get("age") or 400 * 86400)
                os.utime(place, (then, then))
        self.spoilt[target] = place
        return place

    def place_of(self, target: str, kind: str = "files") -> str:
        """The place below the scratch folder that stands for `target`; its folders are made."""
        place = f"{self.scratch}/{kind}{target}"
        sandbox.make_folders(os.path.dirname(place))
        return place

    def mirror(self, target: str, keeps: bool) -> str:
        """Where `target` is written instead. `keeps`: what is in it already counts."""
        if target not in self.moved:
            place = self.place_of(target)
            if keeps and os.path.isfile(target):
                with sandbox.untouched_open(target, "rb") as old, sandbox.untouched_open(place, "wb") as new:
                    new.write(old.read())
            self.moved[target] = place
            self.note("redirected", "file.write", target)
        return self.moved[target]


class Step:
    """One call: what is to become of it. `error`: raise that; `answer`: return that (in a tuple); else call with `args`, `kwargs`."""

    error: BaseException | None = None
    answer: tuple[Any] | None = None
    change: Callable[[Any], Any] | None = None
    token: Any = None

    def __init__(self, drill: Drill, original: Any, describe: Describe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.drill, self.original, self.args, self.kwargs = drill, original, args, dict(kwargs)
        self.names: dict[str, str] = {}
        said = None
        try:
            said = describe(args, kwargs)
        except Exception:
            pass  # the capture tells of it
        if said is None:
            return
        self.op, self.target = said[0], path(said[1]) if said[0].startswith("file.") else said[1]
        self.attributes = (said[2] if len(said) > 2 else None) or {}
        module = self._driver() or rollback.module_of(original)
        self.is_front = fault_errors.library_of(module) in FRONTS
        self.library = fault_errors.library_of(module, self.target)
        struck = drill.is_struck(self.op, self.target) and not (self.op.startswith("file.") and is_noise(self.target))
        if struck or drill.armed.get() == self.op.partition(".")[0]:
            self._strike(struck)
        if self.error is None and self.answer is None:
            self._hold()

    def _driver(self) -> str:
        """The driver below SQLAlchemy's dialect, where that is what is called: its words are the ones that the job hears."""
        return str(getattr(self.args[0], "driver", "")) if self.args and hasattr(type(self.args[0]), "loaded_dbapi") else ""

    def _strike(self, struck: bool) -> None:
        """Break it, if it is this library's to fail; else have whatever it calls fail."""
        drill, name = self.drill, self.drill.name
        if name in SIGNALS:
            drill.note("struck", self.op, self.target, f"signal {SIGNALS[name]}")
            if name == "oom":
                drill.count_kill()
            os.kill(os.getpid(), SIGNALS[name])
        elif name.startswith("column-"):
            self.change = self._without_column if name == "column-gone" else self._retyped
        elif name in ON_FILES or name == "memory":
            self._strike_file(struck)
        elif name in ("timeout", "no-answer") and not self.is_front and not self._has_time_limit():
            drill.note("hung", self.op, self.target, "no time-out is set")
            os.kill(os.getpid(), 9)
        else:
            self._strike_service()

    def _has_time_limit(self) -> bool:
        from offduty_probe.time_limits import has_time_limit

        return has_time_limit(rollback.module_of(self.original), self.op, self.args, self.kwargs)

    def _strike_file(self, struck: bool) -> None:
        name, target = self.drill.name, self.target
        if name in ("denied", "disk-full", "memory"):
            told = fault_errors.told(name, "python")
            facts = fault_errors.facts_of(name, self.op, target)
            self._raise(fault_errors.find_class(told[0])(*(fault_errors.filled(one, facts) for one in told[1])) if told else MemoryError())
            return
        if not self.op.startswith(("file.read", "model.load")) or not struck:
            return
        try:
            place = self.drill.spoil(target)
        except OSError as error:
            self.drill.note("unable", self.op, target, str(error))
            return
        if self._replace(target, place):  # else it is the `open` that it calls
            self.drill.note("struck", self.op, target, name)

    def _strike_service(self) -> None:
        from offduty_probe.fault_answers import answer_of, error_of

        drill, name = self.drill, self.drill.name
        if self.is_front:
            self.token = drill.armed.set(self.op.partition(".")[0])
            return
        given = answer_of(name, self.library, self.args, self.kwargs)
        if given is not None:
            drill.note("struck", self.op, self.target, name)
            self.answer = (given,)
            return
        error = error_of(name, self.library, self.op, self.target)
        if error is not None:
            self._raise(error)
        else:
            drill.note("unable", self.op, self.target, f"{self.library} has no way to be told {name}")

    def _raise(self, error: BaseException) -> None:
        self.drill.note("struck", self.op, self.target, type_name(type(error)))
        self.error = error

    def _without_column(self, table: Any) -> Any:
        column = self._column(table)
        return table if column is None else table.drop(columns=[column]) if hasattr(table, "loc") else table.drop([column])

    def _retyped(self, table: Any) -> Any:
        column = self._column(table)
        if column is None:
            return table
        if hasattr(table, "loc"):
            return table.assign(**{column: "n/a"})
        return table.with_columns(sys.modules["polars"].lit("n/a").alias(column))

    def _column(self, table: Any) -> Any:
        """The column to strike: the one that was named, else the last; None where this is no table."""
        names = list(getattr(table, "columns", ())) if hasattr(table, "drop") else []
        if not names:
            return None
        wanted = self.drill.fault.get("column")
        self.drill.note("struck", self.op, self.target, self.drill.name)
        return wanted if wanted in names else names[-1]

    def _hold(self) -> None:
        """Keep the call from changing anything outside."""
        drill, op, target = self.drill, self.op, self.target
        why = rollback.judge(drill, self.original, self.args, self.kwargs, target) if op == "db.query" else None
        if why is not None or drill.is_allowed(target):
            if why:
                self._refuse(why)
            return
        if drill.held and op.startswith(("file.", "model.", "db.connect")):
            return  # the kernel holds it
        if op in ("file.write", "file.delete"):
            self._hold_file()
        elif op.startswith(("file.read", "model.load")) and target in drill.moved:
            self._replace(target, drill.moved[target])
        elif op == "db.connect" and target.startswith(("sqlite://", "duckdb://")):
            self._hold_database(target.partition("://")[2])
        elif (why := sandbox.forbidden(op, target, self.attributes)) is not None:
            self._refuse(why)

    def _refuse(self, why: str) -> None:
        self.drill.note("refused", self.op, self.target, why)
        self.error = PermissionError(1, f"refused in a drill: {why}", self.target)

    def _hold_file(self) -> None:
        drill, target = self.drill, self.target
        if sandbox.is_free(drill, target):
            return
        source = self.attributes.get("offduty.renamed_from") or self.attributes.get("offduty.copied_from")
        if self.op == "file.delete":
            drill.note("left out", self.op, target)
            self.answer = (None,)
        elif source is None or source in drill.moved:
            mode = self.args[1] if len(self.args) > 1 and isinstance(self.args[1], str) else self.kwargs.get("mode", "w")
            self._replace(target, drill.mirror(target, "w" not in str(mode)))
            if source is not None:
                self._replace(source, drill.moved[source])
        elif "offduty.renamed_from" in self.attributes:
            drill.note("left out", self.op, target, f"renaming {source}")
            self.answer = (None,)
        else:
            self._replace(target, drill.mirror(target, keeps=False))

    def _hold_database(self, place: str) -> None:
        """A copy is opened. What is not a file yet, or cannot be read, stays as it is: opening it fails, or makes one in the mirror."""
        if not place.startswith("/") or place.endswith("/:memory:") or sandbox.is_free(self.drill, place):
            return
        if os.path.isdir(place) or not os.path.isdir(os.path.dirname(place)):
            return
        known = place in self.drill.moved
        copy = self.drill.mirror(place, keeps=True)
        for more in ("-wal", "-journal", ".wal"):
            if not known and os.path.isfile(place + more):
                sandbox.copy(place + more, copy + more)
        self._replace(place, copy)

    def _replace(self, old: str, new: str) -> bool:
        """Put the path `new` in the place of the argument that means `old`; whether there was one."""
        self.names[new] = old
        swap = [(key, found) for key, found in self.kwargs.items() if is_path(found, old)]
        self.kwargs.update({key: put(found, old, new) for key, found in swap})
        hits = [number for number, found in enumerate(self.args) if is_path(found, old)]
        self.args = tuple(put(found, old, new) if number in hits else found for number, found in enumerate(self.args))
        return bool(swap or hits)

    def rename(self, error: BaseException) -> None:
        """An error names what the job asked for, not where it was led to."""
        for new, old in self.names.items():
            for attribute in ("filename", "filename2"):
                if getattr(error, attribute, None) == new:
                    setattr(error, attribute, old)
            if any(isinstance(one, str) and new in one for one in error.args):
                error.args = tuple(one.replace(new, old) if isinstance(one, str) else one for one in error.args)

    def leave(self) -> None:
        """The call is over."""
        if self.token is not None:
            self.drill.armed.reset(self.token)

    def after(self, result: Any) -> Any:
        """The result as the job gets it."""
        return result if self.change is None else self.change(result)


def opened(args: Any, kwargs: Any) -> Any:
    """For `describe`: what `open` does. None for what is no path."""
    name = args[0] if args else kwargs.get("file")
    if isinstance(name, int) or name is None:
        return None
    found = os.fspath(name)
    mode = args[1] if len(args) > 1 else kwargs.get("mode", "r")
    return "file.write" if set(mode) & set("wax+") else "file.read", os.fsdecode(found)


def is_path(found: Any, old: str) -> bool:
    """Whether an argument means the path `old`."""
    if isinstance(found, str):
        name = found[5:].partition("?")[0] if found.startswith("file:") else found
        return bool(name) and "\n" not in name and path(name) == old
    return hasattr(type(found), "__fspath__") and path(os.fsdecode(os.fspath(found))) == old


def put(found: Any, old: str, new: str) -> Any:
    """`new` in the form of the argument `found`."""
    if isinstance(found, str):
        return f"file:{new}{found[found.find('?') :] if '?' in found else ''}" if found.startswith("file:") else new
    made = type(found)
    return made(new) if made.__module__.startswith("pathlib") else new


def torn(data: bytes) -> bytes:
    """The first half, ending in the middle of a line."""
    half = data[: len(data) // 2]
    line = half.rfind(b"\n") + 1
    end = data.find(b"\n", line)
    return data[: line + max((end - line) // 3, 1)] if line and end > line + 3 else half
