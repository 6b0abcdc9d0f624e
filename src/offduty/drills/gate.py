"""The only way out of an enclosed drill: a proxy that lets reading through, refuses the rest, and is a bad network on demand.

Each door is a socket inside the enclosure (`network`), which leads either to any HTTP service, as HTTP_PROXY does, or to one server.
Plain HTTP is looked into, one request a connection; what else goes to a server that the configuration names is carried as it is.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Event, Thread
from types import TracebackType
from typing import Self

from offduty.drills.faults import FAULTS
from offduty.drills.proxy import CHUNK, LINGER_NOT
from offduty_probe.capture.targets import url
from offduty_probe.fault_errors import GARBAGE, REASONS
from offduty_probe.sandbox import ASKING

HEAD_SIZE = 64 << 10
SPEAKS_FIRST = 0.4
"""Seconds in which a client says something; a server that is to speak first (MySQL, mail) is waited for no longer."""
LATE = ("timeout", "no-answer")
METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"OPTIONS ")
OPS = {
    5432: ("db.connect", "postgresql"), 3306: ("db.connect", "mysql"), 1521: ("db.connect", "oracle"), 1433: ("db.connect", "mssql"),
    27017: ("db.connect", "mongodb"), 6379: ("cache.call", "redis"), 25: ("mail.send", "smtp"), 465: ("mail.send", "smtps"),
    587: ("mail.send", "smtp"), 21: ("file.transfer", "ftp"), 22: ("file.transfer", "ssh"), 443: ("http.request", "https"),
    80: ("http.request", "http"), 9092: ("queue.publish", "kafka"), 5672: ("queue.publish", "amqp"),
}  # fmt: skip

Note = Callable[[str, str, str, str], None]


@dataclass(frozen=True)
class Server:
    """`host`, `port` of a server that the job may talk to, `scheme` as the user wrote it, "" if it is only an address."""

    host: str
    port: int
    scheme: str = ""

    @property
    def op(self) -> str:
        """What connecting to it is, as transactions say it."""
        by_scheme = {scheme: op for op, scheme in OPS.values()}
        return by_scheme.get(self.scheme) or OPS.get(self.port, ("http.request", ""))[0]

    @property
    def target(self) -> str:
        """As transactions show it."""
        scheme = self.scheme or OPS.get(self.port, ("", "tcp"))[1]
        usual = OPS.get(self.port, ("", ""))[1] == scheme and scheme in ("http", "https")
        return f"{scheme}://{self.host}" + ("" if usual else f":{self.port}")


@dataclass(frozen=True)
class Rules:
    """`allow`: globs of addresses that may be changed; `servers`: what may be connected to; `patience`: seconds after which a call that
    gets no answer is said to hang. `fault`, `op`, `target`: what to break; "": nothing."""

    allow: Sequence[str] = ()
    servers: Sequence[Server] = ()
    fault: str = ""
    op: str = ""
    target: str = ""
    patience: float = 30.0

    def strikes(self, op: str, target: str) -> bool:
        """Whether this is what is to be broken."""
        return bool(self.fault) and self.op in ("", "*", op) and self.target in ("", "*", target)

    def lets(self, target: str) -> bool:
        """Whether the user lets the job do there what it wants."""
        return any(fnmatchcase(one, glob) for one in (target, f"{target}/") for glob in self.allow)


class Gate:
    """`with Gate(path, doors, rules, note):` `doors`: for each socket that comes the server it leads to; None: to any HTTP service.

    `note(did, op, target, why)` is told of what was asked for, refused and struck.
    """

    def __init__(self, path: str, doors: Sequence[Server | None], rules: Rules, note: Note) -> None:
        self.path, self.doors, self.rules, self.note = path, doors, rules, note
        self._hung = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._ready = Event()

    def __enter__(self) -> Self:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(os.path.dirname(self.path), os.O_PATH | os.O_DIRECTORY)  # the name of a socket may have 107 letters only
        try:
            self._line.bind(f"/proc/self/fd/{folder}/{os.path.basename(self.path)}")
        finally:
            os.close(folder)
        self._line.listen()
        self._line.setblocking(False)
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._line.close()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        taking = self._loop.create_task(self._take())
        self._ready.set()
        await self._stop.wait()
        for server in self._servers:
            server.close()
        for task in (taking, *self._tasks):
            task.cancel()
        await asyncio.gather(taking, *self._tasks, return_exceptions=True)

    async def _take(self) -> None:
        """The sockets from inside; asked for once by each start of the job."""
        while True:
            line, _ = await self._loop.sock_accept(self._line)
            with line:
                line.setblocking(True)
                for server, door in zip(self.doors, _received(line, len(self.doors)), strict=False):
                    self._servers.append(await asyncio.start_server(self._answerer(server), sock=door))
                line.sendall(b"x")

    def _answerer(self, server: Server | None) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._connection(reader, writer, server))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return accept

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server | None) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                first = await _first_words(reader, SPEAKS_FIRST if server else None)
                if first.startswith(METHODS) or server is None:
                    await self._request(first, reader, writer, server)
                else:
                    await self._tunnel(first, reader, writer, server)
        finally:
            with suppress(OSError):
                writer.close()

    async def _request(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server | None) -> None:
        """One of HTTP, plain: asked of a proxy or of the server itself."""
        head = first if b"\r\n\r\n" in first else first + await reader.readuntil(b"\r\n\r\n")
        head, _, body = head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        place = rest.rpartition(" ")[0]
        if method == "CONNECT":
            await self._connect(place, reader, writer)
            return
        to, path = _aim(place, server)
        target = url(f"http://{to.host}{'' if to.port == 80 else f':{to.port}'}{path}")
        if self.rules.strikes("http.request", target) and await self._is_broken(target, reader, writer):
            return
        if method not in ASKING and not self.rules.lets(target):
            self.note("refused", "http.request", target, f"{method} may change something")
            await _reply(writer, 403, b"refused in a drill\n")
            return
        self.note("asked", "http.request", target, method)
        await self._carry(_plain_head(method, path, lines[1:]) + body, reader, writer, to)

    async def _connect(self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A tunnel that a proxy is asked for: nobody sees what goes through it, so it leads only where the user says."""
        host, _, port = place.rpartition(":")
        to = Server(host.strip("[]"), int(port) if port.isdigit() else 443, "https" if port in ("", "443") else "")
        known = next((one for one in self.rules.servers if (one.host, one.port) == (to.host, to.port)), None)
        if known is None and not self.rules.lets(to.target):
            self.note("refused", to.op, to.target, "what goes through a tunnel is not seen")
            await _reply(writer, 403, b"refused in a drill\n")
            return
        to = known or to
        if self.rules.strikes(to.op, to.target) and await self._is_broken(to.target, reader, writer, op=to.op):
            return
        self.note("asked", to.op, to.target, "")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._carry(b"", reader, writer, to, told=True)

    async def _tunnel(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Server) -> None:
        if self.rules.strikes(to.op, to.target) and await self._is_broken(to.target, reader, writer, op=to.op):
            return
        self.note("asked", to.op, to.target, "")
        await self._carry(first, reader, writer, to, told=True)

    async def _is_broken(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, op: str = "http.request"
    ) -> bool:  # fmt: skip
        """Do as the fault says; False if it cannot be brought about here."""
        fault = self.rules.fault
        sees = target.startswith("http://")
        if fault in LATE:
            await self._hold(op, target, reader, writer)
        elif sees and (fault.startswith("status-") or fault == "garbage"):
            status = 200 if fault == "garbage" else int(fault.partition("-")[2])
            await _reply(writer, status, GARBAGE, "text/html")
        else:
            self.note("unable", op, target, f"{FAULTS[fault].what}: that cannot be played from outside")
            return False
        self.note("struck", op, target, fault)
        return True

    async def _hold(self, op: str, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """No answer, until the job gives up, or has waited so long that it would wait for ever."""
        if not self._hung:
            with suppress(TimeoutError):
                await asyncio.wait_for(_until_closed(reader), self.rules.patience)
                return
            self._hung = True
            self.note("hung", op, target, f"no time-out within {self.rules.patience:g} s")
        _reset(writer)

    async def _carry(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Server, *, told: bool = False
    ) -> None:  # fmt: skip
        """There and back, until the answer ends. A server that is not there is told as a proxy tells it, or by a reset."""
        try:
            back, there = await asyncio.open_connection(to.host, to.port)
        except OSError as error:
            if told:
                _reset(writer)
            else:
                await _reply(writer, 502, f"{to.host}: {error.strerror or error}\n".encode())
            return
        there.write(first)
        up = self._loop.create_task(_pump(reader, there))
        try:
            await _pump(back, writer)
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            there.close()


def _received(line: socket.socket, count: int) -> list[socket.socket]:
    """The sockets that come through a socket."""
    _, facts, _, _ = line.recvmsg(1024, socket.CMSG_LEN(count * array.array("i").itemsize))
    numbers = array.array("i")
    for level, kind, data in facts:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return [socket.socket(fileno=number) for number in numbers]


async def _first_words(reader: asyncio.StreamReader, seconds: float | None) -> bytes:
    """What a client says first; nothing if it waits to be spoken to."""
    try:
        return await asyncio.wait_for(reader.read(HEAD_SIZE), seconds)
    except TimeoutError:
        return b""


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(CHUNK):
        continue


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _reply(writer: asyncio.StreamWriter, status: int, body: bytes, kind: str = "text/plain") -> None:
    reason = REASONS.get(status, "OK" if status == 200 else "Refused")
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()


def _aim(place: str, server: Server | None) -> tuple[Server, str]:
    """Which server a request is for, and the path there."""
    if "://" not in place:
        return server or Server("127.0.0.1", 80), place or "/"
    authority, slash, path = place.partition("://")[2].partition("/")
    host, _, port = authority.rpartition("@")[2].partition(":")
    return Server(host, int(port) if port.isdigit() else 80), slash + path or "/"


def _plain_head(method: str, path: str, lines: Sequence[str]) -> bytes:
    """The request as the server wants it: its own path, and one request a connection."""
    kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:", "keep-alive:"))]
    return "\r\n".join([f"{method} {path or '/'} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")


def server_of(text: str, environ: Mapping[str, str]) -> Server | None:
    """`host:port`, a URL, or the name of a variable that holds either; None for what is none. IPv6 is not spoken here."""
    text = environ.get(text, text) if text.isidentifier() else text
    scheme, sep, rest = text.partition("://")
    authority = (rest if sep else text).partition("/")[0].partition("?")[0].rpartition("@")[2]
    host, _, port = authority.partition(":")
    scheme = scheme.partition("+")[0].lower() if sep else ""
    scheme = {"postgres": "postgresql", "mariadb": "mysql"}.get(scheme, scheme)
    usual = next((number for number, (_, known) in OPS.items() if known == scheme), 0)
    number = int(port) if port.isdigit() else usual
    return Server(host, number, scheme) if host and not authority.startswith("[") and 0 < number < 65536 else None
