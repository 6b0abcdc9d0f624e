"""Supervise a block of code from beside it: the process that `offduty.run` starts, and that outlives a job which is killed in the middle.

The job's own process hands over the read ends of its stdout and stderr and one end of a socket. On the socket, JSON lines: we answer with the
run's id, log and variables (or why there is no run), it says how the block ended. Its death is seen through its pidfd.
"""

from __future__ import annotations

import json
import os
import select
import sys

from offduty import places
from offduty.clock import Clock
from offduty.runs.attempts import World, perform
from offduty.runs.job import Job
from offduty.runs.logfile import ERR, OUT
from offduty.runs.output import Lines, Onward, Stream
from offduty.runs.supervise import Supervisor
from offduty.wiring.attach import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

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
        self._add(Stream(self._spec["out"], Lines(OUT, self.log), Onward(1)))
        self._add(Stream(self._spec["err"], Lines(ERR, self.log), Onward(2)))
        self.child = Block(self._spec["pid"])  # type: ignore[assignment]
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
        self.signals.read()  # they were meant for the job, which is in our process group and got them itself

    def _judge(self) -> None:
        ended = self.ended
        if self._said is None:
            ended.outcome, ended.exit_code, ended.exit_source = "failed", 1, "offduty"
            ended.vanished = True
        else:
            ended.exit_code = int(self._said["exit_code"])
            ended.outcome = "terminated" if self._said["interrupted"] else "failed" if ended.exit_code else "succeeded"
            if ended.outcome == "succeeded" and ended.overdue:
                ended.outcome = "warned"


def tell(fd: int, message: Mapping[str, Any]) -> None:
    """Send one message."""
    os.write(fd, json.dumps(message).encode("ascii") + b"\n")


def hear(fd: int) -> dict[str, Any] | None:
    """The next message, None when the other side has gone."""
    data = b""
    while not data.endswith(b"\n"):
        piece = os.read(fd, MESSAGE_LIMIT)
        if not piece:
            return None
        data += piece
    message: dict[str, Any] = json.loads(data)
    return message


def main() -> None:
    """Run beside the block described by the JSON in `sys.argv[1]`."""
    spec = json.loads(sys.argv[1])
    os.setsid()
    job = Job(**spec["job"])
    world = World(Clock(), places.find(os.environ), os.environ, frozenset())
    attach(world, spec["options"])

    def skipped(job: Job, record: Mapping[str, Any], holder: str) -> None:
        tell(spec["control"], {"skipped": holder})

    world.skipped = skipped
    world.only = (spec["attempt"], spec["root_id"])
    world.supervisor = lambda *args, **more: BlockSupervisor(*args, spec=spec, **more)
    status = perform(job, world)
    os._exit(status)
