"""What `offduty doctor` says about whether people are reached: each channel's proof and health, and what has not arrived."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, NoReturn

from offduty.alerts.owed import Health, Owed
from offduty.alerts.proof import Proof
from offduty.cli.examine import Fact, reading
from offduty.cli.show import distance
from offduty.settings.load import Settings
from offduty.stores.alerts import Alerts
from offduty.stores.alerts_sqlite import SqliteBooks
from offduty.stores.proofs import SqliteProofs

PROVEN_FOR = 90 * 86_400.0  # seconds: people leave, channels are archived, tokens run out
LATE = 900.0  # seconds that something may be due before somebody should look
MANY = 10_000


def facts(settings: Settings, store: str, now: float) -> Iterator[Fact]:
    """Nothing where there is no channel. The store is opened for reading only; one that is not there, or damaged, is told of elsewhere."""
    if not settings.channels:
        return
    try:
        with closing(reading(store)) as db:
            yield from _channels(settings, _healths(db), _proofs(db), now)
            yield from _outbox(_asked(db), now)
    except sqlite3.Error:
        yield from _channels(settings, {}, {}, now)


def _asked(db: sqlite3.Connection) -> Alerts:
    return Alerts(_refuse, lambda work: work(SqliteBooks(db)))


def _refuse(work: Callable[[Any], Any]) -> NoReturn:
    raise AssertionError("looking changes nothing")


def _healths(db: sqlite3.Connection) -> dict[str, Health]:
    return {one.name: one for one in _asked(db).channels()}


def _proofs(db: sqlite3.Connection) -> dict[str, Proof]:
    return {one.channel: one for one in SqliteProofs(_refuse, lambda work: work(db)).newest()}


def _channels(settings: Settings, healths: Mapping[str, Health], proofs: Mapping[str, Proof], now: float) -> Iterator[Fact]:
    for name, channel in settings.channels.items():
        proof, health = proofs.get(name), healths.get(name, Health(name))
        care, fix = _unwell(name, health, now) or _unproven(name, proof, now) or ("", "")
        yield Fact("channels", name, f"{channel.kind}; {_proven(proof, now)}{_delivered(health, now)}", care, fix)


def _proven(proof: Proof | None, now: float) -> str:
    if proof is None:
        return "never proven"
    if proof.confirmed_at is None:
        return f"tested {distance(proof.sent_at, now)}, not confirmed"
    return f"proven {distance(proof.confirmed_at, now)}" + (f" by {proof.by}" if proof.by else "")


def _delivered(health: Health, now: float) -> str:
    return f"; last delivered {distance(health.delivered_at, now)}" if health.delivered_at is not None else ""


def _unwell(name: str, health: Health, now: float) -> tuple[str, str] | None:
    """Broken, or failing at present."""
    if health.broken_at is not None:
        return f"broken since {distance(health.broken_at, now)}: {health.error}", f"correct it, then `offduty alerts test {name}`"
    if health.failing_since is not None:
        return f"the last attempt, {distance(health.failing_since, now)}, failed: {health.error}", f"`offduty alerts test {name}` tries it"
    return None


def _unproven(name: str, proof: Proof | None, now: float) -> tuple[str, str] | None:
    test = f"`offduty alerts test {name}`, and whoever sees it confirms it"
    if proof is None:
        return "nobody has seen a message of it arrive", test
    if proof.confirmed_at is None:
        return "nobody has confirmed that the test arrived", f"`offduty alerts confirm {proof.code}`, or test it again"
    if now - proof.confirmed_at > PROVEN_FOR:
        return "its proof is over 90 days old", test
    return None


def _outbox(alerts: Alerts, now: float) -> Iterator[Fact]:
    """What waits, since when, and what was given up (INV-6)."""
    waiting = alerts.alerts(states=("waiting", "leased"), limit=MANY)
    due = [row for row in waiting if row.not_before <= now]
    late = bool(due) and now - min(row.not_before for row in due) > LATE
    value = str(len(waiting)) + (f", {len(due)} of them due{_oldest(due, now)}" if due else "")
    yield Fact("alerts", "waiting", value, *(("nobody delivers them", "`offduty deliver`, or `offduty watch`") if late else ()))
    dead = alerts.counts().get("dead", 0)
    care = ("they never arrived", "`offduty alerts --undelivered`; then `offduty alerts retry ID` or `drop ID`") if dead else ()
    yield Fact("alerts", "given up", str(dead), *care)


def _oldest(due: list[Owed], now: float) -> str:
    first = min(due, key=lambda row: row.at)
    return f", the oldest owed to {first.channel} {distance(first.at, now)}"
