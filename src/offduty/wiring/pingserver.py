"""The server that takes pings, many of them in each transaction of the store.

A request waits until the transaction that holds its ping is on the disk; meanwhile others come in, and share the next one (group commit).
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from offduty.clock import Clock
from offduty.errors import OffdutyError
from offduty.watch.pings.address import Refused, parse
from offduty.watch.pings.buckets import Buckets
from offduty.watch.pings.check import LONGEST_AGENT, LONGEST_CLIENT, Ping
from offduty.wiring.pinghttp import METHODS, Connection, Done, Hall, Request
from offduty.wiring.pings import Answer, Asked, Desk

AT_ONCE = 500  # pings in a transaction
AWAY = 0.5  # seconds for which the store is left alone after it failed
MOST_HOPS = 20
BURST = 10.0  # seconds' worth of pings that may come at once
MISSES, MISSES_A_SECOND = 300.0, 10.0  # unknown addresses that one client may call
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
        self._waiting: list[tuple[Asked, Done]] = []
        self._away_until = 0.0
        self.faults: deque[str] = deque(maxlen=100)

    def renew(self, make_desk: Callable[[], Desk]) -> None:
        """Another configuration, from the next ping on."""
        self._make_desk, self._desk = make_desk, None

    def ask(self, asked: Asked, done: Done) -> None:
        """`done` gets the answer, once it is durable."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append((asked, done))

    def _write(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        for (_, done), answer in zip(batch, self._answers([asked for asked, _ in batch]), strict=True):
            done(answer)

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
    """What becomes of a request. `rate`: pings of one check in a second; `body_limit`: bytes of a body that are kept."""

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

    def take(self, request: Request, done: Done) -> None:
        """One request; `done` gets its answer, at once if it is no ping."""
        try:
            asked = self._asked(request)
        except Refused as refused:
            done(Answer(refused.status, refused.body))
            return
        self.writer.ask(asked, lambda answer: self._answered(asked, answer, done))

    def _asked(self, request: Request) -> Asked:
        if request.method not in METHODS:
            raise Refused(405, "method not allowed")
        path, _, query = request.url.partition(b"#")[0].partition(b"?")
        address = parse(path.decode("latin-1"), query.decode("latin-1"))
        headers, now = request.headers, self.clock.monotonic()
        client = self.trusted.client(request.peer, headers.get(b"x-forwarded-for", b"").decode("latin-1"))
        who, check = client.encode(), f"{address.code}/{address.key}/{address.slug}".encode()
        if self.misses.is_empty(_digest(who), now) or not self.buckets.take(_digest(check), now):
            raise Refused(429, "too many pings")
        agent = _printable(headers.get(b"user-agent", b""))[:LONGEST_AGENT]
        ping = Ping(
            address.action, self.clock.wall(), address.exit_status, address.rid, request.method, _printable(who), agent, request.body
        )
        return Asked(address, ping)

    def _answered(self, asked: Asked, answer: Answer, done: Done) -> None:
        if answer.status == 404:
            self.misses.take(_digest(asked.ping.client.encode()), self.clock.monotonic())
        done(answer)


def _digest(text: bytes) -> bytes:
    """What buckets are found by: addresses are secrets, and may be long."""
    return sha256(text).digest()


def _printable(raw: bytes) -> str:
    text = raw.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


async def serve(app: App, sock: socket.socket, chores: Sequence[tuple[float, Callable[[], object]]] = ()) -> None:
    """Until SIGTERM or SIGINT; what is asked by then is answered. `chores`: (every so many seconds, what), each in a thread."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hall = Hall(app.take, app.clock, app.body_limit, loop.call_soon)
    tasks = [asyncio.create_task(work) for work in (hall.sweep(), *(_every(seconds, work) for seconds, work in chores))]
    server = await loop.create_server(lambda: Connection(hall), sock=sock, backlog=2048)
    try:
        await stop.wait()
        server.close()
        await hall.finish()
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
