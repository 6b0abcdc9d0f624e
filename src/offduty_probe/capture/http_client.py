"""HTTP through `http.client` itself: a request, and the answer that is fetched later."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.dbapi import Beside
from offduty_probe.capture.wrapping import Patches, argument, looking_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`HTTPConnection.request` begins a transaction, `getresponse` ends it."""
    connections = sys.modules["http.client"].HTTPConnection
    waiting = Beside()
    patches = Patches(record)

    def keep(result: Any, args: Any, kwargs: Any) -> Callable[[Any], object]:
        return lambda transaction: waiting.put(args[0], transaction)

    patches.wrap(connections, "request", _requested, keep, failure=web.failure)
    patches.put(connections, "getresponse", lambda original: _getresponse(original, waiting))
    patches.undos.append(waiting.kept.clear)
    record.at_forget.append(waiting.kept.clear)
    patches.undos.append(lambda: record.at_forget.remove(waiting.kept.clear))
    return patches.undo


def _requested(args: Any, kwargs: Any) -> Said | None:
    connection = args[0]
    scheme = "https" if connection.default_port == 443 else "http"
    address = web.address_of(scheme, connection.host, connection.port, argument(args, kwargs, 2, "url"))
    return web.request(argument(args, kwargs, 1, "method"), address)


def _getresponse(original: Any, waiting: Beside) -> Any:
    known = web.answered("status")

    def getresponse(*args: Any, **kwargs: Any) -> Any:
        transaction = waiting.take(args[0]) if args else None
        try:
            answer = original(*args, **kwargs)
        except BaseException as error:
            if transaction is not None:
                transaction.failed(error, None, web.failure)
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            raise
        if transaction is not None:
            transaction.done(known, answer, args, kwargs)
        return answer

    return looking_like(original, getresponse)
