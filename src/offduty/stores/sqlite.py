"""The store in one SQLite file: WAL, every commit on disk before it is acknowledged, no wait longer than the caller allows.

Imported while a job runs, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import os
import sqlite3
from typing import TYPE_CHECKING

from offduty.clock import Clock
from offduty.errors import StoreError
from offduty.stores import failures, queries
from offduty.stores.failures import SQLITE_ERRORS, is_busy, is_damage
from offduty.stores.filesystem import kind_of
from offduty.stores.parts import (
    accepted_checks,
    accepted_fingerprint,
    accepted_ledger,
    accepted_metrics,
    accepted_parts,
    accepted_tell,
    halved,
    joined,
)
from offduty.stores.patience import Patience, chance
from offduty.stores.record import (
    CHECKS,
    FIELDS,
    GOOD,
    OUTCOMES,
    SHOWN_CANDIDATES,
    NotARecord,
    accepted,
    as_json,
    from_row,
    id_part,
    the_one,
    to_row,
    what_happens,
)
from offduty.stores.sqlite_file import COMPANIONS, DatabaseFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from offduty.runs.store import Cursor, Happened, JobRuns, Record
    from offduty.stores.alerts import Alerts, OpenBooks
    from offduty.stores.drills import SqliteDrills
    from offduty.stores.handover_sqlite import SqliteHandover
    from offduty.stores.pings_sqlite import SqlitePings
    from offduty.stores.proofs import SqliteProofs
    from offduty.stores.watch_sqlite import SqliteWatch
    from offduty.stores.weeks import SqliteWeeks

    Answer = TypeVar("Answer")
    Row = tuple[Any, ...]

SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sql", "sqlite")
TIMEOUT = 5.0  # seconds
DELETED_AT_ONCE = 500  # keeps the write lock under 100 ms
NO_PARTS = accepted_parts({})
BEFORE_ALL, AFTER_ALL = "", "~"  # texts that sort around every time


def open_store(
    path: str,
    *,
    clock: Clock | None = None,
    timeout: float = TIMEOUT,
    rng: Callable[[], float] = chance,
    allow_network_fs: bool = False,
    filesystem: Callable[[str], str] = kind_of,
    sql: str = SQL,
) -> SqliteStore:
    """The store at `path`, made if it is not there, migrated if it is older, begun anew if it is damaged (see its `notes`).

    `timeout`: seconds that opening, and each operation after it, may wait for other processes. `StoreError` E600 to E613.
    """
    patience = Patience(clock or Clock(), timeout, rng)
    store = SqliteStore(DatabaseFile(path, patience=patience, allow_network_fs=allow_network_fs, filesystem=filesystem, sql=sql), patience)
    store.open()
    return store


def named_queries(path: str) -> dict[str, str]:
    """The statements of a `.sql` file by the names in their `-- name:` lines, with the columns of a run filled in."""
    names = [f'"{field}"' for field in FIELDS]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names)
    return queries.split(queries.read(path).format(columns=", ".join(names), values=", ".join("?" * len(names)), updates=updates))


QUERIES = named_queries(f"{SQL}/runs.sql")
ID, ROOT, JOB, TRIGGER, OUTCOME, STARTED = (FIELDS.index(name) for name in ("id", "root_id", "job", "trigger", "outcome", "started_at"))
_abandoned: list[sqlite3.Connection] = []


class SqliteStore:
    """See `offduty.runs.store.Store` for what the methods promise; get one from `open_store`."""

    def __init__(self, file: DatabaseFile, patience: Patience) -> None:
        self._file, self._patience = file, patience
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._unreadable: set[str] = set()

    def open(self) -> sqlite3.Connection:
        """The connection of this process to the file that the path leads to now; opened if there is none.

        One that came through a fork, or whose file was moved, is not even closed: in a child SQLite forbids it (its locks are the
        parent's), and the name of a moved file's WAL may be that of another file's by now.
        """
        if self._connection is not None and (self._pid != os.getpid() or not self._file.is_same()):
            _abandon(self._connection)
            self._connection = None
        if self._connection is None:
            self._connection, self._pid = self._file.open(), os.getpid()
        return self._connection

    def wait_at_most(self, seconds: float) -> None:
        """From now on, each operation waits so long for what other processes hold."""
        self._patience.seconds = seconds

    def close(self) -> None:
        if self._connection is None:
            return
        if self._pid == os.getpid() and self._file.is_same():
            self._connection.close()
        else:
            _abandon(self._connection)
        self._connection = None

    @property
    def watch(self) -> SqliteWatch:
        """What jobs have promised, and what has started."""
        from offduty.stores.watch_sqlite import SqliteWatch

        return SqliteWatch(self._write, self._query)

    @property
    def proofs(self) -> SqliteProofs:
        """When each channel was last proven to arrive."""
        from offduty.stores.proofs import SqliteProofs

        return SqliteProofs(self._write, self._query)

    @property
    def weeks(self) -> SqliteWeeks:
        """Of which week each team was told last."""
        from offduty.stores.weeks import SqliteWeeks

        return SqliteWeeks(self._write, self._query)

    @property
    def drills(self) -> SqliteDrills:
        """Coverage of the triage table, and what was rehearsed."""
        from offduty.stores.drills import SqliteDrills

        return SqliteDrills(self._write, self._query)

    @property
    def handover(self) -> SqliteHandover:
        """Who took what over, what people did and asked for, and a job's past in brief."""
        from offduty.stores.handover_sqlite import SqliteHandover

        return SqliteHandover(self._write, self._query)

    @property
    def pings(self) -> SqlitePings:
        """Jobs that are started elsewhere, and ping."""
        from offduty.stores.pings_sqlite import SqlitePings

        def put(db: sqlite3.Connection, record: Mapping[str, Any], tell: Mapping[str, Any] | None, new: bool) -> None:
            row, now = to_row(accepted(record)), self._patience.clock.wall()
            stored = None if new else _stored(db, row)
            _replace(db, row, stored, {**NO_PARTS, "tell": accepted_tell(tell)}, now)

        def get(db: sqlite3.Connection, run_id: str) -> Record | None:
            row = _stored(db, (run_id,))
            return next(iter(self._records([row])), None) if row is not None else None

        return SqlitePings(self._write, self._query, put, get)

    @property
    def alerts(self) -> Alerts:
        """Incidents, and what is owed to whom."""
        from offduty.stores.alerts import Alerts
        from offduty.stores.alerts_sqlite import SqliteBooks

        def change(work: Callable[[OpenBooks], Any]) -> Any:
            return self._write(lambda db: work(SqliteBooks(db)))

        def ask(work: Callable[[OpenBooks], Any]) -> Any:
            return self._query(lambda db: _in_one_moment(db, lambda db: work(SqliteBooks(db))))

        return Alerts(change, ask)

    # Changing

    def put_run(
        self,
        record: Mapping[str, object],
        transactions: Sequence[Mapping[str, Any]] = (),
        *,
        fingerprint: Mapping[str, Any] | None = None,
        checks: Sequence[Mapping[str, Any]] = (),
        metrics: Sequence[Mapping[str, Any]] = (),
        tell: Mapping[str, Any] | None = None,
    ) -> Happened:
        row = to_row(accepted(record))
        if self._query(lambda db: _stored(db, row)) == row:
            return "same"  # nobody has to wait for the write lock to hear nothing new
        given = {"transactions": list(transactions), "fingerprint": fingerprint, "checks": list(checks), "metrics": list(metrics)}
        parts = accepted_parts({**given, "tell": tell})
        now = self._patience.clock.wall()
        return self._write(lambda db: _put(db, row, parts, now))

    def mark_lost(self, run_id: str, *, ended_at: str, summary: Mapping[str, object]) -> bool:
        try:
            values = {"id": run_id, "ended_at": CHECKS["ended_at"](ended_at), "summary": as_json(CHECKS["summary"](summary))}
        except (ValueError, TypeError, RecursionError):
            raise StoreError("E611", "this is not the end of a run", fix=failures.BUG) from None
        now = self._patience.clock.wall()
        return self._write(lambda db: _mark_lost(db, values, now))

    def delete_runs(self, ids: Iterable[str]) -> int:
        wanted = [(run_id,) for run_id in ids]
        return sum(self._delete(wanted[start : start + DELETED_AT_ONCE]) for start in range(0, len(wanted), DELETED_AT_ONCE))

    def _delete(self, batch: list[tuple[str]]) -> int:
        return self._write(lambda db: db.executemany(QUERIES["delete"], batch).rowcount)

    # Asking

    def run(self, part: str) -> Record:
        wanted = id_part(part)
        values = {"part": wanted, "after": f"{wanted}g", "limit": SHOWN_CANDIDATES + 1}  # g comes after f
        rows = self._query(lambda db: db.execute(QUERIES["find"], values).fetchall())
        found = self._records(rows)
        if rows and not found:
            raise StoreError("E611", "the record of this run is damaged", where=str(rows[0][0]), fix="its log file may still be there")
        return the_one(part, found)

    def runs(
        self,
        job: str | None = None,
        *,
        outcomes: Collection[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
        before: Cursor | None = None,
    ) -> list[Record]:
        end = min((until or AFTER_ALL, ""), tuple(before) if before else (AFTER_ALL, ""))
        wanted = json.dumps(list(OUTCOMES if outcomes is None else outcomes))
        values = {"job": job, "since": since or BEFORE_ALL, "until": end[0], "until_id": end[1], "outcomes": wanted, "limit": limit}
        query = QUERIES["runs" if job is None else "runs_of_job"]
        return self._records(self._query(lambda db: db.execute(query, values).fetchall()))

    def last_runs(self) -> list[JobRuns]:
        return self._query(lambda db: _in_one_moment(db, self._last_runs))

    def jobs(self) -> list[str]:
        return self._query(_jobs)

    def ledger(self, run_id: str) -> list[dict[str, Any]]:
        rows = self._query(lambda db: db.execute(QUERIES["ledger"], (run_id,)).fetchall())
        return accepted_ledger([_decoded(entry) for (entry,) in rows])

    def fingerprint(self, run_id: str) -> dict[str, Any] | None:
        row = self._query(lambda db: db.execute(QUERIES["fingerprint"], (run_id,)).fetchone())
        halves = [half for text in row or () if isinstance(half := _decoded(text), dict)]
        return accepted_fingerprint(joined(*halves)) if len(halves) == 2 else None

    def checks(self, run_id: str) -> list[dict[str, Any]]:
        rows = self._query(lambda db: db.execute(QUERIES["checks"], (run_id,)).fetchall())
        return accepted_checks([_decoded(entry) for (entry,) in rows])

    def metrics(self, run_id: str) -> list[dict[str, Any]]:
        rows = self._query(lambda db: db.execute(QUERIES["metrics"], (run_id,)).fetchall())
        return accepted_metrics([{"name": name, "value": value, "unit": unit} for name, value, unit in rows])

    def good_runs(self, job: str, limit: int, *, before: Cursor | None = None) -> list[Record]:
        until, until_id = before or (AFTER_ALL, "")
        values = {"job": job, "until": until, "until_id": until_id, "limit": limit}
        return self._records(self._query(lambda db: db.execute(QUERIES["good_runs"], values).fetchall()))

    def running(self, host: str | None = None) -> list[Record]:
        return self._records(self._query(lambda db: db.execute(QUERIES["running"], {"host": host}).fetchall()))

    def notes(self) -> list[str]:
        notes = list(self._file.notes)
        notes += [f"a damaged store was set aside as {path}; a new one was begun" for path in self._set_aside()]
        notes += [f"the record of run {run_id} is damaged and left out" for run_id in sorted(self._unreadable)]
        if self._file.on_network:
            notes.append("the store is on a network file system: slower, and only as safe as the locks there")
        return notes

    # How

    def _last_runs(self, db: sqlite3.Connection) -> list[JobRuns]:
        counts: dict[str, dict[str, int]] = {}
        for job, outcome, count in db.execute(QUERIES["counts"]):
            counts.setdefault(job, {})[outcome] = count
        found = [(job, self._first(db, job, "last", "last_at_all"), self._first(db, job, "last_good")) for job in _jobs(db)]
        return [
            {"job": job, "last": last, "last_good": good, "counts": {name: counts[job][name] for name in OUTCOMES if name in counts[job]}}
            for job, last, good in found
            if last is not None
        ]

    def _first(self, db: sqlite3.Connection, job: str, *queries: str) -> Record | None:
        """What the first of the queries that knows a run answers."""
        for query in queries:
            if found := self._records(db.execute(QUERIES[query], (job,)).fetchall()):
                return found[0]
        return None

    def _set_aside(self) -> list[str]:
        beginning = f"{os.path.basename(self._file.path)}.corrupt-"
        names = sorted(name for name in os.listdir(self._file.folder) if name.startswith(beginning) and not name.endswith(COMPANIONS))
        return [f"{self._file.folder}/{name}" for name in names]

    def _records(self, rows: Iterable[Row]) -> list[Record]:
        """What the rows say; one that the disk has changed is left out and named in `notes`, so that the others are still there."""
        records = []
        for row in rows:
            try:
                records.append(from_row(row))
            except NotARecord:
                self._unreadable.add(ascii(row[0])[1:-1])
        return records

    def _query(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        connection = self.open()
        try:
            return self._patience.until(lambda: work(connection), is_busy)
        except SQLITE_ERRORS as error:
            raise self._failed(error) from None

    def _write(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """`work` in one transaction; when this returns, it is on disk, in the file that the path leads to."""
        answer = self._query(lambda db: _transaction(db, work))
        if not self._file.is_same():
            raise failures.replaced(self._file.path)
        return answer

    def _failed(self, error: Exception) -> StoreError:
        if not is_damage(error):
            return failures.as_store_error(error, self._file.path)
        self.close()
        return self._file.set_aside_if_damaged(error)


def _transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
    db.execute("BEGIN IMMEDIATE")
    try:
        answer = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite may have rolled back already, as on a full disk
            db.execute("ROLLBACK")
        raise
    return answer


def _in_one_moment(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """Several questions, answered from one snapshot."""
    db.execute("BEGIN")
    try:
        return work(db)
    finally:
        if db.in_transaction:  # SQLite may have rolled back by itself, and then it is its error that counts
            db.execute("ROLLBACK")


def _stored(db: sqlite3.Connection, row: Row) -> Row | None:
    found: Row | None = db.execute(QUERIES["get"], row[:1]).fetchone()
    return found


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the disk has changed it: left out
        return None


def _put(db: sqlite3.Connection, row: Row, parts: Mapping[str, Any], now: float) -> Happened:
    """The statement has the rule in it as well, so that no way around this function breaks it."""
    return _replace(db, row, _stored(db, row), parts, now)


def _replace(db: sqlite3.Connection, row: Row, stored: Row | None, parts: Mapping[str, Any], now: float) -> Happened:
    if stored == row:
        return "same"
    before = stored[OUTCOME] if stored else None
    happened = what_happens(before, row[OUTCOME])
    if happened != "kept":
        db.execute(QUERIES["put"], row)
        _put_parts(db, row[0], parts)
        _tell(db, row, parts["tell"], before, now)
        if stored is None:
            _start(db, row)
    return happened


def _mark_lost(db: sqlite3.Connection, values: Mapping[str, Any], now: float) -> bool:
    if db.execute(QUERIES["mark_lost"], values).rowcount != 1:
        return False
    row = _stored(db, (values["id"],))
    if row is not None:
        _tell(db, row, None, "running", now)
    return True


def _start(db: sqlite3.Connection, row: Row) -> None:
    """A run that is new to the store is news to the watcher, if somebody watches its job; also one that was skipped: the scheduler came.

    A further attempt is none: it keeps no slot, or it would keep the next one.
    """
    run, root, job, trigger, started = row[ID], row[ROOT], row[JOB], row[TRIGGER], row[STARTED]
    if trigger != "drill" and root == run and db.execute("SELECT 1 FROM watched WHERE job = ?", (job,)).fetchone():
        from offduty.stores.watch_sqlite import start

        start(db, job, run, started)


def _tell(db: sqlite3.Connection, row: Row, tell: Mapping[str, Any] | None, before: str | None, now: float) -> None:
    """Whom does this concern? What alerts are made of is imported only where anybody is to be told."""
    job, outcome, started = row[JOB], row[OUTCOME], row[STARTED]
    if tell is None and db.execute("SELECT 1 FROM plan WHERE job = ?", (job,)).fetchone() is None:
        return
    from offduty.alerts.owing import run_happened
    from offduty.stores.alerts_sqlite import SqliteBooks

    later = db.execute(QUERIES["good_since"], (job, started)).fetchone() if outcome not in GOOD else None
    run_happened(SqliteBooks(db), dict(zip(FIELDS, row, strict=True)), tell, before=before, superseded=later is not None, now=now)


def _put_parts(db: sqlite3.Connection, run_id: str, parts: Mapping[str, Any]) -> None:
    if not (parts["transactions"] or parts["checks"] or parts["metrics"] or parts["fingerprint"]):
        return
    ledger = [(run_id, one["number"], one["op"], one["target"], one.get("ok"), as_json(one)) for one in parts["transactions"]]
    db.executemany(QUERIES["put_ledger"], ledger)
    checks = [(run_id, number, one["name"], one["outcome"], as_json(one)) for number, one in enumerate(parts["checks"], 1)]
    db.executemany(QUERIES["put_check"], checks)
    metrics = [(run_id, number, one["name"], one["value"], one.get("unit")) for number, one in enumerate(parts["metrics"], 1)]
    db.executemany(QUERIES["put_metric"], metrics)
    if parts["fingerprint"] is not None:
        brief, content = (as_json(half) for half in halved(parts["fingerprint"]))
        db.execute(QUERIES["put_content"], (content,))
        db.execute(QUERIES["put_fingerprint"], {"run_id": run_id, "brief": brief, "content": content})


def _jobs(db: sqlite3.Connection) -> list[str]:
    return [job for (job,) in db.execute(QUERIES["jobs"]).fetchall()]


def _abandon(connection: sqlite3.Connection) -> None:
    """Never close it, not even when Python ends and lets go of everything: hence the reference that nobody can give back."""
    _abandoned.append(connection)
    try:
        from ctypes import py_object, pythonapi
    except ImportError:
        return
    pythonapi.Py_IncRef(py_object(connection))
