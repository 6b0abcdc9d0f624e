"""What letting go is judged by: configuration and store in; evidence out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from offduty.alerts.incident import Incident
from offduty.durations import spoken
from offduty.errors import OffdutyError
from offduty.handover.acceptance import ITSELF, Ours, digest_of, standings
from offduty.handover.evidence import Evidence, Resolved, Team
from offduty.handover.readiness import Readiness, judge
from offduty.handover.seams import Rehearsal
from offduty.handover.store import GOOD, Past, Reading
from offduty.transactions.git import history
from offduty.triage.row import Row
from offduty.triage.table import Table
from offduty.wiring.opensecrets import in_configuration, in_sources
from offduty.wiring.rehearsal import Kept

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

LOOKED_AT = 500
"""Runs that readiness looks back."""
FINGERPRINTS = 10
INCIDENTS = 500
LOCKS = (
    "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "conda-lock.yml", "pylock.toml", "renv.lock", "Manifest.toml",
)  # fmt: skip
LARGEST = 1 << 20
PERSON = re.compile(r"[a-z]{2,}[._][a-z]{2,}@", re.IGNORECASE)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def readiness_of(settings: Settings, name: str, store: SqliteStore, now: float, rehearsal: Rehearsal | None = None) -> Readiness:
    """How ready the job is, remembered where it is another answer than the last. Raises as `Settings.job` does."""
    found = judge(evidence_of(settings, name, store, now, rehearsal))
    states = {item.code: item.state for item in found.items}
    store.handover.read(Reading(name, now, found.level, found.score, states))
    return found


def evidence_of(settings: Settings, name: str, store: SqliteStore, now: float, rehearsal: Rehearsal | None = None) -> Evidence:
    """All that readiness is judged by."""
    job, table = settings.job(name), table_of(settings)
    rehearsal = rehearsal or Kept(store.drills)
    runs = store.handover.past(name, LOOKED_AT)
    prints = _fingerprints(store, runs)
    code: Mapping[str, Any] = (prints[0].get("code") or {}) if prints else {}
    folder = folder_of(settings, name)
    places, sources = in_sources(code.get("files") or (), folder)
    return Evidence(
        job=name,
        now=now,
        owner=job.owner or "",
        runs=tuple(runs),
        schedule=when_due(settings, name),
        watched=bool(store.watch.watched(name)),
        watcher_seen=max((peer.tick_at for peer in store.watch.peers() if peer.tick_at <= now + 60), default=None),
        teams=teams_of(settings, name, table),
        proven={proof.channel: proof.confirmed_at for proof in store.proofs.newest()},
        dependencies={key: one.team for key, one in settings.dependencies.items()},
        rows=tuple(row.name for row in table.rows),
        coverage=rehearsal.coverage(name),
        drills=tuple(rehearsal.drills(name)),
        turn=next(reversed(store.drills.turns(name)), None),
        pinned=pinned_by(folder),
        same_packages=_same_packages(prints),
        commit=str(code.get("commit") or "")[:7],
        dirty=code.get("dirty") if code.get("commit") else None,
        secrets=(*in_configuration(settings), *places),
        sources=sources,
        keep_s=float(job.log.keep),
        keep_runs=int(job.log.keep_runs),
        authors=authors_of(folder),
        resolved=tuple(_resolved(store.alerts.incidents(name, everything=True, limit=INCIDENTS), table)),
        stands=tuple(standings(to_accept(settings, name, table), store.handover.acceptances(name))),
    )


def table_of(settings: Settings) -> Table:
    """The triage table, or none where it cannot be read."""
    from offduty.settings import triage

    try:
        return triage.table_of(settings, places=False)
    except OffdutyError:
        return Table()


def folder_of(settings: Settings, name: str) -> str:
    """Where the job runs."""
    try:
        return str(settings.launch(name)["cwd"])
    except OffdutyError:
        return settings.folder(name)


def when_due(settings: Settings, name: str) -> str:
    """When the job is due, in words; "" if nothing says so."""
    job = settings.job(name)
    zone = f" ({job.timezone})" if job.timezone else ""
    if job.every is not None:
        return f"every {spoken(float(job.every))}"
    said = job.schedule or job.on_calendar
    return f"{said}{zone}" if said else ""


def team_names(settings: Settings, name: str, table: Table) -> list[str]:
    """The teams that the job concerns: its owner, those of rows, dependencies and kinds of owners; each once, in that order."""
    said = [
        settings.job(name).owner,
        *(row.team for row in table.rows),
        *(one.team for one in settings.dependencies.values()),
        *settings.owners.values(),
    ]
    return list(dict.fromkeys(team for team in said if team))


def teams_of(settings: Settings, name: str, table: Table) -> tuple[Team, ...]:
    """Each team that the job concerns, and how it is reached."""
    return tuple(_team(settings, team) for team in team_names(settings, name, table))


def _team(settings: Settings, name: str) -> Team:
    one = settings.teams.get(name)
    if one is None:
        return Team(name)
    channels = tuple(channel for channel in one.channels if channel in settings.channels)
    return Team(name, one.contact, channels, _alone(settings, one.contact, channels))


def _alone(settings: Settings, contact: str, channels: Iterable[str]) -> str:
    """The one person who reads all of a team's channels, as far as addresses tell: all mail, to one address that looks like a name."""
    found = [settings.channels[name] for name in channels]
    if not found or any(one.kind != "email" for one in found):
        return ""
    addresses = set(ADDRESS.findall(contact)).union(*(ADDRESS.findall(str(one.options.get("to", ""))) for one in found))
    return next(iter(addresses)) if len(addresses) == 1 and PERSON.match(next(iter(addresses))) else ""


def to_accept(settings: Settings, name: str, table: Table) -> list[Ours]:
    """What has to be taken over: the job by its owner, each row by its team (the owner, where none is named)."""
    job = settings.job(name)
    owner = job.owner or ""
    values = {"job": name, "description": job.description, "due": when_due(settings, name)}
    itself = Ours(ITSELF, owner, job.description or name, digest_of(values, owner, _contact(settings, owner)))
    return [itself, *(_ours(settings, row, row.team or owner) for row in table.rows)]


def _ours(settings: Settings, row: Row, team: str) -> Ours:
    return Ours(row.name, team, row.title or row.cause, digest_of(row.as_values(), team, _contact(settings, team)))


def _contact(settings: Settings, team: str) -> str:
    return settings.teams[team].contact if team in settings.teams else ""


def pinned_by(folder: str) -> str:
    """The file in the folder, or one above it in the same repository, that pins the environment; "" if there is none."""
    for place in _upwards(folder):
        for name in LOCKS:
            if os.path.isfile(f"{place}/{name}"):
                return name
        try:
            texts = [name for name in sorted(os.listdir(place)) if name.startswith("requirements") and name.endswith(".txt")]
        except OSError:
            return ""
        for name in texts:
            if _is_pinned(f"{place}/{name}"):
                return name
    return ""


def _upwards(folder: str) -> Iterator[str]:
    """The folder, and those above up to the top of its repository; without one, it alone."""
    places = [os.path.abspath(folder)]
    while not os.path.lexists(f"{places[-1]}/.git"):
        above = os.path.dirname(places[-1])
        if above == places[-1]:
            return iter(places[:1])
        places.append(above)
    return iter(places)


def _is_pinned(path: str) -> bool:
    """Whether every line that names a package says which version."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.partition("#")[0].strip() for line in file.read(LARGEST).splitlines()]
    except OSError:
        return False
    named = [line for line in lines if line and not line.startswith(("-", "\\"))]
    return bool(named) and all("==" in line or " @ " in line for line in named)


def authors_of(folder: str) -> frozenset[str]:
    """Who wrote the code, in small letters: names, addresses and their first parts out of git's own log, and the folder's owner."""
    found = set()
    for line in history(folder, LARGEST):
        who = line.partition("\t")[0].split(" ", 2)[-1].rsplit(" ", 2)[0]
        name, _, address = who.partition(" <")
        found |= {name, address.rstrip(">"), address.partition("@")[0]}
    try:
        import pwd

        owner = os.stat(folder).st_uid
        found |= {pwd.getpwuid(owner).pw_name} if owner else set()
    except (OSError, KeyError):
        pass
    return frozenset(text.casefold() for text in found if text)


def _fingerprints(store: SqliteStore, runs: Iterable[Past]) -> list[dict[str, Any]]:
    """Of the newest good runs, newest first; those that are not known are left out."""
    good = [run.id for run in runs if run.outcome in GOOD][::-1][:FINGERPRINTS]
    return [found for run_id in good if (found := store.fingerprint(run_id)) is not None]


def _same_packages(prints: list[dict[str, Any]]) -> int:
    newest = prints[0].get("packages") if prints else None
    if not newest:
        return 0
    return next((count for count, one in enumerate(prints) if one.get("packages") != newest), len(prints))


def _resolved(incidents: Iterable[Incident], table: Table) -> Iterator[Resolved]:
    """Incidents that are over and that a person took care of, the oldest first."""
    rows = {row.name for row in table.rows}
    for one in reversed(list(incidents)):
        if one.state == "resolved" and (by := one.resolved_by or one.acked_by):
            yield Resolved(by, one.cause if one.cause in rows else "", one.resolved_at or one.last_at)
