"""Which configuration files count, and their text: checked for everything that can be wrong with a file before it is TOML.

Needed before the job starts, so only what Python has loaded anyway is imported.
"""

from __future__ import annotations

import errno
import os
import stat

from offduty.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NAME = "offduty.toml"
PYPROJECT = "pyproject.toml"


class ConfigFile:
    """One configuration file: `path` (absolute), its `text`, and whether `others_read` it (mode o+r)."""

    __slots__ = ("others_read", "path", "text")

    def __init__(self, path: str, text: str, others_read: bool) -> None:
        self.path, self.text, self.others_read = path, text, others_read

    @property
    def folder(self) -> str:
        """What relative paths in this file are relative to."""
        return os.path.dirname(self.path)

    @property
    def is_pyproject(self) -> bool:
        """Whether ours is only the part below `[tool.offduty]`."""
        return os.path.basename(self.path) == PYPROJECT


def find(start: str, environ: Mapping[str, str], config: str | None = None) -> list[ConfigFile]:
    """The files that count for someone standing in the folder `start`, the weakest first; none is fine.

    The machine's, the user's, then the project's: `config` (an option), else `$OFFDUTY_CONFIG`, else the nearest one upwards.
    Raises ConfigError E107, E201 or E202 for a file that is there and cannot be used.
    """
    chosen = config if config is not None else environ.get("OFFDUTY_CONFIG") or None
    shared = [read(path) for path in shared_paths(environ) if os.path.lexists(path)]
    project = read(os.path.join(os.path.abspath(start), chosen)) if chosen is not None else nearest(os.path.abspath(start), environ)
    return [*shared, project] if project else shared


def shared_paths(environ: Mapping[str, str]) -> list[str]:
    """The machine's files and the user's, the weakest first (XDG base directories; relative ones do not count)."""
    machine = [f for f in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":") if f.startswith("/")]
    home = environ.get("HOME", "")
    user = environ.get("XDG_CONFIG_HOME", "") or (f"{home}/.config" if home else "")
    folders = [*reversed(machine), user] if user.startswith("/") else machine[::-1]
    return [f"{folder}/offduty/config.toml" for folder in folders]


def nearest(folder: str, environ: Mapping[str, str]) -> ConfigFile | None:
    """The project's file: in `folder` or above, up to the repository's root, the home folder, or the top."""
    home = environ.get("HOME", "")
    while True:
        found = _project_file(folder)
        if found:
            return found
        above = os.path.dirname(folder)
        if above == folder or folder == home or os.path.lexists(f"{folder}/.git"):
            return None
        folder = above


def read(path: str) -> ConfigFile:
    """The file at `path`. Raises ConfigError: E201 it cannot be read, E202 it is not UTF-8 text, E107 root must not trust it."""
    path = os.path.abspath(path)
    try:
        found = os.stat(path)
        _check_kind(path, found)
        _check_owner(path, found)
        content = _content(path)
    except OSError as error:
        raise unreadable(path, error.errno or 0) from None
    except ValueError:  # a NUL in the path
        raise unreadable(path.replace("\0", "\\0"), errno.ENOENT) from None
    return ConfigFile(path, decode(path, content), bool(found.st_mode & stat.S_IROTH))


def unreadable(path: str, number: int, what: str = "cannot be read") -> ConfigError:
    """E201 for `path`, with the system's own words for error `number`."""
    fixes = {
        errno.ENOENT: "write one with `offduty init`, or name another with --config",
        errno.EACCES: "make it readable for this user",
        errno.EFBIG: "a configuration of over 1 MiB is a mistake; move data out of it",
    }
    return ConfigError("E201", what, where=shown(path), why=os.strerror(number).lower(), fix=fixes.get(number, "name an ordinary file"))


def shown(path: str) -> str:
    """`path` as errors show it: relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except OSError:  # the folder we stand in is gone
        return path
    return relative if len(relative) < len(path) and not relative.startswith("../..") else path


def decode(path: str, content: bytes) -> str:
    """`content` as text; a byte order mark and CRLF are fine. Raises ConfigError E201 (empty), E202 with the byte offset."""
    if not content:
        raise ConfigError("E201", "is empty", where=shown(path), fix="write a first one with `offduty init --force`")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _not_text(path, 0, "it is UTF-16")
    if b"\0" in content:
        raise _not_text(path, content.index(b"\0"), "a NUL byte")
    text = content.removeprefix(BYTE_ORDER_MARK)  # by hand: the codec utf-8-sig would have to be imported
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        offset = error.start + len(content) - len(text)
        raise _not_text(path, offset, f"byte 0x{content[offset]:02x} is not UTF-8; Latin-1 perhaps") from None


def _not_text(path: str, offset: int, why: str) -> ConfigError:
    return ConfigError("E202", f"is not TOML at byte {offset}", where=shown(path), why=why, fix="save it as UTF-8")


def _check_kind(path: str, found: os.stat_result) -> None:
    """Only an ordinary file is opened at all: a FIFO would block, a device would act."""
    mode = found.st_mode
    if stat.S_ISDIR(mode):
        raise unreadable(path, errno.EISDIR)
    if not stat.S_ISREG(mode):
        kind = "a FIFO" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise unreadable(path, errno.EINVAL, f"cannot be read, it is {kind}")
    if found.st_size > LARGEST:
        raise unreadable(path, errno.EFBIG)


def _check_owner(path: str, found: os.stat_result) -> None:
    """Who can write a configuration that root runs, is root (E107)."""
    if os.geteuid() != 0:
        return
    where = shown(path)
    if found.st_uid != 0:
        raise ConfigError("E107", f"belongs to user {found.st_uid}, and root would run its commands", where=where, fix="chown root it")
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError("E107", "everyone can write it, and root would run its commands", where=where, fix="chmod o-w it")


def _content(path: str) -> bytes:
    """Not blocking, and never more than the cap, should the file be swapped or grow after the checks."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise unreadable(path, errno.EINVAL)
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise unreadable(path, errno.EFBIG)
    return content


def _project_file(folder: str) -> ConfigFile | None:
    if os.path.lexists(f"{folder}/{NAME}"):
        return read(f"{folder}/{NAME}")
    return _pyproject(f"{folder}/{PYPROJECT}")


def _pyproject(path: str) -> ConfigFile | None:
    return read(path) if has_our_table(path) else None


def has_our_table(path: str) -> bool:
    """Whether a pyproject.toml has our table; one without is none of our business, however broken or foreign it is."""
    try:
        content = _content(path) if stat.S_ISREG(os.stat(path).st_mode) else b""
    except (OSError, ConfigError):
        return False
    return _may_have_table(content) and _has_table(content)


def _may_have_table(content: bytes) -> bool:
    """Whether any spelling of our table can be in it. Many projects only name offduty among what they need: no reason to load tomllib."""
    bare = content.translate(None, b" \t\"'")
    return b"tool.offduty" in bare or b"tool={" in bare or (b"[tool]" in bare and b"\noffduty" in bare)


def _has_table(content: bytes) -> bool:
    import tomllib

    try:
        tool = tomllib.loads(content.removeprefix(BYTE_ORDER_MARK).decode()).get("tool", {})
    except (ValueError, RecursionError):
        return b"[tool.offduty" in content  # broken, and ours: to be complained about
    return isinstance(tool, dict) and isinstance(tool.get("offduty"), dict)
