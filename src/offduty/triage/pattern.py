"""One pattern, compiled by RE2. A module of its own, because scanning needs nothing else of the conditions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2  # type: ignore[import-untyped]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@lru_cache(4096)
def compiled(pattern: str) -> Any:
    """`pattern`, of a user's, compiled for bytes; `^` and `$` are the ends of a line. Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(_user(pattern), options=options)


def line_finder(pattern: str, *, memory: int | None = None) -> Callable[[bytes], bool]:
    """Whether a pattern of a user's, as `compiled` takes it, occurs in some bytes. `memory`: for it, in bytes. Raises re2.error."""
    options = re2.Options()
    if memory:
        options.max_mem = memory
    return _finder(_user(pattern), options)


def finder(pattern: str, *, case_sensitive: bool = True, dot_nl: bool = False) -> Callable[[bytes], bool]:
    """Whether `pattern` occurs in some UTF-8; `dot_nl`: a dot matches a line's end too. Raises re2.error."""
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.dot_nl = dot_nl
    return _finder(pattern.encode("utf-8", "surrogatepass"), options)


def _user(pattern: str) -> bytes:
    return f"(?m){pattern}".encode("utf-8", "surrogatepass")


def _finder(pattern: bytes, options: Any) -> Callable[[bytes], bool]:
    """RE2's own search, called without the generator and match object that the Python of `re2` puts around it: 1 us and not 5."""
    options.log_errors = False
    options.never_capture = True
    compiled = re2.compile(pattern, options=options)
    try:
        match, anywhere = compiled._regexp.Match, re2._re2.RE2.Anchor.UNANCHORED  # noqa: SLF001 - not public; where it is not there, slower
    except AttributeError:
        return lambda text: compiled.search(text) is not None
    return lambda text: match(anywhere, text, 0, len(text))[0][0] >= 0
