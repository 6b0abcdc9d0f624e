"""What an HTTP answer means for a message: it was taken, try again later, never, or the channel itself is refused. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from offduty.alerts.delivery import DeliveryError

LEAST_WAIT, MOST_WAIT = 1.0, 3600.0
_BROKEN = {
    401: "its credentials are refused", 403: "it is forbidden", 404: "nothing is there", 405: "it takes no messages",
    407: "the proxy refuses us", 410: "it is gone for good",
}  # fmt: skip
_MAYBE_DONE = (500, 502, 504)
_WEB_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """`headers` by lower-case name; `body`: its first 64 KiB; `at`: when it came, seconds since 1970."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def text(self) -> str:
        """The body as text, without blanks around it."""
        return self.body.decode("utf-8", "replace").strip()

    def json(self) -> dict[str, Any]:
        """The body if it is a JSON object, else an empty one."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def by_status(answer: Answer, *, minimal: bool) -> None:
    """Raise DeliveryError unless the status says that it was taken, and the body is no web page (a captive portal, a login).

    `minimal`: this was the shortest form already.
    """
    status = answer.status
    if not 200 <= status < 300:
        raise refusal(status, wait(answer.headers.get("retry-after"), answer.at), minimal=minimal)
    if "text/html" in answer.headers.get("content-type", "").lower() or _WEB_PAGE.match(answer.body):
        raise DeliveryError(f"{status} with a web page: something between us and the service answered", ambiguous=True)


def refusal(status: int, retry_after: float | None = None, *, minimal: bool = False) -> DeliveryError:
    """The error for a status that is no success."""
    if status in _BROKEN:
        return DeliveryError(f"{status}: {_BROKEN[status]}", broken=True, gone=status == 410)
    if status in (408, 425, 429):
        return DeliveryError(f"{status}: {'too many messages' if status == 429 else 'try again'}", retry_after=retry_after)
    if 300 <= status < 400:
        return DeliveryError(f"{status}: the service moved, and redirects are not followed", broken=True)
    if 400 <= status < 500:
        what = "too large" if status == 413 else "the message is refused"
        return DeliveryError(f"{status}: {what}", permanent=True, minimal=not minimal)
    what = "the service has trouble" if status >= 500 else "an answer that is none"
    return DeliveryError(f"{status}: {what}", retry_after=retry_after, ambiguous=status in _MAYBE_DONE or status < 200)


def wait(value: str | None, now: float) -> float | None:
    """A Retry-After, seconds or a date, as 1 to 3600 seconds from now; None if there is none, or nobody can read it (F39)."""
    if value is None:
        return None
    seconds = _seconds(value.strip(), now)
    return None if seconds is None else min(max(seconds, LEAST_WAIT), MOST_WAIT)


def _seconds(text: str, now: float) -> float | None:
    if re.fullmatch(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?", text):
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
