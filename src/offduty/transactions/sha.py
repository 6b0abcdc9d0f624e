"""SHA-256 as hashlib has it, whose import takes 4 ms."""

from __future__ import annotations

import sys


def sha256(content: bytes) -> bytes:
    """The 32 bytes of the hash."""
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256 as function  # type: ignore[import-not-found, unused-ignore]
        else:
            from _sha256 import sha256 as function  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import sha256 as function
    return bytes(function(content).digest())
