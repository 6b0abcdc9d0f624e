"""The one way a message leaves by HTTP: a single POST to an address that was looked at, within a time, and the truth about its answer.

1. Take the URL apart; internal hosts and plain HTTP only if the configuration allows them.
2. Look its host up once, refuse it if any of its addresses is internal, and connect to one of just those: no second look-up (T12).
3. Send. Redirects are not followed, the environment names no proxy unless asked to, a compressed answer is not unpacked.
4. Read at most 64 KiB, all within one deadline (T13).
5. Judge: it was taken, or it is worth trying again, or it is not (`offduty.alerts.judge`).

Whatever goes wrong comes out as a DeliveryError without URL, header or body in its text, raised outside of any `except`, so that
nothing which walks `__context__` finds them either.
"""

from __future__ import annotations

import base64
import errno
import http.client
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import urllib3
import urllib3.connection
import urllib3.exceptions

from offduty.alerts import addresses
from offduty.alerts.addresses import Allowed, Place
from offduty.alerts.deadline import Deadline, bounded
from offduty.alerts.delivery import DEADLINE, DeliveryError
from offduty.alerts.judge import Answer
from offduty.alerts.options import FilePath, Proxy, Timeout, Url
from offduty.clock import Clock
from offduty.errors import ConfigError
from offduty.secrets import Secret
from offduty.version import VERSION

READ_CAP = 64 << 10
USER_AGENT = f"offduty/{VERSION}"
_TROUBLE = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError)
_CERTIFICATES = {10: "the certificate has expired", 9: "the certificate is not valid yet", 62: "the certificate is for another host"}


@dataclass(frozen=True, kw_only=True)
class Route:
    """How a receiver is reached, the same for all channels that speak HTTP.

    `allow`: internal hosts and networks that may be reached. `proxy`: what is asked to connect. `ca`: a file of certificates to trust
    instead of the system's. `timeout`: seconds for one attempt.
    """

    allow: Allowed = field(default=Allowed())
    proxy: Proxy | None = None
    ca: FilePath | None = None
    timeout: Timeout = field(default=Timeout(DEADLINE))

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, Url):
                addresses.check(value.reveal(), self.allow)


def post(url: Secret, body: bytes, headers: Mapping[str, str], route: Route, seconds: float = DEADLINE) -> Answer:
    """Send `body` to `url` and return what was answered, whatever its status. Raises DeliveryError."""
    exchange = _Exchange(body, {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}, route)
    failure: DeliveryError
    with Deadline(min(seconds, route.timeout)) as deadline:
        try:
            return exchange.run(url.reveal(), deadline)
        except ConfigError as error:
            failure = DeliveryError(error.what, broken=True)
        except _TROUBLE as error:
            failure = DeliveryError(words(error, is_over=deadline.is_over), ambiguous=exchange.is_sent, broken=isinstance(error, _Refused))
    raise failure


class _Refused(OSError):
    """The host leads to an address that nothing may be sent to."""


class _Exchange:
    """One request and its answer. `is_sent`: the receiver may have it, whatever happens from now on."""

    def __init__(self, body: bytes, headers: Mapping[str, str], route: Route) -> None:
        self._body, self._headers, self._route = body, headers, route
        self.is_sent = False

    def run(self, url: str, deadline: Deadline) -> Answer:
        """Raises one of _TROUBLE, ConfigError."""
        place = addresses.check(url, self._route.allow)
        connection = self._connected(place, deadline)
        try:
            connection.timeout = deadline.left()
            self.is_sent = True
            connection.request("POST", place.target, body=self._body, headers=self._headers, decode_content=False, preload_content=False)
            return _answer(connection.getresponse(), deadline)
        finally:
            connection.close()

    def _connected(self, place: Place, deadline: Deadline) -> urllib3.connection.HTTPConnection:
        proxy = _proxy(self._route.proxy, place)
        if proxy is None:
            connection = _connection(place, place.host, place.port, self._route)
            dialled = dial(place.host, place.port, deadline, self._route.allow)
        else:
            connection = _connection(place, proxy.host, proxy.port, self._route)
            connection.set_tunnel(_bracketed(place.host), place.port, proxy.headers)
            dialled = dial(proxy.host, proxy.port, deadline, None)
        connection.dialled = dialled
        connection.timeout = deadline.left()
        connection.connect()
        return connection


class _Plain(urllib3.connection.HTTPConnection):
    """Uses the connection that was made for it: what urllib3 would make looks the name up again."""

    dialled: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        assert self.dialled is not None
        return self.dialled


class _Tls(urllib3.connection.HTTPSConnection):
    """The same, with TLS for the host of the URL: its name is asked for (SNI), and its certificate has to be for it."""

    dialled: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        assert self.dialled is not None
        return self.dialled


def _connection(place: Place, host: str, port: int, route: Route) -> _Plain | _Tls:
    if place.scheme == "http":
        return _Plain(host, port)
    return _Tls(host, port, ssl_context=tls_context(route.ca), server_hostname=place.host)


def dial(host: str, port: int, deadline: Deadline, allow: Allowed | None) -> socket.socket:
    """A connection to one of the host's addresses, all of which are looked at first; None allows any. Raises OSError, TimeoutError."""
    found = bounded(lambda: socket.getaddrinfo(str(host), int(port), type=socket.SOCK_STREAM), deadline.left(), (OSError, UnicodeError))
    if allow is not None and not all(addresses.may_reach(host, _address(info[4][0]), allow) for info in found):
        raise _Refused
    last: OSError = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    for family, kind, protocol, _, target in found:
        connection = socket.socket(family, kind, protocol)
        try:
            deadline.guard(connection)
            connection.settimeout(deadline.left())
            connection.connect(target)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as error:
            connection.close()
            last = error
    raise last


def _address(text: object) -> addresses.Address:
    return ipaddress.ip_address(str(text).partition("%")[0])


@lru_cache(maxsize=8)
def tls_context(ca: str | None) -> ssl.SSLContext:
    """A context of the system's trust, or of `ca` alone. Made once: it reads every certificate there is."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(frozen=True)
class _Via:
    host: str
    port: int
    headers: dict[str, str]


def _proxy(proxy: Proxy | None, place: Place) -> _Via | None:
    if proxy is None:
        return None
    text = proxy.reveal()
    if text == "environment":
        text = _from_environment(place)
    if not text:
        return None
    userinfo, _, authority = text.partition("://")[2].rstrip("/").rpartition("@")
    there = addresses.split(f"http://{authority}")
    basic = base64.b64encode(userinfo.encode()).decode("ascii")
    return _Via(there.host, there.port, {"Proxy-Authorization": f"Basic {basic}"} if userinfo else {})


def _from_environment(place: Place) -> str:
    import urllib.request

    if urllib.request.proxy_bypass_environment(place.host):  # type: ignore[attr-defined]
        return ""
    return urllib.request.getproxies_environment().get(place.scheme, "")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _answer(response: urllib3.HTTPResponse, deadline: Deadline) -> Answer:
    """At most 64 KiB of it; what is longer, or breaks off, was an answer all the same."""
    body = b""
    try:
        while len(body) < READ_CAP and (part := response.read(READ_CAP - len(body), decode_content=False)):
            body += part
    except _TROUBLE:
        deadline.left()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body, Clock().wall())


def words(error: Exception, *, is_over: bool) -> str:
    """What happened, without what the error quotes."""
    if isinstance(error, _Refused):
        return "the host leads to an internal address; if that is meant, name it in the channel's allow"
    if is_over or isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "the host's name cannot be looked up"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {_CERTIFICATES.get(error.verify_code, 'the certificate is not trusted')}"
    if isinstance(error, ssl.SSLError):
        return "TLS: the two sides do not agree"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "the connection broke off"
    if isinstance(error, http.client.HTTPException | urllib3.exceptions.HTTPError | ValueError):
        return "what was answered is not understood"
    return os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "the connection broke off"
