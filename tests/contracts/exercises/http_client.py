"""HTTP by http.client."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LIBRARIES: list[str] = []
SERVERS = ["http_port"]
NAMES = "http.client.HTTPConnection.request http.client.HTTPConnection.getresponse".split()
HEADERS = {"Authorization": "Bearer CANARY"}
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _get(path: str) -> Any:
    def call(folder: Path) -> Any:
        return _fetch(path if "://" in path else f"http://127.0.0.1:{http_port}{path}")

    return call


def _fetch(url: str) -> Any:
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=5)) as connection:
        connection.request("POST", f"{address.path}?{address.query}".rstrip("?"), body=b"CANARY", headers=HEADERS)
        answer = connection.getresponse()
        return answer.status, answer.read()


GOOD = [("http.request", "/ok?day=***", _get("/ok?day=CANARY")), ("http.request", "/ok", _get("/ok"))]
BAD = [_get("/garbage"), _get("http://127.0.0.1:1/?key=CANARY")]
