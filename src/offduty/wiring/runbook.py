"""The runbook of a job: configuration, store and code in, everything the document says out."""

from __future__ import annotations

import os
import shlex
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from offduty.alerts.incident import Incident
from offduty.clock import rfc3339
from offduty.durations import spoken, spoken_size
from offduty.errors import OffdutyError
from offduty.handover.acceptance import standings
from offduty.handover.document import Document
from offduty.handover.readiness import Readiness
from offduty.handover.runbook import Book, DependencyFacts, IncidentFacts, RowFacts, runbook
from offduty.triage.row import Row
from offduty.version import VERSION
from offduty.wiring.handover import folder_of, readiness_of, table_of, teams_of, to_accept, when_due
from offduty.wiring.rehearsal import Kept
from offduty.wiring.schedules import schedule_of

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.settings.schema import Dependency, Job
    from offduty.stores.sqlite import SqliteStore

INCIDENTS, NEXT, RUNS, LINES = 10, 3, 50, 12


def runbook_of(settings: Settings, name: str, store: SqliteStore, now: float, logs: str) -> Document:
    """The runbook. `logs`: the folder of all logs. Raises as `Settings.job` does."""
    return runbook(book_of(settings, name, store, now, logs))


def book_of(settings: Settings, name: str, store: SqliteStore, now: float, logs: str) -> Book:
    """All that the document says."""
    job, table = settings.job(name), table_of(settings)
    incidents = store.alerts.incidents(name, everything=True, limit=500)
    last = next(iter(store.runs(name, limit=1)), None)
    launch = _launch(settings, name)
    ready: Readiness = readiness_of(settings, name, store, now)
    rehearsal = Kept(store.drills, store.proofs)
    return Book(
        job=name,
        made=f"made {day(now)} by offduty {VERSION} from configuration, code and history",
        description=job.description,
        owner=job.owner or "",
        command=_command(job, launch),
        folder=folder_of(settings, name),
        host=last["host"] if last else "",
        due=when_due(settings, name),
        late=tuple(_late(job)),
        next_due=tuple(_next_due(settings, name, now)),
        outputs=tuple(f"{one.path}, at most {spoken(float(one.max_age))} old" for one in job.output),
        good_enough=tuple(f"{metric} {bound}" for metric, bound in job.good_enough.items()),
        conduct=tuple(_conduct(job)),
        logs=f"{logs}/{name}/ on {last['host'] if last else os.uname().nodename}; the last: offduty log {name}",
        kept=f"{spoken(float(job.log.keep))}, at most {job.log.keep_runs} runs and {spoken_size(int(job.log.max_total))}",
        usual=_usual(store, name),
        last_run=_last_run(last),
        notes=job.notes,
        teams=teams_of(settings, name, table),
        titles={key: team.title for key, team in settings.teams.items() if team.title},
        contact={key: team.contact for key, team in settings.teams.items()},
        hours={key: " ".join(part for part in (team.hours, team.timezone or "") if part) for key, team in settings.teams.items()},
        team_notes={key: team.notes for key, team in settings.teams.items()},
        rows=tuple(_row(row, job.owner or "", incidents) for row in table.rows),
        dependencies=tuple(_dependency(key, one) for key, one in settings.dependencies.items()),
        drilled=tuple((drill, f"{day(drill.at)}, {spoken(max(now - drill.at, 0.0))} before this") for drill in rehearsal.drills(name)),
        incidents=tuple(_incident(store, one) for one in incidents[:INCIDENTS]),
        readiness=ready,
        accepted=tuple(
            (one, day(one.last.at) if one.last else "")
            for one in standings(to_accept(settings, name, table), store.handover.acceptances(name))
        ),
    )


def day(at: float) -> str:
    """`2026-11-23 06:00 UTC`: a document is read in other time zones too."""
    return f"{rfc3339(at)[:16].replace('T', ' ')} UTC"


def _launch(settings: Settings, name: str) -> dict[str, Any]:
    try:
        return settings.launch(name)
    except OffdutyError:
        return {}


def _command(job: Job, launch: dict[str, Any]) -> str:
    if job.command:
        return shlex.join(job.command)
    return str(job.shell or launch.get("notebook") or job.notebook or "")


def _late(job: Job) -> Iterator[str]:
    grace = job.start_grace
    yield f"not started {spoken(float(grace))} after it was due: missed" if grace else "not started 15 min after it was due: missed"
    if job.max_duration:
        yield f"still running after {spoken(float(job.max_duration))}: overdue" + (
            f"; ended by force {spoken(float(job.kill_after))} later" if job.kill_after is not None else ""
        )
    for one in job.output:
        yield f"{one.path} older than {spoken(float(one.max_age))}: stale"


def _conduct(job: Job) -> Iterator[str]:
    overlap = {"skip": "a second start is skipped", "queue": "a second start waits", "allow": "a second start runs beside it"}
    yield overlap[job.overlap]
    tries = int(job.retries)
    often = "once" if tries == 1 else f"{tries} times"
    yield f"a failure is tried again {often}" if tries else "a failure is not tried again by itself"
    if job.min_duration:
        yield f"faster than {spoken(float(job.min_duration))} is suspicious"


def _next_due(settings: Settings, name: str, now: float) -> Iterator[str]:
    try:
        schedule = schedule_of(settings, name, since=now)
    except OffdutyError:
        return
    at: float | None = now
    for _ in range(NEXT):
        at = schedule.after(at) if schedule is not None and at is not None else None
        if at is not None:
            yield day(at)


def _usual(store: SqliteStore, name: str) -> str:
    took = [run["duration_s"] for run in store.good_runs(name, RUNS) if run["duration_s"] is not None]
    if not took:
        return ""
    if len(took) == 1:
        return f"{spoken(took[0])} (its only good run)"
    return f"{spoken(statistics.median(took))} (the last {len(took)} good runs: {spoken(min(took))} to {spoken(max(took))})"


def _last_run(last: dict[str, Any] | None) -> str:
    return f"{last['outcome'].replace('_', ' ')}, started {last['started_at'][:16].replace('T', ' ')} UTC" if last else "it has not run yet"


def _row(row: Row, owner: str, incidents: list[Incident]) -> RowFacts:
    seen = next((one for one in incidents if one.cause == row.name), None)
    return RowFacts(
        row.name, row.title, row.cause, row.steps, row.team or owner, row.severity, tuple(one.describe() for one in row.when), row.links,
        row.notes, day(seen.last_at) if seen else "",
    )  # fmt: skip


def _dependency(name: str, one: Dependency) -> DependencyFacts:
    match = one.match if isinstance(one.match, str) else ", ".join(one.match)
    expects = [
        f"at most {spoken(float(one.max_age))} old" if one.max_age else "",
        f"{one.min_rows} rows or more" if one.min_rows else "",
        f"columns {', '.join(one.columns)}" if one.columns else "",
        f"at most {one.max_null_share:.0%} missing" if one.max_null_share is not None else "",
    ]
    return DependencyFacts(name, one.description, one.team or "", match, "; ".join(part for part in expects if part))


def _incident(store: SqliteStore, one: Incident) -> IncidentFacts:
    summary = _summary(store, one.last_run)
    failure = summary.get("failure") or {}
    lasted = spoken(max(one.resolved_at - one.opened_at, 0.0)) if one.resolved_at is not None else "it is still open"
    solved = f"by {one.resolved_by}" if one.resolved_by else "by itself: it ran well again" if one.resolved_at is not None else "not yet"
    at_it = f"; {one.acked_by} was at it" if one.acked_by and one.acked_by != one.resolved_by else ""
    own_words = tuple(f"{by}, {day(at)}: {text}" for at, by, text in one.notes if text not in ("acknowledged", "resolved"))
    said = "\n".join(str(line) for line in (failure.get("tail") or [])[-LINES:])
    return IncidentFacts(
        day(one.opened_at), one.cause, lasted, one.failures, solved + at_it, str(summary.get("what") or ""), own_words, said
    )


def _summary(store: SqliteStore, run_id: str) -> dict[str, Any]:
    try:
        return (store.run(run_id)["summary"] or {}) if run_id else {}
    except OffdutyError:  # forgotten meanwhile
        return {}
