"""An HTTP service that takes what is sent to it, remembers it, and answers as told: also with what is no HTTP. For drills and tests."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import responses
from threading import Thread
from types import TracebackType
from typing import Self

LONGEST = 4 << 20


@dataclass(frozen=True)
class Request:
    """`headers` by lower-case name."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request], Iterable[bytes]]
"""The pieces of an answer, written one by one; then the connection is closed."""


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole answer: `reply(429, retry_after="3")`."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Odd')}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return lambda request: [whole]


class Receiver:
    """`with Receiver() as receiver:` and send to `receiver.url`. `requests`: what came, in order. `answer` may be changed at any time."""

    def __init__(self, answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer or reply(200, b"ok")
        self.requests: list[Request] = []
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._thread = Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for connection in (self._socket, *self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                pass
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed: the end
                break
            self._open.add(connection)
            threads.append(Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _serve(self, plain: socket.socket) -> None:
        connection: socket.socket = plain
        try:
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
            with connection.makefile("rb") as file:
                request = _read(file.readline, file.read)
            if request is not None:
                self.requests.append(request)
                for piece in self.answer(request):
                    connection.sendall(piece)
        except OSError:  # the sender is gone, or does not trust us
            pass
        finally:
            self._open.discard(plain)
            connection.close()
            plain.close()


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Request | None:
    """The request, or None if it broke off."""
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while (line := readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    size = min(int(headers.get("content-length", 0)), LONGEST)
    body = read(size)
    return Request(first[0], first[1], headers, body) if len(body) == size else None
