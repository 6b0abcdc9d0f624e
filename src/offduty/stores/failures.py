"""What can go wrong with the store's file, in one line each: SQLite's and the system's errors as `StoreError`."""

from __future__ import annotations

import os
import sqlite3

from offduty.errors import StoreError, quoted

# SQLite's primary result codes
BUSY, LOCKED, READ_ONLY, IO, CORRUPT, FULL, CANNOT_OPEN, NOT_A_DATABASE = 5, 6, 8, 10, 11, 13, 14, 26

SPOOLED = "runs wait in the spool meanwhile"
WRITABLE = "make file and folder writable for this user"
BUG = "this is a bug in offduty; please report it"

# Result code: code, what, why (None: what SQLite says), fix
SENTENCES: dict[int, tuple[str, str, str | None, str]] = {
    BUSY: ("E607", "the store is locked by another process", "", f"try again later; {SPOOLED}"),
    LOCKED: ("E607", "the store is locked by another process", "", f"try again later; {SPOOLED}"),
    READ_ONLY: ("E606", "the store cannot be written", "it is read-only", WRITABLE),
    FULL: ("E608", "the store cannot be written", "the disk is full", f"free some space; {SPOOLED}"),
    IO: ("E608", "the store cannot be read or written", None, f"check the disk and its free space; {SPOOLED}"),
    CANNOT_OPEN: ("E601", "the store cannot be opened", None, WRITABLE),
    CORRUPT: ("E609", "the store is damaged", None, "see `offduty doctor`"),
    NOT_A_DATABASE: ("E609", "the store is damaged", None, "see `offduty doctor`"),
}
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What calling SQLite may raise. Its message may quote a damaged file, and then Python fails to decode the message."""

UNFORESEEN = ("E600", "the store failed", None, BUG)


def primary_code(error: BaseException) -> int:
    """SQLite's result code without the extension in the upper bits; 0 if it is no error of SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.Error) else 0


def is_busy(error: BaseException) -> bool:
    """Does somebody else hold a lock, so that trying again helps?"""
    return primary_code(error) in (BUSY, LOCKED)


def is_damage(error: BaseException) -> bool:
    """Is the file not what SQLite wrote?"""
    return primary_code(error) in (CORRUPT, NOT_A_DATABASE) or isinstance(error, UnicodeDecodeError)


def as_store_error(error: Exception, path: str) -> StoreError:
    """`error`, which happened to the store at `path`, as people should read it."""
    if isinstance(error, OSError):
        return StoreError("E601", "the store cannot be opened", where=path, why=os.strerror(error.errno or 0).lower(), fix=WRITABLE)
    code, what, why, fix = SENTENCES.get(CORRUPT if is_damage(error) else primary_code(error), UNFORESEEN)
    return StoreError(code, what, where=path, why=quoted(error) if why is None else why, fix=fix)


def damaged(path: str, why: str, fix: str) -> StoreError:
    """E609: what is in the file cannot be relied upon."""
    return StoreError("E609", "the store is damaged", where=path, why=why, fix=fix)


def read_only(path: str) -> StoreError:
    """E606, seen before SQLite has to say it."""
    return StoreError("E606", "the store cannot be written", where=path, why="it is read-only", fix=WRITABLE)


def replaced(path: str) -> StoreError:
    """E610: the path leads to another file than the one that is open, so a commit would go where nobody looks."""
    return StoreError("E610", "the store was moved or replaced while it was open", where=path, fix="run the command again")
