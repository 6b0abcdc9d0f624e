"""HTTP through httpx, sync and async."""

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
    return install_in("httpx", record)


def install_in(name: str, record: Ledger) -> Callable[[], None]:
    """The same for a library that is made like it."""
    module = sys.modules[name]
    patches = Patches(record)
    for client in (module.Client, module.AsyncClient):
        patches.wrap(client, "send", _sent, web.answered("status_code"), failure=web.failure)
    return patches.undo


def _sent(args: Any, kwargs: Any) -> Said | None:
    request = argument(args, kwargs, 1, "request")
    return web.request(request.method, request.url)
