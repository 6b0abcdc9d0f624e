"""HTTP through httpx, sync and async; also its successor httpx2."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`send` of clients: redirections and authentication are part of it."""
    patches = Patches(record)
    for name in ("httpx", "httpx2"):
        module = sys.modules.get(name)
        for client in ("Client", "AsyncClient"):
            owner = getattr(module, client, None)
            if owner is not None:
                patches.wrap(owner, "send", _sent, web.answered("status_code"), failure=web.failure)
    return patches.undo


def _sent(args: Any, kwargs: Any) -> Said | None:
    request = argument(args, kwargs, 1, "request")
    return web.request(request.method, request.url)
