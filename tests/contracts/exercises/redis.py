"""Redis, sync and async."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

LIBRARIES = ["redis"]
SERVERS = ["redis_port"]
NAMES = """redis.Redis.execute_command redis.client.Pipeline.execute redis.asyncio.client.Redis.execute_command
 redis.asyncio.client.Pipeline.execute""".split()
redis_port = 0


def prepare(folder: Path) -> None:
    """A key."""
    with _client() as client:
        client.set("CANARY", "CANARY")


def _client() -> Any:
    import redis

    return redis.Redis(port=redis_port, password=None)


def _get(folder: Path) -> Any:
    with _client() as client:
        return client.get("CANARY")


def _several(folder: Path) -> Any:
    with _client() as client, client.pipeline() as pipeline:
        return pipeline.set("CANARY", "CANARY").get("CANARY").execute()


def _async(folder: Path) -> Any:
    import redis.asyncio

    async def get() -> Any:
        async with redis.asyncio.Redis(port=redis_port) as client:
            return await client.get("CANARY")

    return asyncio.run(get())


def _wrong(folder: Path) -> Any:
    with _client() as client:
        return client.lpush("CANARY", "CANARY")


def _unknown(folder: Path) -> Any:
    with _client() as client:
        return client.execute_command("NONSENSE", "CANARY")


GOOD = [
    ("cache.call", "/0 GET", _get),
    ("cache.call", "/0 PIPELINE", _several),
    ("cache.call", "/0 GET", _async),
]
BAD = [_wrong, _unknown]
