"""Messages of drills, sent for real: each with a code, by which somebody confirms that it arrived."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from offduty.alerts.proof import Proof, new_code
from offduty.wiring.channels import ready

if TYPE_CHECKING:
    from offduty.alerts.alert import Alert
    from offduty.clock import Clock
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore


class Receipts:
    """Called with a channel's name and an alert it sends that, and returns the code. `once`: only the first message of each channel."""

    def __init__(self, settings: Settings, store: SqliteStore, clock: Clock, *, once: bool = False) -> None:
        self._settings, self._store, self._clock, self._once = settings, store, clock, once
        self._sent: set[str] = set()

    def __call__(self, channel: str, alert: Alert) -> str:
        """An empty text if nothing was sent. Raises DeliveryError. Its own key and no incident: nothing of it is taken for the real one."""
        if self._once and channel in self._sent:
            return ""
        code = new_code(os.urandom(6))
        receipt = ready(self._settings, channel).send(replace(alert, key=f"drill-{alert.key}", incident=None, code=code))
        self._sent.add(channel)
        self._store.proofs.add(Proof(code, channel, self._clock.wall(), receipt.detail or "drill"))
        return code
