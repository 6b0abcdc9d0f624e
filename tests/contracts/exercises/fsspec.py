"""Remote files by fsspec, here over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["fsspec", "aiohttp"]
SERVERS = ["http_port"]
NAMES = ["fsspec.spec.AbstractFileSystem.open"]
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _web() -> Any:
    import fsspec

    return fsspec.filesystem("http", skip_instance_cache=True)


def _open(path: str) -> Any:
    def call(folder: Path) -> Any:
        with _web().open(f"http://127.0.0.1:{http_port}{path}", "rb") as file:
            return type(file).__name__

    return call


GOOD = [
    ("object.read", "/ok?key=***", _open("/ok?key=CANARY")),
    ("object.read", "/ok", _open("/ok")),
]
BAD = [_open("/status/404"), _open("/reset")]
