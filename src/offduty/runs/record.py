"""The record of a run, as it is spooled, stored and shown: docs/explanation/how-the-parts-meet.md lists its fields."""

from __future__ import annotations

import os
import pwd

from offduty.clock import boot_id, file_stamp, new_id, rfc3339, short_id
from offduty.runs.processes import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from offduty.clock import Clock
    from offduty.runs.job import Job

    Record = dict[str, Any]


def begin(job: Job, clock: Clock, *, attempt: int = 1, root_id: str = "") -> Record:
    """The record of an attempt that is about to start. `user` and the arguments in `command` come when it runs: they take time."""
    now = clock.wall()
    run_id = new_id(now)
    me = look(os.getpid())
    return {
        "id": run_id, "root_id": root_id or run_id, "job": job.name, "trigger": job.trigger if attempt == 1 else "retry",
        "attempt": attempt, "attempts": job.retries + 1, "outcome": "running", "exit_code": None, "exit_source": None, "signal": None,
        "started_at": rfc3339(now), "ended_at": None, "duration_s": None, "log": "", "host": os.uname().nodename, "user": "",
        "pid": os.getpid(), "boot_id": boot_id(), "pid_started": me.started if me else 0,
        "command": [shown(job.command[0])], "cwd": job.cwd or _here(), "summary": None,
    }  # fmt: skip


def log_name(record: Record, clock: Clock) -> str:
    """The name of the run's files without ending: start and the random part of its id."""
    return f"{file_stamp(clock.wall())}-{short_id(record['id'])}"


def has_died(record: Record) -> bool:
    """Whether the job was ended in the midst of what it did: killed, or out of time."""
    return record["signal"] is not None or record["outcome"] == "timed_out"


def user_name() -> str:
    """The name of the effective user, or its number where it has none (as in many containers)."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def shown(word: str) -> str:
    """An argument as text: bytes that are no UTF-8 as `\\xNN`."""
    return os.fsencode(word).decode("utf-8", "backslashreplace")


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "?"
