"""HTTP through requests: every way leads through `Session.send`, redirections included."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`Session.send`."""
    patches = Patches(record)
    patches.wrap(sys.modules["requests.sessions"].Session, "send", _sent, _answered, failure=web.failure)
    return patches.undo


def _sent(args: Any, kwargs: Any) -> Said | None:
    prepared: Any = args[1] if len(args) > 1 else kwargs.get("request")
    return web.request(prepared.method, prepared.url)


def _answered(answer: Any, args: Any, kwargs: Any) -> Known:
    """`web.answered`, with one look into the dict that the headers keep, instead of three functions."""
    store = getattr(answer.headers, "_store", None)
    if store is None:
        return _answered_by_any(answer, args, kwargs)
    named = store.get("content-length")
    return web.known_of(answer.status_code, None if named is None else named[1])


_answered_by_any = web.answered("status_code")
