"""Pings: how many a second, each on the disk before it is answered, and how long one takes at 500 a second.

healthchecks (uWSGI, 4 processes, SQLite) was measured at 150 a second on such a machine: docs/explanation/performance.md.
Run it with `python benchmarks/pings.py`; a second core is for the client.
"""

from __future__ import annotations

import os
import select
import socket
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
import asyncio, socket, sys
from offduty.clock import Clock
from offduty.wiring.pinghttp import Connection, Hall
from offduty.wiring.pings import OK
async def main():
    loop = asyncio.get_running_loop()
    hall = Hall(lambda request, done: done(OK), Clock(), 1000, loop.call_soon)
    server = await loop.create_server(lambda: Connection(hall), "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", file=sys.stderr, flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def serve_bare(env: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """The same HTTP with nothing behind it, and its port: what the machine has left for that just now."""
    server = subprocess.Popen([sys.executable, "-c", BARE], env=env, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    return server, int(server.stderr.readline().rpartition(":")[2].partition("/")[0])


class Client:
    """Keep-alive connections, asked and heard by one loop that does as little as it can: it has to share the machine with the server."""

    def __init__(self, port: int, codes: list[str], count: int) -> None:
        self.requests = [f"GET /ping/{code} HTTP/1.1\r\nhost: x\r\n\r\n".encode() for code in codes]
        self.socks = {sock.fileno(): sock for sock in (socket.create_connection(("127.0.0.1", port)) for _ in range(count))}
        self.epoll = select.epoll()
        for number, sock in self.socks.items():
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.epoll.register(number, select.EPOLLIN)
        self.sent = 0

    def ask(self, number: int) -> None:
        """The next check's ping, over that connection."""
        self.socks[number].send(self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def heard(self, timeout: float) -> list[int]:
        """The connections that were answered; each answer is one small write."""
        ready = [number for number, _ in self.epoll.poll(timeout)]
        for number in ready:
            answer = self.socks[number].recv(4096)
            assert answer.startswith(ANSWER) and answer.endswith(b"OK"), answer
        return ready

    def close(self) -> None:
        """All of them."""
        for sock in self.socks.values():
            sock.close()
        self.epoll.close()


def flood(port: int, codes: list[str]) -> float:
    """Pings a second, as fast as they are answered."""
    client, done = Client(port, codes, CONNECTIONS), 0
    began = time.perf_counter()
    for number in client.socks:
        client.ask(number)
    while (now := time.perf_counter()) < began + SECONDS:
        for number in client.heard(1.0):
            client.ask(number)
            done += 1
    client.close()
    return done / (now - began)


def steady(port: int, codes: list[str]) -> list[float]:
    """How long each took from when it was due, at a steady rate; one that has to wait for a connection waits."""
    client, took, asked, wanted = Client(port, codes, STEADY_CONNECTIONS), [], {}, int(STEADY_RATE * STEADY_SECONDS)
    free, began = list(client.socks), time.perf_counter()
    while len(took) < wanted:
        due = began + (client.sent / STEADY_RATE if client.sent < wanted else 2 * STEADY_SECONDS)
        if free and due <= time.perf_counter():
            asked[number := free.pop()] = due
            client.ask(number)
            continue
        for number in client.heard(max(0.0, due - time.perf_counter()) if free else 1.0):
            took.append(time.perf_counter() - asked[number])
            free.append(number)
    client.close()
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
            bare.append(flood(bare_port, codes))
            rates.append(flood(port, codes))
        took = steady(port, codes)
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
