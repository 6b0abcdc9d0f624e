"""A mail handed over by SMTP: each recipient on its own, and only refused ones owed again (F51); never a password in the open."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
from email import policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

from offduty.alerts.connect import dial, tls_context, words
from offduty.alerts.deadline import Deadline
from offduty.alerts.delivery import DeliveryError, Receipt

if TYPE_CHECKING:
    from offduty.alerts.channels.email import Email

PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TROUBLE = (OSError, ValueError)


def send(channel: Email, mail: EmailMessage, recipients: list[str], seconds: float, *, minimal: bool) -> Receipt:
    """One message to these recipients. `minimal`: it is the shortest form already. Raises DeliveryError."""
    conversation = _Conversation(channel)
    failure: DeliveryError
    with Deadline(seconds) as deadline:
        try:
            return conversation.run(mail, recipients, deadline, minimal=minimal)
        except DeliveryError as error:
            failure = error
        except smtplib.SMTPResponseException as error:
            failure = _refusal(error.smtp_code, "the server refuses us", minimal=True)
        except smtplib.SMTPException:
            late = "no answer in time" if deadline.is_over else "the server broke off"
            failure = DeliveryError(late, ambiguous=conversation.is_sent)
        except _TROUBLE as error:
            failure = DeliveryError(words(error, is_over=deadline.is_over), ambiguous=conversation.is_sent)
    failure.__context__ = None
    raise failure


class _Conversation:
    """One conversation with the server. `is_sent`: it may have the message, whatever happens from now on."""

    def __init__(self, channel: Email) -> None:
        self._channel = channel
        self.is_sent = False

    def run(self, mail: EmailMessage, recipients: list[str], deadline: Deadline, *, minimal: bool) -> Receipt:
        """Raises DeliveryError, smtplib's errors, OSError."""
        server = _connect(self._channel, deadline)
        try:
            self._introduce(server)
            refused = self._envelope(server, recipients)
            if len(refused) == len(recipients):
                raise _refused(refused, len(recipients))
            self.is_sent = True
            code, _ = server.data(mail.as_bytes(policy=policy.SMTP))
            if code != 250:
                raise _refusal(code, "the server refuses the message", minimal=minimal)
            if refused:
                raise _refused(refused, len(recipients))
            return Receipt(id=str(mail["Message-ID"]), detail=f"taken for {len(recipients)} recipient{'s' if len(recipients) > 1 else ''}")
        finally:
            server.close()

    def _introduce(self, server: smtplib.SMTP) -> None:
        """Greet, go over to TLS, log in: in this order, and never the last without the second."""
        channel = self._channel
        server.ehlo_or_helo_if_needed()
        if channel.tls == "starttls":
            if not server.has_extn("starttls"):
                raise DeliveryError("the server offers no STARTTLS, so nothing was sent", broken=True)
            server.starttls(context=tls_context(channel.ca))
            server.ehlo()
        if channel.user is not None and channel.password is not None:
            try:
                server.login(channel.user, channel.password.reveal())
            except smtplib.SMTPNotSupportedError:
                raise DeliveryError("the server knows no way to log in", broken=True) from None

    def _envelope(self, server: smtplib.SMTP, recipients: list[str]) -> dict[str, int]:
        """{recipient: code} of those that were refused."""
        code, _ = server.mail(self._channel.sender.address)
        if code != 250:
            raise DeliveryError(f"{code}: the server refuses the sender", broken=code >= 500)
        codes = {recipient: server.rcpt(recipient)[0] for recipient in recipients}
        return {recipient: code for recipient, code in codes.items() if code not in (250, 251)}


class _Smtp(smtplib.SMTP):
    """Uses a connection that a deadline guards; with a context, TLS from the first byte."""

    def __init__(self, dialled: socket.socket, context: ssl.SSLContext | None, name: str) -> None:
        self._dialled, self._context, self._name = dialled, context, name
        super().__init__(
            local_hostname="[127.0.0.1]" if "." not in socket.gethostname() else socket.gethostname(), timeout=dialled.gettimeout() or 1
        )
        self._host = name  # starttls asks for its certificate

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._context.wrap_socket(self._dialled, server_hostname=self._name) if self._context else self._dialled


def _connect(channel: Email, deadline: Deadline) -> _Smtp:
    port = channel.port or PORTS[channel.tls]
    dialled = dial(channel.host, port, deadline, None)
    try:
        dialled.settimeout(deadline.left())
        server = _Smtp(dialled, tls_context(channel.ca) if channel.tls == "tls" else None, channel.host)
        code, _ = server.connect(channel.host, port)
        if code != 220:
            raise _refusal(code, "the server is not ready", minimal=True)
        return server
    except BaseException:
        dialled.close()
        raise


def tag(address: str) -> str:
    """What a recipient is called in the outbox, which holds no addresses."""
    return hashlib.sha256(address.lower().encode()).hexdigest()[:12]


def _refused(codes: dict[str, int], asked: int) -> DeliveryError:
    """Some or all recipients were refused: worth another attempt as long as one of them may be taken later (F51)."""
    permanent = all(code >= 500 for code in codes.values())
    what = f"{len(codes)} of {asked} recipients refused ({', '.join(map(str, sorted(set(codes.values()))))})"
    return DeliveryError(what, permanent=permanent, refused=tuple(tag(recipient) for recipient in codes))


def _refusal(code: int, what: str, *, minimal: bool = False) -> DeliveryError:
    """SMTP's own rule: 4xx later, 5xx never; 53x is about who we are, not about the message."""
    if code in (530, 534, 535, 538):
        return DeliveryError(f"{code}: the credentials are refused", broken=True)
    permanent = 500 <= code < 600
    return DeliveryError(f"{code}: {what}", permanent=permanent, minimal=permanent and not minimal)
