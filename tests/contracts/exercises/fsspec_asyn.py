"""Whole objects of fsspec's file systems, here over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["fsspec", "aiohttp"]
SERVERS = ["http_port"]
NAMES = ["fsspec.asyn.sync_wrapper"]
http_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""
    import fsspec.asyn  # noqa: F401  # as the first file system does


def _web() -> Any:
    import fsspec

    return fsspec.filesystem("http", skip_instance_cache=True)


GOOD = [
    ("object.read", "/ok?key=***", lambda folder: _web().cat(f"http://127.0.0.1:{http_port}/ok?key=CANARY")),
    ("object.read", "/ok", lambda folder: _web().cat_file(f"http://127.0.0.1:{http_port}/ok")),
]
BAD = [
    lambda folder: _web().cat_file(f"http://127.0.0.1:{http_port}/status/404"),
    lambda folder: _web().cat_file("http://127.0.0.1:1/?key=CANARY"),
]
