"""HTTP by httpx2, sync and async."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = ["httpx2"]
SERVERS = ["http_port"]
NAMES = "httpx2.Client.send httpx2.AsyncClient.send".split()
HEADERS = {"Authorization": "Bearer CANARY"}
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _get(path: str) -> Any:
    def call(folder: Path) -> Any:
        return _fetch(path if "://" in path else f"http://127.0.0.1:{http_port}{path}")

    return call


def _fetch(url: str) -> Any:
    import httpx2

    with httpx2.Client(timeout=5) as client:
        answer = client.post(url, content=b"CANARY", headers=HEADERS)
    return answer.status_code, answer.content


def _async(path: str) -> Any:
    def call(folder: Path) -> Any:
        return asyncio.run(_fetch_async(f"http://127.0.0.1:{http_port}{path}"))

    return call


async def _fetch_async(url: str) -> Any:
    import httpx2

    async with httpx2.AsyncClient(timeout=5) as client:
        answer = await client.get(url, headers=HEADERS)
    return answer.status_code, answer.content


GOOD = [
    ("http.request", "/ok?day=***", _get("/ok?day=CANARY")),
    ("http.request", "/ok", _async("/ok")),
]
BAD = [_async("/garbage"), _get("/garbage"), _get("http://127.0.0.1:1/?key=CANARY")]
