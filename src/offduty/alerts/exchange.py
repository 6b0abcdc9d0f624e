"""One HTTP request and its answer over urllib3: what `offduty.alerts.http` uses once there is something to send."""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3
import urllib3.connection
import urllib3.exceptions

from offduty.alerts import addresses
from offduty.alerts.addresses import Place
from offduty.alerts.connect import Refused, dial, tls_context, words
from offduty.alerts.deadline import Deadline
from offduty.alerts.delivery import DeliveryError
from offduty.alerts.http import Route
from offduty.alerts.judge import Answer
from offduty.alerts.options import Proxy
from offduty.clock import Clock
from offduty.errors import ConfigError
from offduty.version import VERSION

READ_CAP = 64 << 10
USER_AGENT = f"offduty/{VERSION}"
_TROUBLE = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError)


def send(url: str, body: bytes, headers: Mapping[str, str], route: Route, seconds: float) -> Answer:
    """See `offduty.alerts.http.post`."""
    exchange = _Exchange(body, {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}, route)
    failure: DeliveryError
    with Deadline(seconds) as deadline:
        try:
            return exchange.run(url, deadline)
        except ConfigError as error:
            failure = DeliveryError(error.what, broken=True)
        except _TROUBLE as error:
            what = _words(error, is_over=deadline.is_over)
            failure = DeliveryError(what, ambiguous=exchange.is_sent, broken=isinstance(error, Refused))
    raise failure


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
        try:
            connection.dialled = dialled
            connection.timeout = deadline.left()
            connection.connect()
        except BaseException:
            dialled.close()
            raise
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


def _words(error: Exception, *, is_over: bool) -> str:
    """What happened, in the words of HTTP where it has its own."""
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead) and not is_over:
        return "the connection broke off"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return words(error, is_over=is_over)
