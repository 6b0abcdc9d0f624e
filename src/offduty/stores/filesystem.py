"""Which file system a path is on: SQLite's WAL needs memory that all its users share, and a network has none."""

from __future__ import annotations

import os

NETWORK = ("9p", "afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs", "virtiofs")


def is_network(kind: str) -> bool:
    """Is it a file system whose locks and shared memory cannot be relied upon? FUSE could be anything behind it, so it counts."""
    return kind in NETWORK or kind.startswith("fuse")


def kind_of(path: str, mountinfo: str = "/proc/self/mountinfo") -> str:
    """The type of the file system of `path` as in mount(8), like `ext4`; "" where the system does not say."""
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
            return _kind(os.path.realpath(path), file.read())
    except OSError:
        return ""


def _kind(path: str, mountinfo: str) -> str:
    """The last mount on the longest mount point above `path` is what one sees there (proc(5): point is field 5, type comes after ` - `)."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = _unescaped(before.split(" ")[4])
        if len(point) >= best and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, kind = len(point), after.split(" ")[0]
    return kind


def _unescaped(point: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(escape, character)
    return point
