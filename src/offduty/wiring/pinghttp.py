"""HTTP for pings, over httptools: requests in, answers out, and a bound for everything that a client can make grow.

A server for any application makes a task, a context and several messages of each request, which costs more than taking the ping
(decision 0007). Here a request is a call, and its answer another one, later.

A connection waits for its client (`heads`: since when; `bodies` alike), or its client for us: only the first is limited in time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from offduty.errors import MissingExtra
from offduty.watch.pings.address import Refused
from offduty.wiring.pings import Answer

try:
    from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser
except ImportError as error:
    why = f"{error.name} is not installed"
    raise MissingExtra("E704", "taking pings needs an extra", why=why, fix="pip install 'offduty[web]'") from None

if TYPE_CHECKING:
    from offduty.clock import Clock

LONGEST_HEAD = 32 << 10  # bytes
LONGEST_BODY = 10 << 20  # bytes that are read, and thrown away beyond the limit, before a client is told that it is too much
HEAD_TIME = 5.0  # seconds for the head of a request, from when the connection is open or the last answer is given
BODY_TIME = 15.0  # seconds for a body
SWEEP_EVERY = 0.5  # seconds
MOST_CONNECTIONS = 2_000  # that have sent no whole request; the one that has waited longest goes for another one
MOST_AHEAD = 100  # requests of one connection that wait for others, after which nothing more is read from it
LAST_ANSWERS = 10.0  # seconds for what was asked before the server had to stop
RETRY_AFTER = 5  # seconds
METHODS = ("GET", "HEAD", "POST")
REASONS = {
    200: "OK", 201: "Created", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
}  # fmt: skip
ENDS_THE_CONNECTION = (400, 405, 408, 413, 431)
READ = (b"host", b"content-length", b"transfer-encoding", b"expect", b"user-agent", b"x-forwarded-for")
ONCE = (b"host", b"content-length", b"transfer-encoding")

Done = Callable[[Answer], None]


class Request(NamedTuple):
    """A whole request. `url`: path and query as they came; `headers`: those that count, by their names in lower case."""

    method: str
    url: bytes
    headers: dict[bytes, bytes]
    body: bytes
    peer: str


class _Turn(NamedTuple):
    """A request that waits for those before it on its connection, or, without one, the `answer`. `last`: nothing comes after it."""

    method: str
    request: Request | None
    answer: Answer | None
    last: bool


@dataclass(eq=False)
class Hall:
    """All connections of a server. `take(request, done)`: what becomes of a request; `done` is called once, at any time.
    `soon(work)`: has work done when the loop comes to it.
    """

    take: Callable[[Request, Done], None]
    clock: Clock
    body_limit: int
    soon: Callable[[Callable[[], object]], object]
    connections: set[Connection] = field(default_factory=set)
    heads: dict[Connection, float] = field(default_factory=dict)
    bodies: dict[Connection, float] = field(default_factory=dict)
    is_closing: bool = False
    _date: tuple[int, bytes] = (0, b"")

    def wire(self, answer: Answer, method: str, *, last: bool) -> bytes:
        """The bytes of an answer."""
        head, rest = _wire(answer.status, answer.body, method == "HEAD", last, self.body_limit)
        now = int(self.clock.wall())
        if now != self._date[0]:
            self._date = (now, formatdate(now, usegmt=True).encode())
        return head + self._date[1] + rest

    def wait(self, connection: Connection, waiting: dict[Connection, float]) -> None:
        """From now on the time of its client runs."""
        self.go_on(connection)
        waiting[connection] = self.clock.monotonic()
        if len(self.heads) > MOST_CONNECTIONS:
            next(iter(self.heads)).abort()

    def go_on(self, connection: Connection) -> None:
        """It does not wait for its client any more."""
        self.heads.pop(connection, None)
        self.bodies.pop(connection, None)

    async def sweep(self) -> None:
        """Give up on clients whose time is over; for ever."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            now = self.clock.monotonic()
            for connection in [one for one, since in self.heads.items() if now - since > HEAD_TIME]:
                connection.abort()
            for connection in [one for one, since in self.bodies.items() if now - since > BODY_TIME]:
                connection.refuse(Refused(408, "the body did not come in time"))

    async def finish(self) -> None:
        """Answer what was asked, and have all connections closed."""
        self.is_closing = True
        for connection in list(self.connections):
            connection.close_if_idle()
        until = self.clock.monotonic() + LAST_ANSWERS
        while self.connections and self.clock.monotonic() < until:
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.abort()


class Connection(asyncio.Protocol):
    """One client. Requests may come before others are answered; each is taken when those before it are answered."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._parser = HttpRequestParser(self)
        self._open: deque[_Turn] = deque()
        self._is_last = self._in_head = self._is_held = self._is_choked = False
        self._unseen = 0
        self._begin()

    def _begin(self) -> None:
        self._url, self._body = b"", bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._head_size = self._body_size = 0

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        self._hall.connections.add(self)
        self._hall.wait(self, self._hall.heads)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_last = True
        self._hall.go_on(self)
        self._hall.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._is_last:
            return  # what follows a request that is the last one is none
        self._unseen = self._unseen + len(data) if self._in_head else 0
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:  # to nothing that we speak: the request was taken as it stands
            self._is_last = True
            self.close_if_idle()
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, Refused):
                raise  # a mistake of ours: asyncio says so, and ends this connection
            self.refuse(error.__context__)
        except HttpParserError:
            self.refuse(Refused(400, "this is no request"))
        else:
            if self._in_head and self._unseen > LONGEST_HEAD:
                self.refuse(Refused(431, "the head of the request is too large"))

    def eof_received(self) -> bool:
        """Who says nothing more may still wait for answers."""
        self._is_last = True
        return bool(self._open)

    def pause_writing(self) -> None:
        """It asks, and does not read what it is answered."""
        self._is_choked = True
        self._hold()

    def resume_writing(self) -> None:
        self._is_choked = False
        self._let_go()

    # What httptools tells; it passes on what is raised here

    def on_message_begin(self) -> None:
        self._in_head = True
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """What two readers could understand differently is refused."""
        self._count_head(len(name) + len(value) + 4)
        name = name.lower()
        if name not in READ:
            return
        if name in self._headers:
            if name in ONCE:
                raise Refused(400, "a header is given twice")
            value = self._headers[name] + b"," + value
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers = self._headers
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            return
        if b"content-length" in headers and b"transfer-encoding" in headers:
            raise Refused(400, "the length of the body is given twice")
        self._hall.wait(self, self._hall.bodies)
        if headers.get(b"expect", b"").lower() == b"100-continue" and not self._open:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """The first bytes are kept."""
        self._body_size += len(body)
        if self._body_size > LONGEST_BODY:
            raise Refused(413, "the body is too large")
        self._body += body[: self._hall.body_limit - len(self._body)]

    def on_message_complete(self) -> None:
        if self._is_last:
            return
        self._hall.go_on(self)
        parser = self._parser
        self._is_last = self._hall.is_closing or parser.get_http_version() != "1.1" or not parser.should_keep_alive()
        request = Request(parser.get_method().decode("latin-1"), self._url, self._headers, bytes(self._body), self._peer)
        self._line_up(_Turn(request.method, request, None, self._is_last))

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > LONGEST_HEAD:
            raise Refused(431, "the head of the request is too large")

    # Answers

    def _line_up(self, turn: _Turn) -> None:
        self._open.append(turn)
        if len(self._open) > MOST_AHEAD:
            self._hold()
        if len(self._open) == 1:
            self._next()

    def _next(self) -> None:
        """The requests of one connection are taken one after another: who guesses addresses is not let in a thousandfold at once."""
        if not self._open or self._transport.is_closing():
            return
        turn = self._open[0]
        if turn.request is not None:
            self._hall.take(turn.request, self._answer)
        elif turn.answer is not None:
            self._answer(turn.answer)

    def _answer(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        turn = self._open.popleft()
        is_over = turn.last or answer.status in ENDS_THE_CONNECTION or (self._hall.is_closing and not self._open)
        self._transport.write(self._hall.wire(answer, turn.method, last=is_over))
        if is_over or (self._is_last and not self._open):
            self._is_last = True
            self._hall.wait(self, self._hall.heads)  # who does not read even the last answer is given up, too
            self._transport.close()
        elif self._open:
            self._hall.soon(self._next)
        else:
            self._rest()

    def _rest(self) -> None:
        """All is answered: it is the client's turn."""
        self._let_go()
        if self not in self._hall.bodies:
            self._hall.wait(self, self._hall.heads)

    def refuse(self, refused: Refused) -> None:
        """What came is no request, and nothing after it can be read."""
        if not self._is_last:
            self._is_last = True
            self._hall.go_on(self)
            self._line_up(_Turn("GET", None, Answer(refused.status, refused.body), True))

    def close_if_idle(self) -> None:
        """Unless something was asked, or is being asked: then it is closed after the answer."""
        if not self._open and self not in self._hall.bodies:
            self._transport.close()

    def abort(self) -> None:
        """At once."""
        self._hall.go_on(self)
        self._transport.abort()

    def _hold(self) -> None:
        if not self._is_held:
            self._is_held = True
            self._transport.pause_reading()

    def _let_go(self) -> None:
        if self._is_held and not self._is_choked and len(self._open) <= MOST_AHEAD and not self._transport.is_closing():
            self._is_held = False
            self._transport.resume_reading()


@lru_cache(256)
def _wire(status: int, text: str, is_head: bool, is_last: bool, body_limit: int) -> tuple[bytes, bytes]:
    """An answer up to where its date stands, and the rest."""
    body = text.encode()
    lines = [
        "content-type: text/plain; charset=utf-8", f"content-length: {len(body)}",
        "cache-control: max-age=0, no-cache, no-store, must-revalidate, private", "access-control-allow-origin: *",
        f"ping-body-limit: {body_limit}", "x-content-type-options: nosniff",
    ]  # fmt: skip
    lines += [f"retry-after: {RETRY_AFTER}"] if status in (429, 503) else []
    lines += [f"allow: {', '.join(METHODS)}"] if status == 405 else []
    lines += ["connection: close"] if is_last else []
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\n" + "\r\n".join(lines) + "\r\ndate: "
    return head.encode(), b"\r\n\r\n" + (b"" if is_head else body)
