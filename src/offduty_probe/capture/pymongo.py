"""MongoDB by PyMongo, sync and async: commands, and each batch that a cursor fetches; no filters, no documents."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

COMMANDS = """insert_one insert_many update_one update_many replace_one delete_one delete_many bulk_write aggregate count_documents
 estimated_document_count distinct find_one find_one_and_delete find_one_and_replace find_one_and_update create_index drop""".split()
DEFAULT_PORT = 27017
# name of the module, its class of collections or cursors
COLLECTIONS = (("synchronous.collection", "Collection"), ("asynchronous.collection", "AsyncCollection"), ("collection", "Collection"))
CURSORS = (("synchronous.cursor", "Cursor"), ("asynchronous.cursor", "AsyncCursor"), ("cursor", "Cursor"))


def install(record: Ledger) -> Callable[[], None]:
    """Methods of collections; `find` does nothing until its cursor is read."""
    patches = Patches(record)
    for owner in _classes(COLLECTIONS):
        for name in COMMANDS:
            patches.wrap(owner, [name] if name in vars(owner) else [], _commanded(name), _known, failure=_failure)
    for owner in _classes(CURSORS):
        patches.wrap(owner, ["_refresh"] if "_refresh" in vars(owner) else [], _fetched, _rows, failure=_failure)
    return patches.undo


def _classes(places: Any) -> list[Any]:
    """Each once: what is one class in one version goes by another name in the next."""
    found = [getattr(sys.modules.get(f"pymongo.{module}"), name, None) for module, name in places]
    return list(dict.fromkeys(owner for owner in found if owner is not None))


def _said(collection: Any, verb: str) -> Said:
    database = collection.database
    host, port = _server(database.client)
    place = f"[{host}]" if ":" in host else host
    target = f"mongodb://{place}{'' if port in (None, DEFAULT_PORT) else f':{port}'}/{database.name} {verb} {collection.name}"
    attributes: Known = {"db.system.name": "mongodb", "db.namespace": database.name, "server.address": host}
    if port:
        attributes["server.port"] = port
    return "db.query", target, dict(attributes, **{"db.operation.name": verb, "db.collection.name": collection.name})


def _server(client: Any) -> tuple[str, int | None]:
    """The first of those it was given: which of them answers, only the network knows."""
    settings = getattr(client, "_topology_settings", None)
    seeds = sorted(getattr(settings, "seeds", ()) or (), key=str)
    return (str(seeds[0][0]), seeds[0][1]) if seeds else ("", None)


def _commanded(verb: str) -> Callable[[Any, Any], Said]:
    return lambda args, kwargs: _said(args[0], verb)


def _known(result: Any, args: Any, kwargs: Any) -> Known:
    """How many documents it was about, where the answer says so."""
    ids = getattr(result, "inserted_ids", None)
    if ids is not None:
        return {"rows": len(ids)}
    for name in ("modified_count", "deleted_count"):
        count = vars(type(result)).get(name) and getattr(result, "acknowledged", False) and getattr(result, name)
        if type(count) is int:
            return {"rows": count}
    return {}


def _fetched(args: Any, kwargs: Any) -> Said | None:
    """None if there is still something to give, or nothing to fetch any more."""
    cursor = args[0]
    waiting, killed = (getattr(cursor, name, None) or getattr(cursor, f"_Cursor_{name}", None) for name in ("_data", "_killed"))
    exhausted = getattr(cursor, "_id", getattr(cursor, "_Cursor__id", None)) == 0
    return None if waiting or killed or exhausted else _said(cursor.collection, "find")


def _rows(result: Any, args: Any, kwargs: Any) -> Known:
    return {"rows": result} if type(result) is int else {}


def _failure(error: Any) -> Known:
    """Servers quote keys and documents; what is said of the network ends before the description of the cluster."""
    text = str(error)
    if any(word in type(error).__name__ for word in ("ServerSelection", "AutoReconnect", "NetworkTimeout", "ConnectionFailure")):
        return {"message": text.partition(", Timeout:")[0]}
    known: Known = {"message": without_values(text.partition("{")[0].partition(", full error:")[0])}
    code = getattr(error, "code", None)
    if isinstance(code, int):
        known.update(status=code, attributes={"db.response.status_code": str(code)})
    return known
