"""A file's bytes as Python that can be parsed, or why they cannot be."""

from __future__ import annotations

import ast
import codecs
import io
import re
import sys
import tokenize
import warnings
from dataclasses import dataclass

LARGEST = 10 * 1024 * 1024  # bytes of a script; 50 000 lines are 2 MB
LARGEST_NOTEBOOK = 100 * 1024 * 1024  # pictures and all
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PYTHON_2 = re.compile(
    r"^[ \t]*(?:print[ \t]+(?![=(.,:\[)])\S|print[ \t]*>>|exec[ \t]+[\"'\w]"
    r"|raise[ \t]+\w+[ \t]*,|except[ \t]+[\w.()]+[ \t]*,[ \t]*\w+[ \t]*:)",
    re.MULTILINE,
)


class NotUnderstood(Exception):
    """This file cannot be looked at; the message says why, in a few words. `line`: where the parser gave up, if it did."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True)
class Source:
    """A module's syntax tree. In a notebook `cells[line - 1]` is (cell, line in it); `problems`: parts that were left out, and why."""

    tree: ast.Module
    cells: tuple[tuple[int, int], ...] = ()
    problems: tuple[str, ...] = ()

    def where(self, line: int) -> tuple[int, int | None]:
        """Line and cell of a line of the tree."""
        if not self.cells:
            return line, None
        cell, within = self.cells[min(line, len(self.cells)) - 1]
        return within, cell


def script(data: bytes) -> Source:
    """The tree of a script. Raises NotUnderstood."""
    return Source(parse(decode(data)))


def decode(data: bytes) -> str:
    """As Python itself would read it: UTF-8, or what its first lines declare. Raises NotUnderstood."""
    if data.startswith(UTF_16) or b"\0" in data[:4]:
        raise NotUnderstood("is UTF-16 or UTF-32, which Python does not read; save it as UTF-8")
    if b"\0" in data:
        raise NotUnderstood("holds null bytes, so it is no text")
    try:
        return data.decode(_encoding(data))
    except LookupError as error:
        raise NotUnderstood(f"cannot be decoded: {_one_line(str(error))}") from None
    except UnicodeError as error:
        raise NotUnderstood(_undecodable(error, data)) from None


def _encoding(data: bytes) -> str:
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        data.decode("utf-8")  # says where it is not
        raise LookupError(str(error)) from None


def _undecodable(error: UnicodeError, data: bytes) -> str:
    if not isinstance(error, UnicodeDecodeError):
        return f"cannot be decoded: {_one_line(str(error))}"
    line = data.count(b"\n", 0, error.start) + 1
    return f"is not {error.encoding} (line {line}, byte 0x{data[error.start]:02x}); declare its encoding, or save it as UTF-8"


def parse(text: str) -> ast.Module:
    """The tree of a text. Raises NotUnderstood."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the author's business
            return ast.parse(text)
    except SyntaxError as error:
        raise NotUnderstood(_syntax(error, text), error.lineno) from None
    except (RecursionError, MemoryError):
        raise NotUnderstood("nests too deeply to be parsed") from None
    except ValueError as error:  # null bytes, surrogates
        raise NotUnderstood(f"is not Python: {_one_line(str(error))}") from None


def _syntax(error: SyntaxError, text: str) -> str:
    old = PYTHON_2.search(text)
    if old or "Missing parentheses in call to" in (error.msg or ""):
        line = text.count("\n", 0, old.start()) + 1 if old else error.lineno
        return f"is Python 2 (line {line})"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"cannot be parsed as Python {version}: {_one_line(error.msg or 'invalid syntax')} (line {error.lineno})"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
