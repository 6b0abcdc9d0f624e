"""What the captures of HTTP libraries share: the request in words, the size of an answer, messages without values."""

from __future__ import annotations

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.targets import url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Said

MASK = "***"
MOST_REMEMBERED = 256
ENDS_QUERY = frozenset(" \t\r\n\"'<>)]},")

MISSING = object()

_said: dict[Any, Any] = {}
_attributes: dict[int, Known] = {}


def request(method: Any, address: Any) -> Said | None:
    """For `describe`: a request of `method` to `address`, an absolute URL; None if it is not one of HTTP."""
    if type(address) is not str:
        address = address.decode("latin-1") if isinstance(address, bytes) else str(address)
    key = (method, hash(address), len(address))  # not the address itself: it may hold secrets
    said: Any = _said.get(key, MISSING)
    if said is MISSING:
        if len(_said) >= MOST_REMEMBERED:
            _said.clear()
        said = _said[key] = _request(method, address)
    return said  # type: ignore[no-any-return]


def _request(method: Any, address: str) -> Said | None:
    if address[:4].lower() != "http":
        return None
    target = url(address)
    attributes: Known = {"http.request.method": _method(method), "url.full": target}
    host, port = _host_and_port(target)
    attributes["server.address"] = host
    if port is not None:
        attributes["server.port"] = port
    return "http.request", target, attributes


def _method(method: Any) -> str:
    method = method.decode("latin-1") if isinstance(method, bytes) else str(method)
    return method.upper() if method.isalpha() and len(method) < 20 else "_OTHER"


def _host_and_port(target: str) -> tuple[str, int | None]:
    scheme, _, rest = target.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        return authority.strip("[]"), {"http": 80, "https": 443}.get(scheme.lower())
    return host.strip("[]"), int(port) if port.isdigit() else None


def address_of(scheme: str, host: str, port: Any, path: str) -> str:
    """A URL of what connections have in parts; `path` may be a whole URL, as proxies get it."""
    if "://" in path.partition("?")[0]:
        return path
    place = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{place}{'' if port in (usual, None) else f':{port}'}{path if path.startswith('/') else '/' + path}"


def answered(status: str, headers: str = "headers") -> Callable[[Any, Any, Any], Known]:
    """For `known`: an answer with the attributes `status` and `headers`."""

    def known(answer: Any, args: Any, kwargs: Any) -> Known:
        return known_of(int(getattr(answer, status)), getattr(answer, headers).get("content-length"))

    return known


def known_of(code: int, length: Any) -> Known:
    """What an answer with the status `code` tells; `length`: its header "content-length", if it has one."""
    attributes = _attributes.get(code)
    if attributes is None:
        attributes = {"http.response.status_code": code}
        if 0 <= code < 1000:
            _attributes[code] = attributes
    if length is not None and str(length).isdigit():
        return {"status": code, "bytes": int(length), "attributes": attributes}
    return {"status": code, "attributes": attributes}


def failure(error: Any) -> Known:
    """What network and time say is told, without the values of queries; of anything else the quoted parts are left out.

    `urllib` raises for an answer of 400 and more: then there is a status.
    """
    text = without_queries(str(error))
    about_network = isinstance(error, OSError) or any(
        word in type(error).__name__ for word in ("Connect", "Timeout", "Network", "Protocol")
    )
    known: Known = {"message": text if about_network and "header" not in text.lower() else without_values(text)}
    own = vars(error)  # not `getattr`: some libraries warn of attributes that are old
    status = own.get("status") or own.get("code")
    if isinstance(status, int) and 100 <= status < 600:
        known.update(status=status, attributes={"http.response.status_code": status})
    return known


def without_queries(text: str) -> str:
    """`text` without what follows a `?`, which in messages also stands in URLs without their beginning."""
    parts: list[str] = []
    at = 0
    while True:
        found = text.find("?", at)
        if found < 0:
            return "".join([*parts, text[at:]])
        end = found + 1
        while end < len(text) and text[end] not in ENDS_QUERY:
            end += 1
        parts.append(text[at : found + 1] + (MASK if end > found + 1 else ""))
        at = end
