"""The one way a message leaves by HTTP: a single POST to an address that was looked at, within a time, and the truth about its answer.

1. Take the URL apart; internal hosts and plain HTTP only if the configuration allows them.
2. Look its host up once, refuse it if any of its addresses is internal, and connect to one of just those: no second look-up (T12).
3. Send. Redirects are not followed, the environment names no proxy unless asked to, a compressed answer is not unpacked.
4. Read at most 64 KiB, all within one deadline (T13).
5. Judge: it was taken, or it is worth trying again, or it is not (`offduty.alerts.judge`).

Whatever goes wrong comes out as a DeliveryError without URL, header or body in its text, raised outside of any `except`, so that
nothing which walks `__context__` finds them either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from offduty.alerts import addresses
from offduty.alerts.addresses import Allowed
from offduty.alerts.delivery import DEADLINE
from offduty.alerts.options import FilePath, Proxy, Timeout, Url
from offduty.secrets import Secret

if TYPE_CHECKING:
    from offduty.alerts.judge import Answer


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a receiver is reached, the same for all channels that speak HTTP.

    `allow`: internal hosts and networks that may be reached. `proxy`: what is asked to connect. `ca`: a file of certificates to trust
    instead of the system's. `timeout`: seconds for one attempt.
    """

    allow: Allowed = field(default=Allowed())
    proxy: Proxy | None = None
    ca: FilePath | None = None
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, Url):
                addresses.check(value.reveal(), self.allow)


def post(url: Secret, body: bytes, headers: Mapping[str, str], route: Route, seconds: float = DEADLINE) -> Answer:
    """Send `body` to `url` and return what was answered, whatever its status. Raises DeliveryError.

    What does it is loaded now: settings know a channel without it, and urllib3 is not free.
    """
    from offduty.alerts.exchange import send

    return send(url.reveal(), body, headers, route, min(seconds, route.timeout))
