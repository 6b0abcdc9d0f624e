"""The week of a team: settings and store in, the document out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offduty.alerts.incident import DRILLS
from offduty.clock import rfc3339
from offduty.drills.turn import in_words
from offduty.durations import spoken
from offduty.handover.digest import JobWeek, digest
from offduty.handover.document import Document
from offduty.handover.readiness import DAY, PROVEN_FOR
from offduty.handover.store import GOOD
from offduty.wiring.handover import readiness_of, table_of, team_names
from offduty.wiring.value import value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

WEEK = 7 * DAY
PROOF = "offduty alerts test CHANNEL, then offduty alerts confirm CODE"


def digest_of(settings: Settings, team: str, store: SqliteStore, now: float) -> Document:
    """The week of a team: of the jobs that it owns, or has a part in."""
    since = now - WEEK
    weeks = weeks_of(settings, team, store, now, since)
    return digest(title_of(settings, team), weeks, unproven_of(settings, team, store, now), span_of(since, now), PROOF)


def weeks_of(settings: Settings, team: str, store: SqliteStore, now: float, since: float) -> list[JobWeek]:
    """What happened to each of its jobs `since` then."""
    jobs = [name for name in sorted(settings.jobs) if team in team_names(settings, name, table_of(settings))]
    return [_week(settings, name, store, now, since) for name in jobs]


def title_of(settings: Settings, team: str) -> str:
    """What the team is called."""
    return (settings.teams[team].title if team in settings.teams else "") or team


def span_of(since: float, now: float) -> str:
    """The days, in words."""
    return f"{rfc3339(since)[:10]} to {rfc3339(now)[:10]}"


def teams_with_jobs(settings: Settings) -> list[str]:
    """The teams that have a part in any job."""
    table = table_of(settings)
    return sorted({team for name in settings.jobs for team in team_names(settings, name, table)})


def _week(settings: Settings, name: str, store: SqliteStore, now: float, since: float) -> JobWeek:
    before = [one.level for one in store.handover.readings(name) if one.at <= since]
    found = value_of(settings, name, store, now)
    runs = [run for run in store.handover.past(name, 10_000) if since <= run.at <= now]
    hands = [event for event in found.effort.events if since <= event.at <= now]
    good = sum(run.outcome in GOOD for run in runs)
    return JobWeek(
        name,
        good,
        len(runs) - good,
        tuple(
            f"{rfc3339(e.at)[:10]} {e.kind}{f' by {e.by}' if e.by else ''}{f': {e.text}' if e.text else ''}, {e.hours:g} h" for e in hands
        ),
        sum(event.hours for event in hands),
        before[-1] if before else "",
        readiness_of(settings, name, store, now),
        found.verdict,
        tuple(
            f"{one.cause}, since {rfc3339(one.opened_at)[:16]}"
            for one in store.alerts.incidents(name)
            if one.state == "open" and one.event not in DRILLS
        ),
        _drilled(store, name),
    )


def _drilled(store: SqliteStore, name: str) -> str:
    """What the last drills found, unless they went as promised."""
    last = store.drills.last_turns().get(name)
    return in_words(last) if last is not None and last.outcome in ("failed", "could not") else ""


def unproven_of(settings: Settings, team: str, store: SqliteStore, now: float) -> Sequence[str]:
    """The team's channels that were not proven lately, in words."""
    channels = settings.teams[team].channels if team in settings.teams else []
    proven = {one.channel: one.confirmed_at for one in store.proofs.newest()}
    ages = [(name, proven.get(name)) for name in channels if name in settings.channels]
    return [
        f"{name} arrives: {'it was never proven' if at is None else f'proven {spoken(now - at)} ago'}"
        for name, at in ages
        if at is None or now - at > PROVEN_FOR
    ]
