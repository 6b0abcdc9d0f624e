"""Speaks just enough of MongoDB's protocol for drivers: hello, find, insert; collections named `missing` fail. Argument: port."""

from __future__ import annotations

import socketserver
import struct
import sys
from typing import Any

import bson

HELLO = {"ok": 1, "isWritablePrimary": True, "ismaster": True, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False,
         "maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 1 << 25, "maxWriteBatchSize": 1000}  # fmt: skip
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013


def answer(command: dict[str, Any]) -> dict[str, Any]:
    """To a command, whose first key is its name."""
    name = next(iter(command))
    if name.lower() in ("hello", "ismaster"):
        return HELLO
    if command[name] == "missing":
        return {"ok": 0, "code": 11000, "codeName": "DuplicateKey", "errmsg": "E11000 duplicate key: { name: CANARY }"}
    if name in ("find", "aggregate"):
        place = f"{command['$db']}.{command[name]}"
        return {"ok": 1, "cursor": {"id": 0, "ns": place, "firstBatch": [{"_id": 1, "n": "CANARY"}, {"_id": 2}]}}
    return {"ok": 1, "n": 1}


class Handler(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Until it is closed."""
        while head := self.more(16):
            length, number, _, kind = struct.unpack("<iiii", head)
            body = self.more(length - 16)
            if kind == OP_QUERY:
                start = body.index(b"\0", 4) + 9
                reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(answer(bson.decode(body[start:])))
                self.send(number, OP_REPLY, reply)
            elif kind == OP_MSG:
                size = struct.unpack_from("<i", body, 5)[0]
                self.send(number, OP_MSG, b"\0\0\0\0\0" + bson.encode(answer(bson.decode(body[5 : 5 + size]))))

    def more(self, length: int) -> bytes:
        """Exactly so many bytes."""
        found = b""
        while len(found) < length:
            chunk = self.request.recv(length - len(found))
            if not chunk:
                break
            found += chunk
        return found

    def send(self, to: int, kind: int, body: bytes) -> None:
        """A whole message."""
        self.request.sendall(struct.pack("<iiii", 16 + len(body), 1, to, kind) + body)


class Server(socketserver.ThreadingTCPServer):
    """Leaves nothing behind."""

    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
