"""Everything else, by Apprise and its 130 services; in a process of its own that is killed when it takes too long."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass, field
from typing import ClassVar

from offduty.alerts import wording
from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.channels.command import run
from offduty.alerts.delivery import DEADLINE, FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.options import Proxy, Timeout, Token

MOST_CHARACTERS = 3_000
WORKER = (sys.executable, "-P", "-m", "offduty.alerts.channels.apprise_worker")
_KINDS = {"bad": "failure", "warning": "warning", "good": "success", "calm": "info"}


@dataclass(frozen=True, kw_only=True)
class Apprise:
    """Send to an Apprise URL (`ntfy://…`, `tgram://…`). Whether trying again helps, Apprise does not say: it always may.

    `allow`: internal hosts and networks that may be reached. `proxy`: what its services ask to connect.
    """

    requires: ClassVar[tuple[str, str]] = ("apprise", "apprise")

    url: Token
    allow: Allowed = field(default=Allowed())
    proxy: Proxy | None = None
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One attempt in a worker, which gets the URL on its standard input. Raises DeliveryError."""
        if importlib.util.find_spec("apprise") is None:
            raise DeliveryError("apprise is not installed: pip install 'offduty[apprise]'", broken=True)
        text = payload(wording.bare(alert) if attempt.minimal else alert)
        given = {"url": self.url.reveal(), "allow": self.allow, "proxy": self.proxy.reveal() if self.proxy else "", **text}
        status = run(WORKER, json.dumps(given).encode(), min(attempt.seconds, self.timeout))
        if status == 0:
            return Receipt(detail="apprise took it")
        if status == 77:
            raise DeliveryError("the host leads to an internal address; if that is meant, name it in the channel's allow", broken=True)
        if status == 78:
            raise DeliveryError("apprise does not understand the URL", broken=True)
        raise DeliveryError("apprise could not deliver it", ambiguous=True)


def payload(alert: Alert) -> dict[str, str]:
    """Title, text and Apprise's type."""
    body = wording.fitting(alert, wording.plain, len, MOST_CHARACTERS)
    return {"title": wording.shorten(wording.headline(alert), 200), "body": body, "type": _KINDS[wording.mood(alert)]}
