"""The ledger: numbers what the job does with the world outside, tells each transaction, and folds floods of alike ones.

Only the outermost call counts: what `read_csv` opens is part of `read_csv`. A context variable knows what is outermost; threads
and tasks of asyncio have their own, and so does a forked child, because it gets another `here`.

Nothing has to be locked, as in the recorder: counting is `next` of an `itertools.count`, which is one step.
"""

# ruff: noqa: SLF001  # `sys._getframe`: a tenth of what `inspect` and `traceback` cost
from __future__ import annotations

import _signal
import itertools
import sys
from _contextvars import ContextVar
from _thread import get_ident
from time import perf_counter_ns, time, time_ns

from offduty_probe.capture.shapes import shape_text
from offduty_probe.capture.targets import masked_text, of_file, path
from offduty_probe.chain import is_own, type_name
from offduty_probe.guard import swallow
from offduty_probe.lines import MOST_BYTES, dumps
from offduty_probe.recorder import Kind
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, Callable, Iterator, Tuple

    Known = dict[str, Any]
    Said = Tuple[Any, ...]
    Describe = Callable[[Tuple[Any, ...], dict[str, Any]], "Said | None"]

FEW = 32  # of a kind at a place in the job's code are told in full, each with its `begin`
FEW_OPENS = 8
MOST_FAILURES = 32
MOST_SITES = 256
MOST_IN_FULL = 4000
MOST_FILES = 4096
MOST_TARGET, MOST_MESSAGE, MOST_ATTRIBUTE = 4096, 1024, 1024  # characters
MOST_ATTRIBUTES = 32
NOTHING: dict[str, Any] = {}
ALONE = '"ok":true,"count":1,"failed":0'

inside: ContextVar[object] = ContextVar("offduty_inside", default=None)  # the `here` of the ledger whose transaction is running
_own: dict[str, bool] = {}


class Ledger:
    """What the job does with the world outside, in this process. `recorder` writes it down."""

    drill: Any = None  # what breaks things on purpose; set before any capture is installed

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        self.waiting: dict[int, Any] = {}  # by number, what waits to be told
        self.before_telling: list[Callable[[], object]] = []  # what waits to be told goes first
        self.before_flush: list[Callable[[], object]] = []
        self.at_forget: list[Callable[[], object]] = []
        self.first = _first_number()
        recorder.at_forget.append(self.forget)
        recorder.at_flush.append(self.flush)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as the child of a fork must."""
        self.here = object()
        self.numbers: Iterator[int] = itertools.count(self.first)
        self.waiting.clear()
        self.sites: dict[Any, Site] = {}
        self.in_full: Iterator[int] = itertools.count(1)
        self.enough = False
        for forget in self.at_forget:
            forget()

    def start(
        self, describe: Describe, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None = None
    ) -> Transaction | None:
        """For wrappers: the transaction that a call with `args` and `kwargs` is, if it is the outermost one. Never raises.

        `frame`: where to look for the job's own code from. All in one piece: after other code has run, the memory of each function
        that is entered here has to be fetched anew, which costs the job more than what the function does.
        """
        here, recorder = self.here, self.recorder
        if inside.get() is here or not recorder.path or (recorder.busy and get_ident() in recorder.busy):  # `watching`
            return None
        try:
            said: Any = describe(args, kwargs)
            if said is None:
                return None
            if self.waiting:
                for tell in self.before_telling:
                    tell()
            frame = frame or sys._getframe(2)
            op, target, begin = said[0], said[1], len(said) < 4 or said[3]
            site = self.sites.get((id(frame.f_code), frame.f_lasti, op)) or self.site(frame, op, FEW if begin else FEW_OPENS)
            transaction = Transaction()
            transaction.ledger, transaction.site, transaction.target = self, site, target
            transaction.attributes = said[2] if len(said) > 2 else None
            transaction.here, transaction.left, transaction.took, transaction.text = here, False, None, None
            transaction.n = n = next(self.numbers)
            inside.set(here)
            number = next(site.begun)
            transaction.full = full = number <= site.few and self.has_room(number)
            if full and begin:
                told, text = site.said
                transaction.text = text = text if told == target else self.text_of(site, target)
                recorder.append(f'{site.begin}{time_ns()}e-9,"n":{n},"target":{text}}}\n'.encode())
            transaction.started = perf_counter_ns()
            return transaction
        except Exception as error:
            inside.set(None)
            swallow(error)
            return None

    def transaction(
        self, op: str, target: str, attributes: Known | None = None, begin: bool = True, *, frame: FrameType | None = None
    ) -> Transaction | None:
        """A transaction begins; None within another one. Whoever gets it calls `done` or `failed`, in the same thread or task.

        `op`, `target`, `attributes`: docs/explanation/how-the-parts-meet.md; `target` without secrets (`capture/targets.py`).
        `begin=False`: it takes no time, so that no `begin` is told. `frame`: where to look for the job's own code from.
        """
        return self.start(_as_it_is, (op, target, attributes, begin), NOTHING, frame or sys._getframe(1))

    def watching(self) -> bool:
        """Whether there is a run, and it is the job that acts: not what the probe provokes by printing the job's objects."""
        recorder = self.recorder
        return bool(recorder.path) and not (recorder.busy and get_ident() in recorder.busy)

    def is_told(self, site: Site) -> bool:
        """Whether the transaction that begins now at `site` is one of the first, to be told in full."""
        number = next(site.begun)
        return number <= site.few and self.has_room(number)

    def has_room(self, number: int) -> bool:
        """Whether this process may tell the `number`th at a place in full: the first always, the others as long as it are not too many."""
        if self.enough and number > 1:
            return False
        self.enough = next(self.in_full) >= MOST_IN_FULL
        return True

    def site(self, frame: FrameType | None, op: str, few: int) -> Site:
        """The nearest place in the job's own code, from `frame` outwards, together with `op`."""
        while frame is not None:
            own = _own.get(frame.f_code.co_filename)
            if own is None:
                own = _look_at(frame.f_code.co_filename)
            if own:
                key: Any = (id(frame.f_code), frame.f_lasti, op)
                break
            frame = frame.f_back
        else:
            key = (0, 0, op)
        return self.sites.get(key) or self._new_site(key, frame, op, few)

    def _new_site(self, key: Any, frame: FrameType | None, op: str, few: int) -> Site:
        if len(self.sites) >= MOST_SITES:
            self.recorder.problem(f"more than {MOST_SITES} places with transactions: those of the others are counted together")
            key, frame = op, None
        return self.sites.setdefault(key, Site(self.recorder.beginning, op, frame, few))

    def note(self, site: Site, target: str, took: int, known: Known, error: BaseException | None = None) -> None:
        """A transaction that is over when it is known of, as the opening of a file. `took`: nanoseconds."""
        self.settle(site, next(self.numbers), self.is_told(site), target, took, known, error)

    def fold(self, site: Site, target: str, took: int, size: int) -> None:
        """One more that went well, at a site where enough have been told; `size` in bytes. The shortest way there is."""
        site.last = (next(self.numbers), target)
        site.took += took
        site.bytes += size
        count = next(site.folded.counter)
        if count & (count - 1) == 0:
            self.tell_folded(site, site.folded.since(count))

    def settle(
        self, site: Site, n: int, full: bool, target: str, took: int, known: Known, error: BaseException | None, text: str | None = None
    ) -> None:
        """Tell a transaction that is over, or fold it into the sums of its site. `text`: the target, when it is known as JSON."""
        failed = int(error is not None)
        if not full and not (failed and next(site.failures) <= MOST_FAILURES):
            self.add(site, n, target, took, known, failed)
            return
        if error is not None:
            known = dict(known)
            known["error"] = _error(error, self.recorder, known.pop("message", None))
            if isinstance(error, OSError) and isinstance(error.errno, int):
                known.setdefault("status", error.errno)
        if self.drill is not None:
            known = self.drill.known(path(target) if site.of_files else target, known)
        if "file" in known:
            known = dict(known, **of_file(known["file"]), file=None)
        self.tell(site, n, text or self.text_of(site, target), took, known, 1, failed)

    def add(self, site: Site, n: int, target: str, took: int, known: Known, failed: int = 0) -> None:
        """Fold one into the sums of its site; they are told at each doubling."""
        site.last = (n, target)
        site.took += took
        site.failed += failed
        if known:
            site.bytes += known.get("bytes") or 0
            site.rows += known.get("rows") or 0
        count = next(site.folded.counter)
        if count & (count - 1) == 0:
            self.tell_folded(site, site.folded.since(count))

    def text_of(self, site: Site, target: str) -> str:
        """`target` as JSON: an absolute path, and not too long."""
        whole = path(target) if site.of_files else target
        text = dumps(whole if len(whole) < MOST_TARGET else cut(whole, MOST_TARGET))
        if whole is target:  # else it depends on the current folder
            site.said = target, text
        return text

    def tell(self, site: Site, n: int, target: str, took: int, known: Known, count: int = 1, failed: int = 0) -> None:
        """Write a `transaction` event: one, or `count` alike that are folded into it; `took` and sizes are sums then."""
        how = ALONE if count == 1 and not failed else f'"ok":{"false" if failed else "true"},"count":{count},"failed":{failed}'
        line = f'{site.end}{time_ns()}e-9,"n":{n},"target":{target},"took":{took}e-9,{how}'
        texts: dict[str, str] = {}
        for key, value in known.items():
            if type(value) is int:
                line += f',"{key}":{value}'
            elif value is not None:
                texts[key] = _text(key, value)
        self.recorder.append(_line(line, texts) if texts else f"{line}}}\n".encode())

    def flush(self) -> None:
        """Tell what is waiting, and what was folded and not told yet."""
        for tell in self.before_flush:
            tell()
        for site in list(self.sites.values()):
            count = site.folded.rest_count()
            if count:
                self.tell_folded(site, count)

    def tell_folded(self, site: Site, count: int) -> None:
        """Write one event for the `count` last ones at `site`."""
        took, known, failed = site.take_sums()
        n, target = site.last
        self.tell(site, n, self.text_of(site, target), took, known, count, min(failed, count))


class Site:
    """A place in the job's code with one kind of transaction: how many there were, and the sums of what was not told in full."""

    __slots__ = (
        "begin", "begun", "bytes", "code", "end", "failed", "failures", "few", "folded", "last", "of_files", "rows", "said", "took",
    )  # fmt: skip

    def __init__(self, beginning: str, op: str, frame: FrameType | None, few: int) -> None:
        self.code = frame.f_code if frame is not None else None  # kept, so that no other gets the same id
        told = f'"op":{dumps(op)},"where":{dumps(_place(frame))},"at":'
        self.begin, self.end = f'{beginning}"begin",{told}', f'{beginning}"transaction",{told}'  # what their lines begin with
        self.of_files, self.few = op.startswith("file."), few
        self.said: tuple[str, str] = ("", '""')  # the last target, and what it is as JSON: mostly it is the same again
        self.begun: Iterator[int] = itertools.count(1)
        self.failures: Iterator[int] = itertools.count(1)
        self.folded = Folded("transaction")
        self.last = (0, "")
        self.took, self.bytes, self.rows, self.failed = 0, 0, 0, 0

    def take_sums(self) -> tuple[int, Known, int]:
        """The sums since the last time."""
        took, known, failed = self.took, {"bytes": self.bytes, "rows": self.rows}, self.failed
        self.took, self.bytes, self.rows, self.failed = 0, 0, 0, 0
        return took, {name: value for name, value in known.items() if value}, failed


class Folded(Kind):
    """Counts like the recorder's kinds; what is told is built elsewhere."""

    __slots__ = ()

    def since(self, count: int) -> int:
        """How many there were since the last told one, when this is the `count`th: 1, 2, 4, 8 …"""
        return count - max(count // 2, self.told)

    def rest_count(self) -> int:
        """How many were counted and never told; they count as told from now on."""
        rest = self.rest()
        return int(rest["count"]) if rest else 0


class Transaction:
    """One transaction that is running. It ends once, by `done` or by `failed`; neither raises, nor keeps anything of the data."""

    __slots__ = ("attributes", "full", "here", "ledger", "left", "n", "site", "started", "target", "text", "took")

    # No `__init__`, which would cost as much as all else: `Ledger.start` fills them in.
    ledger: Ledger
    site: Site
    target: str
    attributes: Known | None
    here: object
    n: int
    full: bool
    left: bool
    started: int
    text: str | None
    took: int | None  # nanoseconds; of one that goes on: the time of its own calls

    def done(self, known: Callable[..., Known | Callable[..., object] | None] | None = None, *args: Any) -> None:
        """It went well. `known(*args)` gives what is known: `bytes`, `rows`, `columns`, `status`, `shape`, `modified`, `attributes`.

        Or it gives a function: that is called with this transaction, which goes on, and is ended by somebody else.
        """
        took = perf_counter_ns() - self.started
        found: Any = NOTHING
        try:
            if known is not None:
                try:
                    found = known(*args) or NOTHING
                except Exception as error:
                    swallow(error)
            ledger = self.ledger
            if not self.left and type(found) is dict and self.here is ledger.here and self.took is None:
                self.here, self.left = None, True  # the shortest way, of nearly all
                inside.set(None)
                if not self.full:
                    ledger.add(self.site, self.n, self.target, took, found)
                elif self.text is None or self.attributes or "file" in found or ledger.drill is not None:
                    self._settle(took, found, None)
                else:
                    ledger.tell(self.site, self.n, self.text, took, found)
            elif type(found) is not dict and callable(found):
                self.leave()
                found(self)
            elif self._leave():
                self._settle(took, found, None)
        except Exception as error:
            swallow(error)

    def failed(self, error: BaseException, known: Known | None = None, failure: Callable[[Any], Known | None] | None = None) -> None:
        """It ended by `error`. `failure(error)` gives what is known of that: `status`, and a `message`, if its own may hold values."""
        took = perf_counter_ns() - self.started
        try:
            if self._leave():
                self._settle(took, dict(known or {}, **_known_of(error, failure)), error)
        except Exception as problem:
            swallow(problem)

    def _settle(self, took: int, known: Known, error: BaseException | None) -> None:
        took = took if self.took is None else self.took
        if not self.full and error is None:
            self.ledger.add(self.site, self.n, self.target, took, known)
            return
        if self.attributes:
            known = dict(known, attributes=dict(self.attributes, **known.get("attributes", {})))
        self.ledger.settle(self.site, self.n, self.full, self.target, took, known, error, self.text)

    def leave(self) -> None:
        """It goes on, but the call that began it is over: what is called from now on counts by itself (iterators, streams)."""
        if not self.left:
            self.left = True
            if self.here is self.ledger.here:
                inside.set(None)

    def _leave(self) -> bool:
        """Whether it has still to be told: not twice, and not by the child of a fork, which is not the one that began it."""
        here, now = self.here, self.ledger.here
        if not self.left:
            self.left = True
            if here is now:
                inside.set(None)
        self.here = None
        return here is now


def _known_of(error: BaseException, failure: Callable[[Any], Known | None] | None) -> Known:
    """What `failure` says; if it cannot, no message is told at all, because of what it might hold."""
    try:
        return (failure(error) or {}) if failure is not None else {}
    except Exception as problem:
        swallow(problem)
        return {"message": ""}


def _as_it_is(args: Any, kwargs: Any) -> Any:
    """For `describe`: what is described already."""
    return args


def _look_at(file: str) -> bool:
    """Whether `file` is the job's own, remembered."""
    if len(_own) >= MOST_FILES:
        _own.clear()
    _own[file] = own = is_own(file)
    return own


def _place(frame: FrameType | None) -> str | None:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame is not None else None


def _first_number() -> int:
    """1; in a subinterpreter, which shares the process id, a number that no other interpreter gets to."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.main_thread().ident != get_ident():
        return 1  # a thread is refused too; blocks of code may begin in one
    try:
        _signal.signal(0, 0)  # never valid, but the main interpreter refuses it for another reason than all others
    except (ValueError, TypeError) as error:
        return int(time() * 1000000) if "only works" in str(error) else 1
    return 1


def _error(error: BaseException, recorder: Any, message: str | None) -> Known:
    """Printing an exception runs code of the job: what that does is not recorded. `message`: instead of its own."""
    me = get_ident()
    recorder.busy.add(me)
    try:
        text = masked_text(safe(error) if message is None else message)
        return {"type": type_name(type(error)), "message": cut(text, MOST_MESSAGE)}
    finally:
        recorder.busy.discard(me)


def _line(start: str, texts: dict[str, str]) -> bytes:
    """The whole line; `shape`, then `attributes` are left out if it gets too long."""
    for left_out in ((), ("shape",), ("shape", "attributes"), tuple(texts)):
        line = (start + "".join([f',"{key}":{text}' for key, text in texts.items() if key not in left_out]) + "}\n").encode()
        if len(line) <= MOST_BYTES:
            break
    return line


def _text(key: str, value: Any) -> str:
    if type(value) is float:
        return f"{value:.3f}" if value - value == 0 else "null"
    if key == "shape":
        return shape_text(value)
    if key == "attributes":
        value = {name: _short(value[name]) for name in list(value)[:MOST_ATTRIBUTES]}
    return dumps(value)


def _short(value: Any) -> Any:
    return cut(value, MOST_ATTRIBUTE) if isinstance(value, str) else value
