"""What went wrong in a run, as evidence: found in what the probe saw, else in what the job printed, else in how it ended."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from offduty.durations import spoken
from offduty.runs.tails import java, python
from offduty.runs.tails.finding import LINE, Cause, Finding, Frame, Tail, joined, tail_of
from offduty.runs.tails.table import best

__all__ = ["Cause", "Failure", "Frame", "find_failure", "headline", "place", "short_place", "signal_name"]

ENDED_WELL = ("running", "succeeded", "warned", "skipped")
CRASHES = (signals.SIGSEGV, signals.SIGABRT, signals.SIGBUS, signals.SIGFPE, signals.SIGILL, signals.SIGTRAP)
TAIL_LINES, TAIL_CHARS = 20, 400
CHAIN_KEPT, FRAMES_KEPT, NOTES_KEPT, NAME_CHARS = 40, 200, 10, 300
BASES_KEPT = 16
ERROR_LEVEL = 40
_VAGUE_NAMES = ("__init__", "__main__", "main", "run", "utils", "util", "helpers", "common", "cli", "app", "base", "core")
_DEATHS = (
    "Killed",
    "Segmentation fault",
    "Aborted",
    "Terminated",
    "Bus error",
    "Illegal instruction",
    "Floating point exception",
    "Hangup",
)

Event = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """The evidence of one failed run.

    `kind`: exception, exit, signal, timeout, not_started or lost. `type`, `message`: of the exception that explains most (`headline`);
    `where`: the deepest frame of the job's own code; `chain`: from the uncaught exception down to the deepest cause;
    `tail`: the last lines printed; `source`: probe or output, whoever saw it.
    """

    kind: str
    language: str | None = None
    type: str | None = None
    message: str | None = None
    where: str | None = None
    chain: tuple[Cause, ...] = ()
    tail: tuple[str, ...] = ()
    source: str | None = None

    @property
    def links(self) -> list[tuple[str | None, str | None]]:
        """(type, message) of the exceptions in its chain; without one, its own."""
        return [(cause.type, cause.message) for cause in self.chain] or [(self.type, self.message)]

    def as_json(self) -> dict[str, Any]:
        """As the record of a run holds it (docs/explanation/how-the-parts-meet.md)."""
        found = asdict(self)
        for cause in found["chain"]:
            cause["notes"], cause["frames"], cause["bases"] = list(cause["notes"]), list(cause["frames"]), list(cause["bases"])
        return {**found, "chain": list(found["chain"]), "tail": list(found["tail"])}


def from_json(found: Mapping[str, Any]) -> Failure:
    """The inverse of `as_json`; also of what an older offduty kept."""
    chain = tuple(_kept(cause) for cause in found.get("chain") or ())
    return Failure(
        str(found.get("kind") or "exit"), found.get("language"), found.get("type"), found.get("message"), found.get("where"), chain,
        tuple(found.get("tail") or ()), found.get("source"),
    )  # fmt: skip


def _kept(cause: Mapping[str, Any]) -> Cause:
    frames = tuple(Frame(frame["file"], frame.get("line"), frame.get("function"), bool(frame.get("own"))) for frame in cause["frames"])
    return Cause(cause["type"], cause["message"], cause.get("link"), tuple(cause["notes"]), frames, tuple(cause.get("bases") or ()))


def find_failure(
    *,
    outcome: str,
    exit_code: int | None = None,
    signal: int | None = None,
    timed_out_after: float | None = None,
    not_started: str | None = None,
    events: Sequence[Event] = (),
    tail: bytes = b"",
    cwd: str = "",
    oom: bool = False,
) -> Failure | None:
    """What explains a run that ended with `outcome`; None if it ended well.

    `timed_out_after`: the limit in seconds; `not_started`: why it could not be started; `events`: as `read_events` gives them;
    `tail`: the last bytes of the output (at most 256 KiB are looked at), `oom`: whether the kernel killed for lack of memory.
    """
    if outcome in ENDED_WELL:
        return None
    if not_started is not None:
        return Failure("not_started", message=not_started)
    read = tail_of(tail)
    last = _last_lines(read)
    if outcome == "lost":
        return Failure("lost", message="its supervisor is gone: how the job ended is not known", tail=last)
    if outcome == "timed_out":
        limit = f" of {spoken(timed_out_after)}" if timed_out_after else ""
        return Failure("timeout", message=f"ran longer than its limit{limit}", tail=last)
    printed = _with_java(best(read), read)
    if signal is not None:
        return replace(_killed(signal, printed, oom, cwd), tail=last)
    found = _chosen(_seen(events, cwd), printed, cwd)
    return replace(_with_status(found, exit_code, oom), tail=last)


def headline(chain: Sequence[Cause]) -> int:
    """Which exception of `chain` to show: from the uncaught one down through explicit causes (`raise … from`, `Caused by`) and into groups.

    An exception that was merely being handled (`context`) is not followed: it is as often a cache miss as the reason.
    Nor is a cause that says nothing (asyncio's CancelledError under a TimeoutError).
    """
    at = 0
    while (deeper := _deeper(chain, at)) is not None and chain[deeper].message:
        at = deeper
    return at


def _deeper(chain: Sequence[Cause], at: int) -> int | None:
    """Where the reason of exception `at` stands in `chain`: the first member of a group, else an explicit cause."""
    if (chain[at].type or "").endswith("ExceptionGroup"):
        return next((i for i in range(at + 1, len(chain)) if chain[i].link == "group"), None)
    return at + 1 if at + 1 < len(chain) and chain[at + 1].link == "cause" else None


def place(frame: Frame, cwd: str = "") -> str:
    """`forecast.py:88 in features`: the file relative to `cwd` where it lies below, else its name."""
    line = f":{frame.line}" if frame.line is not None else ""
    function = f" in {frame.function}" if frame.function and frame.function != "<module>" else ""
    return f"{_shown_file(frame.file, cwd)}{line}{function}".strip()


def signal_name(number: int) -> str:
    """`SIGKILL`, `SIGRTMIN+3`, or `signal 77`."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signals.SIGRTMIN}" if signals.SIGRTMIN < number < signals.SIGRTMAX else f"signal {number}"


def _shown_file(file: str, cwd: str) -> str:
    windows = file[1:2] == ":" or ("\\" in file and "/" not in file)
    parts = file.replace("\\", "/").split("/") if windows else file.split("/")
    if cwd and not windows and file.startswith(cwd.rstrip("/") + "/"):
        return os.path.relpath(file, cwd)
    if not (windows or file.startswith(("/", "~"))) or len(parts) < 2:
        return file
    return "/".join(parts[-2:]) if parts[-1].partition(".")[0] in _VAGUE_NAMES else parts[-1]


def _where(chain: Sequence[Cause], cwd: str) -> str | None:
    """The deepest own frame: of the headline, else of those around it, outwards first; with none, the deepest frame there is."""
    at = headline(chain)
    ordered = [*reversed(chain[: at + 1]), *chain[at + 1 :]]
    for wanted in (True, False):
        for cause in ordered:
            if frames := [frame for frame in cause.frames if frame.own or not wanted]:
                return place(frames[-1], cwd) or None
    return None


def _last_lines(tail: Tail) -> tuple[str, ...]:
    """The last lines that say something, each cut where it is long, with how much was cut."""
    lines = [line.rstrip() for line in tail.lines if line.strip()][-TAIL_LINES:]
    return tuple(line if len(line) <= TAIL_CHARS else f"{line[:TAIL_CHARS]} [{len(line) - TAIL_CHARS} more characters]" for line in lines)


def _explained(kind: str, language: str | None, chain: Sequence[Cause], source: str, cwd: str) -> Failure:
    where, kept = _where(chain, cwd), _bounded(chain)
    shown = kept[headline(kept)]
    return Failure(kind, language, shown.type, shown.message, where, kept, (), source)


def _bounded(chain: Sequence[Cause]) -> tuple[Cause, ...]:
    """At most 40 exceptions and about 200 frames: the outermost and the deepest. What is left out is counted in the notes."""
    left_out = len(chain) - CHAIN_KEPT
    if left_out > 0:
        half = CHAIN_KEPT // 2
        last = replace(chain[half - 1], notes=(*chain[half - 1].notes, f"{left_out} exceptions left out here"))
        chain = [*chain[: half - 1], last, *chain[-half:]]
    return tuple(_bounded_cause(cause, max(4, FRAMES_KEPT // len(chain))) for cause in chain)


def _bounded_cause(cause: Cause, frames_kept: int) -> Cause:
    frames, notes = cause.frames, tuple(joined([note]) for note in cause.notes[:NOTES_KEPT])
    if len(frames) > frames_kept:
        half = frames_kept // 2
        notes = (*notes, f"{len(frames) - 2 * half} frames left out")
        frames = (*frames[:half], *frames[-half:])
    frames = tuple(
        replace(frame, file=frame.file[-NAME_CHARS:], function=frame.function and frame.function[:NAME_CHARS]) for frame in frames
    )
    message = joined(cause.message.split("\n")) if cause.message else cause.message
    return replace(cause, type=cause.type and cause.type[:NAME_CHARS], message=message, notes=notes, frames=frames)


# Evidence from the probe


@dataclass(frozen=True)
class _Seen:
    """What the probe saw last. `sure`: of a main process, and nothing of the job began after it."""

    failure: Failure
    sure: bool


def _seen(events: Sequence[Event], cwd: str) -> _Seen | None:
    """The last words of a main process; else of a thread or a worker, whose exceptions may well have been handled."""
    main = _main_pids(events)
    fatal = [(i, event) for i, event in enumerate(events) if _is_fatal(event) and (event["pid"] in main or not main)]
    if fatal:
        at, event = fatal[-1]
        over = any(other["kind"] == "hello" and other["pid"] in main and other["pid"] != event["pid"] for other in events[at + 1 :])
        return _Seen(_told(event, events[:at], cwd), not over)
    others = [event for event in events if event["kind"] == "exception" and event.get("uncaught") is not False]
    return _Seen(_told(others[-1], (), cwd), False) if others else None


def _main_pids(events: Iterable[Event]) -> set[int]:
    """The Python processes that no other Python process of the run started: a shell script may have several, one after the other."""
    hellos = [event for event in events if event["kind"] == "hello"]
    pids = {event["pid"] for event in hellos}
    return {event["pid"] for event in hellos if event.get("main") or event.get("ppid") not in pids}


def _is_fatal(event: Event) -> bool:
    if event["kind"] == "exit":
        return bool(event.get("message")) or event.get("code") not in (0, None)
    return event["kind"] == "exception" and event.get("uncaught") is not False and event.get("where") in ("main", None)


def _told(event: Event, before: Sequence[Event], cwd: str) -> Failure:
    """The failure in an exception or exit event. An exit that says nothing is explained by what the same process logged before."""
    if event["kind"] == "exception":
        return _explained("exception", "python", _chain(event["chain"]), "probe", cwd)
    mine = [other for other in before if other["pid"] == event["pid"]]
    raised = next((other for other in reversed(mine) if other["kind"] == "exception" and _is_fatal(other)), None)
    if raised and not event.get("message"):
        return _explained("exception", "python", _chain(raised["chain"]), "probe", cwd)
    where = short_place(event.get("frame"), cwd)
    if event.get("message"):
        return Failure("exit", "python", "SystemExit", event["message"], where, (), (), "probe")
    logged = [other for other in mine if other["kind"] == "log" and (other.get("levelno") or 0) >= ERROR_LEVEL]
    with_chain = next((other for other in reversed(logged) if other.get("exception")), None)
    if with_chain:
        return _explained("exit", "python", _chain(with_chain["exception"]), "probe", cwd)
    return Failure("exit", "python", None, logged[-1]["message"] if logged else None, where, (), (), "probe")


def short_place(frame: str | None, cwd: str = "") -> str | None:
    """`/srv/job.py:12 in main`, as the probe says it, as `place` shows it."""
    if not frame:
        return None
    start, _, function = frame.partition(" in ")
    file, _, line = start.rpartition(":")
    return place(Frame(file or start, int(line) if line.isdecimal() and len(line) < 10 else None, function or None), cwd)


def _chain(told: Iterable[Event]) -> tuple[Cause, ...]:
    """An event's chain as facts; what another process or the Java machine wrote into a message is read, too."""
    causes: list[Cause] = []
    for cause in map(_cause, told):
        name = (cause.type or "").rpartition(".")[2]
        if name.endswith("RemoteTraceback") and cause.message and (remote := python.find(tail_of(cause.message.encode()))):
            causes += [replace(remote.causes[0], link=cause.link), *remote.causes[1:]]
        elif name == "Py4JJavaError" and cause.message and (thrown := java.find(tail_of(cause.message.encode()))):
            causes += _joined(cause, thrown)
        else:
            causes.append(cause)
    return tuple(causes)


def _cause(told: Event) -> Cause:
    frames = tuple(
        Frame(
            frame["file"],
            frame.get("line"),
            frame.get("function"),
            python.is_own(frame["file"]) if frame.get("own") is None else frame["own"],
        )
        for frame in told.get("frames") or ()
    )
    bases = tuple(name[:NAME_CHARS] for name in (told.get("bases") or ())[:BASES_KEPT])
    return Cause(told.get("type"), told.get("message"), told.get("link"), tuple(told.get("notes") or ()), frames, bases)


def _joined(cause: Cause, thrown: Finding) -> list[Cause]:
    """A Python exception that stands for one of the Java machine, with that below it."""
    first = (cause.message or "").partition("\n")[0]
    return [replace(cause, message=first), replace(thrown.causes[0], link="cause"), *thrown.causes[1:]]


# Evidence from the output, and what to believe


def _with_java(finding: Finding | None, tail: Tail) -> Finding | None:
    if (
        finding
        and finding.language == "python"
        and (finding.causes[0].type or "").endswith("Py4JJavaError")
        and (thrown := java.find(tail))
    ):
        return replace(finding, causes=(*_joined(finding.causes[0], thrown), *finding.causes[1:]))
    return finding


def _chosen(seen: _Seen | None, printed: Finding | None, cwd: str) -> Failure:
    """The probe's word where it is sure and says something; else the better of the two."""
    says = seen is not None and (seen.failure.message or seen.failure.type or seen.failure.chain)
    if seen and says and seen.sure:
        return seen.failure
    output = _printed(printed, cwd) if printed else None
    if seen and says and (output is None or printed is None or printed.strength < LINE or _same_type(output, seen.failure)):
        return seen.failure
    if output and seen and not says:
        return replace(output, where=output.where or seen.failure.where)
    return output or (seen.failure if seen else Failure("exit"))


def _same_type(one: Failure, other: Failure) -> bool:
    """Python prints `pkg.Error` what the probe may call `Error`."""
    return bool(one.type and other.type) and (one.type or "").rpartition(".")[2] == (other.type or "").rpartition(".")[2]


def _printed(finding: Finding, cwd: str) -> Failure:
    kind = "exit" if finding.language in ("sql", "shell") else "exception"
    return _explained(kind, finding.language, finding.causes, "output", cwd)


def _killed(number: int, printed: Finding | None, oom: bool, cwd: str) -> Failure:
    """Ended by a signal. After a crash, what was printed last belongs to it: faulthandler's frames, `terminate called …`."""
    name = signal_name(number)
    message = f"killed by signal {number}" + (f" ({name})" if name.startswith("SIG") else "") + _memory(oom)
    if number not in CRASHES or printed is None or printed.strength < LINE:
        return Failure("signal", None, name, message)
    told = _printed(printed, cwd)
    text = ": ".join(part for part in (told.type, told.message) if part)
    return replace(told, kind="signal", type=name, message=f"{message}: {text}" if text else message)


def _with_status(failure: Failure, exit_code: int | None, oom: bool) -> Failure:
    """128+n means that the job's shell, or a container, saw one of its processes killed by signal n."""
    number = (exit_code or 0) - 128
    silent = failure.message is None or failure.message.startswith(_DEATHS)
    if silent and not failure.chain[1:] and failure.kind == "exit" and 0 < number <= signals.SIGRTMAX:
        name = signal_name(number)
        message = f"exit {exit_code}: a process of the job was killed by signal {number} ({name}){_memory(oom)}"
        return replace(failure, type=name, message=message)
    return replace(failure, message=f"{failure.message}{_memory(oom)}") if oom and failure.message else failure


def _memory(oom: bool) -> str:
    return "; the kernel killed a process for lack of memory" if oom else ""
