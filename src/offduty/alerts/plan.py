"""Who is to be told what, and how insistently: the `tell` that a run carries, read so that nothing in it can make this fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Urgency = Literal["now", "digest", "quiet"]

DAY = 86_400.0
MOST_CHANNELS = 100


@dataclass(frozen=True)
class Destination:
    """One channel that hears of an event. `now` and `digest` are messages; `quiet` is none. `team`: for whose sake."""

    channel: str
    urgency: Urgency = "now"
    team: str = ""


@dataclass(frozen=True)
class Policy:
    """How a job's incidents behave. All times in seconds.

    `after_failures`: announce at the n-th failure in a row. `settle_s`: well again means so long without a failure (a person's own good
    run counts at once). `remind_s`: first reminder after, then `remind_factor` times as long each, at most `remind_max_s`; None for none.
    `escalate_s`: when nobody acknowledged by then, `escalated` is owed; None for never. `quiet_hours`: pairs of "HH:MM" in `timezone`,
    in which what is `now` waits. `digest_at`: times of day for what is `digest`. `fallback`: channels that hear of undelivered alerts.
    """

    after_failures: int = 1
    settle_s: float = 900.0
    remind_s: float | None = None
    remind_factor: float = 2.0
    remind_max_s: float = DAY
    escalate_s: float | None = None
    quiet_hours: tuple[tuple[str, str], ...] = ()
    digest_at: tuple[str, ...] = ("09:00",)
    timezone: str = "UTC"
    fallback: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a `tell` says. `cause`: the key of the incident beside the job. `final`: False if this attempt will be tried again."""

    job: str = ""
    team: str = ""
    cause: str = ""
    owed: Mapping[str, tuple[Destination, ...]] = field(default_factory=dict)
    policy: Policy = Policy()
    final: bool | None = None

    def of(self, event: str) -> tuple[Destination, ...]:
        """Whom the plan tells of an event; those who want it quiet are left out."""
        return tuple(to for to in self.owed.get(event, ()) if to.urgency != "quiet")


def read_plan(tell: object) -> Plan:
    """The plan in a `tell` as the spool or the store holds it. What cannot be used is left out; nothing raises."""
    found: Mapping[str, Any] = tell if isinstance(tell, dict) else {}
    owed = found.get("owed")
    return Plan(
        job=_text(found.get("job")),
        team=_text(found.get("team")),
        cause=_text(found.get("cause")),
        owed={event: _destinations(to) for event, to in owed.items()} if isinstance(owed, dict) else {},
        policy=_policy(found.get("policy")),
        final=found["final"] if isinstance(found.get("final"), bool) else None,
    )


def _destinations(found: object) -> tuple[Destination, ...]:
    """Each channel once: the first mention counts."""
    entries = found[:MOST_CHANNELS] if isinstance(found, list) else []
    known: dict[str, Destination] = {}
    for entry in entries:
        if isinstance(entry, dict) and (channel := _text(entry.get("channel"))):
            urgency = entry.get("urgency", "now")
            if urgency in ("now", "digest", "quiet"):
                known.setdefault(channel, Destination(channel, urgency, _text(entry.get("team"))))
    return tuple(known.values())


def _policy(found: object) -> Policy:
    if not isinstance(found, dict):
        return Policy()
    usual = Policy()
    return Policy(
        after_failures=max(1, int(_number(found.get("after_failures"), 1, 1e6))),
        settle_s=_number(found.get("settle_s"), usual.settle_s, DAY),
        remind_s=_positive(found.get("remind_s")),
        remind_factor=max(1.0, _number(found.get("remind_factor"), usual.remind_factor, 100)),
        remind_max_s=_positive(found.get("remind_max_s")) or usual.remind_max_s,
        escalate_s=_positive(found.get("escalate_s")),
        quiet_hours=tuple((pair[0], pair[1]) for pair in _list(found.get("quiet_hours")) if _is_pair(pair)),
        digest_at=tuple(text for text in _list(found.get("digest_at")) if isinstance(text, str)) or usual.digest_at,
        timezone=_text(found.get("timezone")) or usual.timezone,
        fallback=tuple(text for text in _list(found.get("fallback")) if isinstance(text, str)),
    )


def _text(found: object) -> str:
    """A text that a database takes, not too long."""
    if not isinstance(found, str) or "\0" in found:
        return ""
    return found.encode("utf-8", "backslashreplace").decode()[:1000]


def _list(found: object) -> list[Any]:
    return found[:MOST_CHANNELS] if isinstance(found, list) else []


def _is_pair(found: object) -> bool:
    return isinstance(found, list) and len(found) == 2 and all(isinstance(text, str) for text in found)


def _number(found: object, usual: float, most: float) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return usual
    return min(max(0.0, float(found)), most)


def _positive(found: object) -> float | None:
    return _number(found, 0.0, 30 * DAY) or None
