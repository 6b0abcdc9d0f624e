"""Calls of the kernel that Python has no names for: namespaces, mounts, capabilities. Each raises OSError that says what it was about.

Numbers are Linux's own (`<sched.h>`, `<sys/mount.h>`, `<sys/prctl.h>`, `<linux/capability.h>`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Any

NEW_MOUNTS, NEW_USERS, NEW_PIDS, NEW_NETWORK, NEW_IPC, NEW_NAMES = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x8000000, 0x4000000
BIND, RECURSIVE, SLAVE, NOSUID, NODEV = 4096, 16384, 1 << 19, 2, 4
DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
DAC_OVERRIDE, DAC_READ_SEARCH, SYS_ADMIN = 1, 2, 21
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = -100, 0x8000, 1

_libc = ctypes.CDLL(None, use_errno=True)


def _call(about: str, name: str, *args: Any) -> int:
    result = getattr(_libc, name)(*args)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), about)
    return int(result)


def unshare(flags: int) -> None:
    """Namespaces of our own from now on."""
    _call("namespaces", "unshare", flags)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """As mount(2)."""
    _call(
        target, "mount", os.fsencode(source), os.fsencode(target), kind.encode() or None, ctypes.c_ulong(flags), os.fsencode(data) or None
    )


def bind(source: str, target: str, *, writable: bool) -> None:
    """Show `source`, a file or a folder with all that is mounted in it, at `target` too.

    Raises ENOTSUP where it cannot be made read-only: then it is not shown at all, so that nothing done to `target` is done to `source`.
    """
    mount(source, target, flags=BIND | RECURSIVE)
    if writable:
        return
    attributes = struct.pack("=4Q", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    try:
        _call(target, "mount_setattr", _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    except OSError as error:
        _call(target, "umount2", os.fsencode(target), DETACH)
        raise OSError(errno.ENOTSUP, f"it cannot be made read-only: {error.strerror}", target) from None


def mount_of(path: str) -> int:
    """The number of the mount that `path` lies in, as /proc/self/mountinfo has it. Raises OSError."""
    there = os.open(path, os.O_PATH)
    try:
        with open(f"/proc/self/fdinfo/{there}", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("mnt_id:"))
    finally:
        os.close(there)


def enter(root: str) -> None:
    """Make `root` the root of everything; what was there before is gone for us."""
    os.chdir(root)
    _call(root, "pivot_root", b".", b".")
    _call("the old root", "umount2", b".", DETACH)
    os.chdir("/")


def die_with_parent(number: int) -> None:
    """This process gets the signal `number` when its parent ends."""
    _call("prctl", "prctl", PR_SET_PDEATHSIG, number, 0, 0, 0)


def give_up(capability: int) -> None:
    """No program that is started from here has this right any more."""
    _call("capabilities", "prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
