"""Oracle through python-oracledb, sync and async."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, Database, at_server, counted, status_known
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

DEFAULT_PORT = 1521
ABOUT_NETWORK = ("DPY-4", "DPY-6")  # what they quote are hosts, services and files of configuration


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, `connect_async`, and what cursors execute."""
    oracledb = sys.modules["oracledb"]
    databases = Beside()

    def queried(args: Any, kwargs: Any) -> Said:
        connection = args[0].connection
        database = databases.get(connection) or databases.put(connection, _database(str(connection.dsn or "")))
        statement = argument(args, kwargs, 1, "statement") or getattr(args[0], "statement", None)  # None: the last one again
        said: Said = database.query(statement)
        return said

    patches = Patches(record)
    patches.wrap(oracledb, "connect", _connected, failure=_failure)
    for name in ("Cursor", "AsyncCursor"):
        owner = getattr(oracledb, name, None)
        if owner is not None:
            patches.wrap(owner, [name for name in ("execute", "executemany") if name in vars(owner)], queried, counted, failure=_failure)
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _connected(args: Any, kwargs: Any) -> Said:
    dsn = argument(args, kwargs, 0, "dsn")
    if not dsn and kwargs.get("host"):
        return _at(kwargs["host"], kwargs.get("port") or DEFAULT_PORT, kwargs.get("service_name") or kwargs.get("sid")).connect()
    given = dsn or getattr(argument(args, kwargs, 1, "pool"), "dsn", None) or ""
    return _database(str(given)).connect()


def _database(dsn: str) -> Database:
    """`host:port/service`, `tcps://host/service`, `(DESCRIPTION=…)`, or a name that a file of configuration knows."""
    if dsn.lstrip().startswith("("):
        return _at(
            _of_description(dsn, "HOST"), _of_description(dsn, "PORT"), _of_description(dsn, "SERVICE_NAME") or _of_description(dsn, "SID")
        )
    place = dsn.rpartition("@")[2].partition("?")[0].rpartition("//")[2]
    host, slash, service = place.partition("/")
    if not slash:
        return Database("oracle.db", f"oracle://{host}", {"server.address": host})
    name, colon, port = host.rpartition(":")
    return _at(name if colon else host, port if colon else DEFAULT_PORT, service.partition(":")[0])


def _at(host: Any, port: Any, service: Any) -> Database:
    return at_server("oracle.db", "oracle", host, port, service)


def _of_description(dsn: str, key: str) -> str:
    """The first value of `key`, which may be written in any way."""
    text = "".join(dsn.split())
    found = text.upper().find(f"({key}=")
    return text[found + len(key) + 2 :].partition(")")[0] if found >= 0 else ""


def _failure(error: Any) -> Known:
    """Oracle's code: `ORA-00942`, `DPY-6005`."""
    details = error.args[0] if getattr(error, "args", ()) else None
    code = getattr(details, "full_code", None)
    return status_known(code, str(error).replace("\n", " "), tells_values=not str(code).startswith(ABOUT_NETWORK))
