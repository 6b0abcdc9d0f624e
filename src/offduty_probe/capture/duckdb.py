"""DuckDB: statements of connections and of the module. It looks for tables among the caller's variables, and must find them."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, Database, status_known
from offduty_probe.capture.targets import path
from offduty_probe.capture.wrapping import UNSEEN, Patches, argument, looking_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

EXECUTE = ("execute", "executemany", "sql", "query")
IN_MEMORY = (":memory:", "", ":default:")
HOLDER = "_offduty_call"
CALL = compile(f"{HOLDER}[0](*{HOLDER}[1], **{HOLDER}[2])", UNSEEN, "eval")
ABOUT_NAMES = ("Catalog", "Binder", "IO", "Connection")


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, and what is executed; relations are lazy: what is told of `sql` and `query` is that they were asked for."""
    duckdb = sys.modules["duckdb"]
    databases = Beside()

    def connected(connection: Any, args: Any, kwargs: Any) -> Known:
        databases.put(connection, _database(args, kwargs))
        return {}

    def queried(args: Any, kwargs: Any) -> Said:
        database = databases.get(args[0]) or _database((), {})
        said: Said = database.query(argument(args, kwargs, 1, "query"))
        return said

    def asked(args: Any, kwargs: Any) -> Said:
        database = databases.get(kwargs.get("connection")) or _database((), {})
        said: Said = database.query(argument(args, kwargs, 0, "query"))
        return said

    patches = Patches(record)
    patches.wrap(duckdb, "connect", lambda args, kwargs: _database(args, kwargs).connect(), connected, failure=_failure)
    for owner, describe in ((duckdb.DuckDBPyConnection, queried), (duckdb, asked)):
        for name in EXECUTE:
            if hasattr(owner, name):
                patches.put(owner, name, lambda original, describe=describe: _in_the_callers_place(record, original, describe))  # type: ignore[misc]
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _in_the_callers_place(record: Ledger, original: Any, describe: Any) -> Any:
    """`original`, called from a frame that has the variables of the caller's."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        transaction = record.start(describe, args, kwargs)
        caller = sys._getframe(1)  # noqa: SLF001
        try:
            result = eval(CALL, caller.f_globals, {**caller.f_locals, HOLDER: (original, args, kwargs)})
        except BaseException as error:
            if transaction is not None:
                transaction.failed(error, None, _failure)
            traceback = error.__traceback__ and error.__traceback__.tb_next
            error.__traceback__ = traceback and traceback.tb_next
            raise
        finally:
            del caller
        if transaction is not None:
            transaction.done()
        return result

    return looking_like(original, wrapper)


def _database(args: Any, kwargs: Any) -> Database:
    name = str(argument(args, kwargs, 0, "database", ":memory:"))
    if name.startswith("md:"):
        name = name.partition("?")[0]  # a token may follow
        return Database("duckdb", f"duckdb:///{name}", {"db.namespace": name})
    place = ":memory:" if name in IN_MEMORY else path(name)
    return Database("duckdb", f"duckdb://{'' if place.startswith('/') else '/'}{place}", {"db.namespace": place})


def _failure(error: Any) -> Known:
    """What is said of names that are not there, and of files, is told; all other messages quote values."""
    return status_known(None, str(error), tells_values=not type(error).__name__.startswith(ABOUT_NAMES))
