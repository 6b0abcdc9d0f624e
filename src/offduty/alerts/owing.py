"""What happened becomes what is owed, in one transaction of the store: incidents move, and rows of the outbox appear, or neither (INV-5).

Everything here may be done twice and changes nothing the second time: incidents are found by job and cause, rows by their key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from offduty.alerts.books import Books
from offduty.alerts.incident import BAD, GOOD, Announced, Happening, Incident, Step, advance, time_passed
from offduty.alerts.keys import digest_of
from offduty.alerts.owed import FIRING, Owed, Silence, Status
from offduty.alerts.plan import DAY, Destination, Plan, read_plan
from offduty.alerts.timing import not_before
from offduty.clock import wall_of

LONGEST_SILENCE = 30 * DAY
AT_ONCE = 500  # incidents or silences in one transaction
LATELY = 30 * DAY
LATE = DAY  # seconds after which something is told in a digest, and not as news
EVENTS = {"running": "started", "succeeded": "succeeded", "warned": "warned", "lost": "lost"}
NOT_OURS = ("skipped",)


def happening_of(record: Mapping[str, Any], *, at: float, now: float, plan: Plan, corrects: bool, superseded: bool) -> Happening | None:
    """What the record of a run says has happened; None if it is nothing that anybody is told. `at`: its end (its start while it runs)."""
    outcome = str(record["outcome"])
    again = outcome == "running" and record["attempt"] > 1
    if again or outcome in NOT_OURS or record["trigger"] == "drill":
        return None
    final = plan.final if plan.final is not None else record["attempt"] >= record["attempts"] or outcome in ("lost", "terminated")
    return Happening(
        key=f"run:{record['id']}:{outcome}",
        job=str(record["job"]),
        event=EVENTS.get(outcome, "failed"),  # type: ignore[arg-type]
        at=at,
        run=str(record["id"]),
        outcome=outcome,
        cause="lost" if outcome == "lost" else plan.cause,
        final=final,
        by_hand=record["trigger"] == "manual",
        corrects=corrects,
        superseded=superseded,
        late=abs(now - at) > LATE,
    )


def take(books: Books, happening: Happening, now: float) -> None:
    """Move the job's incidents, and owe what its plan says."""
    plan = read_plan(books.plan(happening.job))
    step = advance(books.open_incidents(happening.job), happening, plan.policy, now)
    _write(books, step, plan, now, happening)


def take_once(books: Books, happening: Happening, now: float) -> bool:
    """`take`, unless its key is known: for what has no record of its own (a slot that passed, a run that takes too long)."""
    if not books.is_new(happening.key, now):
        return False
    take(books, happening, now)
    return True


def tick(books: Books, now: float) -> int:
    """What time alone brings: reminders, escalations, ends of settling and of silences. How many were due."""
    due = books.due_incidents(now, AT_ONCE)
    for incident in due:
        plan = read_plan(books.plan(incident.job))
        _write(books, time_passed(incident, plan.policy, now), plan, now, None)
    ended = [silence for silence in books.silences() if not _is_active(silence, now) and silence.starts_at <= now]
    for silence in ended[:AT_ONCE]:
        _end_silence(books, silence, now)
    return len(due) + len(ended)


def act(books: Books, incident_id: str, what: Callable[[Incident], Step], now: float) -> Incident | None:
    """What a person does to an incident (`acknowledge`, `snooze`, …); it as it is now, None if it is not known."""
    incident = books.incident(incident_id)
    if incident is None:
        return None
    step = what(incident)
    _write(books, step, read_plan(books.plan(incident.job)), now, None)
    return books.incident(incident_id)


def _write(books: Books, step: Step, plan: Plan, now: float, happening: Happening | None) -> None:
    """Incidents first: what they announce then adds the channels that are owed their end."""
    for incident in step.changed:
        books.put_incident(incident)
    silenced = _silenced_now(books.silences(), step, happening, now)
    for announced in step.announced:
        rows = [_row(announced, to, plan, now, happening) for to in _audience(announced, plan, step)]
        _owe(books, announced, rows, silenced)


def _owe(books: Books, announced: Announced, rows: Sequence[Owed], silenced: bool) -> None:
    """A silence keeps the bad news back, but not the end of what was told before it (a pager would never close it)."""
    kept_back = silenced and announced.event != "recovered"
    down = {row.channel: books.health(row.channel).down for row in rows}
    books.add(replace(row, down=down[row.channel], state="silenced" if kept_back else "waiting") for row in rows)
    incident = announced.incident
    if incident and announced.event in FIRING and not kept_back and rows:
        told = dict(incident.fired) | {row.channel: row.urgency for row in rows}
        latest = books.incident(incident.id) or incident
        books.put_incident(replace(latest, fired=tuple(told.items())))


def _audience(announced: Announced, plan: Plan, step: Step) -> Sequence[Destination]:
    """`recovered` goes to those who were told that it was bad, and to nobody else (INV-8); they need no `succeeded` beside it.

    That somebody is at it is news only for those who were told at once.
    """
    wanted = plan.of(announced.event)
    incident = announced.incident
    if announced.event == "acknowledged" and incident is not None:
        return [Destination(channel) for channel, urgency in incident.fired if urgency == "now"]
    if announced.event == "recovered" and incident is not None:
        urgency = {to.channel: to for to in (*plan.of("escalated"), *plan.of(incident.event), *wanted)}
        return [urgency.get(channel, Destination(channel)) for channel, _ in incident.fired]
    if announced.event == "reminder" and incident is not None:
        return wanted or plan.of(incident.event)
    if announced.event in GOOD:
        heard = {channel for told in step.announced if told.incident for channel, _ in told.incident.fired}
        return [to for to in wanted if to.channel not in heard]
    return wanted


def _status(event: str) -> Status:
    return "resolved" if event == "recovered" else "firing" if event in FIRING else "info"


def _row(announced: Announced, to: Destination, plan: Plan, now: float, happening: Happening | None) -> Owed:
    """Old news waits for nothing, but goes together in one message (F77)."""
    incident = announced.incident
    chain = incident.id if incident else happening.run if happening else ""
    old = happening is not None and (happening.late or happening.superseded) and announced.event in (*BAD, "recovered")
    due = now if old else not_before(to.urgency, plan.policy, now)
    return Owed(
        key=digest_of(plan.job or (happening.job if happening else ""), chain, announced.event, str(announced.ordinal), to.channel),
        chain=chain,
        job=incident.job if incident else happening.job if happening else plan.job,
        event=announced.event,
        channel=to.channel,
        status="info" if incident and incident.state == "resolved" and announced.event in BAD else _status(announced.event),
        urgency="digest" if old else to.urgency,
        team=to.team or plan.team,
        incident=incident.id if incident else "",
        run=happening.run if happening else incident.last_run if incident else "",
        at=now,
        not_before=due,
        within=max(0.0, due - now),
        facts=_facts(incident, happening),
    )


def _facts(incident: Incident | None, happening: Happening | None) -> dict[str, Any]:
    facts: dict[str, Any] = {**happening.details, "at": happening.at, "outcome": happening.outcome} if happening else {}
    if incident is None:
        return facts
    return facts | {
        "cause": incident.cause,
        "opened_at": incident.opened_at,
        "last_at": incident.last_at,
        "failures": incident.failures,
        "flaps": incident.flaps,
        "resolved_by": incident.resolved_by,
        "acked_by": incident.acked_by,
    }


# Silences


def silence(books: Books, wanted: Silence, now: float, plans: Mapping[str, Mapping[str, Any]]) -> None:
    """Set a silence, and announce it once to every channel of the jobs it is about (T33). `plans`: newest `tell` by job.

    After a good run a plan names nobody but the owner: so those too who were told of these jobs' failures lately.
    """
    books.put_silence(wanted)
    lately = {channel: Destination(channel) for channel in books.heard_bad(wanted.job, now - LATELY)}
    channels = lately | {
        to.channel: to for job, tell in plans.items() if fnmatchcase(job, wanted.job) for to in read_plan(tell).of("failed")
    }
    facts = {"silence": wanted.id, "until": wanted.until, "by": wanted.by, "reason": wanted.reason, "set": True}
    books.add(_notice(wanted, to, now, facts) for to in channels.values())


def _notice(about: Silence, to: Destination, now: float, facts: Mapping[str, Any]) -> Owed:
    key = digest_of("silence", about.id, "set", to.channel)
    return Owed(
        key=key, chain=about.id, job=about.job, event="silenced", channel=to.channel, team=to.team, at=now, not_before=now, facts=facts
    )


def matches(silences: Sequence[Silence], job: str, now: float) -> bool:
    """Is the job silenced now?"""
    return any(_is_active(it, now) and fnmatchcase(job, it.job) for it in silences)


def _silenced_now(silences: Sequence[Silence], step: Step, happening: Happening | None, now: float) -> bool:
    if not silences:
        return False
    job = happening.job if happening else next((it.job for it in step.changed), "")
    return matches(silences, job, now)


def _is_active(it: Silence, now: float) -> bool:
    """A clock that was set back must not make it longer than any silence may be."""
    return not it.ended and it.starts_at <= now < it.until and it.until - now <= LONGEST_SILENCE


def _end_silence(books: Books, it: Silence, now: float) -> None:
    """Whoever was spared something that is still bad, and has not heard of it since, is told now, once per incident and channel (F48b)."""
    books.put_silence(replace(it, ended=True))
    kept: dict[tuple[str, str], list[Owed]] = {}
    for row in books.silenced(it.job, it.starts_at):
        if row.incident and row.status == "firing":
            kept.setdefault((row.incident, row.channel), []).append(row)
    for (incident_id, channel), rows in kept.items():
        incident = books.incident(incident_id)
        if incident is not None and incident.state in ("open", "settling"):
            heard = _last_heard(books, incident, channel)
            _say_still_bad(books, it, incident, [row for row in rows if row.number > heard], now)


def _last_heard(books: Books, incident: Incident, channel: str) -> int:
    """The number of the last bad news of it there that no silence kept back, as when another silence ended before; 0 for none."""
    told = (row for row in books.of_chain(incident.id, channel) if row.status == "firing" and row.state != "silenced")
    return max((row.number for row in told), default=0)


def _say_still_bad(books: Books, it: Silence, incident: Incident, rows: Sequence[Owed], now: float) -> None:
    """As a message like any other: it waits for the end of quiet hours, and of another silence."""
    if not rows:
        return
    first = rows[0]
    facts = {**_facts(incident, None), "silence": it.id, "suppressed": len(rows), "set": False}
    key = digest_of("silence", it.id, "over", incident.id, first.channel)
    due = not_before(first.urgency, read_plan(books.plan(incident.job)).policy, now)
    again = replace(
        first, key=key, event="silenced", status="firing", at=now, not_before=due, within=due - now, facts=facts, number=0, attempts=0
    )
    _owe(books, Announced("silenced", incident), [again], silenced=matches(books.silences(), incident.job, now))


# Runs


def run_happened(
    books: Books, record: Mapping[str, Any], tell: Mapping[str, Any] | None, *, before: str | None, superseded: bool, now: float
) -> None:
    """A run started or ended: called within the transaction that takes its record. `before`: the outcome it had there until now."""
    job = str(record["job"])
    if tell is not None:
        books.put_plan(job, dict(tell))
    kept = books.plan(job)
    if not kept:
        return  # a command that nobody configured
    plan = read_plan(kept)
    if before not in (None, "running") and record["outcome"] == "running":
        return  # a beginning that comes after the end; one that comes twice is owed once: its plan may have come with the second
    happening = happening_of(
        record,
        at=wall_of(str(record["ended_at"] or record["started_at"])),
        now=now,
        plan=plan,
        corrects=before == "lost",
        superseded=superseded,
    )
    if happening is None or _changes_nothing(books, happening, plan):
        return
    if happening.event != "started" and plan.of("started") and not happening.late:
        _begin(books, record, plan, now)
    take(books, happening, now)


def _changes_nothing(books: Books, happening: Happening, plan: Plan) -> bool:
    """Nobody asked to hear of it and nothing is broken. What is open ends, and what breaks is kept, whoever is told."""
    return not plan.owed and happening.event not in BAD and not books.open_incidents(happening.job)


def _begin(books: Books, record: Mapping[str, Any], plan: Plan, now: float) -> None:
    """A run that was over before anybody had read its plan has started too. Where that is known, the row is there, and stays as it is."""
    at = wall_of(str(record["started_at"]))
    begun = happening_of({**record, "outcome": "running"}, at=at, now=now, plan=plan, corrects=False, superseded=False)
    if begun is not None:
        take(books, begun, now)
