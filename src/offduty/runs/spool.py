"""The run's durable record on its way to the store: a file of its own that whoever opens the store takes in, once.

A run command that lives for milliseconds cannot afford a database, and one that runs for hours must not depend on it.
"""

from __future__ import annotations

import errno
import os
from binascii import crc32

from offduty.places import make_private
from offduty.runs.reserve import give_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ENDING = ".spool"


def encode(value: object) -> str:
    """`value` as JSON: dict, list, str, int, float, bool or None. The `json` module would cost 7 ms before every job."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else "null"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(str(key))}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return _text(str(value))


def _text(text: str) -> str:
    from _json import encode_basestring_ascii

    return encode_basestring_ascii(text)


class Spool:
    """The spool file of one run."""

    def __init__(self, folder: str, run_id: str) -> None:
        make_private(folder)
        self.path = f"{folder}/{run_id}{ENDING}"
        self.reserve = f"{os.path.dirname(folder)}/reserve"

    def append(self, kind: str, run: Mapping[str, object], *, durable: bool, **parts: object) -> None:
        """Add a record; with `durable`, return only when the disk has it.

        `parts`: what goes with the end of a run (`transactions`, `fingerprint`, `checks`, `metrics`), each left out where there is nothing.
        Raises OSError, and then nothing was added.
        On a full disk the end of a run is written to where the reserve was.
        """
        body = encode({"kind": kind, "run": run, **{name: part for name, part in parts.items() if part}}).encode("ascii")
        line = b"%08x %s\n" % (crc32(body), body)
        try:
            self._write(line, durable=durable)
        except OSError as error:
            if kind != "ended" or error.errno not in (errno.ENOSPC, errno.EDQUOT) or not give_up(self.reserve):
                raise
            self._write(line, durable=durable)

    def _write(self, line: bytes, *, durable: bool) -> None:
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        before = os.fstat(fd).st_size
        try:
            done = 0
            while done < len(line):
                done += os.write(fd, line[done:])
            if durable:
                os.fdatasync(fd)
        except OSError:
            os.ftruncate(fd, before)  # a torn line would spoil the one that comes next
            raise
        finally:
            os.close(fd)

    def sync(self) -> None:
        """Return when the disk has what was appended."""
        fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)
