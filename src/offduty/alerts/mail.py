"""A message as a mail: text, and HTML beside it. An incident is one thread, and the same alert is the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import re
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING

from offduty.alerts import wording
from offduty.alerts.alert import Alert
from offduty.alerts.options import Mailbox, Mailboxes

if TYPE_CHECKING:
    import jinja2

MOST_CHARACTERS, MOST_SUBJECT = 200_000, 180
_ENCODED_WORD = re.compile(r"=\?")


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
    return environment.get_template("mail.html")


def _mailbox(mailbox: Mailbox) -> Address:
    return Address(display_name=header(mailbox.named, 100), addr_spec=mailbox.address)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
