"""What a channel and the outbox say to each other: one attempt goes in, a receipt or the truth about its failure comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from offduty.alerts.alert import Alert

DEADLINE = 15.0
"""Seconds that one attempt may take, from the look-up of the address to the last byte of the answer."""


@dataclass(frozen=True)
class Attempt:
    """What an attempt has to know of those before it, and of the messages before this one.

    `minimal`: the service refused the message as it was (`DeliveryError.minimal`), so send the shortest form of it.
    `only`: the recipients that are still owed (`DeliveryError.refused`), empty for all. `thread`: the `Receipt.thread` of the
    incident's first message on this channel. `seconds`: the longest that this attempt may take.
    """

    minimal: bool = False
    only: tuple[str, ...] = ()
    thread: str = ""
    seconds: float = DEADLINE


FIRST = Attempt()


@dataclass(frozen=True)
class Receipt:
    """What the service answered to a message that it took: fit to be stored and shown, so without secrets.

    `id`: the service's name for the message. `thread`: where later messages of the incident belong (give it back as `Attempt.thread`).
    `detail`: a few words for people, like `202 queued`; for Teams it says that acceptance is all that is known.
    """

    id: str = ""
    thread: str = ""
    detail: str = ""


class DeliveryError(Exception):
    """A message did not arrive, or nobody knows whether it did.

    `permanent`: the same message will never be taken. `retry_after`: seconds the service asked to wait, from 1 to 3600, or None.
    `ambiguous`: it may have arrived, so trying again may make a duplicate. `broken`: the channel itself is refused (its address is
    gone or its credentials are wrong), whatever the message. `gone`: so plainly that one such answer is enough (410).
    `minimal`: the message was refused for its form or its size, so one more attempt with `Attempt(minimal=True)` is worth it.
    `refused`: the recipients that are still owed, where others got it.

    The text holds no secret and no address, and neither does what hangs on it: it is raised with no `__cause__` and no `__context__`.
    """

    def __init__(
        self,
        what: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        ambiguous: bool = False,
        broken: bool = False,
        gone: bool = False,
        minimal: bool = False,
        refused: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.permanent, self.retry_after, self.ambiguous = permanent, retry_after, ambiguous
        self.broken, self.gone, self.minimal, self.refused = broken, gone, minimal, refused


class Channel(Protocol):
    """A way to tell someone."""

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One attempt, done within `attempt.seconds`. Raises DeliveryError, and nothing else."""
        ...
