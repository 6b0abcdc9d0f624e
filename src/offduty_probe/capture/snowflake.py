"""Snowflake through its connector for Python."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, Database, at_server, counted, status_known
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

METHODS = ("execute", "executemany", "execute_async")


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, and what cursors execute, in whichever class of theirs it is defined."""
    connector = sys.modules["snowflake.connector"]
    databases = Beside()

    def connected(connection: Any, args: Any, kwargs: Any) -> Known:
        databases.put(connection, _database(kwargs))
        return {}

    def queried(args: Any, kwargs: Any) -> Said:
        database = databases.get(args[0].connection) or _database({})
        said: Said = database.query(argument(args, kwargs, 1, "command"))
        return said

    patches = Patches(record)
    patches.wrap(connector, ["connect", "Connect"], lambda args, kwargs: _database(kwargs).connect(), connected, failure=_failure)
    for owner in sys.modules["snowflake.connector.cursor"].SnowflakeCursor.__mro__:
        patches.wrap(owner, [name for name in METHODS if name in vars(owner)], queried, _counted, failure=_failure)
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _database(said: Any) -> Database:
    """Of what is not given, the files of configuration decide: only the library's name is told then."""
    return at_server("snowflake", "snowflake", said.get("host") or said.get("account"), said.get("port"), said.get("database"))


def _counted(result: Any, args: Any, kwargs: Any) -> Known:
    """`execute_async` gives no cursor whose rows are known."""
    return counted(result, args, kwargs) if hasattr(args[0], "rowcount") else {}


def _failure(error: Any) -> Known:
    """Snowflake's number; what it quotes are parts of the statement."""
    return status_known(getattr(error, "errno", None) or getattr(error, "sqlstate", None), str(error))
