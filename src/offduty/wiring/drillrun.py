"""The run of a drill, in a process of its own: a job of the configuration in a world apart, with nobody told and nothing locked.

python -m offduty.wiring.drillrun SPEC     SPEC: JSON with parent, start, config, job, environ, state, logs, limit, signal, after
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from threading import Timer
from typing import Any

from offduty.clock import Clock
from offduty.places import Places, find
from offduty.runs import oom
from offduty.runs.attempts import Attempt, World, perform
from offduty.runs.job import Job
from offduty.runs.spawn import PR_SET_PDEATHSIG
from offduty.runs.supervise import Supervisor
from offduty.wiring.attach import attach
from offduty.wiring.jobs import find_job

LEFT_OUT = ("whom to tell", "retention", "count oom kills")
"""Chores of a run that a drill is not concerned by."""


def main(text: str) -> int:
    """Run it; the job's own exit status."""
    spec: dict[str, Any] = json.loads(text)
    _die_with_parent(spec["parent"])
    job, _ = find_job(spec["job"], spec["start"], os.environ, spec["config"], strict=False)
    world = World(Clock(), _places(spec), os.environ, frozenset())
    attach(world, {"quiet": True, "config": spec["config"]})
    chores = world.chores
    world.chores = lambda attempt: [one for one in chores(attempt) if one[0] not in LEFT_OUT]
    if spec.get("enclosure"):
        world.supervisor = lambda *args, **kwargs: Enclosing(spec["enclosure"], *args, **kwargs)
    _count_kills_here(world, os.path.dirname(spec["state"]))
    if spec["signal"]:
        _kill_later(world, spec["signal"], spec["after"], spec.get("oom", False))
    return perform(_rehearsed(job, spec), world)


class Enclosing(Supervisor):
    """Starts the job inside of an enclosure; for everybody else it is the job."""

    def __init__(self, before: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = before

    def start(self, command: list[str], env: Mapping[str, str], closed: frozenset[int]) -> None:
        super().start([*self.before, *command], env, closed)


def _rehearsed(job: Job, spec: dict[str, Any]) -> Job:
    """The job without what concerns others: no lock, no retry, nobody told."""
    job.trigger, job.retries, job.overlap, job.tells, job.survive, job.pty = "drill", 0, "allow", False, False, "never"
    job.env.update(spec["environ"])
    if job.max_duration is None or job.max_duration > spec["limit"]:
        job.max_duration, job.kill_after = spec["limit"], 0.0
    job.stop_grace, job.kill_leftovers = min(job.stop_grace, 2.0), True
    return job


def _places(spec: dict[str, Any]) -> Places:
    return find({**os.environ, "OFFDUTY_STATE_DIR": spec["state"], "OFFDUTY_LOGS_DIR": spec["logs"]})


def _count_kills_here(world: World, folder: str) -> None:
    """A drill has a control group's count of its own: whoever kills for memory in it counts there, as the kernel would, and nobody else."""
    oom.ROOTS = (folder,)
    oom.count(folder, 0)
    started = world.started

    def begun(attempt: Attempt) -> None:
        attempt.oom_before = 0  # not by a chore: the job may be killed before that comes
        started(attempt)

    world.started = begun


def _die_with_parent(parent: int) -> None:
    """A drill that is killed takes its job with it: we go, and the job with us."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _kill_later(world: World, number: int, seconds: float, counted: bool) -> None:
    """For a job that the probe cannot strike from within: its process group gets the signal a while after the start.

    `counted`: as a kill for want of memory.
    """
    started = world.started

    def begun(attempt: Attempt) -> None:
        started(attempt)
        from offduty.runs.processes import descendants

        groups = {process.group for process in descendants(os.getpid())} - {os.getpgrp()}
        timer = Timer(seconds, lambda: _kill(groups, number, counted))
        timer.daemon = True
        timer.start()

    world.started = begun


def _kill(groups: set[int], number: int, counted: bool) -> None:
    if counted:
        oom.count(oom.ROOTS[0], 1)
    for group in groups:
        try:
            os.killpg(group, number)
        except ProcessLookupError:  # it has ended
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
