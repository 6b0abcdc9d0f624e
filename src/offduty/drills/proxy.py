"""A TCP proxy that is a bad network on purpose: slow, narrow, cut off, reset, silent. For drills, and for our own tests."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Coroutine
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

CHUNK = 16 << 10
CLOSING = 1.0
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Fault:
    """What happens to one direction of a connection.

    `latency`: seconds before each piece goes on. `bandwidth`: bytes a second. `cut_after`: so many bytes pass, then the connection ends,
    by a reset if `reset`. `slow_close`: seconds from the end to the closing. `silent`: nothing passes, and nothing ends.
    """

    latency: float = 0.0
    bandwidth: float | None = None
    cut_after: int | None = None
    reset: bool = False
    slow_close: float = 0.0
    silent: bool = False


NONE = Fault()
BLACK_HOLE = Fault(silent=True)
REPLY_LOST = Fault(cut_after=0)
RESET = Fault(cut_after=0, reset=True)


@dataclass
class Proxy:
    """`with Proxy(port) as proxy:` and connect to `proxy.port` instead. `up` is what happens to requests, `down` to answers.

    Faults may be changed while it runs and count for new connections. `connections`: how many there were; `up_bytes`, `down_bytes`:
    what passed.
    """

    target_port: int
    target_host: str = "127.0.0.1"
    up: Fault = NONE
    down: Fault = NONE
    connections: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, repr=False)
    _ready: Event = field(default_factory=Event, repr=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._keep(self._connection(reader, writer, self.up, self.down))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: Fault, down: Fault) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(self.target_host, self.target_port)
            ways = [
                self._loop.create_task(self._pump(reader, there, up, "up_bytes")),
                self._loop.create_task(self._pump(back, writer, down, "down_bytes")),
            ]
            await _until_over(ways, (up, down))
        except OSError:  # nobody there, or gone: the client sees its connection end
            pass
        finally:
            for end in (writer, there):
                if end is not None:
                    await _close(end, reset=(up.reset or down.reset) and end is writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault, counter: str) -> None:
        """Carry bytes from `reader` to `writer` until they end, or the fault ends them."""
        left = fault.cut_after
        while not fault.silent and (left is None or left > 0):
            data = await reader.read(CHUNK if left is None else min(CHUNK, left))
            if not data:
                break
            await _carry(data, writer, fault)
            setattr(self, counter, getattr(self, counter) + len(data))
            left = None if left is None else left - len(data)
        if left == 0:
            await reader.read(1)  # there was something to be cut
        if fault.silent:
            await asyncio.Event().wait()
        await asyncio.sleep(fault.slow_close)


async def _until_over(ways: list[asyncio.Task[None]], faults: tuple[Fault, Fault]) -> None:
    """The connection ends with the answers, or where a request was cut."""
    up, down = ways
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and faults[0].cut_after is None:
            await down
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(data: bytes, writer: asyncio.StreamWriter, fault: Fault) -> None:
    await asyncio.sleep(fault.latency)
    step = len(data) if fault.bandwidth is None else max(int(fault.bandwidth / 20), 1)
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
        await writer.drain()
        if fault.bandwidth is not None:
            await asyncio.sleep(step / fault.bandwidth)


async def _close(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    connection = writer.get_extra_info("socket")
    if reset and connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        writer.transport.abort()
    else:
        writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), CLOSING)
    except (OSError, TimeoutError):  # the other side is gone, or takes nothing more
        writer.transport.abort()
