"""A check: one job that pings, and what its pings have said so far. Facts, kept in the store as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from offduty.watch.pings.address import Action

Status = Literal["new", "up", "down", "paused"]

PERIOD, GRACE = 86_400.0, 3_600.0
"""Seconds: what is expected of a check that somebody's ping created, and of nothing else known."""
MOST_OPEN = 50
"""Runs of one check that have started and not ended; the oldest is given up for another one."""
LONGEST_AGENT, LONGEST_CLIENT = 200, 100


@dataclass(frozen=True)
class Filters:
    """`post_only`: other methods are ignored. `by_body`: the words in the body say what happened, and a body without any is ignored,
    or a failure (`default_fail`).
    """

    post_only: bool = False
    by_body: bool = False
    start: tuple[str, ...] = ()
    success: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    default_fail: bool = False


@dataclass(frozen=True)
class Open:
    """A run that has said that it started, and not yet that it ended. `at`: when, seconds since 1970."""

    run: str
    rid: str
    at: float
    log: str = ""


@dataclass(frozen=True)
class Check:
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
    promise: Mapping[str, Any] = field(default_factory=dict)
    pings: int = 0
    last_ping: float | None = None
    last_start: float | None = None
    last_start_rid: str = ""
    last_duration: float | None = None
    open: tuple[Open, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


@dataclass(frozen=True)
class Key:
    """What addresses with slugs begin with: `secret`, 144 random bits. Checks made through it belong to `team`."""

    name: str
    secret: str
    team: str = ""


@dataclass(frozen=True)
class Ping:
    """One ping as it came. `at`: when, seconds since 1970; `body`: its first bytes; `client`: the address it came from."""

    action: Action
    at: float
    exit_status: int | None = None
    rid: str = ""
    method: str = "GET"
    client: str = ""
    agent: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Heard:
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


def read_check(found: Mapping[str, Any]) -> Check:
    """The inverse of `as_json`; what an older or newer offduty wrote has its unknown parts left out. Raises ValueError for what is none."""
    try:
        known = {name: found[name] for name in Check.__dataclass_fields__ if name in found}
        known["filters"] = _filters(found.get("filters") or {})
        known["open"] = tuple(Open(str(one["run"]), str(one["rid"]), float(one["at"]), str(one["log"])) for one in found.get("open") or ())
        check = Check(**known)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a check") from error
    if check.status not in ("new", "up", "down", "paused") or not math.isfinite(check.created_at):
        raise ValueError("not a check")
    return check


def _filters(found: Mapping[str, Any]) -> Filters:
    lists = {name: tuple(str(word) for word in found.get(name) or ()) for name in ("start", "success", "failure")}
    flags = {name: bool(found.get(name)) for name in ("post_only", "by_body", "default_fail")}
    return Filters(**cast("Any", {**lists, **flags}))
