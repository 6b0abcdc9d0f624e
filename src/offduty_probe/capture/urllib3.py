"""HTTP through urllib3, by a pool manager or by a pool."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`urlopen`, which repeats itself for redirections and retries: those are part of the first."""
    urllib3 = sys.modules["urllib3"]
    patches = Patches(record)
    answered = web.answered("status")
    patches.wrap(urllib3.PoolManager, "urlopen", _by_manager, answered, failure=web.failure)
    patches.wrap(urllib3.HTTPConnectionPool, "urlopen", _by_pool, answered, failure=web.failure)
    return patches.undo


def _by_manager(args: Any, kwargs: Any) -> Said | None:
    return web.request(argument(args, kwargs, 1, "method"), argument(args, kwargs, 2, "url"))


def _by_pool(args: Any, kwargs: Any) -> Said | None:
    pool = args[0]
    address = web.address_of(pool.scheme, pool.host, pool.port, argument(args, kwargs, 2, "url"))
    return web.request(argument(args, kwargs, 1, "method"), address)
