"""Mail by `smtplib`: connecting, logging in, sending; no addresses, no text."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, `login` and `sendmail`; `send_message` comes by it."""
    smtp = sys.modules["smtplib"].SMTP
    patches = Patches(record)
    patches.wrap(smtp, "connect", _connected, failure=_failure)
    patches.wrap(smtp, "login", lambda args, kwargs: _said(_server(args[0]), "login"), failure=_failure)
    patches.wrap(smtp, "sendmail", _sent, failure=_failure)
    return patches.undo


def _said(server: tuple[str, int | None], verb: str) -> Said:
    host, port = server
    attributes: Known = {"server.address": host}
    if port:
        attributes["server.port"] = port
    return "mail.send", f"smtp://{host}{f':{port}' if port else ''} {verb}", attributes


def _server(smtp: Any) -> tuple[str, int | None]:
    """Where it is connected to; a connection that was opened by itself keeps no name."""
    try:
        return str(smtp._host), int(smtp.sock.getpeername()[1])  # noqa: SLF001
    except (AttributeError, OSError, IndexError, TypeError, ValueError):
        return str(getattr(smtp, "_host", "")), None


def _connected(args: Any, kwargs: Any) -> Said:
    host, port = argument(args, kwargs, 1, "host", "localhost"), argument(args, kwargs, 2, "port", 0)
    before, colon, after = host.rpartition(":")
    if not port and colon and after.isdigit():
        host, port = before, after
    return _said((host, int(port) or args[0].default_port), "connect")


def _sent(args: Any, kwargs: Any) -> Said:
    text = argument(args, kwargs, 3, "msg", "")
    to = argument(args, kwargs, 2, "to_addrs", ())
    op, target, attributes = _said(_server(args[0]), "send")
    sizes = {"offduty.recipients": 1 if isinstance(to, str) else len(to), "offduty.message_bytes": len(text)}
    return op, target, dict(attributes, **sizes)


def _failure(error: Any) -> Known:
    """Servers quote addresses in their answers."""
    if isinstance(error, OSError) and not hasattr(error, "smtp_code") and not hasattr(error, "recipients"):
        return {}
    known: Known = {"message": without_values(str(error))}
    if getattr(error, "smtp_code", None):
        known["status"] = error.smtp_code
    return known
