"""HTTP through requests: every way leads through `Session.send`, redirections included."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`Session.send`."""
    patches = Patches(record)
    patches.wrap(sys.modules["requests.sessions"].Session, "send", _sent, web.answered("status_code"), failure=web.failure)
    return patches.undo


def _sent(args: Any, kwargs: Any) -> Said | None:
    prepared = argument(args, kwargs, 1, "request")
    return web.request(prepared.method, prepared.url)
