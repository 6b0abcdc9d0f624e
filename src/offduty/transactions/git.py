"""Which commit a folder is at, and whether its files are the commit's: read from git's own files, without running git.

Running it would be a process beside the job's, of unknown duration, and it may not be there. What is not read, because it is rare or large
(SHA-256 repositories, split or very large indices, tables of refs, filters on contents), is not known: None, never a guess.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator

LARGEST_INDEX = 1 << 20  # bytes: about 10 000 files, read in 10 ms
MOST_FILES = 2000  # looked at: 10 ms
LARGEST_FILE, LARGEST_SUM = 1 << 20, 4 << 20  # bytes of contents that are compared where size and time do not tell
ENTRY = struct.Struct(">10I20sH")
EXTENDED, ASSUME_VALID, SKIP_WORKTREE = 0x4000, 0x8000, 0x4000
LINK, FILE = 0o120000, 0o100000
COMMIT = 1  # the type of an object in a pack


class Unknown(Exception):
    """It cannot be said from here."""


class Entry:
    """A file as git knows it: its path in the repository, seconds and nanoseconds of its last change, mode, size, and content."""

    __slots__ = ("mode", "nanoseconds", "path", "seconds", "sha", "size", "skipped")

    def __init__(self, path: str, seconds: int, nanoseconds: int, mode: int, size: int, sha: bytes, skipped: bool) -> None:
        self.path, self.seconds, self.nanoseconds, self.mode, self.size = path, seconds, nanoseconds, mode, size
        self.sha, self.skipped = sha, skipped


def state_of(folder: str) -> tuple[str | None, bool | None]:
    """The commit (40 hex digits) that `folder` is at, and whether tracked files differ from it; None for what is not known."""
    found = _repository(folder)
    if found is None:
        return None, None
    top, git, common = found
    try:
        commit = _head(git, common)
    except (OSError, ValueError, Unknown):
        return None, None
    try:
        return commit, _is_dirty(top, git, common, commit, folder)
    except (OSError, ValueError, LookupError, struct.error, zlib.error, Unknown):
        return commit, None


def history(folder: str, most: int) -> list[str]:
    """What git notes of each change of HEAD in this clone, and in this work tree of it: lines with who did it. Each at most `most` long."""
    found = _repository(folder)
    lines = list[str]()
    for git in dict.fromkeys(found[1:]) if found else ():
        try:
            with open(f"{git}/logs/HEAD", encoding="utf-8", errors="replace") as file:
                lines += file.read(most).splitlines()
        except OSError:
            continue
    return lines


def _repository(folder: str) -> tuple[str, str, str] | None:
    """The top of the work tree, its git folder, and the one it shares with other work trees."""
    top = os.path.abspath(folder)
    while not os.path.lexists(f"{top}/.git"):
        if top == (top := os.path.dirname(top)):
            return None
    git = f"{top}/.git"
    try:
        if os.path.isfile(git):
            git = os.path.join(top, _text(git).removeprefix("gitdir: "))
        common = os.path.join(git, _text(f"{git}/commondir")) if os.path.exists(f"{git}/commondir") else git
    except (OSError, ValueError):
        return None
    return top, git, common


def _head(git: str, common: str) -> str:
    head = _text(f"{git}/HEAD")
    if not head.startswith("ref: "):
        return _checked(head)
    name = head.removeprefix("ref: ")
    for folder in (git, common):
        if ".." not in name and os.path.isfile(f"{folder}/{name}"):
            return _checked(_text(f"{folder}/{name}"))
    return _checked(_packed_ref(common, name))


def _packed_ref(common: str, name: str) -> str:
    with open(f"{common}/packed-refs", encoding="utf-8") as file:
        for line in file:
            commit, _, ref = line.rstrip("\n").partition(" ")
            if ref == name:
                return commit
    raise Unknown


def _checked(commit: str) -> str:
    if len(commit) != 40 or int(commit, 16) < 0:
        raise Unknown
    return commit


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read(4096).strip()


def _is_dirty(top: str, git: str, common: str, commit: str, folder: str) -> bool:
    status = os.stat(f"{git}/index")
    if status.st_size > LARGEST_INDEX:
        raise Unknown
    with open(f"{git}/index", "rb") as file:
        data = file.read(LARGEST_INDEX)
    entries, rest = _entries(data)
    if len(entries) > MOST_FILES:
        below = os.path.relpath(os.path.realpath(folder), os.path.realpath(top))
        entries = [one for one in entries if below == "." or one.path.startswith(f"{below}/")]
    if len(entries) > MOST_FILES:
        raise Unknown
    if _differ(top, entries, status.st_mtime_ns):
        return True
    return _tree_of_index(data, rest) != _tree_of_commit(common, commit)


# Files


def _differ(top: str, entries: list[Entry], index_time: int) -> bool:
    left = LARGEST_SUM
    for one in entries:
        try:
            found = os.lstat(f"{top}/{one.path}")
        except (FileNotFoundError, NotADirectoryError):
            if one.skipped:
                continue
            return True
        if one.skipped or one.mode & 0o170000 not in (FILE, LINK) or _looks_alike(one, found, index_time):
            continue
        left -= found.st_size
        if found.st_size > LARGEST_FILE or left < 0:
            raise Unknown
        if _blob(f"{top}/{one.path}", found) != one.sha:
            if os.path.exists(f"{top}/.gitattributes"):
                raise Unknown  # what git keeps may be another text by intent
            return True
    return False


def _looks_alike(one: Entry, found: os.stat_result, index_time: int) -> bool:
    """As git judges it: size and time are the same, and the time is not that of the index, in which case they would not tell."""
    changed = one.seconds * 10**9 + one.nanoseconds
    same = (one.size, changed) == (found.st_size & 0xFFFFFFFF, found.st_mtime_ns if one.nanoseconds else found.st_mtime_ns // 10**9 * 10**9)
    return same and changed < index_time


def _blob(path: str, found: os.stat_result) -> bytes:
    from hashlib import sha1

    if stat.S_ISLNK(found.st_mode):
        content = os.fsencode(os.readlink(path))
    else:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE)
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()


# The index


def _entries(data: bytes) -> tuple[list[Entry], int]:
    """The files in an index, and where its extensions begin."""
    signature, version, count = struct.unpack_from(">4sII", data)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise Unknown
    entries, at, path = [], 12, b""
    for _ in range(count):
        begin = at
        _, _, seconds, nanoseconds, _, _, mode, _, _, size, sha, flags = ENTRY.unpack_from(data, at)
        at += ENTRY.size
        more = 0
        if flags & EXTENDED:
            (more,) = struct.unpack_from(">H", data, at)
            at += 2
        if version == 4:
            cut, at = _number(data, at)
            end = data.index(b"\0", at)
            path, at = path[: len(path) - cut] + data[at:end], end + 1
        else:
            end = data.index(b"\0", at)
            path, at = data[at:end], begin + (end - begin + 8) // 8 * 8
        skipped = bool(flags & ASSUME_VALID or more & SKIP_WORKTREE)
        entries.append(Entry(os.fsdecode(path), seconds, nanoseconds, mode, size, sha, skipped))
    return entries, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, as git writes offsets, and where it ends."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = (value + 1) << 7 | data[at] & 127
    return value, at + 1


def _tree_of_index(data: bytes, at: int) -> bytes:
    """The tree that the index stands for, which git notes there when it commits; it strikes it out when something else is staged."""
    for signature, body in _extensions(data, at):
        if signature == b"link":
            raise Unknown
        if signature == b"TREE":
            counts, sha = body.index(b"\0") + 1, body.index(b"\n") + 1
            if body[counts : counts + 1] != b"-":
                return body[sha : sha + 20]
    raise Unknown


def _extensions(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data) - 20:
        signature, size = struct.unpack_from(">4sI", data, at)
        yield signature, data[at + 8 : at + 8 + size]
        at += 8 + size


# Objects


def _tree_of_commit(common: str, commit: str) -> bytes:
    loose = f"{common}/objects/{commit[:2]}/{commit[2:]}"
    if os.path.exists(loose):
        with open(loose, "rb") as file:
            text = _start(file.read(1 << 16)).partition(b"\0")[2]
    else:
        text = _packed_commit(f"{common}/objects/pack", bytes.fromhex(commit))
    if not text.startswith(b"tree "):
        raise Unknown
    return bytes.fromhex(text[5:45].decode("ascii"))


def _start(data: bytes) -> bytes:
    """The first bytes of something compressed."""
    return zlib.decompressobj().decompress(data, 200)


def _packed_commit(folder: str, sha: bytes) -> bytes:
    """The beginning of a commit that is in a pack, where it is there as a whole."""
    for name in os.listdir(folder):
        if name.endswith(".idx") and (offset := _offset(f"{folder}/{name}", sha)) is not None:
            with open(f"{folder}/{name[:-4]}.pack", "rb") as file:
                file.seek(offset)
                data = file.read(1 << 12)
            if data[0] >> 4 & 7 != COMMIT:
                raise Unknown
            at = next(number for number, byte in enumerate(data) if not byte & 128) + 1
            return _start(data[at:])
    raise Unknown


def _offset(path: str, sha: bytes) -> int | None:
    """Where an object stands in the pack of an index of version 2."""
    with open(path, "rb") as file:
        head = file.read(8 + 1024)
        if head[:8] != b"\xfftOc\0\0\0\2":
            raise Unknown
        fanout = struct.unpack(">256I", head[8:])
        low, high, total = (fanout[sha[0] - 1] if sha[0] else 0), fanout[sha[0]], fanout[255]
        file.seek(1032 + 20 * low)
        names = file.read(20 * (high - low))
        found = next((number for number in range(high - low) if names[20 * number : 20 * number + 20] == sha), None)
        if found is None:
            return None
        file.seek(1032 + 24 * total + 4 * (low + found))
        (offset,) = struct.unpack(">I", file.read(4))
    if offset & 0x80000000:
        raise Unknown
    return int(offset)
