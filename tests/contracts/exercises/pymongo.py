"""MongoDB by PyMongo, against a small server that speaks its protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARIES = ["pymongo"]
SERVERS = ["mongo_port"]
NAMES = [f"pymongo.synchronous.collection.Collection.{name}" for name in "insert_one insert_many find_one aggregate delete_many".split()]
NAMES += ["pymongo.synchronous.cursor.Cursor._refresh", "pymongo.asynchronous.collection.AsyncCollection.insert_one"]
mongo_port = 0


def prepare(folder: Path) -> None:
    """The server has what is asked for."""


def _with(use: Callable[[Any], Any], collection: str = "stores", port: int = 0) -> Any:
    """A call that does something with a collection."""

    def call(folder: Path) -> Any:
        import pymongo

        url = f"mongodb://CANARY:CANARY@127.0.0.1:{port}" if port else f"mongodb://127.0.0.1:{mongo_port}"
        with pymongo.MongoClient(url, serverSelectionTimeoutMS=300) as client:
            return use(client["dw"][collection])

    return call


def _async(folder: Path) -> Any:
    import pymongo

    async def main() -> Any:
        async with pymongo.AsyncMongoClient(f"mongodb://127.0.0.1:{mongo_port}") as client:
            return await client["dw"]["stores"].find({"name": "CANARY"}).to_list()

    return asyncio.run(main())


def _refused(folder: Path) -> Any:
    import pymongo.errors

    try:
        _with(lambda stores: stores.insert_one({"_id": "CANARY"}), port=1)(folder)
    except pymongo.errors.ServerSelectionTimeoutError as error:
        raise type(error)(str(error).partition(", Topology")[0]) from None  # which bears an id by chance


GOOD = [
    ("db.query", "/dw find stores", _with(lambda stores: list(stores.find({"name": "CANARY"})))),
    ("db.query", "/dw find_one stores", _with(lambda stores: stores.find_one({"name": "CANARY"}))),
    ("db.query", "/dw insert_one stores", _with(lambda stores: stores.insert_one({"_id": 1, "name": "CANARY"}).inserted_id)),
    ("db.query", "/dw insert_many stores", _with(lambda stores: stores.insert_many([{"_id": 1}, {"_id": 2}]).inserted_ids)),
    ("db.query", "/dw delete_many stores", _with(lambda stores: stores.delete_many({"name": "CANARY"}).deleted_count)),
    ("db.query", "/dw aggregate stores", _with(lambda stores: list(stores.aggregate([{"$match": {"name": "CANARY"}}])))),
    ("db.query", "/dw find stores", _async),
]
BAD = [
    _with(lambda stores: stores.find_one({"name": "CANARY"}), "missing"),
    _with(lambda stores: list(stores.find({"name": "CANARY"})), "missing"),
    _refused,
]
