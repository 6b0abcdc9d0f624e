"""The file of a SQLite store: made whole or not at all, opened only if it is what it should be, brought up to date, set aside when damaged.

How two processes, and a SIGKILL between any two steps, are kept from harm:

1. A file that is there, whole and current is opened without a lock.
2. Everything else (make, migrate, set aside) happens under an exclusive `flock` on `<path>.lock`, after looking again.
3. A new database is made as `<path>.new` and renamed when it is complete. So an empty or partial file at `<path>` is always damage.
4. A damaged file is set aside only when no other process has it open: what that one writes would go aside with it, and SQLite
   warns of renaming a database in use, since it finds `-wal` and `-shm` by name.

A database in use is never opened by anything but SQLite: closing any descriptor of it would drop the locks SQLite holds in this process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
from operator import methodcaller
from typing import TYPE_CHECKING

from offduty.clock import file_stamp
from offduty.errors import StoreError, quoted
from offduty.places import make_private
from offduty.stores import failures, migrations
from offduty.stores.failures import SQLITE_ERRORS, is_busy, is_damage
from offduty.stores.filesystem import is_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from offduty.stores.patience import Patience

    Result = TypeVar("Result")

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
APPLICATION_ID = 0x0FFD0701  # in the file's header, where file(1) sees it too
SMALLEST = 512  # bytes of a page at least: SQLite takes a shorter file for an empty database
COMPANIONS = ("-wal", "-shm", "-journal")
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510  # the bytes on which SQLite holds a lock while a WAL database is open (its os.h)


class DatabaseFile:
    """The database at `path`. `filesystem(path)` names the type of file system there; `sql` is the folder with `migrations/`."""

    def __init__(self, path: str, *, patience: Patience, allow_network_fs: bool, filesystem: Callable[[str], str], sql: str) -> None:
        self.path, self.folder = os.path.abspath(path), os.path.dirname(os.path.abspath(path))
        self.migrations = f"{sql}/migrations"
        self.patience = patience
        self.allow_network_fs, self.filesystem = allow_network_fs, filesystem
        self.notes: list[str] = []
        self._identity = (0, 0)

    def open(self) -> sqlite3.Connection:
        """A connection to a database that is whole and current. `StoreError` E600 to E613."""
        try:
            make_private(self.folder)
            self._check_surroundings()
            return self._open_current() or self._under_lock(self._set_up)
        except (*SQLITE_ERRORS, OSError) as error:
            raise failures.as_store_error(error, self.path) from None

    def is_same(self) -> bool:
        """Does the path still lead to the file that `open` opened?"""
        return _identity(_look(self.path)) == self._identity

    def set_aside_if_damaged(self, error: Exception) -> StoreError:
        """What to raise after `error` in the midst of work (and the connection closed): the file is read, and set aside if damaged."""
        try:
            return self._under_lock(lambda: self._judge(error))
        except (*SQLITE_ERRORS, OSError) as failure:
            return failures.as_store_error(failure, self.path)

    def _judge(self, error: Exception) -> StoreError:
        if not self._is_damaged():
            return failures.damaged(self.path, f"{quoted(error)}, but it could be read again", "run the command again")
        return failures.damaged(self.path, f"{quoted(error)}; it is now {self._set_aside()}", "run the command again: a new store is begun")

    def _is_damaged(self) -> bool:
        """Reads all of the file, so only after SQLite has complained about it. One complaint may have been the disk's bad moment."""
        try:
            connection = self._connect()
        except SQLITE_ERRORS as error:
            return is_damage(error)
        try:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
        except SQLITE_ERRORS as error:
            return is_damage(error)
        finally:
            connection.close()

    # Looking before opening

    def _check_surroundings(self) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            fix = "use a Python with a newer one"
            raise StoreError("E603", f"SQLite {sqlite3.sqlite_version} is too old", why="3.37 is needed", fix=fix)
        kind = self.filesystem(self.folder)
        self.on_network = is_network(kind)
        if self.on_network and not self.allow_network_fs:
            fix = "choose a local folder with OFFDUTY_STATE_DIR, or allow it (slower, and only as safe as its locks)"
            why = f"{kind} cannot hold a database safely"
            raise StoreError("E604", "the store is on a network file system", where=self.path, why=why, fix=fix)
        if not os.path.isdir(self.folder):
            raise NotADirectoryError(errno.ENOTDIR, self.folder)
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise failures.read_only(self.folder)

    def _check_file(self, found: os.stat_result) -> None:
        """Refuse what another user could have put there, or what is no plain file."""
        for path in (self.path, *(self.path + ending for ending in COMPANIONS)):
            status = found if path == self.path else _look(path)
            if status is not None and (why := _refusal(status)):
                raise StoreError("E602", "the store is not a file of our own", where=path, why=why, fix="move it away")
        if not os.access(self.path, os.W_OK):
            raise failures.read_only(self.path)

    def _make_private(self) -> None:
        """Others may have had time to read it (T23): repaired, and said."""
        for path in (self.path, *(self.path + ending for ending in COMPANIONS)):
            status = _look(path)
            if status is not None and status.st_mode & 0o077:
                os.chmod(path, 0o600)
                self.notes.append(f"{path} could be read by other users (mode {status.st_mode & 0o777:04o}); now only by its owner")

    # Opening

    def _open_current(self) -> sqlite3.Connection | None:
        """The connection, or None if something has to be made, migrated or set aside first."""
        found = _look(self.path)
        if found is None:
            return None
        self._check_file(found)
        if found.st_size < SMALLEST:
            return None
        self._make_private()
        try:
            connection = self._connect()
        except SQLITE_ERRORS as error:
            if is_damage(error):
                return None
            raise
        return self._if_current(connection)

    def _if_current(self, connection: sqlite3.Connection) -> sqlite3.Connection | None:
        try:
            if self._is_whole(connection) and self._version(connection) == migrations.newest(self.migrations):
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def _connect(self) -> sqlite3.Connection:
        escaped = self.path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        uri = f"file:{escaped}?mode=rw"  # for one thread at a time, not always the same: whoever has the store sees to it
        connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self.patience.until(lambda: self._prepare(connection), is_busy)
        except BaseException:
            connection.close()
            raise
        self._identity = _identity(_look(self.path))
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.text_factory = _text
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_mode = {self._journal_mode()}")
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError("E613", "the store is a database of another program", where=self.path, fix="move it away")

    def _journal_mode(self) -> str:
        return "DELETE" if self.on_network else "WAL"

    def _is_whole(self, connection: sqlite3.Connection) -> bool:
        """Is the file as long as it says? SQLite misses a cut within the last page. With frames in the WAL, pages may be in there."""
        said = connection.execute("PRAGMA page_count").fetchone()[0] * connection.execute("PRAGMA page_size").fetchone()[0]
        wal, found = _look(self.path + "-wal"), _look(self.path)
        return found is not None and (found.st_size >= said or (wal is not None and wal.st_size > 0))

    def _version(self, connection: sqlite3.Connection) -> int:
        version, known = migrations.version(connection), migrations.newest(self.migrations)
        if version > known:
            why = f"its schema is {version}, this offduty knows {known}"
            raise StoreError("E605", "the store was written by a newer offduty", where=self.path, why=why, fix="upgrade offduty")
        return version

    # Under the lock

    def _under_lock(self, work: Callable[[], Result]) -> Result:
        fd = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(fd, 0o600)  # with an umask of 0777 we could not open it a second time
            self.patience.until(lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda error: isinstance(error, BlockingIOError))
            return work()
        except BlockingIOError:
            raise StoreError("E607", "the store is being set up by another process", where=self.path, fix="try again later") from None
        finally:
            os.close(fd)

    def _set_up(self) -> sqlite3.Connection:
        """Look again now that nobody else does this: somebody may have been faster."""
        found = _look(self.path)
        if found is None:
            self._make_new()
            return self._connect()
        self._check_file(found)
        try:
            connection = self._connect() if found.st_size >= SMALLEST else None
        except SQLITE_ERRORS as error:
            if not is_damage(error):
                raise
            connection = None
        if connection is not None and self._is_whole(connection):
            return self._migrated(connection)
        if connection is not None:
            connection.close()
        self._set_aside()
        self._make_new()
        return self._connect()

    def _migrated(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            if self._version(connection) < migrations.newest(self.migrations):
                self.patience.until(lambda: self._migrate(connection), is_busy)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        migrations.migrate(connection, migrations.load(self.migrations), self.patience.clock.wall())

    def _make_new(self) -> None:
        """Nobody sees it before it is complete. A WAL left behind by a database that is gone would be played into it: that goes aside."""
        if any(_look(self.path + ending) is not None for ending in COMPANIONS):
            self._set_aside()
        new = f"{self.path}.new"
        for leftover in (new, *(new + ending for ending in COMPANIONS)):
            _remove(leftover)
        try:
            self._build(new)
            os.rename(new, self.path)
        except BaseException:
            _remove(new)
            raise
        _sync_folder(self.folder)

    def _build(self, new: str) -> None:
        _make_file(new)
        connection = sqlite3.connect(new, timeout=0, isolation_level=None)
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
            self._migrate(connection)
            connection.execute(f"PRAGMA journal_mode = {self._journal_mode()}")
        finally:
            connection.close()

    def _set_aside(self) -> str:
        """Rename the database and its companions to `<path>.corrupt-<time>…`; the new path."""
        self._check_nobody_has_it_open()
        aside = self._free_name(f"{self.path}.corrupt-{file_stamp(self.patience.clock.wall())}")
        for ending in ("", *COMPANIONS):
            try:
                os.rename(self.path + ending, aside + ending)
            except FileNotFoundError:
                pass
        _sync_folder(self.folder)
        return aside

    def _free_name(self, wanted: str) -> str:
        names, number = set(os.listdir(self.folder)), 1
        while any(name.startswith(os.path.basename(wanted) + (f".{number}" if number > 1 else "")) for name in names):
            number += 1
        return f"{wanted}.{number}" if number > 1 else wanted

    def _check_nobody_has_it_open(self) -> None:
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            fix = f"end that process; {failures.SPOOLED}"
            raise failures.damaged(self.path, "and cannot be set aside while another process has it open", fix) from None
        finally:
            os.close(fd)


_text = methodcaller("decode", "utf-8", "backslashreplace")
"""A flipped bit in a text must spoil its row, and not the answer that the row is part of. Called for every text, so no function of ours."""


def _look(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result | None) -> tuple[int, int]:
    return (status.st_dev, status.st_ino) if status else (0, 0)


def _refusal(status: os.stat_result) -> str:
    """Why a file is not opened, or "". Root may open the stores of others; under a second name, a file would get a second WAL."""
    if stat.S_ISDIR(status.st_mode):
        return "it is a directory"
    if stat.S_ISLNK(status.st_mode):
        return "it is a symbolic link"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a plain file"
    if status.st_nlink > 1:
        return "it has a second name (hard link)"
    return "it belongs to another user" if os.geteuid() not in (0, status.st_uid) else ""


def _make_file(path: str) -> None:
    """An empty file for its owner alone, whatever the umask. SQLite gives `-wal` and `-shm` the mode of the database."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(fd, 0o600)
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _sync_folder(folder: str) -> None:
    """A rename survives a power cut only when the folder is on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
