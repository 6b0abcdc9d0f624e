"""Where logs come from: files, folders, patterns of names; plain, gzip or zstd. Of a large one no more is read than it takes.

Of a log over 5 MiB the beginning and the end count. Of a plain file, what lies between, the last 256 MiB of it, is scanned for patterns.
"""

from __future__ import annotations

import glob
import gzip
import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from offduty.errors import MissingExtra, NotThere, quoted
from offduty.triage.linescan import LineScan

HEAD_BYTES, TAIL_BYTES = 1 << 20, 4 << 20
SCANNED_BYTES = 256 << 20
SHORT_TAIL = 512 << 10  # where something was found in between, so that all of it is within what rows look at
WINDOW, WINDOWS = 4 << 10, 100
BLOCK = 8 << 10  # of a gzip file that breaks off, so much at most is lost
LINE = 64 << 10


def expand(names: Iterable[str]) -> list[str]:
    """Files: those of a folder and all below it, hidden ones left out; those that a pattern like `logs/*.gz` fits. Raises NotThere E521."""
    found: list[str] = []
    for name in names:
        if name != "-" and os.path.isdir(name):
            found += _below(name)
        elif name != "-" and not os.path.lexists(name) and glob.has_magic(name):
            found += sorted(path for path in glob.glob(name, recursive=True) if os.path.isfile(path)) or _nothing(name)
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def plain(file: IO[bytes], path: str) -> Any:
    """What `file` holds, decompressed if it is gzip or zstd. Raises MissingExtra E701 for zstd without its library."""
    start = file.peek(4)[:4] if hasattr(file, "peek") else b""
    if start[:2] == b"\x1f\x8b":
        return _gunzip(file)
    if start == b"\x28\xb5\x2f\xfd":
        return _unzstd(file, path)
    return file


def ends(file: IO[bytes]) -> bytes:
    """The beginning and the end of a stream, whole lines; all of a small one. What is broken off is taken as far as it goes."""
    head = b""
    blocks: deque[bytes] = deque()
    kept, cut = 0, False
    for block in _blocks(file):
        if len(head) < HEAD_BYTES:
            taken = HEAD_BYTES - len(head)
            head, block = head + block[:taken], block[taken:]
        blocks.append(block)
        kept += len(block)
        while kept - len(blocks[0]) > TAIL_BYTES:
            kept -= len(blocks.popleft())
            cut = True
    tail = b"".join(blocks)
    return _joined(head, b"", tail[-TAIL_BYTES:]) if cut or len(tail) > TAIL_BYTES else head + tail


def of_large(file: IO[bytes], size: int, patterns: Sequence[str]) -> bytes:
    """Of a large file the beginning, what has one of `patterns` in between, and the end."""
    head = file.read(HEAD_BYTES)
    found = _between(file, size, patterns) if patterns else b""
    kept = SHORT_TAIL if found else TAIL_BYTES
    file.seek(size - kept)
    return _joined(head, found, file.read(kept))


def _between(file: IO[bytes], size: int, patterns: Sequence[str]) -> bytes:
    """The last places with one of the patterns, each with the lines after it."""
    begin, end = max(HEAD_BYTES, size - SCANNED_BYTES), size - SHORT_TAIL
    file.seek(begin)
    places: deque[int] = deque(maxlen=WINDOWS)
    for at, _, _ in LineScan(patterns).scan(_Part(file, end - begin)):
        if not places or begin + at >= places[-1] + WINDOW:
            places.append(begin + at)
    return b"".join(_window(file, at) for at in places)


def _joined(head: bytes, found: bytes, tail: bytes) -> bytes:
    """The parts without the lines that are cut; of a line that fills a part, something is left."""
    first = head[: head.rfind(b"\n") + 1] or head[:LINE] + b"\n"
    return first + found + (tail.partition(b"\n")[2] or tail[-LINE:])


class _Part:
    """So many bytes of a file, from where it stands."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int) -> bytes:
        block = self._file.read(min(size, self._left))
        self._left -= len(block)
        return block


def _window(file: IO[bytes], at: int) -> bytes:
    """What stands at a place, and the lines after it."""
    file.seek(at)
    text = file.read(WINDOW)
    return text[: text.rfind(b"\n") + 1]


def _below(folder: str) -> list[str]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [path for name in sorted(names) if not name.startswith(".") and os.path.isfile(path := os.path.join(place, name))]
    return found or _nothing(folder)


def _nothing(name: str) -> list[str]:
    raise NotThere("E521", f"{quoted(name)} has no files", fix="name log files, folders or patterns like 'logs/*.gz'")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """What can be read. A library says in its own words that the rest is broken."""
    try:
        read = getattr(file, "read1", file.read)  # gives what there is before it says that the rest is broken
        yield from iter(lambda: read(BLOCK) or b"", b"")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise


def _gunzip(file: IO[bytes]) -> Any:
    try:
        from isal import igzip
    except ImportError:
        return gzip.GzipFile(fileobj=file)
    return igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]


def _unzstd(file: IO[bytes], path: str) -> Any:
    try:
        import zstandard
    except ImportError as error:
        why = f"{error.name} is not installed"
        raise MissingExtra("E701", "zstd needs an extra", where=path, why=why, fix="pip install 'offduty[scan]'") from None
    return zstandard.ZstdDecompressor(max_window_size=128 << 20).stream_reader(file, read_across_frames=True)
