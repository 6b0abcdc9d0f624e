"""Supervise a block of code from beside it: the process that `offduty.run` starts, and that outlives a job which is killed in the middle.

The job's own process hands over the read ends of its stdout and stderr and one end of a socket. On the socket, JSON lines: it says what is
to be recorded, we answer with the run's id, log and variables (or why there is no run), it says how the block ended. Its death is seen
through its pidfd.
"""

from __future__ import annotations

import _signal
import ctypes
import json
import os
import select
import sys

from offduty.clock import Clock
from offduty.runs.attempts import World, perform
from offduty.runs.job import Job
from offduty.runs.output import Lines, Onward, Stream
from offduty.runs.spawn import PR_SET_PDEATHSIG
from offduty.runs.supervise import Supervisor
from offduty.wiring.attach import attach
from offduty.wiring.folders import find_places, here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.runs.record import Record

OURS = ("OFFDUTY_RUN_ID", "OFFDUTY_JOB", "OFFDUTY_ATTEMPT", "OFFDUTY_EVENTS", "OFFDUTY_TOKEN", "PYTHONPATH")
MESSAGE_LIMIT = 1 << 16


class Block:
    """The process that runs the block, seen as the supervisor sees a child. It is not ours: no signal is passed, no status reaped."""

    def __init__(self, pid: int) -> None:
        self.pid, self.fd = pid, os.pidfd_open(pid)
        self.status: int | None = None
        self.stopped = False

    def reap(self) -> bool:
        """We have no children; a readable pidfd means that the process has gone."""
        self.status = -1
        return False

    def signal_group(self, number: int) -> None:
        """Ctrl-C and TERM reach the job's process by themselves."""

    def close(self) -> None:
        """Let go."""
        os.close(self.fd)


class BlockSupervisor(Supervisor):
    """Watches a block of code in another process. `spec`: what that process handed over."""

    def __init__(self, *args: Any, spec: Mapping[str, Any], **more: Any) -> None:
        super().__init__(*args, **more)
        self._spec = spec
        self._control: int = spec["control"]
        self._said: Mapping[str, Any] | None = None

    def start(self, command: list[str], env: Mapping[str, str], closed: frozenset[int]) -> None:
        """Attach to the process and tell it that its run has begun."""
        for fd, mark, onward in self._spec["streams"]:
            self._add(Stream(fd, Lines(mark.encode(), self.log), Onward(onward) if onward >= 0 else None))
            self._spec["ways"][os.dup(fd)] = onward
        self.child = self._spec["block"]
        _end_with(self.child.pid, 0)
        self._begin_clock()
        self._poll.register(self._control, select.POLLIN)
        tell(self._control, {"log": self.log.path, "env": {name: env[name] for name in OURS if name in env}})

    def _attend(self, fd: int) -> None:
        if fd != self._control:
            super()._attend(fd)
            return
        self._poll.unregister(fd)
        message = hear(fd)
        if message:  # without one the process is gone, and its pidfd tells
            self._said = message
            self.child.status = 0
            self._note_gone()

    def _pass_signals(self) -> None:
        self.signals.read()  # they were meant for the job, which got them itself

    def _judge(self) -> None:
        ended = self.ended
        ended.notes.extend(self._spec["notes"])
        if self._said is None:
            ended.outcome, ended.exit_code, ended.exit_source = "failed", 1, "offduty"
            ended.vanished = True
            return
        ended.exit_code = int(self._said["exit_code"])
        ended.outcome = "terminated" if self._said["interrupted"] else "failed" if ended.exit_code else "succeeded"
        if ended.outcome == "succeeded" and ended.overdue:
            ended.outcome = "warned"
        if self._said["retry_in"] is not None:
            from offduty.durations import spoken

            ended.notes.append(f"next attempt in {spoken(self._said['retry_in'])}")


def tell(fd: int, message: Mapping[str, Any]) -> None:
    """Send one message."""
    os.write(fd, json.dumps(message).encode("ascii") + b"\n")


def hear(fd: int) -> dict[str, Any] | None:
    """The next message, None when the other side has gone."""
    data = b""
    while not data.endswith(b"\n"):
        try:
            piece = os.read(fd, MESSAGE_LIMIT)
        except ConnectionResetError:
            return None
        if not piece:
            return None
        data += piece
    message: dict[str, Any] = json.loads(data)
    return message


def main(control: int) -> None:
    """Run beside the block whose process is at the other end of the socket `control`. Never returns."""
    spec = hear(control)
    if spec is None:
        os._exit(0)
    ways: dict[int, int] = {}
    try:
        status = _supervise({**spec, "control": control, "ways": ways})
        _pass_on(ways, control)
    except Exception as error:  # noqa: BLE001 - a traceback in the job's own output would help nobody; the block says why it has no run
        tell(control, {"refused": f"{type(error).__name__}: {error}"})
        status = 1
    os._exit(status)


def _supervise(spec: dict[str, Any]) -> int:
    spec["block"] = Block(spec["pid"])
    _end_with(spec["pid"], _signal.SIGTERM)  # while we wait for our turn there is no run that had to be seen to its end
    sys.path += [path for path in spec["path"] if path not in sys.path]  # what we need may be there, if the job found it there
    world = World(Clock(), find_places(here(), os.environ, None), os.environ, frozenset())
    attach(world, spec["options"])

    def skipped(job: Job, record: Record, holder: str) -> None:
        spec["options"]["quiet"] = True  # the block is told, by an exception
        record_skipped(job, record, holder)
        tell(spec["control"], {"skipped": holder})

    record_skipped, world.skipped = world.skipped, skipped
    world.only = (spec["attempt"], spec["root_id"])
    world.supervisor = lambda *args, **more: BlockSupervisor(*args, spec=spec, **more)
    return perform(Job(**spec["job"]), world)


def _pass_on(ways: dict[int, int], control: int) -> None:
    """A pool of workers begun in the block may outlive it, and print: pass that on, or their next word would be their last.

    `ways`: read end to the descriptor it goes on to, or -1.
    """
    poll = select.poll()
    for fd in ways:
        poll.register(fd, select.POLLIN)
    lingers = False
    while ways:
        for fd, _ in poll.poll(None if lingers else 0):
            if not _copied(fd, ways[fd]):
                poll.unregister(fd)
                os.close(fd)
                del ways[fd]
        if ways and not lingers:
            lingers = True
            tell(control, {"lingers": True})


def _copied(fd: int, onward: int) -> bool:
    """Copy what is there; False at the end, or when nobody takes it."""
    try:
        data = os.read(fd, MESSAGE_LIMIT)
        rest = data if onward >= 0 else b""
        while rest:
            rest = rest[os.write(onward, rest) :]
    except BlockingIOError:
        return True
    except OSError:
        return False
    return bool(data)


def _end_with(parent: int, number: int) -> None:
    """Get the signal `number` when `parent` dies; 0: none."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if number and os.getppid() != parent:
        os._exit(0)
