"""Files of `KEY=value` lines, as `.env` files are: read in one pass, nothing replaced, and no value ever shown."""

from __future__ import annotations

import errno
import os
import stat

from offduty.errors import ConfigError, quoted
from offduty.settings import files

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_NAME = _LETTERS | frozenset("0123456789")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def read(path: str) -> dict[str, str]:
    """The variables in the file at `path`, a later line winning. Raises ConfigError E211 with the line, and never the value."""
    return dict(_lines(path, _text(path)))


def is_variable_name(name: str) -> bool:
    """Whether shells and programs can use a variable called `name`."""
    return bool(name) and name[0] in _LETTERS and _NAME.issuperset(name)


def _text(path: str) -> str:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "not an ordinary file")
        with open(path, "rb") as file:
            content = file.read(files.LARGEST + 1)
        if len(content) > files.LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    except OSError as error:
        raise ConfigError(
            "E211", "cannot be read", where=files.shown(path), why=str(error.strerror).lower(), fix="make it readable, or correct env_file"
        )
    try:
        text = content.removeprefix(files.BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise ConfigError("E211", f"is not UTF-8 at byte {error.start}", where=files.shown(path), fix="save it as UTF-8")
    return text


def _lines(path: str, text: str) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r")
        if line and not line.startswith("#"):
            found.append(_pair(f"{files.shown(path)}:{number}", line))
    return found


def _pair(where: str, line: str) -> tuple[str, str]:
    """`export NAME = value # comment` as (name, value)."""
    name, sign, value = line.removeprefix("export ").partition("=")
    name = name.strip(" \t")
    if not sign:
        raise ConfigError("E211", "a line without =", where=where, fix="write NAME=value")
    if not is_variable_name(name):
        raise ConfigError("E211", f"{quoted(name)} cannot name a variable", where=where, fix="use letters, digits and _")
    if "\0" in value:
        raise ConfigError("E211", f"the value of {name} holds a NUL byte", where=where, fix="remove it")
    return name, _value(where, name, value)


def _value(where: str, name: str, value: str) -> str:
    """Plain up to ` #`; 'as it is' in single quotes; with \\n, \\t, \\", \\\\ in double ones."""
    quoted_part = value.lstrip(" \t")
    quote = quoted_part[:1]
    if quote not in ("'", '"'):
        return value.replace("\t#", " #").partition(" #")[0].strip(" \t")
    inside, rest = _quoted(quoted_part[1:], quote)
    if inside is None:
        raise ConfigError("E211", f"the quote of {name} is not closed", where=where, fix=f"end the line with {quote}")
    if rest.strip(" \t") and not rest.lstrip(" \t").startswith("#"):
        raise ConfigError("E211", f"something follows the quoted value of {name}", where=where, fix="put all of it in the quotes")
    return inside


def _quoted(text: str, quote: str) -> tuple[str | None, str]:
    """(what is inside, what follows the closing quote); (None, "") if it is never closed."""
    inside, at = "", 0
    while at < len(text):
        c = text[at]
        if c == quote:
            return inside, text[at + 1 :]
        if c == "\\" and quote == '"' and text[at + 1 : at + 2] in _ESCAPES and at + 1 < len(text):
            c, at = _ESCAPES[text[at + 1]], at + 1
        inside, at = inside + c, at + 1
    return None, ""
