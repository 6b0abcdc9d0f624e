"""An attempt that is owed survives the supervisor: the count is resumed after a crash, never begun again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from offduty.places import make_private

if TYPE_CHECKING:
    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.record import Record

# A count older than the wait for the attempt and an hour belongs to another day: begin anew. Wall time, so the bound is generous.
RESUMED_FOR = 3600.0


class Owed(NamedTuple):
    """The attempt that comes next (`attempt`, 2 is the first retry), and the id of the first one."""

    attempt: int
    root_id: str


def _path(folder: str, job: Job) -> str:
    return f"{folder}/{job.name}.json"


def owe(folder: str, job: Job, record: Record, clock: Clock) -> None:
    """Attempt `record` failed and another is due: write that down before waiting for it."""
    make_private(folder)
    text = json.dumps({"attempt": record["attempt"] + 1, "root_id": record["root_id"], "at": clock.wall()})
    path = _path(folder, job)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, text.encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(f"{path}.new", path)


def owed(folder: str, job: Job, clock: Clock) -> Owed | None:
    """The attempt a run that was cut off still owed, if it is recent and makes sense."""
    try:
        with open(_path(folder, job), encoding="ascii") as file:
            found = json.loads(file.read(4096))
        attempt, root_id, age = int(found["attempt"]), str(found["root_id"]), clock.wall() - float(found["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    in_time = abs(age) <= RESUMED_FOR + job.delay_before(attempt)
    return Owed(attempt, root_id) if in_time and 2 <= attempt <= job.retries + 1 and len(root_id) == 36 else None


def settle(folder: str, job: Job) -> None:
    """Nothing is owed any more."""
    try:
        os.unlink(_path(folder, job))
    except OSError:
        pass
