"""HTTP by urllib3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES: list[str] = ["urllib3"]
SERVERS = ["http_port"]
NAMES = "urllib3.PoolManager.urlopen urllib3.poolmanager.PoolManager.urlopen urllib3.HTTPConnectionPool.urlopen".split()
HEADERS = {"Authorization": "Bearer CANARY"}
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _get(path: str) -> Any:
    def call(folder: Path) -> Any:
        return _fetch(path if "://" in path else f"http://127.0.0.1:{http_port}{path}")

    return call


def _fetch(url: str) -> Any:
    import urllib3

    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        answer = pool.request("GET", url, headers=HEADERS)
        return answer.status, answer.data


GOOD = [("http.request", "/ok?day=***", _get("/ok?day=CANARY")), ("http.request", "/ok", _get("/ok"))]
BAD = [_get("/garbage"), _get("http://127.0.0.1:1/?key=CANARY")]
