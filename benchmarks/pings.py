"""Pings: how many a second, each on the disk before it is answered, and how long one takes at 500 a second.

healthchecks (uWSGI, 4 processes, SQLite) was measured at 150 a second on such a machine: docs/explanation/performance.md.
Run it with `python benchmarks/pings.py`; a second core is for the client.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time

from _measure import OFFDUTY, Report, clean, environment

from offduty.clock import Clock
from offduty.stores.sqlite import open_store
from offduty.wiring.pings import new_check

CHECKS, CONNECTIONS, SECONDS = 1000, 128, 4.0
STEADY_RATE, STEADY_SECONDS, STEADY_CONNECTIONS = 500, 8.0, 64
HEALTHCHECKS = 150.0
ANSWER = b"HTTP/1.1 200 OK"


def make_checks(path: str) -> list[str]:
    """The addresses of a thousand checks."""
    store, now = open_store(path), Clock().wall()
    checks = [new_check(f"job-{number}", now) for number in range(CHECKS)]
    store.pings.change(lambda pings: [pings.put(check) for check in checks])
    store.close()
    return [check.code for check in checks]


def serve(env: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """The server and its port."""
    command = [OFFDUTY, "pings", "serve", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=env["OFFDUTY_STATE_DIR"])
    assert server.stderr is not None
    return server, int(server.stderr.readline().rpartition(":")[2].partition("/")[0])


BARE = """
import asyncio, socket, sys, uvicorn
async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"OK"})
sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
print(f"http://127.0.0.1:{sock.getsockname()[1]}/", file=sys.stderr, flush=True)
config = uvicorn.Config(app, http="httptools", lifespan="off", loop="asyncio", access_log=False, log_level="critical")
asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))
"""


def serve_bare(env: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """The same server library with nothing behind it, and its port: what the machine has left for HTTP just now."""
    server = subprocess.Popen([sys.executable, "-c", BARE], env=env, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    return server, int(server.stderr.readline().rpartition(":")[2].partition("/")[0])


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ping(self, code: str) -> float:
        """Seconds until the answer."""
        began = time.perf_counter()
        self.writer.write(f"GET /ping/{code} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(ANSWER), head
        await self.reader.readexactly(2)
        return time.perf_counter() - began


async def connect(port: int, count: int) -> list[Connection]:
    """So many connections."""
    return [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def flood(port: int, codes: list[str]) -> float:
    """Pings a second, as fast as they are answered."""
    connections, until = await connect(port, CONNECTIONS), time.perf_counter() + SECONDS
    done = [0] * len(connections)

    async def go(number: int) -> None:
        step = number
        while time.perf_counter() < until:
            await connections[number].ping(codes[step % len(codes)])
            step += len(connections)
            done[number] += 1

    began = time.perf_counter()
    await asyncio.gather(*(go(number) for number in range(len(connections))))
    return sum(done) / (time.perf_counter() - began)


async def steady(port: int, codes: list[str]) -> list[float]:
    """How long each took, at a steady rate; one that has to wait for a connection waits."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in await connect(port, STEADY_CONNECTIONS):
        free.put_nowait(connection)
    took: list[float] = []

    async def one(code: str, due: float) -> None:
        connection = await free.get()
        await connection.ping(code)
        took.append(time.perf_counter() - due)
        free.put_nowait(connection)

    began, tasks = time.perf_counter(), []
    for number in range(int(STEADY_RATE * STEADY_SECONDS)):
        due = began + number / STEADY_RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(codes[number % len(codes)], due)))
    await asyncio.gather(*tasks)
    return sorted(took)


def main() -> None:
    """Measure, and compare."""
    env = environment()
    report = Report(f"pings, durable before the answer ({os.cpu_count()} cores, {sys.version.split()[0]})")
    codes = make_checks(f"{env['OFFDUTY_STATE_DIR']}/offduty.sqlite3")
    server, port = serve(env)
    bare_server, bare_port = serve_bare(env)
    rates, bare = [], []
    try:
        for _ in range(3):
            bare.append(asyncio.run(flood(bare_port, codes)))
            rates.append(asyncio.run(flood(port, codes)))
        took = asyncio.run(steady(port, codes))
    finally:
        server.terminate()
        bare_server.kill()
        bare_server.wait()
        usage = os.wait4(server.pid, 0)[2]
    store = open_store(f"{env['OFFDUTY_STATE_DIR']}/offduty.sqlite3")
    stored = sum(check.pings for check in store.pings.checks())
    store.close()
    rate = statistics.median(rates)
    report.figure("pings a second", rate, "/s")
    report.figure("the same HTTP server without a store", statistics.median(bare), "/s")
    report.figure("the share of it that pings reach", statistics.median(a / b for a, b in zip(rates, bare, strict=True)), "x")
    report.figure("CPU of the server for one", (usage.ru_utime + usage.ru_stime) / stored * 1e6, "us")
    report.figure("load of the machine meanwhile", os.getloadavg()[0], "")
    report.budget("beside healthchecks' 150/s", rate / HEALTHCHECKS, 30, at_least=True)
    report.figure(f"median at {STEADY_RATE}/s", statistics.median(took) * 1000, "ms")
    report.budget(f"p99 at {STEADY_RATE}/s", took[int(len(took) * 0.99)] * 1000, 100, unit="ms")
    clean(env)
    report.end()


if __name__ == "__main__":
    main()
