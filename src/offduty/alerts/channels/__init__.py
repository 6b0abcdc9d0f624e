"""The kinds of channel, one small file each; a new one is that file and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

CHANNELS = {
    "slack": "offduty.alerts.channels.slack:Slack",
    "slack-bot": "offduty.alerts.channels.slack_bot:SlackBot",
    "teams": "offduty.alerts.channels.teams:Teams",
    "email": "offduty.alerts.channels.email:Email",
    "sns": "offduty.alerts.channels.sns:Sns",
    "pagerduty": "offduty.alerts.channels.pagerduty:PagerDuty",
    "webhook": "offduty.alerts.channels.webhook:Webhook",
    "command": "offduty.alerts.channels.command:Command",
    "apprise": "offduty.alerts.channels.apprise:Apprise",
}
"""kind → where its class is. The class is a frozen dataclass whose fields are the options of `[channel.NAME]`."""


def kind(name: str) -> type[Any]:
    """The class of a kind. Raises KeyError."""
    module, _, attribute = CHANNELS[name].partition(":")
    found: type[Any] = getattr(import_module(module), attribute)
    return found
