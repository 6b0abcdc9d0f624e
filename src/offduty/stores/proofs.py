"""Proofs of channels, in memory and in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from offduty.alerts.proof import Proof

COLUMNS = 'code, channel, sent_at, detail, confirmed_at, "by"'
Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]


def newest(proofs: Iterable[Proof]) -> list[Proof]:
    """By channel the newest confirmed one, else the newest one."""
    best: dict[str, Proof] = {}
    for proof in proofs:
        known = best.get(proof.channel)
        if known is None or _rank(proof) > _rank(known):
            best[proof.channel] = proof
    return [best[channel] for channel in sorted(best)]


def _rank(proof: Proof) -> tuple[bool, float, float]:
    return proof.confirmed_at is not None, proof.confirmed_at or 0.0, proof.sent_at


class MemoryProofs:
    """See `offduty.alerts.proof.Proofs`."""

    def __init__(self) -> None:
        self._proofs: dict[str, Proof] = {}

    def add(self, proof: Proof) -> None:
        self._proofs[proof.code] = proof

    def confirm(self, code: str, by: str, now: float) -> Proof | None:
        found = self._proofs.get(code)
        if found is not None and found.confirmed_at is None:
            found = self._proofs[code] = replace(found, confirmed_at=now, by=by)
        return found

    def of(self, codes: Collection[str]) -> list[Proof]:
        return [proof for proof in self._proofs.values() if proof.code in codes]

    def newest(self) -> list[Proof]:
        return newest(self._proofs.values())


class SqliteProofs:
    """See `offduty.alerts.proof.Proofs`."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write, self._read = write, read

    def add(self, proof: Proof) -> None:
        row = (proof.code, proof.channel, proof.sent_at, proof.detail, proof.confirmed_at, proof.by)
        self._write(lambda db: db.execute(f"INSERT OR REPLACE INTO proof ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row).rowcount)

    def confirm(self, code: str, by: str, now: float) -> Proof | None:
        update = 'UPDATE proof SET confirmed_at = ?, "by" = ? WHERE code = ? AND confirmed_at IS NULL'
        self._write(lambda db: db.execute(update, (now, by, code)).rowcount)
        rows = self._read(lambda db: db.execute(f"SELECT {COLUMNS} FROM proof WHERE code = ?", (code,)).fetchall())
        return Proof(*rows[0]) if rows else None

    def of(self, codes: Collection[str]) -> list[Proof]:
        sql, wanted = f"SELECT {COLUMNS} FROM proof WHERE code IN (SELECT value FROM json_each(?))", json.dumps(sorted(codes))
        return [Proof(*row) for row in self._read(lambda db: db.execute(sql, (wanted,)).fetchall())] if codes else []

    def newest(self) -> list[Proof]:
        rows = self._read(lambda db: db.execute(f"SELECT {COLUMNS} FROM proof ORDER BY sent_at DESC LIMIT 10000").fetchall())
        return newest(Proof(*row) for row in rows)
