"""Files that the job opens, deletes and renames: `open` by all its names, `os.remove`, `os.rename`, `os.replace`.

A file opened for reading is told at once, with its size and age. One that is opened for writing is told when it is closed, because
its size is known then: it is looked for at the next transaction and at exit, by a weak reference, as the file object must not live
longer than it would. What happens to a file object later is not captured, nor is `os.open`.
"""

# ruff: noqa: SLF001  # `sys._getframe`: a tenth of what `inspect` and `traceback` cost
from __future__ import annotations

import os
import sys
from _weakref import ref
from time import perf_counter_ns

from offduty_probe.capture.ledger import FEW_OPENS, inside
from offduty_probe.capture.noise import is_noise
from offduty_probe.capture.targets import facts, of_file, path
from offduty_probe.capture.wrapping import Patches, StandIn, argument, unseen
from offduty_probe.chain import PROBE, STANDARD_LIBRARY
from offduty_probe.guard import swallow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said, Site

    Waiting = tuple[Any, str, Site, int, bool]

MOST_WAITING = 16
READING = frozenset(["r", "rb", "rt", "br", "tr"])
# Who opens sources to show them in a traceback; Python's own way of printing one has no frame, and stands in our hook's.
SHOW_SOURCE = (f"{STANDARD_LIBRARY}linecache.py", f"{STANDARD_LIBRARY}tokenize.py", PROBE)


def install(record: Ledger) -> Callable[[], None]:
    """`open` is one object in `builtins`, `io` and `_io`; `pathlib`, `gzip`, `zipfile` and others come by one of these."""
    patches = Patches(record)
    builtins = sys.modules["builtins"]
    if not getattr(sys.flags, "warn_default_encoding", 0):  # that warning names the caller of `open`, which would be us
        opener = Opener(record, vars(builtins)["open"])
        patches.put(builtins, "open", lambda _: opener, ["io", "_io"])
        patches.undos.append(opener.stop)
    patches.wrap(os, ["remove", "unlink"], _deleted, also=["posix"])
    patches.wrap(os, ["rename", "replace"], _renamed, _size_of_renamed, also=["posix"])
    return patches.undo


class Opener(StandIn):
    """Stands for `open`."""

    def __init__(self, record: Ledger, original: Any) -> None:
        super().__init__(original, original if record.drill is None else record.drill.opener(original))
        self.record = record
        self.waiting: dict[int, Waiting] = record.waiting
        record.before_telling.append(self.tell_closed)
        record.before_flush.append(self.tell_all)

    def stop(self) -> None:
        """Tell what is waiting, and look for no more."""
        self.tell_all()
        self.record.before_telling.remove(self.tell_closed)
        self.record.before_flush.remove(self.tell_all)

    @unseen("open")
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if self.waiting:
            self.look()  # before a file that was just written is emptied by being opened again
        started = perf_counter_ns()
        try:
            file = self.call(*args, **kwargs)
        except BaseException as error:
            self.note(None, args, kwargs, perf_counter_ns() - started, error)
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        self.note(file, args, kwargs, perf_counter_ns() - started, None)
        return file

    def note(self, file: Any, args: Any, kwargs: Any, took: int, error: BaseException | None) -> None:
        """Of a call of `open` that gave `file` or `error`. Never raises."""
        try:
            record = self.record
            if inside.get() is record.here:
                return
            name = args[0] if args else kwargs.get("file")
            if type(name) is not str:
                name = _name(name)
            if (
                name is None
                or is_noise(name)
                or name == record.recorder.path
                or not record.watching()
                or (error is None and "opener" in kwargs and _is_temporary())
            ):
                return
            mode = args[1] if len(args) > 1 else kwargs.get("mode", "r")
            if mode in READING:
                frame = sys._getframe(2)
                site = record.sites.get((id(frame.f_code), frame.f_lasti, "file.read"))
                if site is None:
                    if frame.f_code.co_filename.startswith(SHOW_SOURCE):
                        return
                    site = record.site(frame, "file.read", FEW_OPENS)
                if error is not None:
                    record.note(site, name, took, {}, error)
                elif record.is_told(site):
                    record.settle(site, next(record.numbers), True, name, took, facts(os.fstat(file.fileno())), None)
                else:
                    record.fold(site, name, took, 0 if "opener" in kwargs else _length(file))
            elif error is not None:
                record.note(record.site(sys._getframe(2), "file.write", FEW_OPENS), name, took, {}, error)
            else:
                self.wait(file, path(name), took, record.site(sys._getframe(2), "file.write", FEW_OPENS))
        except Exception as problem:
            swallow(problem)

    def wait(self, file: Any, name: str, took: int, site: Site) -> None:
        """Tell of a file that is being written later."""
        if len(self.waiting) >= MOST_WAITING:
            for n in list(self.waiting)[:1]:
                self.tell_one(n)
        self.waiting[next(self.record.numbers)] = (ref(file), name, site, took, self.record.is_told(site))

    def look(self) -> None:
        """`tell_closed` for those who must not fail."""
        try:
            self.tell_closed()
        except Exception as problem:
            swallow(problem)

    def tell_closed(self) -> None:
        """Tell of the files that have been closed, or are gone without having been closed."""
        for n, (file, *_) in list(self.waiting.items()):
            alive = file()
            if alive is None or alive.closed:
                self.tell_one(n)

    def tell_all(self) -> None:
        """Tell of all; the size of one that is still open is not known, because of what is in its buffer."""
        for n in list(self.waiting):
            self.tell_one(n)

    def tell_one(self, n: int) -> None:
        """Tell of number `n`, if nobody else did meanwhile."""
        waiting = self.waiting.pop(n, None)
        if waiting is None:
            return
        file, name, site, took, full = waiting
        alive = file()
        known = of_file(name) if alive is None or alive.closed else {}
        self.record.settle(site, n, full, name, took, known, None)


def _length(file: Any) -> int:
    """Of a file that has just been opened for reading, so that it stands at its beginning: a third of the time that `fstat` takes."""
    try:
        fd = file.fileno()
        length = os.lseek(fd, 0, 2)
        os.lseek(fd, 0, 0)
    except OSError:  # a pipe
        return 0
    return length


def _name(name: Any) -> str | None:
    """A path object or bytes as text; None for what is not the name of a file, as a descriptor."""
    if isinstance(name, int) or name is None:
        return None
    found = os.fspath(name)
    return os.fsdecode(found) if isinstance(found, bytes) else str(found)


def _is_temporary() -> bool:
    return sys._getframe(3).f_globals.get("__name__") == "tempfile"


def _deleted(args: Any, kwargs: Any) -> Said | None:
    name = _changed(argument(args, kwargs, 0, "path"), kwargs)
    return ("file.delete", name, None, False) if name else None


def _renamed(args: Any, kwargs: Any) -> Said | None:
    """What is renamed is written anew, under another name: results are often written beside their place and moved there when whole."""
    old, new = (_changed(argument(args, kwargs, number, name), kwargs) for number, name in enumerate(("src", "dst")))
    return ("file.write", new, {"offduty.renamed_from": old}, False) if old and new else None


def _changed(name: Any, kwargs: Any) -> str | None:
    """The absolute path; None for noise, and for names that are relative to another folder than the current one."""
    name = _name(name)
    return path(name) if name and not kwargs and not is_noise(name) else None


def _size_of_renamed(result: Any, args: Any, kwargs: Any) -> Known:
    return of_file(path(_name(args[1]) or ""))
