"""A job being broken, from the first failure until it is well again: what happens to its incidents, as pure functions.

1. One incident per job and cause. The first failure opens it (or the n-th in a row: until then it is `pending`, and nobody is told).
2. A repeat is counted, not announced, but a job that keeps changing its mind is told of at most every 15 minutes.
3. A good run ends all incidents of its job once `settle_s` have passed without a failure; until then they are `settling`.
4. Time does the rest: reminders at growing distances, escalation when nobody acknowledged, the end of settling.
5. People acknowledge, note, snooze and resolve.

What recurring drills find is an incident of its own: only the next drill that goes well ends it, whatever runs of the job do meanwhile.

Times are seconds since 1970. `now` is the clock of who decides; `Happening.at` may come from another machine, so a difference between
two of them only ever shortens a wait, within the wait's own bounds (INV-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from offduty.alerts.alert import Event
from offduty.alerts.keys import digest_of
from offduty.alerts.plan import Policy
from offduty.durations import spoken

State = Literal["pending", "open", "settling", "resolved"]

GOOD = ("succeeded", "warned")
BAD = ("failed", "lost", "missed", "overdue", "stuck", "stale", "drill_failed")
DRILLS = ("drill_failed", "drill_passed")
NEVER_RAN = "never ran"
"""The cause of a missed run of a job that never ran at all: it was set up, and nothing starts it."""
UPDATE_EVERY = 900.0  # seconds between two updates on a job that flaps
SET_BACK = 900.0
"""Seconds that a planned moment may lie further ahead than it was planned before that proves a clock set back: less may be the age of a
reading, as of somebody who waited for the store, or was stopped, while another planned (F46, F54)."""
MOST_NOTES = 100
DRILL = "drill"
"""The cause of an incident that a drill found."""
CALM = Policy(settle_s=0.0)
"""How incidents of drills behave: nothing is broken, so nobody is reminded, and it is over with the next drill that goes well."""
LONGEST_SNOOZE = 30 * 86_400.0


@dataclass(frozen=True)
class Happening:
    """What happened to a job. `key` names it for ever: the same one twice is one.

    `event`: `started`, one of `GOOD` or one of `BAD`. `cause`: what broke, as triage names it. `final`: False if it will be tried again.
    `by_hand`: a person started the run. `corrects`: the real end of a run that was thought lost. `superseded`: a later run of the job is
    known already, and was good. `late`: so old that it is news to nobody. `details`: more for the message, small, where no record has it.
    """

    key: str
    job: str
    event: Event
    at: float
    run: str = ""
    outcome: str = ""
    cause: str = ""
    final: bool = True
    by_hand: bool = False
    corrects: bool = False
    superseded: bool = False
    late: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """`failures`: bad endings so far. `flaps`: how often it went bad again while settling. `fired`: channels that were told, and are
    owed its end. `due`: when time changes it (None: never), planned `due_in` seconds ahead. `escalate_in`: seconds left at the last plan
    until it escalates; a clock that is set brings it forward by what was planned then, at most. `notes`: (at, by, text).
    """

    id: str
    job: str
    cause: str
    event: Event
    opened_at: float
    last_at: float
    first_run: str = ""
    last_run: str = ""
    outcome: str = ""
    state: State = "pending"
    failures: int = 1
    flaps: int = 0
    told_at: float = 0.0
    reminders: int = 0
    escalated: bool = False
    escalate_in: float = 0.0
    acked_by: str = ""
    acked_at: float | None = None
    snoozed_until: float | None = None
    resolved_at: float | None = None
    resolved_by: str = ""
    due: float | None = None
    due_in: float = 0.0
    fired: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[float, str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As a store keeps it and `--json` shows it."""
        return asdict(self)

    def is_due(self, now: float) -> bool:
        """A moment further ahead than it was ever planned is a clock that was set back: due (F54)."""
        return self.due is not None and (self.due <= now or self.due - now > self.due_in + SET_BACK)


@dataclass(frozen=True)
class Announced:
    """Something worth a message: `event`, of an incident or (None) of the run alone; `ordinal` tells reminders of one incident apart."""

    event: Event
    incident: Incident | None
    ordinal: int = 0


@dataclass(frozen=True)
class Step:
    """What a happening came to: incidents as they are now, and what is to be told, in order."""

    changed: tuple[Incident, ...] = ()
    announced: tuple[Announced, ...] = ()


def incident_from_json(found: Mapping[str, Any]) -> Incident:
    """The inverse of `as_json`. Raises TypeError or KeyError for what is none."""
    known = {name: found[name] for name in Incident.__dataclass_fields__ if name in found}
    known["fired"] = tuple((str(channel), str(urgency)) for channel, urgency in known.get("fired", ()))
    known["notes"] = tuple((float(at), str(by), str(text)) for at, by, text in known.get("notes", ()))
    return Incident(**known)


def advance(incidents: Sequence[Incident], happening: Happening, policy: Policy, now: float) -> Step:
    """What `happening` does to the job's incidents that are not resolved."""
    incidents = [it for it in incidents if (it.event in DRILLS) == (happening.event in DRILLS)]
    policy = CALM if happening.event in DRILLS else policy
    before = _settled_by_truth(incidents, happening, now)
    if happening.event in (*GOOD, "drill_passed"):
        return _join(before, _well(_still(incidents, before), happening, policy, now))
    if happening.event in BAD:
        return _join(before, _bad(_still(incidents, before), happening, policy, now))
    return Step(announced=(Announced(happening.event, None),))


def _still(incidents: Sequence[Incident], step: Step) -> list[Incident]:
    gone = {incident.id for incident in step.changed}
    return [incident for incident in incidents if incident.id not in gone]


def _join(first: Step, then: Step) -> Step:
    return Step(first.changed + then.changed, first.announced + then.announced)


def _settled_by_truth(incidents: Sequence[Incident], happening: Happening, now: float) -> Step:
    """A run that was thought lost has turned up, however it ended: it is not lost any more (F22)."""
    if not happening.corrects:
        return Step()
    steps = [_resolve(it, now) for it in incidents if it.cause == "lost" and it.last_run == happening.run]
    return Step(tuple(it for step in steps for it in step.changed), tuple(it for step in steps for it in step.announced))


def _well(incidents: Sequence[Incident], happening: Happening, policy: Policy, now: float) -> Step:
    """A run older than the last failure says nothing about it. Who heard `recovered` need not hear `succeeded`: routing sees to that."""
    step = Step()
    for incident in incidents:
        if happening.at >= incident.last_at or not happening.run:
            step = _join(step, _one_well(incident, happening, policy, now))
    return _join(step, Step(announced=(Announced(happening.event, None),)))


def _one_well(incident: Incident, happening: Happening, policy: Policy, now: float) -> Step:
    left = policy.settle_s - (happening.at - incident.last_at)
    if incident.state == "pending" or left <= 0 or (happening.by_hand and not incident.flaps):
        return _resolve(incident, now)
    if incident.state == "settling":
        return Step()
    return Step((_until(replace(_counted(incident, now), state="settling"), now, left),))


def _resolve(incident: Incident, now: float, by: str = "") -> Step:
    """Its end is announced only if its beginning was."""
    was_told = incident.state != "pending"
    ended = replace(incident, state="resolved", resolved_at=now, resolved_by=by, due=None)
    return Step((ended,), (Announced("recovered", ended),) if was_told else ())


def _bad(incidents: Sequence[Incident], happening: Happening, policy: Policy, now: float) -> Step:
    if not happening.final:
        return Step()
    cause = happening.cause or happening.event
    same = next((incident for incident in incidents if incident.cause == cause), None)
    step = _again(same, happening, policy, now) if same else _first(happening, cause, policy, now)
    if happening.superseded and step.changed[-1].state != "resolved" and not same:
        return _over_already(step, now)
    return step


def _over_already(step: Step, now: float) -> Step:
    """It failed, and has been well since: on record, told as one message, nothing stays open."""
    ended = replace(step.changed[-1], state="resolved", resolved_at=now, due=None)
    return Step((ended,), tuple(replace(told, incident=ended) for told in step.announced))


def _first(happening: Happening, cause: str, policy: Policy, now: float) -> Step:
    incident = Incident(
        id=digest_of("incident", happening.job, cause, happening.key)[:16],
        job=happening.job,
        cause=cause,
        event=happening.event,
        opened_at=happening.at,
        last_at=happening.at,
        first_run=happening.run,
        last_run=happening.run,
        outcome=happening.outcome,
    )
    return _open_if_enough(incident, policy, now)


def _again(incident: Incident, happening: Happening, policy: Policy, now: float) -> Step:
    counted = replace(
        incident,
        failures=incident.failures + 1,
        last_at=max(incident.last_at, happening.at),
        last_run=happening.run or incident.last_run,
        outcome=happening.outcome,
    )
    if incident.state == "pending":
        return _open_if_enough(counted, policy, now)
    if incident.state == "settling":
        return _relapsed(counted, policy, now)
    return Step((counted,))


def _open_if_enough(incident: Incident, policy: Policy, now: float) -> Step:
    """A single missed or lost run is one failure too, but there may never be a second: those are told at once."""
    if incident.failures < policy.after_failures and incident.event == "failed":
        return Step((incident,))
    opened = replace(incident, state="open", told_at=now, escalate_in=policy.escalate_s or 0.0)
    return Step((_plan_next(opened, policy, now),), (Announced(opened.event, opened),))


def _relapsed(incident: Incident, policy: Policy, now: float) -> Step:
    back = replace(_counted(incident, now), state="open", flaps=incident.flaps + 1)
    if 0 <= now - back.told_at < UPDATE_EVERY:
        return Step((_plan_next(back, policy, now),))
    told = replace(back, told_at=now, reminders=back.reminders + 1)
    return Step((_plan_next(told, policy, now),), (Announced("reminder", told, told.reminders),))


# What time does


def _until(incident: Incident, now: float, seconds: float) -> Incident:
    wait = max(0.0, seconds)
    return replace(incident, due=now + wait, due_in=wait)


def _plan_next(incident: Incident, policy: Policy, now: float) -> Incident:
    """The next moment at which an open incident is to be looked at again. Waits count from `now`: they are never in the past."""
    waits = []
    if _may_escalate(incident, policy):
        waits.append(incident.escalate_in)
    if policy.remind_s and incident.acked_at is None:
        waits.append(min(policy.remind_s * policy.remind_factor ** min(incident.reminders, 60), policy.remind_max_s))
    if not waits:
        return replace(incident, due=None)
    asleep = min(max(0.0, (incident.snoozed_until or now) - now), LONGEST_SNOOZE)
    return _until(replace(incident, snoozed_until=incident.snoozed_until if asleep else None), now, max(min(waits), asleep))


def _counted(incident: Incident, now: float) -> Incident:
    """Nearer to its escalation by the time since it was planned, but for what was slept away. A clock that was set counts as all of it."""
    if incident.due is None or incident.snoozed_until is not None:
        return incident
    passed = incident.due_in if incident.is_due(now) else incident.due_in - (incident.due - now)
    return replace(incident, escalate_in=max(0.0, incident.escalate_in - max(0.0, passed)))


def _may_escalate(incident: Incident, policy: Policy) -> bool:
    return policy.escalate_s is not None and not incident.escalated and incident.acked_at is None


def time_passed(incident: Incident, policy: Policy, now: float) -> Step:
    """What is owed for an incident that is due: the end of settling, an escalation, a reminder."""
    policy = CALM if incident.event in DRILLS else policy
    if incident.state == "settling":
        return _resolve(incident, now)
    if incident.state != "open" or incident.acked_at is not None:
        return Step((replace(incident, due=None),))
    incident = replace(_counted(incident, now), snoozed_until=None)
    if _may_escalate(incident, policy) and incident.escalate_in < 1:
        told = replace(incident, escalated=True)
        return Step((_plan_next(told, policy, now),), (Announced("escalated", told),))
    if policy.remind_s:
        told = replace(incident, reminders=incident.reminders + 1, told_at=now)
        return Step((_plan_next(told, policy, now),), (Announced("reminder", told, told.reminders),))
    return Step((_plan_next(incident, policy, now),))


# What people do


def acknowledge(incident: Incident, by: str, now: float) -> Step:
    """Somebody is at it: no more reminders, no escalation, and the others hear of it. Its end is told all the same."""
    if incident.state not in ("open", "settling") or incident.acked_at is not None:
        return Step()
    due = incident.due if incident.state == "settling" else None
    acked = _noted(replace(incident, acked_by=by, acked_at=now, due=due), by, "acknowledged", now)
    return Step((acked,), (Announced("acknowledged", acked),))


def note(incident: Incident, by: str, text: str, now: float) -> Step:
    """What somebody wants the next one to know."""
    return Step((_noted(incident, by, text, now),))


def snooze(incident: Incident, by: str, seconds: float, now: float) -> Step:
    """No reminder and no escalation for so long, at most 30 days (T33)."""
    if incident.state != "open":
        return Step()
    wait = min(max(0.0, seconds), LONGEST_SNOOZE)
    asleep = _until(replace(_counted(incident, now), snoozed_until=now + wait), now, wait)
    return Step((_noted(asleep, by, f"snoozed for {spoken(wait)}", now),))


def resolve(incident: Incident, by: str, now: float) -> Step:
    """Somebody says that it is over."""
    if incident.state == "resolved":
        return Step()
    return _resolve(_noted(incident, by, "resolved", now), now, by)


def _noted(incident: Incident, by: str, text: str, now: float) -> Incident:
    return replace(incident, notes=(*incident.notes, (now, by, text[:1000]))[-MOST_NOTES:])
