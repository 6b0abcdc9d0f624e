"""The server that takes pings: HTTP by uvicorn, and many pings in each transaction of the store.

A request waits until the transaction that holds its ping is on the disk; meanwhile others come in, and share the next one (group commit).
Everything a client can make grow has a bound: the head and body of a request and the time for them, connections.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from offduty.clock import Clock
from offduty.errors import MissingExtra, OffdutyError
from offduty.watch.pings.address import Refused, parse
from offduty.watch.pings.buckets import Buckets
from offduty.watch.pings.check import LONGEST_AGENT, LONGEST_CLIENT, Ping
from offduty.wiring.pings import Answer, Asked, Desk

if TYPE_CHECKING:
    from uvicorn import Config, Server

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

AT_ONCE = 500  # pings in a transaction
AWAY = 0.5  # seconds for which the store is left alone after it failed
LONGEST_BODY = 10 << 20  # bytes that are read, and thrown away beyond the limit, before a client is told that it is too much
BODY_TIME = 15.0  # seconds for a body
HEAD_TIME = 5.0  # seconds for the head of a request, from when the connection is open or the last answer is given
LONGEST_HEAD = 32 << 10  # bytes
MOST_CONNECTIONS = 2_000
MOST_HOPS = 20
BURST = 10.0  # seconds' worth of pings that may come at once
MISSES, MISSES_A_SECOND = 300.0, 10.0  # unknown addresses that one client may call
RETRY_AFTER = 5  # seconds
METHODS = ("GET", "HEAD", "POST")
NEVER_CACHED = b"max-age=0, no-cache, no-store, must-revalidate, private"
BUSY = Answer(503, "the store cannot be written; try again")


@dataclass(frozen=True)
class Trusted:
    """Proxies whose word counts for where a request came from. What anybody else says about that is not believed (B6)."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def client(self, peer: str, forwarded: str) -> str:
        """The nearest address that is none of the proxies."""
        if not self.networks:
            return peer[:LONGEST_CLIENT]
        hops = [peer, *reversed([hop.strip() for hop in forwarded.rsplit(",", MOST_HOPS)[-MOST_HOPS:] if hop.strip()])]
        for hop in hops:
            if not self._is_ours(hop):
                return hop[:LONGEST_CLIENT] if _address(hop) else peer[:LONGEST_CLIENT]
        return hops[-1][:LONGEST_CLIENT]

    def _is_ours(self, hop: str) -> bool:
        address = _address(hop)
        return address is not None and any(address in network for network in self.networks if network.version == address.version)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    host = text.partition(":")[0] if text.count(":") == 1 else text.strip("[]")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


class Writer:
    """Writes what has come in since its last transaction in the next one, in the loop's own thread.

    In another thread, each statement would wait for the interpreter's lock: measured, that takes three times as long. What the store's
    lock may hold up is bounded by its timeout, and after a failure nobody asks it again for `AWAY` seconds.
    """

    def __init__(self, make_desk: Callable[[], Desk], clock: Clock) -> None:
        self._make_desk, self._clock = make_desk, clock
        self._desk: Desk | None = None
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._away_until = 0.0
        self.faults: deque[str] = deque(maxlen=100)

    def renew(self, make_desk: Callable[[], Desk]) -> None:
        """Another configuration, from the next ping on."""
        self._make_desk, self._desk = make_desk, None

    def ask(self, asked: Asked) -> asyncio.Future[Answer]:
        """The answer, once it is durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._write)
        self._waiting.append((asked, future))
        return future

    def _write(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        for (_, future), answer in zip(batch, self._answers([asked for asked, _ in batch]), strict=True):
            if not future.done():  # its client is gone
                future.set_result(answer)

    def _answers(self, asked: Sequence[Asked]) -> list[Answer]:
        if self._clock.monotonic() < self._away_until or (self._desk and not self._desk.is_there()):
            return [BUSY] * len(asked)
        try:
            self._desk = self._desk or self._make_desk()
            return self._desk.answer(asked)
        except OffdutyError:
            self._away_until = self._clock.monotonic() + AWAY
            return [BUSY] * len(asked)
        except Exception as error:  # noqa: BLE001 -- a fault of ours costs the ping that brings it out, and no other one
            if len(asked) > 1:
                return [answer for one in asked for answer in self._answers([one])]
            self.faults.append(repr(error)[:1000])
            print(f"offduty: a ping could not be taken in, which is a bug: {self.faults[-1]}", file=sys.stderr, flush=True)
            return [BUSY]


@dataclass
class App:
    """The ASGI application. `rate`: pings of one check in a second; `body_limit`: bytes of a body that are kept."""

    writer: Writer
    clock: Clock
    body_limit: int
    rate: float
    trusted: Trusted = Trusted()
    buckets: Buckets = field(init=False)
    misses: Buckets = field(init=False)

    def __post_init__(self) -> None:
        self.buckets = Buckets(max(BURST * self.rate, 1.0), self.rate)
        self.misses = Buckets(MISSES, MISSES_A_SECOND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Refused as refused:
            answer = Answer(refused.status, refused.body)
        await self._send(answer, scope, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = _headers(scope)
        if scope["method"] not in METHODS:
            raise Refused(405, "method not allowed")
        address = parse(scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1"))
        client = self.trusted.client((scope.get("client") or ("",))[0], headers.get(b"x-forwarded-for", b"").decode("latin-1"))
        now, secret = self.clock.monotonic(), f"{address.code}/{address.key}/{address.slug}"
        who = sha256(client.encode()).digest()
        if self.misses.is_empty(who, now) or not self.buckets.take(sha256(secret.encode()).digest(), now):
            raise Refused(429, "too many pings")
        body = await self._body(receive)
        agent = _printable(headers.get(b"user-agent", b""))[:LONGEST_AGENT]
        ping = Ping(
            address.action, self.clock.wall(), address.exit_status, address.rid, scope["method"], _printable(client.encode()), agent, body
        )
        answer = await self.writer.ask(Asked(address, ping))
        if answer.status == 404:
            self.misses.take(who, now)
        return answer

    async def _body(self, receive: Receive) -> bytes:
        """The first bytes of the body, after all of it has come."""
        try:
            async with asyncio.timeout(BODY_TIME):
                return await self._whole(receive)
        except TimeoutError:
            raise Refused(408, "the body did not come in time") from None

    async def _whole(self, receive: Receive) -> bytes:
        kept, size, more = b"", 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body did not come whole")
            part = message.get("body", b"")
            size += len(part)
            if size > LONGEST_BODY:
                raise Refused(413, "the body is too large")
            kept += part[: self.body_limit - len(kept)]
            more = message.get("more_body", False)
        return kept

    async def _send(self, answer: Answer, scope: Scope, send: Send) -> None:
        body = answer.body.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body)), (b"cache-control", NEVER_CACHED),
            (b"access-control-allow-origin", b"*"), (b"ping-body-limit", b"%d" % self.body_limit), (b"x-content-type-options", b"nosniff"),
        ]  # fmt: skip
        headers += [(b"retry-after", b"%d" % RETRY_AFTER)] if answer.status in (429, 503) else []
        headers += [(b"allow", ", ".join(METHODS).encode())] if answer.status == 405 else []
        headers += [(b"connection", b"close")] if answer.status in (400, 405, 408, 413, 431) else []
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Those that count, each once: what two readers could understand differently is refused."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in found and name in (b"host", b"content-length", b"transfer-encoding"):
            raise Refused(400, "a header is given twice")
        found[name] = found[name] + b"," + value if name == b"x-forwarded-for" and name in found else value
    if sum(len(name) + len(value) for name, value in scope["headers"]) + len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_HEAD:
        raise Refused(431, "the head of the request is too large")
    if b"content-length" in found and b"transfer-encoding" in found:
        raise Refused(400, "the length of the body is given twice")
    return found


def _printable(raw: bytes) -> str:
    text = raw.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def guarded(base: type[Any]) -> type[Any]:
    """uvicorn's protocol, with bounds for the size of a request's head, the time it may take, and connections that have sent none."""

    class Guarded(base):  # type: ignore[misc]
        waiting: dict[Any, None] = {}  # noqa: RUF012 -- of all connections, oldest first

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._wait()
            if len(self.waiting) > MOST_CONNECTIONS:
                next(iter(self.waiting)).transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._go_on()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self in self.waiting:
                self._head += len(data)
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._go_on()
            elif self in self.waiting and self._head > LONGEST_HEAD and not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                self.transport.close()

        def on_response_complete(self) -> None:
            self._wait()
            super().on_response_complete()
            if self.cycle is not None and not self.cycle.response_complete:
                self._go_on()  # the next one was there already

        def _wait(self) -> None:
            self._go_on()
            self._head = 0
            self.waiting[self] = None
            self._alarm = self.loop.call_later(HEAD_TIME, self.transport.abort)

        def _go_on(self) -> None:
            if self.waiting.pop(self, self) is None:
                self._alarm.cancel()

    return Guarded


def server(app: App) -> Server:
    """uvicorn, set up for nothing but pings. Raises MissingExtra E704."""
    try:
        import uvicorn
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError as error:
        why = f"{error.name} is not installed"
        raise MissingExtra("E704", "taking pings needs an extra", why=why, fix="pip install 'offduty[web]'") from None
    config: Config = uvicorn.Config(
        app, http=guarded(HttpToolsProtocol), ws="none", lifespan="off", loop="asyncio", access_log=False, log_level="critical",
        proxy_headers=False, server_header=False, timeout_keep_alive=30, timeout_graceful_shutdown=10, backlog=2048, interface="asgi3",
    )  # fmt: skip
    return uvicorn.Server(config)


async def serve(app: App, sock: socket.socket, chores: Sequence[tuple[float, Callable[[], object]]] = ()) -> None:
    """Until SIGTERM or SIGINT; what is asked by then is answered. `chores`: (every so many seconds, what), each in a thread."""
    tasks = [asyncio.create_task(_every(seconds, work)) for seconds, work in chores]
    try:
        await server(app).serve(sockets=[sock])
    finally:
        for task in tasks:
            task.cancel()


async def _every(seconds: float, work: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(work)
        except OffdutyError as error:  # the next time may go better; pings are taken meanwhile
            print(f"offduty: {error}", file=sys.stderr, flush=True)
