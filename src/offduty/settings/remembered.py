"""What a configuration file says about its jobs, remembered from an earlier run: the same text is not parsed again before the job starts.

tomllib and what it imports cost 13 ms, a table of 100 triage rows 4 more. Three rules make it safe to start a command from memory:

1. What is remembered belongs to a text, by its SHA-256, and to this version of offduty and of Python; another text is parsed.
2. Only a file of our own that nobody else can write is believed, and only if its checksum is right.
3. Nothing that offduty would mask is written down: a job with variables, parameters or such a text is left out, and parsed each time.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from binascii import crc32

from offduty.places import make_private
from offduty.transactions.sha import sha256
from offduty.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.secrets import Redactor
    from offduty.settings.files import ConfigFile

    Table = dict[str, Any]

PLACES = 64  # files at most: two configurations that share one take turns
LARGEST = 1 << 20  # bytes
KEY = 32  # bytes of the text's hash, before four of the checksum
NEVER = ("env", "parameters")  # settings of a job whose values are nobody else's business


class Memory:
    """The memory in `folder`. `parsed`: what had to be parsed, to be remembered by `keep` once the job runs."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.parsed: list[tuple[ConfigFile, Table]] = []

    def table(self, file: ConfigFile, job: str) -> Table | None:
        """The parts of `file` that starting `job` needs, with `channel` as a mere flag; None where they are not remembered."""
        try:
            known = self._read(file)
        except (OSError, ValueError, EOFError, TypeError):
            return None
        if known is None or job in known["left out"]:
            return None
        table: Table = known["table"]
        return table

    def keep(self, environ: Mapping[str, str]) -> None:
        """Remember what was parsed. Raises OSError."""
        from offduty.secrets.redactor import Redactor

        for file, table in self.parsed:
            redactor = Redactor(environ, names=_secrets(table))
            data = _encoded(table, redactor)
            if data is not None and len(data) <= LARGEST:
                self._write(file, _key(file) + crc32(data).to_bytes(4, "big") + data)

    def _path(self, file: ConfigFile) -> str:
        return f"{self.folder}/{crc32(os.fsencode(file.path)) % PLACES:02d}"

    def _read(self, file: ConfigFile) -> Table | None:
        with open(os.open(self._path(file), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as opened:
            if not _is_ours(os.fstat(opened.fileno())):
                return None
            content = opened.read(LARGEST + KEY + 4)
        data = content[KEY + 4 :]
        if content[:KEY] != _key(file) or content[KEY : KEY + 4] != crc32(data).to_bytes(4, "big"):
            return None
        known: Table = marshal.loads(data)
        return known

    def _write(self, file: ConfigFile, content: bytes) -> None:
        """Whole or not at all; it need not survive a power cut."""
        make_private(self.folder)
        path = self._path(file)
        new = f"{path}.{os.getpid()}"
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as opened:
                opened.write(content)
            os.rename(new, path)
        except OSError:
            os.unlink(new)
            raise


def _key(file: ConfigFile) -> bytes:
    """What must be the same for what is remembered to be true."""
    about = f"{VERSION} {sys.implementation.cache_tag} {marshal.version} {file.is_pyproject}\n"
    return sha256(about.encode() + file.text.encode())


def _is_ours(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022 and found.st_nlink == 1


def _secrets(table: Table) -> list[str]:
    """The variables that any job of it calls secret."""
    jobs = table.get("job")
    lists = [job.get("secrets") for job in jobs.values() if isinstance(job, dict)] if isinstance(jobs, dict) else []
    return [name for names in lists if isinstance(names, list) for name in names if isinstance(name, str)]


def _encoded(table: Table, redactor: Redactor) -> bytes | None:
    """`table` for the memory; None where its jobs or defaults cannot be kept."""
    top, jobs = table.get("offduty", {}), table.get("job", {})
    if not isinstance(jobs, dict) or not _may_be_kept(top, redactor):
        return None
    kept = {
        name: job for name, job in jobs.items() if isinstance(job, dict) and not job.keys() & set(NEVER) and _may_be_kept(job, redactor)
    }
    known = {
        "table": {"offduty": top, "job": kept, "channel": bool(table.get("channel"))},
        "left out": [name for name in jobs if name not in kept],
    }
    try:
        return marshal.dumps(known)
    except ValueError:  # a date or a time, which only TOML knows
        return None


def _may_be_kept(value: object, redactor: Redactor) -> bool:
    """Whether offduty masks nothing of it."""
    if isinstance(value, str):
        return redactor.text(value) == value
    if isinstance(value, dict):
        return all(_may_be_kept(f"{key}={item}" if isinstance(item, str) else item, redactor) for key, item in value.items())
    if isinstance(value, list):
        words = [item for item in value if isinstance(item, str)]
        return redactor.argv(words) == words and all(_may_be_kept(item, redactor) for item in value if not isinstance(item, str))
    return True
