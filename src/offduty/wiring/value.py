"""The value of a job: settings and store in, the report out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from offduty.alerts.incident import DRILLS, Incident
from offduty.handover.request import requirements
from offduty.handover.value.effort import Handled
from offduty.handover.value.judge import Target
from offduty.handover.value.report import Report, Terms, report
from offduty.settings.launch import COMPARISONS

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

INCIDENTS = 1000


def value_of(settings: Settings | None, name: str, store: SqliteStore, now: float) -> Report:
    """The report on a job; one that is not configured has no targets."""
    kept = store.handover
    incidents = list(handled(store.alerts.incidents(name, everything=True, limit=INCIDENTS)))
    terms = terms_of(settings, name)
    return report(
        name,
        kept.past(name),
        kept.measured(name),
        kept.touches(name),
        incidents,
        replace(terms, rows=row_names(settings)) if incidents and settings is not None else terms,
        requirements(kept.requests(name)),
        now,
    )


def terms_of(settings: Settings | None, name: str) -> Terms:
    """What the configuration says about the value of a job."""
    if settings is None or name not in settings.jobs:
        return Terms()
    job = settings.jobs[name]
    worth = job.value
    targets = {metric: target_of(bound) for metric, bound in job.good_enough.items()}
    lower = None if worth.better is None else worth.better == "lower"
    return Terms(worth.metric or "", lower, targets, worth.per_run, worth.per_unit, worth.per_hour, worth.currency)


def row_names(settings: Settings) -> frozenset[str]:
    """Of the triage table; read only where there were incidents."""
    from offduty.wiring.handover import table_of

    return frozenset(row.name for row in table_of(settings).rows)


def target_of(bound: str) -> Target:
    """`<= 0.12`, as the configuration has it."""
    sign = next(sign for sign in COMPARISONS if bound.startswith(sign))
    return Target(sign, float(bound[len(sign) :]))


def handled(incidents: Iterable[Incident]) -> Iterator[Handled]:
    """Incidents that took somebody's time: those that were acknowledged, noted or resolved by hand."""
    for one in incidents:
        by = one.acked_by or one.resolved_by or (one.notes[0][1] if one.notes else "")
        if by and one.event not in DRILLS:  # nothing was broken: how long it stays open says nothing of anybody's hours
            begun = one.acked_at if one.acked_at is not None else one.notes[0][0] if one.notes else one.opened_at
            known = one.acked_at is not None and one.resolved_at is not None
            yield Handled(begun, by, one.cause, max(one.resolved_at - begun, 0.0) / 3600 if known and one.resolved_at is not None else None)
