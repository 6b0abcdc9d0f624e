"""What pings need from a store: checks, their keys, the last pings of each; and many pings in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from offduty.watch.pings.check import Check, Heard, Key
from offduty.watch.promise import Promise

REMEMBERED = 100
"""Pings of a check that can be looked at later."""

Answer = TypeVar("Answer")


class OpenPings(Protocol):
    """Everything within one transaction."""

    def by_code(self, code: str) -> Check | None:
        """The check with this uuid."""

    def by_slug(self, key: str, slug: str) -> list[Check]:
        """The checks with this slug below the key called `key`."""

    def check(self, job: str) -> Check | None:
        """The check of a job."""

    def count(self, key: str) -> int:
        """How many checks a key has."""

    def key(self, secret: str) -> Key | None:
        """The key with this secret."""

    def key_called(self, name: str) -> Key | None:
        """The key of that name."""

    def put(self, check: Check) -> None:
        """Remember it, by its job."""

    def update(self, check: Check) -> None:
        """`put`, for one that is there, and whose addresses are the same."""

    def put_key(self, key: Key) -> None:
        """Remember it, by its name."""

    def remove(self, job: str) -> None:
        """Forget the check of a job and its pings; its runs stay."""

    def hear(self, job: str, heard: Heard) -> None:
        """Remember a ping among the last ones of its check."""

    def put_run(self, record: Mapping[str, Any], tell: Mapping[str, Any] | None, *, new: bool = False) -> None:
        """As `Store.put_run`. `new`: the store cannot have it, since its id was made just now; nobody looks whether it has."""

    def run(self, run_id: str) -> dict[str, Any] | None:
        """The record of a run, None if it is not there any more."""

    def has_runs(self, job: str) -> bool:
        """Whether there is a job of that name."""

    def promise(self, promise: Promise, source: str, now: float) -> None:
        """As `WatchStore.promise`."""

    def forget(self, job: str) -> None:
        """As `WatchStore.forget`."""


class PingStore(Protocol):
    """Every method may raise `StoreError`, and then has changed nothing."""

    def change(self, work: Callable[[OpenPings], Answer]) -> Answer:
        """Everything that `work` does, durably, in one transaction."""

    def checks(self) -> list[Check]:
        """All of them, by name."""

    def keys(self) -> list[Key]:
        """All of them, by name."""

    def look(self, code: str = "", key: str = "", slug: str = "") -> list[Check]:
        """The checks that an address means, outside of any change; `key`: the secret."""

    def heard(self, job: str) -> Sequence[Heard]:
        """The last pings of a check, the newest first."""


def digest(secret: str) -> str:
    """What secrets are looked up by: how long that takes says nothing about how much of one was right (T15)."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
