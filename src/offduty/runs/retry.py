"""An attempt that is owed survives the supervisor: the count is resumed after a crash, never begun again."""

from __future__ import annotations

import os

from offduty.clock import boot_id
from offduty.places import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.record import Record

# A count older than the wait for the attempt and an hour belongs to another day: begin anew. Wall time, so the bound is generous.
RESUMED_FOR = 3600.0


class Owed:
    """The attempt that comes next (`attempt`, 2 is the first retry), and the id of the first one."""

    __slots__ = ("attempt", "root_id")

    def __init__(self, attempt: int, root_id: str) -> None:
        self.attempt, self.root_id = attempt, root_id


def _path(folder: str, job: Job) -> str:
    return f"{folder}/{job.name}.json"


def owe(folder: str, job: Job, record: Record, clock: Clock) -> None:
    """Attempt `record` failed and another is due: write that down before waiting for it."""
    from offduty.runs.spool import encode

    make_private(folder)
    owner = {key: record[key] for key in ("pid", "boot_id", "pid_started")}
    text = encode({"attempt": record["attempt"] + 1, "root_id": record["root_id"], "at": clock.wall(), **owner})
    path = _path(folder, job)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, text.encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(f"{path}.new", path)


def owed(folder: str, job: Job, clock: Clock) -> Owed | None:
    """The attempt that a run which was cut off still owed, if it is recent and makes sense; a living run makes its own."""
    try:
        with open(_path(folder, job), encoding="ascii") as file:
            text = file.read(4096)
    except (OSError, ValueError):
        return None
    import json

    try:
        found = json.loads(text)
        attempt, root_id, age = int(found["attempt"]), str(found["root_id"]), clock.wall() - float(found["at"])
        if _is_alive(found):
            return None
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    makes_sense = 2 <= attempt <= job.retries + 1 and len(root_id) == 36
    return Owed(attempt, root_id) if makes_sense and abs(age) <= RESUMED_FOR + job.delay_before(attempt) else None


def _is_alive(found: dict[str, object]) -> bool:
    """Whether the process that wrote this down is still there; its pid alone could be another's by now."""
    from offduty.runs.processes import look

    if found["boot_id"] != boot_id():
        return False
    process = look(int(str(found["pid"])))
    return (
        process is not None and process.pid != os.getpid() and process.started == found["pid_started"] and process.state not in ("Z", "X")
    )


def settle(folder: str, job: Job, root_id: str) -> None:
    """The run that began with `root_id` owes nothing any more; what another run of the job owes stays."""
    path = _path(folder, job)
    try:
        with open(path, encoding="ascii") as file:
            is_ours = f'"{root_id}"' in file.read(4096)
        if is_ours:
            os.unlink(path)
    except (OSError, ValueError):
        pass
