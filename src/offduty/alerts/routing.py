"""Who hears of what, where and how urgently: from what is configured and a verdict to the `tell` that a run carries. Pure.

Whose a failure is gets it as urgently as the event and the severity say; the job's owner, if that is another team, gets a copy
(`copy_owner`, by default in the digest). Good news, the start of a run, and what a drill found are the owner's alone. What nobody is told
stays in the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offduty.alerts.plan import Urgency

USUAL: Mapping[str, Urgency] = {
    "started": "quiet", "succeeded": "quiet", "warned": "digest", "failed": "now", "recovered": "now", "missed": "now", "overdue": "now",
    "lost": "now", "stuck": "now", "stale": "now", "reminder": "now", "escalated": "now", "drill_failed": "now",
}  # fmt: skip
"""How urgent each event is where nothing else is said."""

ORDER: tuple[Urgency, ...] = ("quiet", "digest", "now")
COPY: Urgency = "digest"
OWNERS_ALONE = ("started", "succeeded", "drill_failed")
FAILURES = ("failed", "timed_out", "terminated")
"""Outcomes that are the event `failed`."""
ABSENCE = ("missed", "overdue", "lost", "stuck", "stale")
"""What happens to a job without a run to say whose it is."""


@dataclass(frozen=True)
class Whose:
    """Whose a kind of event is: `team`, how bad (`severity` of the row), and the `cause` by which its incident is known."""

    team: str = ""
    severity: str = "error"
    cause: str = ""


@dataclass(frozen=True)
class Rules:
    """What is configured for one job. `channels` and `urgency` by team; `events`: urgency of events and outcomes.

    `severity`: the most that a row of this severity may be (`low = "digest"`). `policy`: as `offduty.alerts.plan.Policy` reads it.
    """

    job: str
    owner: str = ""
    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    urgency: Mapping[str, Mapping[str, Urgency]] = field(default_factory=dict)
    events: Mapping[str, Urgency] = field(default_factory=dict)
    severity: Mapping[str, Urgency] = field(default_factory=dict)
    copy_owner: Urgency = COPY
    escalate_to: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)


def route(rules: Rules, whose: Mapping[str, Whose], *, outcome: str = "", final: bool | None = None) -> dict[str, Any]:
    """The `tell` of a run. `whose`: by event, for those whose owner is known; else it is the job's. `outcome`: of the run, if it has ended.

    `final`: False if this attempt will be followed by another.
    """
    owed = {event: _heard(rules, event, whose.get(event, Whose()), outcome) for event in USUAL if event != "recovered"}
    known = whose.get("failed", Whose())
    tell = {"job": rules.job, "team": known.team or rules.owner, "cause": known.cause, "policy": dict(rules.policy)}
    return {**tell, "owed": {event: heard for event, heard in owed.items() if heard}, **({} if final is None else {"final": final})}


def _heard(rules: Rules, event: str, whose: Whose, outcome: str) -> list[dict[str, str]]:
    """The channels that hear of `event`, each once, the most urgent mention of it."""
    team = rules.owner if event in OWNERS_ALONE else whose.team or rules.owner
    found: dict[str, dict[str, str]] = {}
    for name, most in _audience(rules, event, team):
        urgency = least(_urgency(rules, name, event, outcome), rules.severity.get(whose.severity, "now"), most)
        for channel in rules.channels.get(name, ()):
            before = found.get(channel)
            if urgency != "quiet" and (before is None or ORDER.index(urgency) > ORDER.index(before["urgency"])):
                found[channel] = {"channel": channel, "urgency": urgency, "team": name}
    return list(found.values())


def _audience(rules: Rules, event: str, team: str) -> list[tuple[str, Urgency]]:
    """(team, how urgent at most)."""
    if event == "escalated":
        return [(name, "now") for name in (rules.escalate_to, team) if name]
    copy: list[tuple[str, Urgency]] = [(rules.owner, rules.copy_owner)] if rules.owner and rules.owner != team else []
    return [(team, "now"), *copy] if team else copy


def _urgency(rules: Rules, team: str, event: str, outcome: str) -> Urgency:
    """What the team says counts first, then the job, then what is usual; of a failure, its very outcome (`timed_out`) before `failed`."""
    said = (rules.urgency.get(team, {}), rules.events, USUAL)
    keys = (outcome, event) if event == "failed" and outcome in FAILURES else (event,)
    return next(table[key] for table in said for key in keys if key in table)


def least(*urgencies: Urgency) -> Urgency:
    """The least urgent of them."""
    return min(urgencies, key=ORDER.index)
