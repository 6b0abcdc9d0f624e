"""HTTP through requests: every way leads through `Session.send`, redirections included."""

# ruff: noqa: SLF001  # `_store`: what is public costs five times as much
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
    answered = _answered(sys.modules["requests.structures"].CaseInsensitiveDict)
    patches.wrap(sys.modules["requests.sessions"].Session, "send", _sent, answered, failure=web.failure)
    return patches.undo


def _sent(args: Any, kwargs: Any) -> Said | None:
    prepared: Any = args[1] if len(args) > 1 else kwargs.get("request")
    return web.request(prepared.method, prepared.url)


def _answered(usual: Any) -> Callable[[Any, Any, Any], Known]:
    """`web.answered`; of the `usual` headers, the dict within them is asked, which saves three functions."""
    by_any = web.answered("status_code")

    def known(answer: Any, args: Any, kwargs: Any) -> Known:
        headers: Any = answer.headers
        if type(headers) is not usual:
            return by_any(answer, args, kwargs)
        named = headers._store.get("content-length")
        return web.known_of(answer.status_code, None if named is None else named[1])

    return known
