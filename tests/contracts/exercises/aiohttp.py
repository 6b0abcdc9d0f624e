"""HTTP by the client of aiohttp."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = ["aiohttp"]
SERVERS = ["http_port"]
NAMES = "aiohttp.ClientSession._request".split()
HEADERS = {"Authorization": "Bearer CANARY"}
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _get(path: str) -> Any:
    def call(folder: Path) -> Any:
        return _fetch(path if "://" in path else f"http://127.0.0.1:{http_port}{path}")

    return call


def _fetch(url: str) -> Any:
    return asyncio.run(_fetch_async(url))


async def _fetch_async(url: str) -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(url, headers=HEADERS) as answer:
        return answer.status, await answer.read()


GOOD = [("http.request", "/ok?day=***", _get("/ok?day=CANARY")), ("http.request", "/ok", _get("/ok"))]
BAD = [_get("/garbage"), _get("http://127.0.0.1:1/?key=CANARY")]
