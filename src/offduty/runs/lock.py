"""Overlap: at most one run of a job at a time, by a lock that dies with its holder.

A POSIX record lock (`lockf`) and not `flock`: a process forked from the holder does not inherit it, so a worker that outlives
a killed supervisor cannot keep the job locked (it has kept cron jobs skipped for weeks elsewhere).
"""

from __future__ import annotations

import fcntl
import os

from offduty.places import make_private


class JobLock:
    """The lock of one job: `path` holds the run id of its holder as text."""

    def __init__(self, folder: str, job: str) -> None:
        make_private(folder)
        self.path = f"{folder}/{job}.lock"
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def take(self, run_id: str) -> bool:
        """Try to become the holder; never waits."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        self.name_holder(run_id)
        return True

    def name_holder(self, run_id: str) -> None:
        """Say which run holds it, for those who find it taken. All ids have one length, so one write replaces the last one whole."""
        try:
            os.pwrite(self._fd, run_id.encode("ascii"), 0)
        except OSError:  # a full disk: whose lock it is matters less than the lock, but nobody else must be named
            os.ftruncate(self._fd, 0)

    def holder(self) -> str:
        """The run id of the holder, or "" if it has not been written yet."""
        return os.pread(self._fd, 64, 0).decode("ascii", "replace")

    def release(self) -> None:
        """Let the next one run. The file stays: removing it would let two holders lock two files of one name."""
        os.close(self._fd)
