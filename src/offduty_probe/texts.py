"""Any text or object as text that can be written: never raises, never too long, always valid UTF-8."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def safe(value: Any) -> str:
    """`str(value)`, or a note that it cannot be had, as the interpreter's own tracebacks do."""
    try:
        return str.__str__(str(value))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"<unprintable {type(value).__name__} object>"


def cut(text: str, limit: int) -> str:
    """The first `limit` characters, and how many were left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} characters left out)"


def plain(text: str) -> str:
    r"""`text` without lone surrogates, which strict readers of JSON refuse: bytes that were no UTF-8 become `\xNN`."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
