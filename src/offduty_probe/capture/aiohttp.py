"""HTTP through aiohttp's client."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`ClientSession._request`, which all of its methods await."""
    patches = Patches(record)
    patches.wrap(sys.modules["aiohttp"].ClientSession, "_request", _requested, web.answered("status"), failure=web.failure)
    return patches.undo


def _requested(args: Any, kwargs: Any) -> Said | None:
    address = str(argument(args, kwargs, 2, "str_or_url"))
    base = getattr(args[0], "_base_url", None)
    if base is not None and "://" not in address.partition("?")[0]:
        address = str(base.join(type(base)(address)))
    return web.request(argument(args, kwargs, 1, "method"), address)
