"""E-mail: how a server is reached and who is written to. `offduty.alerts.mail` makes the mail, `offduty.alerts.smtp` hands it over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from offduty.alerts import addresses, wording
from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.delivery import DEADLINE, FIRST, Attempt, Receipt
from offduty.alerts.options import FilePath, Line, Mailbox, Mailboxes, Port, Timeout, Token
from offduty.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Email:
    """Send mail through a server.

    `host`, `port`: the server's; the port follows from `tls` if it is not given. `tls`: `starttls` (a server that does not offer it is
    refused), `tls` from the first byte, or `none`, for a host in `allow` and without a password. `user`, `password`: to log in.
    `sender`, `to`: who writes to whom. `ca`: a file of certificates to trust instead of the system's.
    """

    host: Line
    sender: Mailbox
    to: Mailboxes
    port: Port | None = None
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: Line | None = None
    password: Token | None = None
    ca: FilePath | None = None
    allow: Allowed = field(default=Allowed())
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password is None):
            raise ConfigError("E223", "user and password go together", fix="give both or none")
        if self.tls == "none" and self.user is not None:
            raise ConfigError("E223", "a password would be sent in the open", fix='write tls = "starttls" or tls = "tls"')
        literal = addresses.literal(self.host)
        if self.tls == "none" and not (self.allow.names(self.host) or (literal is not None and self.allow.covers(literal))):
            raise ConfigError("E222", "mail would be sent in the open", fix=f'write tls = "starttls", or add allow = ["{self.host}"]')

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One message to all recipients that are owed it. Raises DeliveryError."""
        from offduty.alerts import mail, smtp

        owed = [mailbox.address for mailbox in self.to if not attempt.only or smtp.tag(mailbox.address) in attempt.only]
        message = mail.message(wording.bare(alert) if attempt.minimal else alert, self.sender, self.to)
        return smtp.send(self, message, owed, min(attempt.seconds, self.timeout), minimal=attempt.minimal)
