"""PostgreSQL through psycopg2: its classes are written in C, so `connect` is given a class of ours, derived from what the job wants."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Database, Subclasses, counted
from offduty_probe.capture.postgresql import ADDRESS, address, failure
from offduty_probe.capture.wrapping import Patches, argument, looking_like, wrapped
from offduty_probe.guard import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said

EXECUTE = ("execute", "executemany", "callproc", "copy_expert", "copy_from", "copy_to")
DATABASE = "_offduty_database"  # a slot of our classes


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, and what cursors execute and copy."""
    psycopg2 = sys.modules["psycopg2"]
    extensions = sys.modules["psycopg2.extensions"]
    cursors = Subclasses(record, {name: (_described(name), counted) for name in EXECUTE}, failure)
    held = _held if record.drill is not None else lambda base: {}
    connections = Subclasses(record, {}, failure, (DATABASE,))

    def make(original: Any) -> Any:
        connect = wrapped(record, original, _connected, None, failure)

        def wrapper(dsn: Any = None, connection_factory: Any = None, cursor_factory: Any = None, **kwargs: Any) -> Any:
            factory = connections.of(
                connection_factory or extensions.connection, lambda base: {"cursor": _cursor(base, extensions, cursors), **held(base)}
            )
            try:
                connection = connect(dsn, connection_factory=factory, cursor_factory=cursor_factory, **kwargs)
            except BaseException as error:
                error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
                raise
            if hasattr(type(connection), DATABASE):
                quietly(lambda: setattr(connection, DATABASE, _database(connection)))
            return connection

        return looking_like(original, wrapper)

    patches = Patches(record)
    patches.put(psycopg2, "connect", make)
    return patches.undo


def _cursor(base: Any, extensions: Any, cursors: Subclasses) -> Any:
    """`cursor` with a class of ours: derived from what is asked for, or from what the connection has as its own."""
    original = base.cursor

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        wanted = argument(args, kwargs, 1, "cursor_factory") or self.cursor_factory or extensions.cursor
        try:
            if len(args) > 1:
                return original(self, args[0], cursors.of(wanted), *args[2:], **kwargs)
            return original(self, *args, **dict(kwargs, cursor_factory=cursors.of(wanted)))
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise

    return looking_like(original, cursor)


def _held(base: Any) -> dict[str, Any]:
    """In a drill: nothing is committed."""
    from offduty_probe.rollback import overrides

    return overrides(base, "psycopg2")


def _database(connection: Any) -> Database:
    return address(connection.get_dsn_parameters())


def _connected(args: Any, kwargs: Any) -> Said:
    parse = sys.modules["psycopg2.extensions"].parse_dsn
    said = parse(argument(args, kwargs, 0, "dsn") or "")
    said.update({name: kwargs[name] for name in (*ADDRESS, "database") if kwargs.get(name)})
    return address(dict(said, dbname=said.get("dbname") or said.get("database"))).connect()


def _described(method: str) -> Callable[[Any, Any], Said | None]:
    def describe(args: Any, kwargs: Any) -> Said | None:
        database = getattr(args[0].connection, DATABASE, None)
        if database is None:
            return None
        if method == "callproc":
            return database.query("CALL")  # type: ignore[no-any-return]
        if method in ("copy_from", "copy_to"):
            return database.query(f'COPY "{argument(args, kwargs, 2, "table")}"')  # type: ignore[no-any-return]
        return database.query(_text(args[0], argument(args, kwargs, 1, "sql" if method == "copy_expert" else "query")))  # type: ignore[no-any-return]

    return describe


def _text(cursor: Any, statement: Any) -> Any:
    """Statements that are put together from parts need the cursor to become text."""
    return statement.as_string(cursor) if hasattr(statement, "as_string") else statement
