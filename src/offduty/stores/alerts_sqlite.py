"""Incidents and outbox in SQLite: the books within one transaction of a connection."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from offduty.alerts.books import Claimant
from offduty.alerts.incident import SET_BACK, Incident, incident_from_json
from offduty.alerts.owed import UNREADABLE, Health, Owed, RowState, Silence
from offduty.stores import queries
from offduty.stores.record import as_json

COLUMNS = (
    "number",
    "key",
    "chain",
    "channel",
    "job",
    "run",
    "at",
    "not_before",
    "within",
    "down",
    "state",
    "attempts",
    "ambiguous",
    "owner",
)
REST = ("event", "status", "urgency", "team", "incident", "facts", "minimal", "refused", "error", "thread", "receipt", "done_at")
NAMES, KEYS = (*COLUMNS, "group"), set(REST)
LAST = chr(0x10FFFF)


def _load() -> dict[str, str]:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sql", "sqlite", "alerts.sql")
    columns = ", ".join((*COLUMNS, '"group"', "entry"))
    found = {name: sql.replace("{row}", columns) for name, sql in queries.split(queries.read(path)).items()}
    due = "\n".join(line for line in found.pop("due").splitlines() if not line.startswith("--"))
    return {name: sql.replace("{due}", due) for name, sql in found.items()}


QUERIES = _load()


class SqliteBooks:
    """See `offduty.alerts.books.Books` and `offduty.stores.alerts.OpenBooks` for what the methods do. What the disk changed is left out."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def _all(self, name: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        return self._db.execute(QUERIES[name], values).fetchall()

    def _one(self, name: str, *values: Any) -> Any:
        row = self._db.execute(QUERIES[name], values).fetchone()
        return row[0] if row else None

    def _do(self, name: str, values: Sequence[Any] | dict[str, Any]) -> int:
        return self._db.execute(QUERIES[name], values).rowcount

    # Plans, incidents, silences

    def plan(self, job: str) -> dict[str, Any]:
        return _object(self._one("plan", job))

    def plans(self) -> dict[str, dict[str, Any]]:
        return {job: _object(tell) for job, tell in self._all("plans", ())}

    def put_plan(self, job: str, tell: dict[str, Any]) -> None:
        self._do("put_plan", (job, as_json(tell)))

    def is_new(self, key: str, at: float) -> bool:
        return self._do("is_new", (key, at)) == 1

    def open_incidents(self, job: str) -> list[Incident]:
        return _incidents(self._all("open_incidents", (job,)))

    def incident(self, incident_id: str) -> Incident | None:
        return next(iter(_incidents(self._all("incident", (incident_id,)))), None)

    def find_incidents(self, part: str, limit: int) -> list[Incident]:
        return _incidents(self._all("find_incidents", {"part": part, "after": part + LAST, "limit": limit}))

    def incidents(self, job: str | None, everything: bool, limit: int) -> list[Incident]:
        return _incidents(self._all("incidents", {"job": job, "all": everything, "limit": limit}))

    def put_incident(self, incident: Incident) -> None:
        columns = {name: getattr(incident, name) for name in ("id", "job", "state", "due", "due_in")}
        self._do("put_incident", {**columns, "entry": as_json(incident.as_json())})

    def due_incidents(self, now: float, limit: int) -> list[Incident]:
        return _incidents(self._all("due_incidents", {"now": now, "limit": limit, "set_back": SET_BACK}))

    def silences(self) -> list[Silence]:
        return [Silence(**entry) for (text,) in self._all("silences", ()) if (entry := _object(text))]

    def put_silence(self, silence: Silence) -> None:
        self._do("put_silence", (silence.id, silence.ended, as_json(asdict(silence))))

    # The outbox

    def add(self, rows: Iterable[Owed]) -> int:
        return sum(self._do("add", _columns(row)) for row in rows)

    def leased(self, number: int, owner: str, attempt: int) -> Owed | None:
        return next(iter(_rows(self._all("leased", (number, owner, attempt)))), None)

    def put(self, row: Owed) -> None:
        """A row that could not be read keeps its entry."""
        if row.facts == UNREADABLE:
            self._do("bury", (row.number,))
        else:
            self._do("put", _columns(row) | {"number": row.number})

    def of_chain(self, chain: str, channel: str) -> list[Owed]:
        return _rows(self._all("of_chain", (chain, channel)))

    def silenced(self, jobs: str, since: float) -> list[Owed]:
        return _rows(self._all("silenced", {"jobs": jobs, "since": since}))

    def heard_bad(self, jobs: str, since: float) -> list[str]:
        return [channel for (channel,) in self._all("heard_bad", {"jobs": jobs, "since": since})]

    def members(self, group: str) -> list[Owed]:
        return _rows(self._all("members", (group,)))

    def end_members(self, group: str, state: RowState, now: float) -> None:
        self._do("end_members", {"group": group, "state": state, "now": now})

    def waiting_longer(self, channel: str, down: float) -> list[Owed]:
        return _rows(self._all("waiting_longer", {"channel": channel, "down": down}))

    def strangers(self, known: Sequence[str], before: float) -> list[Owed]:
        return _rows(self._all("strangers", {"known": as_json(list(known)), "before": before}))

    def claim(self, channel: str, who: Claimant, limit: int) -> list[Owed]:
        """A row that cannot be read comes as a dead one, of which only its number and columns are known."""
        found = self._all("due_rows", {**vars(who), "channel": channel, "limit": limit, "set_back": SET_BACK})
        if found:
            self._do("lease", {**vars(who), "numbers": as_json([number for number, *_ in found])})
        taken = [_leased(columns, who.owner) for columns in found]
        return [_row(columns, entry) or _damaged(columns) for columns, entry in zip(taken, _entries(taken), strict=True)]

    def is_due(self, channel: str, who: Claimant) -> bool:
        return bool(self._all("is_due", {**vars(who), "channel": channel, "set_back": SET_BACK})[0][0])

    def waiting_channels(self) -> list[str]:
        return sorted(channel for (channel,) in self._all("channels_waiting", ()))

    def health(self, channel: str) -> Health:
        entry = _object(self._one("health", channel))
        return Health(**entry) if entry else Health(channel)

    def healths(self) -> list[Health]:
        return [Health(**entry) for (text,) in self._all("healths", ()) if (entry := _object(text))]

    def put_health(self, health: Health) -> None:
        self._do("put_health", (health.name, as_json(asdict(health))))

    def next_due(self, channel: str) -> float | None:
        found: float | None = self._one("next_due", channel)
        return found

    def alerts(self, states: Sequence[str] | None, channel: str | None, job: str | None, limit: int) -> list[Owed]:
        wanted = None if states is None else as_json(list(states))
        return _rows(self._all("alerts", {"states": wanted, "channel": channel, "job": job, "limit": limit}))

    def alerts_of(self, chain: str) -> list[Owed]:
        return _rows(self._all("alerts_of", (chain,)))

    def find_alerts(self, part: str, limit: int) -> list[Owed]:
        return _rows(self._all("find_alerts", {"part": part, "after": part + LAST, "limit": limit}))

    def counts(self) -> dict[str, int]:
        return dict(self._all("counts", ()))

    def forget(self, before: float, limit: int) -> int:
        self._do("forget_incidents", {"before": before})
        self._do("forget_happened", {"before": before})
        return self._do("forget", {"before": before, "limit": limit})


def _object(text: str | None) -> dict[str, Any]:
    """What a column of JSON holds; {} where there is none, or the disk changed it."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _incidents(found: Iterable[tuple[Any, ...]]) -> list[Incident]:
    return list(_readable(found))


def _readable(found: Iterable[tuple[Any, ...]]) -> Iterator[Incident]:
    for (text,) in found:
        try:
            yield incident_from_json(_object(text))
        except (TypeError, ValueError):
            continue  # the disk has changed it


def _columns(row: Owed) -> dict[str, Any]:
    columns = {name: getattr(row, name) for name in COLUMNS if name not in ("number", "owner")}
    entry = {name: getattr(row, name) for name in REST}
    return {**columns, "group": row.group, "entry": as_json(entry)}


def _rows(found: Sequence[tuple[Any, ...]]) -> list[Owed]:
    rows = (_row(columns, entry) for columns, entry in zip(found, _entries(found), strict=True))
    return [row for row in rows if row is not None]


def _entries(found: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The last column of each. Read as one text they take half as long; if one is damaged, each is read by itself."""
    texts = [columns[-1] for columns in found]
    try:
        entries = json.loads(f"[{','.join(texts)}]")
    except (ValueError, TypeError, RecursionError):  # TypeError: the disk made no text of one
        entries = []
    return entries if len(entries) == len(texts) else [_object(text) for text in texts]


def _row(columns: tuple[Any, ...], entry: Any) -> Owed | None:
    """The row, or None if its entry cannot be read."""
    if not _is_entry(entry):
        return None
    entry["refused"] = tuple(entry["refused"])
    return _owed(zip(NAMES, columns, strict=False), entry)


def _owed(columns: Iterable[tuple[str, Any]], entry: dict[str, Any]) -> Owed:
    """A row of all its fields. A frozen class sets each of 27 by itself, which is half of what a claim of fifty would cost."""
    row = object.__new__(Owed)
    vars(row).update(columns, **entry)
    return row


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.keys() == KEYS and isinstance(entry["facts"], dict) and isinstance(entry["refused"], list)


def _leased(columns: tuple[Any, ...], owner: str) -> tuple[Any, ...]:
    """What `lease` makes of a row. Asking the database for it again (RETURNING) takes as long as the whole change."""
    *known, state, attempts, ambiguous, _, group, entry = columns
    return (*known, "leased", attempts + 1, ambiguous + (state == "leased"), owner, group, entry)


def _damaged(columns: tuple[Any, ...]) -> Owed:
    known = dict(zip(NAMES, columns, strict=False))
    known["state"] = "dead"
    return Owed(event="failed", facts=UNREADABLE, **known)
