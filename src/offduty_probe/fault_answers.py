"""Making what a library raises, or answers, when a service is broken: its own classes, filled as it fills them."""

# ruff: noqa: SLF001  # requests keeps a body in `_content`
from __future__ import annotations

import sys

from offduty_probe.fault_errors import BAD_CERTIFICATE, GARBAGE, REASONS, facts_of, filled, find_class, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BY_ITSELF = ("urllib", "botocore")
"""Libraries that raise when the answer is an error."""
OF_THE_DATA = ("garbage", "empty", "torn", "stale", "column-gone", "column-retyped")
"""What comes is bad: whoever reads it raises by itself."""


def error_of(fault: str, library: str, op: str, target: str) -> BaseException | None:
    """What the library would raise; None if it has nothing of the kind, or raises nothing."""
    if fault in OF_THE_DATA or (fault.startswith("status-") and library not in BY_ITSELF):
        return None
    known = told(fault, library)
    if known is None:
        return None
    facts = facts_of(fault, op, target)
    name, args = known[0], tuple(filled(one, facts) for one in known[1])
    special = SPECIAL.get(name)
    return special(fault, args, facts) if special is not None else find_class(name)(*args)  # type: ignore[no-any-return]


def answer_of(fault: str, library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the library would answer with; None if it raises instead, or cannot be told."""
    if fault != "garbage" and not fault.startswith("status-"):
        return None
    make = ANSWERS.get(library)
    status = 200 if fault == "garbage" else int(fault.partition("-")[2])
    return make(status, GARBAGE, args, kwargs) if make is not None else None


def _url_error(fault: str, args: Any, facts: dict[str, str]) -> Any:
    known = told(fault, "python")
    reason = find_class(known[0])(*known[1]) if known else args[0]
    return find_class("urllib.error.URLError")(reason)


def _http_error(fault: str, args: Any, facts: dict[str, str]) -> Any:
    from email.message import Message
    from io import BytesIO

    status = int(facts["status"])
    return find_class("urllib.error.HTTPError")(facts["url"], status, facts["reason"], Message(), BytesIO(GARBAGE))


def _client_error(fault: str, args: Any, facts: dict[str, str]) -> Any:
    status = int(facts["status"])
    response = {"Error": {"Code": facts["code"], "Message": facts["reason"]}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return find_class("botocore.exceptions.ClientError")(response, facts["operation"])


def _endpoint(name: str) -> Any:
    def make(fault: str, args: Any, facts: dict[str, str]) -> Any:
        return find_class(name)(endpoint_url=facts["url"], error=BAD_CERTIFICATE)

    return make


SPECIAL = {
    "urllib.error.URLError": _url_error,
    "urllib.error.HTTPError": _http_error,
    "botocore.exceptions.ClientError": _client_error,
    **{
        f"botocore.exceptions.{name}": _endpoint(f"botocore.exceptions.{name}")
        for name in ("EndpointConnectionError", "ReadTimeoutError", "SSLError")
    },
}


def _requests(status: int, body: bytes, args: Any, kwargs: Any) -> Any:
    asked = args[1] if len(args) > 1 else kwargs["request"]
    answer = sys.modules["requests"].Response()
    answer.status_code, answer._content, answer.reason = status, body, REASONS.get(status, "OK")
    answer.request, answer.url, answer.encoding = asked, asked.url, "utf-8"
    answer.headers["Content-Type"] = "text/html"
    return answer


def _httpx(status: int, body: bytes, args: Any, kwargs: Any) -> Any:
    asked = args[1] if len(args) > 1 else kwargs["request"]
    return sys.modules["httpx"].Response(status, content=body, headers={"Content-Type": "text/html"}, request=asked)


def _urllib(status: int, body: bytes, args: Any, kwargs: Any) -> Any:
    """Only of what is well: of an error `urllib` raises by itself."""
    if status != 200:
        return None
    from email.message import Message
    from io import BytesIO
    from urllib.response import addinfourl

    asked = args[1] if len(args) > 1 and not isinstance(args[0], str) else args[0] if args else kwargs.get("url")
    headers = Message()
    headers["Content-Type"] = "text/html"
    return addinfourl(BytesIO(body), headers, str(getattr(asked, "full_url", asked)), 200)


def _urllib3(status: int, body: bytes, args: Any, kwargs: Any) -> Any:
    from io import BytesIO

    module = sys.modules["urllib3"]
    preload = kwargs.get("preload_content", True)
    return module.HTTPResponse(BytesIO(body), headers={"Content-Type": "text/html"}, status=status, preload_content=preload)


ANSWERS = {"requests": _requests, "httpx": _httpx, "urllib": _urllib, "urllib3": _urllib3}
