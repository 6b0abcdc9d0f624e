"""One pattern of a user's, compiled. A module of its own, because scanning needs nothing else of the conditions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]


@lru_cache(4096)
def compiled(pattern: str) -> Any:
    """`pattern`, compiled for bytes; `^` and `$` are the ends of a line. Raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(f"(?m){pattern}".encode("utf-8", "surrogatepass"), options=options)
