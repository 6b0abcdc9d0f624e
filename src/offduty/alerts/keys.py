"""Names that come out the same wherever and whenever they are made, so that doing a thing twice cannot owe it twice."""

from __future__ import annotations

from hashlib import sha256


def digest_of(*parts: str) -> str:
    """32 hex digits for these texts, in this order."""
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
