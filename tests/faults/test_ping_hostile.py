"""The ping server against what a network brings: requests made to break it, floods, its own death, a store that is away."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from ipaddress import ip_network
from pathlib import Path
from threading import Thread

import pytest

from offduty.clock import Clock
from offduty.stores.sqlite import open_store
from offduty.wiring.pings import new_check
from offduty.wiring.pingserver import Trusted


class Pinged:
    """A store with some checks, and the server in front of it."""

    def __init__(self, folder, count=3):
        self.folder, self.path = folder, str(folder / "offduty.sqlite3")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("OFFDUTY_", "XDG_"))}
        self.env |= {"OFFDUTY_STATE_DIR": str(folder), "HOME": str(folder)}
        checks = [new_check(f"job-{number}", Clock().wall()) for number in range(count)]
        with self.store() as store:
            store.pings.change(lambda pings: [pings.put(check) for check in checks])
        self.paths = [f"/ping/{check.code}" for check in checks]
        self.start()

    def start(self):
        """The server, on a port of its own."""
        command = [sys.executable, "-m", "offduty", "pings", "serve", "--listen", "127.0.0.1:0"]
        self.server = subprocess.Popen(command, env=self.env, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+)/ping", self.server.stderr.readline())[1])

    def stop(self, number=signal.SIGTERM):
        """End it."""
        self.server.send_signal(number)
        self.server.wait(20)
        self.server.stderr.close()

    def store(self):
        """The store, closed at the end of the block."""
        return contextlib.closing(open_store(self.path))

    def check(self, number):
        """A check as the store has it."""
        with self.store() as store:
            return next(check for check in store.pings.checks() if check.job == f"job-{number}")

    def connect(self, patience=15.0):
        """A connection."""
        return socket.create_connection(("127.0.0.1", self.port), patience)

    def raw(self, data):
        """The first status that comes for these bytes, 0 for none; and everything that came."""
        with self.connect() as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            return self.answer(sock)

    @staticmethod
    def answer(sock):
        """Read to the end of the connection."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while part := sock.recv(65536):
                data += part
        return (int(data.split()[1]) if data else 0), data

    def get(self, path, *headers):
        """The status of a GET."""
        return self.raw("\r\n".join([f"GET {path} HTTP/1.1", "Host: here", "Connection: close", *headers, "", ""]).encode())[0]

    def memory(self):
        """Bytes of memory that the server holds."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.server.pid}/status").read_text())[1]) * 1024


@pytest.fixture
def pinged(tmp_path):
    """A server of the test's own."""
    made = Pinged(tmp_path)
    yield made
    if made.server.poll() is None:
        made.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for requests that leave it as it was."""
    made = Pinged(tmp_path_factory.mktemp("shared"))
    yield made
    made.stop()


END = b"Host: here\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "request_line, allowed",
    [
        (b"GET %s HTTP/1.0\r\n", {200}),
        (b"GET http://elsewhere.example%s HTTP/1.1\r\n", {200}),
        (b"GET %s\r\nX: y HTTP/1.1\r\n", {200, 400}),
        (b"GET %s%%0d%%0aX:y HTTP/1.1\r\n", {404}),
        (b"GET %s HTTP/1.1\r\nHost: other\r\n", {400}),
        (b"GET /" + b"a" * 65536 + b"%s HTTP/1.1\r\n", {400, 404, 431}),
        (b"POST %s HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", {400}),
        (b"POST %s HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n", {400}),
        (b"POST %s HTTP/1.1\r\nContent-Length: -1\r\n", {400}),
        (b"POST %s HTTP/1.1\r\nTransfer-Encoding: x\r\n", {400}),
        (b"GET %s HTTP/9.9\r\n", {400, 505}),
        (b"\x16\x03\x01\x02\x00%s", {400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n%s", {400, 404, 405}),
        (b"GET %s HTTP/1.1\r\nX: " + b"a" * 65536 + b"\r\n", {431}),
    ],
)
def test_requests_that_two_servers_would_read_differently(shared, request_line, allowed):
    """B6: refused, or taken as the one request that they are; never a second answer (smuggling)."""
    status, data = shared.raw(request_line.replace(b"%s", shared.paths[0].encode()).replace(b"%%", b"%") + END)
    assert status in allowed and data.count(b"HTTP/1.1 ") == 1, data[:300]


def test_what_follows_a_refused_length_is_no_request(shared):
    """B6: the bytes behind a request with two lengths are thrown away with the connection."""
    before = shared.check(1).pings
    inner = f"GET {shared.paths[1]} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
    head = f"POST {shared.paths[0]} HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n".encode()
    shared.raw(head + b"0\r\n\r\n" + inner)
    assert shared.check(1).pings == before


@pytest.mark.parametrize(
    "head, body",
    [
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        ("Content-Encoding: gzip\r\nContent-Length: 4", b"\x1f\x8b\x08\x00"),
        ("Content-Length: 0", b""),
        ("Content-Length: 200000", b"x" * 200_000),
        ("Content-Length: 3\r\nExpect: 100-continue", b"abc"),
    ],
)
def test_bodies_of_every_kind(shared, head, body):
    """B6: chunked, gzip (never unpacked), empty, over the limit: 200."""
    status, data = shared.raw(f"POST {shared.paths[0]} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{head}\r\n\r\n".encode() + body)
    assert 200 in (status, int(data.split(b"HTTP/1.1 ")[-1].split()[0]))


def test_a_client_that_goes_away_in_its_body(shared):
    """B6: a Content-Length that lies is no ping."""
    before = shared.check(2).pings
    with shared.connect() as sock:
        sock.sendall(f"POST {shared.paths[2]} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nabc".encode())
    time.sleep(0.2)
    assert shared.get("/nowhere") == 404 and shared.check(2).pings == before


def test_a_body_without_end(shared):
    """F80: a gigabyte is read and thrown away up to 10 MiB, then refused; memory stays bounded."""
    began = time.monotonic()
    with shared.connect() as sock:
        sock.sendall(f"POST {shared.paths[0]} HTTP/1.1\r\nHost: here\r\nContent-Length: 1073741824\r\n\r\n".encode())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(1024):
                sock.sendall(b"x" * 65536)
        status, _ = shared.answer(sock)
    assert status in (413, 0) and time.monotonic() - began < 10 and shared.memory() < 256 << 20


def test_thousands_of_slow_clients(shared):
    """F80: idle connections, and heads that come a byte at a time, keep nobody else waiting for a second."""
    slow = []
    try:
        for _ in range(400):
            slow.append(shared.connect())
            slow[-1].sendall(b"GET /ping/")
        took = [_took(lambda: shared.get(shared.paths[0])) for _ in range(20)]
        assert max(took) < 1.0 and shared.memory() < 256 << 20
    finally:
        for sock in slow:
            sock.close()


def _took(work):
    began = time.monotonic()
    assert work() == 200
    return time.monotonic() - began


def test_a_head_that_never_ends_is_given_up(shared):
    """F80: five seconds for the head of a request, however busily it trickles in."""
    with shared.connect(20.0) as sock:
        began = time.monotonic()
        sock.sendall(b"GET /")
        assert sock.recv(1000) == b"" and 4 < time.monotonic() - began < 9


def test_a_request_in_pieces_is_the_same_request(shared):
    """B6: wherever the network cuts it, body and all; and what follows on the same connection is another one."""
    before = shared.check(0).pings
    request = f"POST {shared.paths[0]}/log HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello".encode()
    with shared.connect() as sock:
        for piece in (request[:1], request[1:30], request[30:70], request[70:-3], request[-3:] + request[:9], request[9:]):
            sock.sendall(piece)
            time.sleep(0.02)
        sock.sendall(b"GET / HTTP/1.1\r\n" + END)
        _, data = shared.answer(sock)
    assert (data.count(b"HTTP/1.1 200"), data.count(b"HTTP/1.1 404"), shared.check(0).pings) == (2, 1, before + 2)


def test_answers_come_in_the_order_of_the_requests(shared):
    """B6: those that are known at once wait for those that wait for the disk."""
    wanted = [200, 404, 200, 405, 200]
    lines = {200: f"GET {shared.paths[1]}/log", 404: "GET /nowhere", 405: f"PUT {shared.paths[1]}"}
    with shared.connect() as sock:
        sock.sendall("".join(f"{lines[status]} HTTP/1.1\r\nHost: here\r\n\r\n" for status in wanted).encode())
        _, data = shared.answer(sock)
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", data)] == wanted[:4]  # 405 ends the connection


def test_who_asks_for_another_protocol_gets_this_one(shared):
    """B6: curl --http2 asks for h2c; the ping is taken, once, and what follows in another protocol is not read."""
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    status, data = shared.raw(f"GET {shared.paths[1]}/log HTTP/1.1\r\nHost: here\r\n{upgrade}\r\nPRI * HTTP/2.0\r\n\r\n".encode())
    assert (status, data.count(b"HTTP/1.1")) == (200, 1)


def test_who_says_nothing_more_still_gets_the_answer(shared):
    """B6: a client that shuts its side down after the request, as nc does."""
    with shared.connect() as sock:
        sock.sendall(f"GET {shared.paths[1]}/log HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        sock.shutdown(socket.SHUT_WR)
        assert shared.answer(sock)[0] == 200


def test_who_asks_and_does_not_read(shared):
    """F80: a client that never reads its answers is not read from any more, and given up after a while; others are served."""
    request = b"GET /nowhere HTTP/1.1\r\nHost: here\r\n\r\n"
    with shared.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        sent, until = 0, time.monotonic() + 3
        while time.monotonic() < until and sent < 64 << 20:
            try:
                sent += sock.send((request * 1000)[sent % len(request) :])
            except BlockingIOError:
                time.sleep(0.01)
            except (ConnectionResetError, BrokenPipeError):
                break
        assert sent < 32 << 20 and shared.memory() < 256 << 20
        assert shared.get(shared.paths[2]) == 200


def test_what_was_asked_before_the_end_is_answered(pinged):
    """F82: SIGTERM while a body is on its way: it is taken in, answered, and the server is gone."""
    with pinged.connect() as sock:
        sock.sendall(f"POST {pinged.paths[0]} HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nab".encode())
        time.sleep(0.3)
        pinged.server.terminate()
        time.sleep(0.3)
        sock.sendall(b"cd")
        status, data = pinged.answer(sock)
    assert (status, b"connection: close" in data, pinged.server.wait(20)) == (200, True, 0)
    pinged.server.stderr.close()


def test_a_flood_on_one_address(pinged):
    """F81: beyond its bucket 429 with Retry-After; others are served, and what was taken is counted right."""
    with pinged.connect() as sock:
        sock.sendall(f"GET {pinged.paths[0]} HTTP/1.1\r\nHost: here\r\n\r\n".encode() * 400 + b"GET / HTTP/1.1\r\n" + END)
        _, data = pinged.answer(sock)
    taken, refused = data.count(b"HTTP/1.1 200"), data.count(b"HTTP/1.1 429")
    assert 100 <= taken < 200 and taken + refused == 400 and b"retry-after: 5" in data
    assert pinged.get(pinged.paths[1]) == 200
    assert (pinged.check(0).pings, pinged.check(0).status) == (taken, "up")


def test_who_guesses_addresses_is_slowed_down(pinged):
    """T15: 300 misses, then 429 for that client alone."""
    with pinged.connect() as sock:
        sock.sendall(b"GET /ping/0b5f8f6e-6c1b-4f35-9a1d-0d8f0b2f6c11 HTTP/1.1\r\nHost: here\r\n\r\n" * 90)
        for number in range(300):
            sock.sendall(f"GET /ping/0b5f8f6e-6c1b-4f35-9a1d-{number:012d} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        sock.sendall(b"GET / HTTP/1.1\r\n" + END)
        _, data = pinged.answer(sock)
    assert data.count(b"HTTP/1.1 404") >= 300 and data.count(b"HTTP/1.1 429") >= 50


def test_a_store_that_is_locked(pinged):
    """F79: 503 with Retry-After within two seconds, never a 200 that is not true; and all is well once it is free."""
    assert pinged.get(pinged.paths[0]) == 200
    blocker = sqlite3.connect(pinged.path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    status, data = pinged.raw(f"GET {pinged.paths[0]} HTTP/1.1\r\n".encode() + END)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert status == 503 and b"retry-after: 5" in data and time.monotonic() - began < 3
    time.sleep(0.6)
    assert pinged.get(pinged.paths[0]) == 200 and pinged.check(0).pings == 2


def test_a_store_that_is_gone(pinged):
    """F79: the file is taken away under a running server: 503, not a new empty store that knows nobody (404)."""
    assert pinged.get(pinged.paths[0]) == 200
    aside = pinged.folder / "aside"
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(pinged.path + ending, f"{aside}{ending}")
    assert pinged.get(pinged.paths[0]) == 503
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{aside}{ending}", pinged.path + ending)
    time.sleep(0.6)
    assert pinged.get(pinged.paths[0]) == 200


def test_a_200_survives_whatever_happens_to_the_server(pinged):
    """F82: killed at any moment while pings come in, every one that was answered is in the store; and nothing is damaged."""
    answered = 0
    for round_number in range(6):
        if round_number:
            pinged.start()
        server = pinged.server
        Thread(target=_kill_after, args=(server, 0.1 + 0.1 * round_number)).start()
        answered += _ping_until_it_dies(pinged, pinged.paths[round_number % 3])
        server.wait()
        server.stderr.close()
    stored = sum(pinged.check(number).pings for number in range(3))
    with pinged.store() as store:
        assert store.open().execute("PRAGMA integrity_check").fetchone() == ("ok",)
        runs = sum(len(store.runs(f"job-{number}", limit=10_000)) for number in range(3))
    assert answered <= stored <= answered + 6 and runs == stored and answered > 20


def _kill_after(server, seconds):
    time.sleep(seconds)
    server.kill()


def _ping_until_it_dies(pinged, path):
    """How many were answered with 200."""
    answered = 0
    with contextlib.suppress(OSError), pinged.connect() as sock:
        while True:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
            data = b""
            while not data.endswith(b"OK"):
                part = sock.recv(4096)
                if not part or b" 429 " in part:
                    return answered
                data += part
            answered += 1
    return answered


@pytest.mark.parametrize(
    "proxies, peer, forwarded, client",
    [
        ([], "9.9.9.9", "1.1.1.1", "9.9.9.9"),
        (["10.0.0.0/8"], "9.9.9.9", "1.1.1.1", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.2", "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (["10.0.0.0/8"], "10.0.0.2", "1.1.1.1, 10.0.0.9", "1.1.1.1"),
        (["10.0.0.0/8"], "10.0.0.2", "<script>", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.2", "fe80::1%eth0", "fe80::1%eth0"),
        (["10.0.0.0/8"], "10.0.0.2", ", ".join(["10.0.0.3"] * 100), "10.0.0.3"),
        (["::1"], "::1", "", "::1"),
    ],
)
def test_whose_word_counts_for_where_it_came_from(proxies, peer, forwarded, client):
    """B6: X-Forwarded-For is believed from proxies that are named, and only as far as they go."""
    assert Trusted(tuple(map(ip_network, proxies))).client(peer, forwarded) == client
