"""Which code a run was made of: one short text that is the same for runs of the same code, out of a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any


def version_of(code: Mapping[str, Any]) -> tuple[str, str]:
    """(version, label for people) of a fingerprint's `code`. The files that ran decide; without them the commit. ("", "") if unknown."""
    files, commit = code.get("files"), code.get("commit")
    named = str(commit)[:7] + ("+" if code.get("dirty") else "") if commit else ""
    if isinstance(files, dict) and files:
        digest = sha256(repr(sorted(files.items())).encode("utf-8", "backslashreplace")).hexdigest()[:12]
        return digest, named or digest[:7]
    return named, named
