"""E-mail, by SMTP. An incident is one thread, a repetition has the same Message-ID, and only refused recipients are tried again."""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Literal

from offduty.alerts import addresses, wording
from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.deadline import Deadline
from offduty.alerts.delivery import DEADLINE, FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import dial, tls_context, words
from offduty.alerts.options import FilePath, Line, Mailbox, Mailboxes, Port, Timeout, Token
from offduty.errors import ConfigError

if TYPE_CHECKING:
    import jinja2

MOST_CHARACTERS, MOST_SUBJECT = 200_000, 180
PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TROUBLE = (OSError, ValueError)
_ENCODED_WORD = re.compile(r"=\?")


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
        owed = [mailbox for mailbox in self.to if not attempt.only or tag(mailbox.address) in attempt.only]
        mail = message(wording.bare(alert) if attempt.minimal else alert, self.sender, self.to)
        posting = _Posting(self)
        failure: DeliveryError
        with Deadline(min(attempt.seconds, self.timeout)) as deadline:
            try:
                return posting.run(mail, [mailbox.address for mailbox in owed], deadline, minimal=attempt.minimal)
            except DeliveryError as error:
                failure = error
            except smtplib.SMTPResponseException as error:
                failure = _refusal(error.smtp_code, "the server refuses us", minimal=True)
            except smtplib.SMTPException:
                late = "no answer in time" if deadline.is_over else "the server broke off"
                failure = DeliveryError(late, ambiguous=posting.is_sent)
            except _TROUBLE as error:
                failure = DeliveryError(words(error, is_over=deadline.is_over), ambiguous=posting.is_sent)
        failure.__context__ = None
        raise failure


class _Posting:
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
            raise _refusal(code, "the server refuses the sender")
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
            raise _refusal(code, "the server is not ready")
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


def message(alert: Alert, sender: Mailbox, to: Mailboxes) -> EmailMessage:
    """The mail: text, and HTML as its alternative. Deterministic but for its Date, which is the alert's."""
    mail = EmailMessage(policy=policy.SMTP.clone(max_line_length=78))
    domain = sender.address.rpartition("@")[2]
    mail["From"] = _mailbox(sender)
    mail["To"] = [_mailbox(mailbox) for mailbox in to]
    mail["Subject"] = header(wording.headline(alert), MOST_SUBJECT)
    mail["Date"] = formatdate(alert.at, localtime=False)
    mail["Message-ID"] = f"<{_digest(alert.key)}@{domain}>"
    if alert.incident:
        mail["References"] = f"<incident-{_digest(alert.incident)}@{domain}>"
        mail["In-Reply-To"] = f"<incident-{_digest(alert.incident)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if alert.severity == "critical" and alert.status == "firing":
        mail["Importance"] = "high"
    text = wording.fitting(alert, wording.plain, len, MOST_CHARACTERS)
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(wording.fitting(alert, html, len, MOST_CHARACTERS), subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{_digest(alert.key + text)}")  # the same each time, and nothing that a text could foresee
    return mail


def html(alert: Alert) -> str:
    """The message as a page: every text escaped, no image, no script, nothing fetched."""
    return _template().render(
        headline=wording.headline(alert),
        notice=wording.notice(alert),
        colour=wording.COLOURS[wording.mood(alert)],
        facts=wording.facts(alert),
        steps=[wording.line(step) for step in alert.steps],
        items=[wording.line(item) for item in alert.items],
        lines=[wording.clean(entry) for entry in alert.lines],
        link=wording.own_link(alert),
        log=wording.line(alert.log),
        origin=wording.origin(alert),
    )


def header(text: str, most: int) -> str:
    """`text` as it may stand in a header: one line, and nothing in it that a reader would decode again (T09)."""
    return _ENCODED_WORD.sub("= ?", wording.shorten(wording.line(text), most))


@cache
def _template() -> jinja2.Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = os.path.dirname(os.path.abspath(__file__))
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("email.html")


def _mailbox(mailbox: Mailbox) -> Address:
    return Address(display_name=header(mailbox.named, 100), addr_spec=mailbox.address)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
