"""Proof that a channel arrives: a test message carries a code, and a person who has seen it says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits that are not taken for each other when somebody types them."""
LENGTH = 6


@dataclass(frozen=True)
class Proof:
    """One test message. `sent_at`, `confirmed_at`: seconds since 1970; `by`: who confirmed it; `detail`: what the service answered."""

    code: str
    channel: str
    sent_at: float
    detail: str = ""
    confirmed_at: float | None = None
    by: str = ""


class Proofs(Protocol):
    """What a store remembers of them."""

    def add(self, proof: Proof) -> None:
        """A test message was sent."""

    def confirm(self, code: str, by: str, now: float) -> Proof | None:
        """Somebody has seen it; None if no message has this code. A second time changes nothing."""

    def of(self, codes: Collection[str]) -> list[Proof]:
        """Those with one of these codes."""

    def newest(self) -> list[Proof]:
        """By channel: its newest confirmed proof, or else its newest one."""


def new_code(random: bytes) -> str:
    """A code out of six random bytes."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random[:LENGTH])


def as_typed(text: str) -> str:
    """A code as somebody typed it: blanks, dashes and small letters do not matter."""
    return "".join(c for c in text.upper() if c.isalnum())
