"""SQLite through `sqlite3`: its classes are written in C, so `connect` is given a class of ours unless the job has one of its own."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Database, Subclasses, count, status_known
from offduty_probe.capture.targets import path
from offduty_probe.capture.wrapping import Patches, StandIn, argument, looking_like, wrapped
from offduty_probe.guard import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

EXECUTE = ("execute", "executemany", "executescript")
FACTORY = 5  # its position among the arguments of `connect`
DATABASE = "_offduty_database"  # a slot of our classes


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, and what its connections and cursors execute."""
    sqlite3 = sys.modules["sqlite3"]
    cursors = Subclasses(record, dict.fromkeys(EXECUTE, (_queried, _counted)), _failure)
    connections = Subclasses(record, {}, _failure, (DATABASE,))

    def methods(base: Any) -> dict[str, Any]:
        ours: dict[str, Any] = {}
        for name in EXECUTE:
            overridden = getattr(base, name) is not getattr(sqlite3.Connection, name)
            ours[name] = (
                wrapped(record, getattr(base, name), _queried, _counted, _failure) if overridden else _executed(name, sqlite3, cursors)
            )
        return dict(ours, cursor=_cursor(base, sqlite3, cursors))

    def make(original: Any) -> Any:
        connect = _connect(wrapped(record, original, _connected, None, _failure), sqlite3, lambda factory: connections.of(factory, methods))
        return looking_like(original, connect) if hasattr(type(original), "__get__") else StandIn(original, looking_like(original, connect))

    patches = Patches(record)
    patches.put(sqlite3, "connect", make, ["sqlite3.dbapi2", "_sqlite3"])
    return patches.undo


def _connect(connect: Any, sqlite3: Any, ours: Callable[[Any], Any]) -> Any:
    """`connect` with a class of ours."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        factory = ours(argument(args, kwargs, FACTORY, "factory", sqlite3.Connection))
        if len(args) > FACTORY:
            args = (*args[:FACTORY], factory, *args[FACTORY + 1 :])
        else:
            kwargs["factory"] = factory
        try:
            connection = connect(*args, **kwargs)
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        if hasattr(type(connection), DATABASE):
            quietly(lambda: setattr(connection, DATABASE, _database(args, kwargs)))
        return connection

    return wrapper


def _cursor(base: Any, sqlite3: Any, cursors: Subclasses) -> Any:
    """`cursor` with a class of ours."""
    original = base.cursor

    def cursor(*args: Any, **kwargs: Any) -> Any:
        ours = cursors.of(argument(args, kwargs, 1, "factory", sqlite3.Cursor))
        try:
            if len(args) > 1:
                return original(args[0], ours, *args[2:])
            return original(*args, **dict(kwargs, factory=ours))
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise

    return looking_like(original, cursor)


def _executed(name: str, sqlite3: Any, cursors: Subclasses) -> Any:
    """`execute` of a connection, which makes a cursor and has that execute: here, one of a class of ours."""
    original = getattr(sqlite3.Connection, name)
    make_cursor, ours = sqlite3.Connection.cursor, cursors.of(sqlite3.Cursor)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(make_cursor(args[0], ours), name)(*args[1:], **kwargs)
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise

    return looking_like(original, wrapper)


def _database(args: Any, kwargs: Any) -> Database:
    name = argument(args, kwargs, 0, "database")
    name = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    if name.startswith("file:"):
        name = name[5:].partition("?")[0].partition("#")[0]
        name = "/" + name.lstrip("/") if name.startswith("//") else name
    place = name if name in ("", ":memory:") else path(name)
    return Database("sqlite", f"sqlite://{'' if place.startswith('/') else '/'}{place}", {"db.namespace": place})


def _connected(args: Any, kwargs: Any) -> Said:
    return _database(args, kwargs).connect()


def _queried(args: Any, kwargs: Any) -> Said | None:
    database = getattr(getattr(args[0], "connection", args[0]), DATABASE, None)
    return database.query(argument(args, kwargs, 1, "sql")) if database is not None else None


def _counted(cursor: Any, args: Any, kwargs: Any) -> Known:
    return count(cursor)


def _failure(error: Any) -> Known:
    """Only the parts of a statement that were not understood are quoted in messages of SQLite."""
    return status_known(getattr(error, "sqlite_errorname", None), str(error), tells_values='"' in str(error))
