"""The network of an enclosed job: a machine by itself, whose every address leads to the drill's gate, or to nobody.

The sockets are opened in here, and handed to the gate outside: a socket stays in the network that it was made in.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
from collections.abc import Sequence

SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFNETMASK, UP = 0x8916, 0x8914, 0x891C, 1
BACKLOG = 128


def raise_up(addresses: Sequence[str]) -> None:
    """Have a loopback, with these IPv4 addresses beside 127.0.0.0/8."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP))
        for number, address in enumerate(one for one in addresses if not one.startswith("127.")):
            name = f"lo:{number}".encode()
            for what, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
                fcntl.ioctl(any_socket, what, struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(value)))


def open_doors(doors: Sequence[Sequence[str | int]], gate: str) -> None:
    """Listen at each (address, port, …) and hand the sockets to whoever listens at the path `gate`, in order. Raises OSError."""
    listening = [socket.create_server((str(address), int(port)), backlog=BACKLOG) for address, port, *_ in doors]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(gate)
            socket.send_fds(line, [json.dumps(len(doors)).encode()], [one.fileno() for one in listening])
            line.recv(1)  # it has them
    finally:
        for one in listening:
            one.close()
