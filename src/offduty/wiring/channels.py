"""Settings in, a channel that is ready to send out: its references are read now, so that a secret that was changed counts at once."""

from __future__ import annotations

import typing

from offduty.alerts.delivery import Channel, DeliveryError
from offduty.settings.channels import build
from offduty.settings.convert import BAD
from offduty.settings.load import Settings
from offduty.settings.mistakes import Mistake


def ready(settings: Settings, name: str) -> Channel:
    """The channel `name`. Raises DeliveryError with `broken` if it is not configured (any more) or cannot be built."""
    if name not in settings.channels:
        raise DeliveryError("there is no such channel in the configuration, or it is not right; `offduty check` tells", broken=True)
    mistakes: list[Mistake] = []
    made = build(name, settings.channels[name], settings.environ, mistakes.append)
    if made is BAD:
        raise DeliveryError(f"the channel cannot be used: {mistakes[0].code} {mistakes[0].what}", broken=True)
    return typing.cast(Channel, made)
