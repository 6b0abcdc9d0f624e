"""One row of the outbox: a message owed to one channel, from the moment something happened until it arrived or was given up loudly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from offduty.alerts.alert import Event
from offduty.alerts.plan import Urgency

RowState = Literal["waiting", "leased", "folded", "delivered", "dead", "dropped", "silenced"]
"""`waiting`: due at `not_before`. `leased`: one sender has it. `folded`: told within the message of its `group`, and ends as that ends.
`delivered`: a receiver took it. `dead`: given up, and said so elsewhere. `dropped`: not worth sending, `error` says why.
`silenced`: a silence kept it back."""

UNFINISHED: tuple[RowState, ...] = ("waiting", "leased", "folded")

UNREADABLE: Mapping[str, Any] = {"damaged": True}
"""The facts of a row of which nothing else can be read."""

Status = Literal["firing", "resolved", "info"]

FIRING = ("failed", "lost", "missed", "overdue", "stuck", "stale", "reminder", "escalated", "silenced", "drill_failed")
"""Events after which a channel believes the incident to be open."""


@dataclass(frozen=True)
class Owed:
    """`key`: the same for the same message wherever it is made; unique in the outbox. `number`: order of writing, 0 until written.

    `chain`: messages of one chain reach one channel in order of their numbers (the incident's id, else the run's). `at`: when it came to
    be owed. `not_before`: when it is due, planned `within` seconds ahead: further ahead than that means that the clock was set back, and
    then it is due (F54). `facts`: what the message is made of, small; the rest is looked up when it is composed. `down`: seconds that
    the channel had been failing, over all its life, when this was written. `group`: the key of the message that tells of this one too.
    """

    key: str
    chain: str
    job: str
    event: Event
    channel: str
    status: Status = "info"
    urgency: Urgency = "now"
    team: str = ""
    incident: str = ""
    run: str = ""
    at: float = 0.0
    not_before: float = 0.0
    within: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    state: RowState = "waiting"
    attempts: int = 0
    ambiguous: int = 0
    owner: str = ""
    down: float = 0.0
    minimal: bool = False
    refused: tuple[str, ...] = ()
    error: str = ""
    thread: str = ""
    receipt: str = ""
    done_at: float | None = None
    group: str = ""


@dataclass(frozen=True)
class Health:
    """How a channel fares. `down`: seconds of failing, summed up over its life from bounded steps, so that no clock that is set counts
    for more than a day. `failing_since`: wall time of the last failed attempt while no success came after it. `refusals`: answers in a
    row that refuse the channel itself; `broken_at`: when that made it broken. `storm`: the incident that stands for many, where pages
    go, and how many of those are still open.
    """

    name: str
    down: float = 0.0
    failing_since: float | None = None
    refusals: int = 0
    broken_at: float | None = None
    error: str = ""
    delivered_at: float | None = None
    storm: str = ""
    storm_open: int = 0


@dataclass(frozen=True)
class Silence:
    """Nobody is told of jobs that match `job` (a name, `*` stands for any text) from `starts_at` until `until`; 30 days at most (T33)."""

    id: str
    job: str
    starts_at: float
    until: float
    by: str = ""
    reason: str = ""
    ended: bool = False
