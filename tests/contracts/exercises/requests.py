"""HTTP by requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES: list[str] = ["requests"]
SERVERS = ["http_port"]
NAMES = "requests.Session.send requests.sessions.Session.send".split()
HEADERS = {"Authorization": "Bearer CANARY"}
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _get(path: str) -> Any:
    def call(folder: Path) -> Any:
        return _fetch(path if "://" in path else f"http://127.0.0.1:{http_port}{path}")

    return call


def _fetch(url: str) -> Any:
    import requests

    answer = requests.get(url, headers=HEADERS, timeout=5)
    return answer.status_code, answer.content


GOOD = [("http.request", "/ok?day=***", _get("/ok?day=CANARY")), ("http.request", "/ok", _get("/ok"))]
BAD = [_get("/garbage"), _get("http://127.0.0.1:1/?key=CANARY")]
