"""PostgreSQL through psycopg 3, sync and async."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, Database, at_server, counted
from offduty_probe.capture.postgresql import ADDRESS, address, failure
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, and what cursors of all kinds execute; `stream` and `copy` are not seen."""
    psycopg = sys.modules["psycopg"]
    databases = Beside()

    def queried(args: Any, kwargs: Any) -> Said:
        connection = args[0].connection
        database = databases.get(connection) or databases.put(connection, _database(connection.info))
        said: Said = database.query(args[1] if len(args) > 1 else kwargs.get("query"))
        return said

    patches = Patches(record)
    for connections in (psycopg.Connection, psycopg.AsyncConnection):
        patches.wrap(connections, "connect", lambda args, kwargs: _connected(args[1:], kwargs), failure=failure)
    patches.put(psycopg, "connect", lambda _: psycopg.Connection.connect)  # it was bound before
    for cursors in ("Cursor", "AsyncCursor", "ServerCursor", "AsyncServerCursor"):
        owner = getattr(psycopg, cursors)
        patches.wrap(owner, [name for name in ("execute", "executemany") if name in vars(owner)], queried, counted, failure=failure)
    if record.drill is not None:
        from offduty_probe.rollback import hold_commits

        hold_commits(patches, psycopg.Connection, "psycopg")
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _database(info: Any) -> Database:
    return at_server("postgresql", "postgresql", info.host, info.port, info.dbname)


def _connected(args: Any, kwargs: Any) -> Said:
    """`connect` takes a connection string, keywords, or both; what is missing comes from the environment, as libpq has it."""
    conninfo = sys.modules["psycopg.conninfo"]
    said = conninfo.conninfo_to_dict(
        argument(args, kwargs, 0, "conninfo", ""), **{name: kwargs[name] for name in ADDRESS if name in kwargs}
    )
    return address(said).connect()
