"""Redis by redis-py, sync and async: commands and pipelines, without keys and values."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, without_values
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

MOST_WORDS = 24


def install(record: Ledger) -> Callable[[], None]:
    """`execute_command` of clients, `execute` of pipelines."""
    databases = Beside()
    patches = Patches(record)

    def described(verb: Callable[[Any], str]) -> Callable[[Any, Any], Said]:
        def describe(args: Any, kwargs: Any) -> Said:
            pool = args[0].connection_pool
            url, attributes = databases.get(pool) or databases.put(pool, _database(pool.connection_kwargs))
            word = verb(args)
            return "cache.call", f"{url} {word}", dict(attributes, **{"db.operation.name": word})

        return describe

    for name in ("redis.client", "redis.asyncio.client"):
        module = sys.modules.get(name)
        if module is not None:
            patches.wrap(module.Redis, "execute_command", described(_command), failure=_failure)
            patches.wrap(module.Pipeline, "execute", described(lambda _: "PIPELINE"), failure=_failure)
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _database(said: Any) -> tuple[str, Known]:
    host, port, name = said.get("host") or "localhost", said.get("port") or 6379, said.get("db") or 0
    if said.get("path"):
        return f"redis://{said['path']}", {"db.system.name": "redis", "server.address": said["path"], "db.namespace": str(name)}
    attributes = {"db.system.name": "redis", "server.address": host, "server.port": port, "db.namespace": str(name)}
    return f"redis://{host}:{port}/{name}", attributes


def _command(args: Any) -> str:
    word = args[1] if len(args) > 1 else ""
    word = word.decode(errors="replace") if isinstance(word, bytes) else str(word)
    return word.upper() if len(word) <= MOST_WORDS and word.replace(" ", "").replace(".", "").isalpha() else "OTHER"


def _failure(error: Any) -> Known:
    """Redis quotes arguments; what is said of connections is not about them."""
    return {"message": str(error) if "Connection" in type(error).__name__ else without_values(str(error))}
