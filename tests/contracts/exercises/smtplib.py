"""Mail."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = []
SERVERS = ["smtp_port"]
NAMES = "smtplib.SMTP.connect smtplib.SMTP.sendmail smtplib.SMTP.login".split()
smtp_port = 0


def prepare(folder: Path) -> None:
    """The server is there."""


def _connect(folder: Path) -> None:
    smtplib.SMTP("127.0.0.1", smtp_port, timeout=5).quit()


def _send(folder: Path) -> Any:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "CANARY@example.org", "CANARY@example.com", "CANARY"
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as server:
        return server.send_message(message)


def _refused(folder: Path) -> Any:
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as server:
        return server.sendmail("CANARY@example.org", ["CANARY @@"], "CANARY")


def _login(folder: Path) -> Any:
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=5) as server:
        return server.login("CANARY", "CANARY")


GOOD = [("mail.send", " connect", _connect), ("mail.send mail.send", " send", _send)]
BAD = [_refused, _login, lambda folder: smtplib.SMTP("127.0.0.1", 1, timeout=5)]
