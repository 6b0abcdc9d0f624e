"""Write a file that people asked for: whole or not at all, and never over another one by accident."""

from __future__ import annotations

import os

from offduty.errors import CANNOT_WRITE, ConfigError, OffdutyError


def write_new(path: str, text: str, *, force: bool = False) -> None:
    """Write `text` to `path`. Raises ConfigError E404 if there is something and not `force`, OffdutyError E121 if it cannot be written."""
    if os.path.lexists(path) and not force:
        raise ConfigError("E404", "is there already", where=path, fix="name another file, or replace it with --force")
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: str, data: bytes) -> None:
    """Write `data` to `path`, in place of what is there. Raises OffdutyError E121 if it cannot be written."""
    part = f"{path}.new-{os.getpid()}"
    try:
        target = os.path.realpath(path)  # a link stays a link
        mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o644
        with open(part, "wb") as file:
            os.chmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        _forget(part)
        problem = OffdutyError("E121", "cannot be written", where=path, why=(error.strerror or "").lower(), fix="name another place")
        problem.status = CANNOT_WRITE
        raise problem from None


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
