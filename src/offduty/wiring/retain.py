"""Carry out retention: remove the files of runs whose time is over, then forget the runs. Killed in between, it is done again next time."""

from __future__ import annotations

import os

from offduty.clock import short_id, wall_of
from offduty.runs.retention import Kept, to_delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.store import Record, Store

MOST_RUNS = 10_000


def retain(store: Store, job: Job, logs: str, clock: Clock) -> int:
    """Apply the limits of `job`; how many runs went."""
    runs = [run for run in store.runs(job.name, limit=MOST_RUNS) if run["outcome"] != "running"]
    folder = _Folder(f"{logs}/{job.name}")
    try:
        kept = [Kept(run["id"], clock.wall() - wall_of(run["started_at"]), folder.size(run)) for run in runs]
        gone = set(to_delete(kept, keep_s=job.keep_s, keep_runs=job.keep_runs, keep_bytes=job.keep_bytes))
        for run in runs:
            if run["id"] in gone:
                folder.remove(run)
    finally:
        folder.close()
    return store.delete_runs(gone) if gone else 0


def forget_events(store: Store, lost: Iterable[str], logs: str) -> None:
    """Remove what the probe wrote in runs that were found `lost`: it is not masked, and nobody is left who would read it."""
    for run_id in lost:
        run = store.run(run_id)
        folder = _Folder(f"{logs}/{run['job']}")
        try:
            folder.remove(run, ".events.jsonl")
        finally:
            folder.close()


class _Folder:
    """The logs of one job, by run: nothing outside of this folder, which is no link, is looked at or removed.

    A record is data, and data does not choose what is deleted: its `log` must lie here, and carry the name that its run gives a log.
    """

    def __init__(self, path: str) -> None:
        self.path, self.fd = path, -1
        self._files: dict[str, list[tuple[str, int]]] = {}
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            self._look()
        except OSError:
            pass  # no folder, no files

    def _look(self) -> None:
        """All files of a run begin with its start and the end of its id: log, segments of it, events, notebook, output of a survivor."""
        with os.scandir(self.fd) as entries:
            for entry in entries:
                size = entry.stat(follow_symlinks=False).st_size
                self._files.setdefault(entry.name.partition(".")[0], []).append((entry.name, size))

    def _of(self, run: Record) -> list[tuple[str, int]]:
        folder, _, name = str(run["log"]).rpartition("/")
        stem = name.removesuffix(".log")
        ours = folder == self.path and stem != name and stem.endswith("-" + short_id(run["id"]))
        return self._files.get(stem, []) if ours else []

    def size(self, run: Record) -> int:
        """Bytes of all files of the run."""
        return sum(size for _, size in self._of(run))

    def remove(self, run: Record, ending: str = "") -> None:
        """The run's files; only those with `ending`."""
        for name, _ in self._of(run):
            if name.endswith(ending):
                try:
                    os.unlink(name, dir_fd=self.fd)
                except OSError:
                    continue  # somebody else was faster, or it is a folder

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
