"""Carry out retention: remove the files of runs whose time is over, then forget the runs."""

from __future__ import annotations

import os

from offduty.runs.retention import Kept, to_delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.store import Record, Store

MOST_RUNS = 10_000
ENDINGS = (".log", ".events.jsonl", ".ipynb")


def retain(store: Store, job: Job, logs: str, clock: Clock) -> int:
    """Apply the limits of `job`; how many runs went."""
    runs = [run for run in store.runs(job.name, limit=MOST_RUNS) if run["outcome"] != "running"]
    kept = [Kept(run["id"], clock.wall() - _seconds(run["started_at"]), _size(run)) for run in runs]
    gone = set(to_delete(kept, keep_s=job.keep_s, keep_runs=job.keep_runs, keep_bytes=job.keep_bytes))
    for run in runs:
        if run["id"] in gone:
            _remove(run, logs)
    return store.delete_runs(gone) if gone else 0


def forget_events(store: Store, lost: Iterable[str], logs: str) -> None:
    """Remove what the probe wrote in runs that were found `lost`: it is not masked, and nobody is left who would read it."""
    for run_id in lost:
        run = store.run(run_id)
        _remove_file(str(run["log"]).removesuffix(".log") + ".events.jsonl", f"{logs}/{run['job']}")


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def _files(run: Record) -> list[str]:
    """The run's files; a `log` that does not look like one of ours names none."""
    log = str(run["log"])
    return [log.removesuffix(".log") + ending for ending in ENDINGS] if log.endswith(".log") and os.path.isabs(log) else []


def _beside(run: Record) -> list[str]:
    """What a run that was killed left beside its log: the segments of a long one, and the output of a job that survived it."""
    folder, name = os.path.split(str(run["log"]))
    try:
        return [f"{folder}/{each}" for each in os.listdir(folder) if name and each.startswith(f"{name}.")]
    except OSError:
        return []


def _size(run: Record) -> int:
    total = 0
    for path in _files(run):
        try:
            total += os.lstat(path).st_size
        except OSError:
            continue
    return total


def _remove(run: Record, logs: str) -> None:
    for path in _files(run):
        _remove_file(path, f"{logs}/{run['job']}")


def _remove_file(path: str, folder: str) -> None:
    """Only in the folder of logs itself, not behind a link: a record is data, and data does not choose what is deleted."""
    if os.path.dirname(path) != folder:
        return
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.unlink(os.path.basename(path), dir_fd=fd)
    except OSError:
        pass  # gone already: another process, or one that was killed between this and forgetting the run
    finally:
        os.close(fd)
