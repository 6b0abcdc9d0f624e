"""A few megabytes kept back on the disk, given up when it is full: so that the last words and the record of a run can still be written."""

from __future__ import annotations

import os

SIZE = 4 << 20
NOT_BELOW = 16 * SIZE  # on a disk with less than this free, the job needs the room more than we do


def make(path: str) -> None:
    """Make the reserve at `path` if it is not there; a chore for when the job runs. Where there is no room, there is no reserve."""
    from offduty.places import make_private

    if os.path.exists(path):
        return
    folder = os.path.dirname(path)
    make_private(folder)
    free = os.statvfs(folder)
    if free.f_bavail * free.f_frsize < NOT_BELOW:
        return
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(fd, 0, SIZE)
        os.rename(f"{path}.new", path)
    except OSError:
        os.unlink(f"{path}.new")
    finally:
        os.close(fd)


def give_up(path: str) -> bool:
    """Free the reserve; whether there was one."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
