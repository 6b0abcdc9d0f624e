"""PostgreSQL through asyncpg: connections, those of pools, prepared statements, copies."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Database, at_server
from offduty_probe.capture.postgresql import address
from offduty_probe.capture.postgresql import failure as failure_of_server
from offduty_probe.capture.targets import url
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

QUERIES = "execute executemany fetch fetchrow fetchmany copy_from_query".split()
PREPARED = "fetch fetchrow fetchmany executemany".split()
READ_TABLE, WRITE_TABLE = ["copy_from_table"], ["copy_to_table", "copy_records_to_table"]


def install(record: Ledger) -> Callable[[], None]:
    """`connect` and what connections and prepared statements execute; cursors are not seen."""
    connections = sys.modules["asyncpg.connection"].Connection
    statements = sys.modules["asyncpg.prepared_stmt"].PreparedStatement
    patches = Patches(record)
    patches.wrap(sys.modules["asyncpg"], "connect", _connected, failure=failure)
    patches.wrap(sys.modules["asyncpg.pool"].Pool, "_get_new_connection", _connected_by_pool, failure=failure)
    patches.wrap(connections, QUERIES, _queried, _rows, failure=failure)
    patches.wrap(connections, "fetchval", _queried, failure=failure)  # a value, and it may look like a status
    patches.wrap(statements, "fetchval", _prepared, failure=failure)
    patches.wrap(connections, READ_TABLE, _copied("SELECT"), _rows, failure=failure)
    patches.wrap(connections, WRITE_TABLE, _copied("INSERT"), _rows, failure=failure)
    patches.wrap(statements, PREPARED, _prepared, _rows, failure=failure)
    return patches.undo


def _connected(args: Any, kwargs: Any) -> Said:
    dsn = argument(args, kwargs, 0, "dsn")
    said = _of_url(str(dsn)) if dsn else {}
    given = {"host": kwargs.get("host"), "port": kwargs.get("port"), "dbname": kwargs.get("database"), "user": kwargs.get("user")}
    said.update({name: _first(value) for name, value in given.items() if value})
    return address(said).connect()


def _first(value: Any) -> Any:
    """Of several servers, the first is named."""
    return value[0] if isinstance(value, (list, tuple)) else value


def _of_url(dsn: str) -> dict[str, Any]:
    authority, _, name = url(dsn.partition("?")[0]).partition("://")[2].partition("/")
    host, _, port = authority.rpartition(":") if authority.rpartition(":")[2].isdigit() else (authority, "", "")
    return {name: value for name, value in (("host", host.strip("[]")), ("port", port), ("dbname", name)) if value}


def _connected_by_pool(args: Any, kwargs: Any) -> Said:
    """The pool keeps what `connect` is to be called with."""
    return _connected(getattr(args[0], "_connect_args", ()), getattr(args[0], "_connect_kwargs", {}))


def _database(connection: Any) -> Database:
    place = connection._addr  # noqa: SLF001  # there is no other way to it
    host, port = place if isinstance(place, tuple) else (str(place).rpartition("/")[0], None)
    return at_server("postgresql", "postgresql", host, port, connection._params.database)  # noqa: SLF001


def _queried(args: Any, kwargs: Any) -> Said | None:
    statement = argument(args, kwargs, 1, "query", kwargs.get("command"))
    if statement is args[0]._reset_query:  # noqa: SLF001  # what a pool does when a connection comes back
        return None
    said: Said = _database(args[0]).query(statement)
    return said


def _prepared(args: Any, kwargs: Any) -> Said:
    said: Said = _database(args[0]._connection).query(args[0].get_query())  # noqa: SLF001  # there is no other way to it
    return said


def _copied(verb: str) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        schema, table = kwargs.get("schema_name"), str(argument(args, kwargs, 1, "table_name"))
        into = "FROM" if verb == "SELECT" else "INTO"
        said: Said = _database(args[0]).query(f"{verb} {into} {schema + '.' if schema else ''}{table}")
        return said

    return describe


def _rows(result: Any, args: Any, kwargs: Any) -> Known:
    """Of the rows themselves, or of what the server says: `INSERT 0 5`."""
    if isinstance(result, list):
        return {"rows": len(result)}
    if type(result).__name__ == "Record":
        return {"rows": 1}
    words = result.split() if type(result) is str and len(result) < 32 else []
    known = len(words) > 1 and words[0].isalpha() and words[0].isupper() and words[-1].isdigit()
    return {"rows": int(words[-1])} if known else {}


def failure(error: Any) -> Known:
    """The server's message; what the network says holds no values."""
    return {} if isinstance(error, OSError) else failure_of_server(error)
