"""Whom runs concern: settings in; the plan that a run carries, the promise that is watched, and the outbox that delivers, out."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from offduty.alerts.alert import Alert
from offduty.alerts.compose import Known, compose, told_in_words
from offduty.alerts.delivery import FIRST, Attempt, Receipt
from offduty.alerts.incident import NEVER_RAN, Incident
from offduty.alerts.outbox import Limits, Outbox
from offduty.alerts.owed import Owed
from offduty.alerts.plan import Urgency
from offduty.alerts.routing import ABSENCE, COPY, ORDER, Rules, Whose, route
from offduty.alerts.wording import moment
from offduty.clock import Clock, boot_id
from offduty.errors import OffdutyError
from offduty.settings.launch import EVENTS
from offduty.settings.schema import Telling
from offduty.stores.patience import chance
from offduty.watch.promise import Output, Promise
from offduty.wiring.channels import ready
from offduty.wiring.schedules import days_off, machine_zone
from offduty.wiring.verdicts import of_event, of_lost, whose

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore
    from offduty.wiring.triage import Duty

DURATIONS = {
    "settle": "settle_s", "remind": "remind_s", "remind_max": "remind_max_s", "escalate_after": "escalate_s",
}  # fmt: skip
PAGES = ("pagerduty",)
"""Kinds of channel that wake people up: they get one incident for a storm."""
MONTH = 30 * 86_400.0


def rules_of(settings: Settings, name: str) -> Rules:
    """What is configured about telling people of the job `name`. Raises as `Settings.job` does."""
    job, general = settings.job(name), settings.alerts
    said = [job.alerts, general]
    return Rules(
        job=name,
        owner=job.owner or "",
        channels={team: tuple(one.channels) for team, one in settings.teams.items()},
        urgency={team: {event: _urgency(word) for event, word in one.alerts.items()} for team, one in settings.teams.items()},
        events={event: _urgency(word) for event in EVENTS if (word := _first(said, event)) is not None},
        severity={level: _urgency(word) for level, word in {**general.severity, **job.alerts.severity}.items()},
        copy_owner=_urgency(_first(said, "copy_owner") or COPY),
        escalate_to=_first(said, "escalate_to") or "",
        policy=_policy(said, job.timezone),
    )


def _first(said: Sequence[Telling], key: str) -> Any:
    """The job's word, else the general one."""
    return next((value for one in said if (value := getattr(one, key)) is not None), None)


def _urgency(word: str) -> Urgency:
    return next((known for known in ORDER if known == word), "quiet")  # "off" is another word for it


def _policy(said: Sequence[Telling], zone: str | None) -> dict[str, Any]:
    """As `offduty.alerts.plan.Policy` is read; what nobody says is left to its defaults."""
    policy: dict[str, Any] = {name: float(value) for key, name in DURATIONS.items() if (value := _first(said, key)) is not None}
    if (after := _first(said, "after_failures")) is not None:
        policy["after_failures"] = int(after)
    if (hours := _first(said, "quiet_hours")) is not None:
        policy["quiet_hours"] = [list(part.split("-")) for part in hours]
    for key in ("digest_at", "fallback"):
        if (value := _first(said, key)) is not None:
            policy[key] = [str(text) for text in value]
    return {**policy, "timezone": _first(said, "timezone") or zone or machine_zone()}


def tell_of(
    settings: Settings, name: str, duty: Duty, *, verdict: Mapping[str, Any] | None = None, outcome: str = "", final: bool | None = None
) -> dict[str, Any]:
    """The `tell` of a run of the job `name`. `verdict`: of the run, if it has failed; `outcome`: if it has ended."""
    whose = {event: found for event in ABSENCE if (found := _whose_absence(duty, name, event)) is not None}
    if verdict:
        known = Whose(verdict.get("team") or "", verdict.get("severity") or "error", cause_of(verdict))
        whose |= dict.fromkeys(("failed", "warned", "reminder", "escalated"), known)
    return route(rules_of(settings, name), whose, outcome=outcome, final=final)


def _whose_absence(duty: Duty, job: str, event: str) -> Whose | None:
    """A row of the user's own that is about an outcome may say whose a missed run is; else the team that `[owners]` names for its kind."""
    if not duty.table.rows and not duty.owners:
        return None
    verdict = whose(event, job, duty)
    return Whose(verdict.team or "", verdict.severity, event)


def cause_of(verdict: Mapping[str, Any]) -> str:
    """By what an incident is known: the row, else the category; two failures that nothing explains are one cause."""
    return str(verdict.get("row") or verdict.get("category") or "unknown")


def promise_of(settings: Settings, name: str, tell: Mapping[str, Any]) -> Promise:
    """What the job `name` has promised. Raises NotThere E512 for a calendar that cannot be read."""
    job = settings.job(name)
    calendars = [job.not_on] if isinstance(job.not_on, str) else job.not_on
    folder = settings.launch(name)["cwd"]
    return Promise(
        name, job.schedule or "", job.on_calendar or "", float(job.every) if job.every else None, job.timezone or machine_zone(),
        tuple(sorted({day.isoformat() for calendar in calendars for day in days_off(settings, calendar)})),
        float(job.start_grace) if job.start_grace else None, float(job.max_duration) if job.max_duration else None,
        tuple(Output(os.path.join(folder, one.path), float(one.max_age)) for one in job.output), tell,
    )  # fmt: skip


class Configured:
    """A channel by its name: what it is made of is read when it sends, so a secret that was changed counts at once."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One attempt. Raises DeliveryError."""
        return ready(self._settings, self._name).send(alert, attempt)


class Composer:
    """Messages for rows, with what the store and the configuration know of them."""

    def __init__(self, open_store: Callable[[], SqliteStore], settings: Settings) -> None:
        self._open_store, self._settings = open_store, settings
        self._titles = titles_of(settings)
        self._contacts = {name: team.contact for name, team in settings.teams.items()}
        self._held: Duty | None = None

    def __call__(self, row: Owed, members: Sequence[Owed]) -> Alert:
        """Called by whichever thread sends: each has a store of its own."""
        store = self._open_store()
        run = _run(store, row.run)
        incident = store.alerts.incident(row.incident).as_json() if row.incident else {}
        told = tuple(told_in_words(one, self._titles) for one in _beside(store, row)) if row.event != "digest" else ()
        before = self._before(store, row)
        failure = (run.get("summary") or {}).get("failure") or {}
        lines = tuple(failure.get("tail") or ())
        known = Known(run, incident, self._titles, self._contacts, told, before, lines, self._link(row), self._verdict(row, run))
        return compose(row, known, members)

    def _verdict(self, row: Owed, run: Mapping[str, Any]) -> dict[str, Any]:
        """On an absence, or what reminds of one; empty where the run's own says it."""
        event = row.event if row.event in ABSENCE else str(row.facts.get("cause") or "").partition(" ")[0]
        event = "missed" if row.facts.get("cause") == NEVER_RAN else event
        if row.status != "firing" or event not in ABSENCE or (run.get("summary") or {}).get("verdict"):
            return {}
        duty = self._duty()
        found = of_lost(run, duty, self._settings.places().logs) if event == "lost" and run else of_event(event, row.job, duty)
        return found.as_json()

    def _duty(self) -> Duty:
        """What the configuration says of whose a failure is, with the table as it is now."""
        from offduty.wiring.triage import duty_of

        if self._held is None or self._held.edited():
            self._held = duty_of(self._settings)
        return self._held

    def _before(self, store: SqliteStore, row: Owed) -> int:
        """How many other incidents of the job there were in 30 days."""
        if row.status != "firing" or not row.job:
            return 0
        found = store.alerts.incidents(row.job, everything=True, limit=100)
        return sum(one.id != row.incident and row.at - one.opened_at < MONTH for one in found)

    def _link(self, row: Owed) -> str:
        """`link` of the configuration, `{job}` and `{run}` filled in."""
        job = self._settings.jobs.get(row.job)
        link = (job.alerts.link if job else None) or self._settings.alerts.link or ""
        return link.replace("{job}", row.job).replace("{run}", row.run)


def _run(store: SqliteStore, run_id: str) -> dict[str, Any]:
    try:
        return store.run(run_id) if run_id else {}
    except OffdutyError:  # forgotten meanwhile: the message says what the row knows
        return {}


def _beside(store: SqliteStore, row: Owed) -> list[Owed]:
    """Other channels that are owed the same news."""
    found = store.alerts.alerts(job=row.job, limit=50)
    return [one for one in found if one.event == row.event and one.chain == row.chain and one.channel != row.channel]


def outbox(
    open_store: Callable[[], SqliteStore], settings: Settings, clock: Clock, *, owner: str, limits: Limits | None = None,
    only: Collection[str] = (),
) -> Outbox:  # fmt: skip
    """What delivers for the channels of the configuration. `owner`: a name that no other process ever has."""
    names = [name for name in settings.channels if not only or name in only]
    pages = [name for name in names if settings.channels[name].kind in PAGES]
    channels = {name: Configured(settings, name) for name in names}
    return Outbox(
        lambda: open_store().alerts, channels, Composer(open_store, settings), clock=clock, rng=chance, owner=owner, boot=boot_id(),
        pages=pages, limits=limits,
    )  # fmt: skip


def told(store: SqliteStore, run_id: str, job: str, titles: Mapping[str, str]) -> list[str]:
    """Who was told of a run, or will be, in words; or why nobody was: a repeat is counted, not told again. `titles`: of teams, by name."""
    rows = [row for row in reversed(store.alerts.alerts(job=job, limit=100)) if row.run == run_id and row.event != "started"]
    if rows:
        return [told_in_words(row, titles) for row in rows]
    return [_not_again(one) for one in store.alerts.incidents(job) if one.last_run == run_id and one.first_run != run_id]


def _not_again(incident: Incident) -> str:
    since = f"incident {incident.id[:8]}, {incident.failures} bad runs since {moment(incident.opened_at)}"
    return f"nobody yet: {since}" if incident.state == "pending" else f"nobody again: {since}"


def titles_of(settings: Settings | None) -> dict[str, str]:
    """What the teams are called, by their names."""
    return {name: team.title or name for name, team in settings.teams.items()} if settings is not None else {}
