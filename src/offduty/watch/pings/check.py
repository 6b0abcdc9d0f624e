"""A check: one job that pings, and what its pings have said so far. Facts, kept in the store as JSON.

A check is read, copied and written with every ping: as structs of msgspec, which is a tenth of what dataclasses cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from offduty.watch.pings.address import Action

Status = Literal["new", "up", "down", "paused"]

PERIOD, GRACE = 86_400.0, 3_600.0
"""Seconds: what is expected of a check that somebody's ping created, and of nothing else known."""
MOST_OPEN = 50
"""Runs of one check that have started and not ended; the oldest is given up for another one."""
LONGEST_AGENT, LONGEST_CLIENT = 200, 100


class Filters(msgspec.Struct, frozen=True):
    """`post_only`: other methods are ignored. `by_body`: the words in the body say what happened, and a body without any is ignored,
    or a failure (`default_fail`).
    """

    post_only: bool = False
    by_body: bool = False
    start: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    default_fail: bool = False


class Open(msgspec.Struct, frozen=True):
    """A run that has said that it started, and not yet that it ended. `at`: when, seconds since 1970."""

    run: str
    rid: str
    at: float
    log: str = ""


class Check(msgspec.Struct, frozen=True):
    """`job`: its name. `code`: the uuid of its address; `slug`: its name below the key called `key`. `team`: whose it is, where the
    configuration does not say. `configured`: whether a configuration has `ping = true` for it.

    Times are seconds since 1970, the server's; `last_duration` in seconds.
    """

    job: str
    code: str
    slug: str
    key: str = ""
    team: str = ""
    configured: bool = False
    created_at: float = 0.0
    status: Status = "new"
    manual_resume: bool = False
    filters: Filters = Filters()
    promise: dict[str, Any] = msgspec.field(default_factory=dict)
    pings: int = 0
    last_ping: float | None = None
    last_start: float | None = None
    last_start_rid: str = ""
    last_duration: float | None = None
    open: tuple[Open, ...] = ()


@dataclass(frozen=True)
class Key:
    """What addresses with slugs begin with: `secret`, 144 random bits. Checks made through it belong to `team`."""

    name: str
    secret: str
    team: str = ""


class Ping(msgspec.Struct, frozen=True):
    """One ping as it came. `at`: when, seconds since 1970; `body`: its first bytes; `client`: the address it came from."""

    action: Action
    at: float
    exit_status: int | None = None
    rid: str = ""
    method: str = "GET"
    client: str = ""
    agent: str = ""
    body: bytes = b""


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """A ping as it is remembered: the `number`-th of its check. `run`: the run that it belongs to, "" for none."""

    number: int
    at: float
    action: Action
    exit_status: int | None
    rid: str
    method: str
    client: str
    agent: str
    size: int
    run: str


def written(check: Check) -> str:
    """As the store keeps it: JSON."""
    return msgspec.json.encode(check).decode()


def read_check(text: str) -> Check:
    """The inverse of `written`; what a newer offduty wrote beside what is known here is left out. Raises ValueError for what is none."""
    try:
        return _DECODER.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError("not a check") from error


_DECODER = msgspec.json.Decoder(Check)
