"""`offduty pings serve`: take pings until told to stop."""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from offduty.cli.show import note, print_json
from offduty.clock import Clock
from offduty.errors import UsageError, quoted
from offduty.settings.load import Settings, load
from offduty.triage.tablefile import stamp

if TYPE_CHECKING:
    from offduty.wiring.pings import Desk
    from offduty.wiring.pingserver import Writer

PATIENCE = 1.0  # seconds that a ping waits for the store's lock
LOOK_EVERY, TIDY_EVERY = 5.0, 3600.0

HELP = "take pings, until told to stop"
DESCRIPTION = """\
Answers a ping when it is on the disk, and not before. It takes what the ping says into the store; `offduty watch`, which should run
beside it, notices what is missing and delivers what is owed.

The addresses are the secrets: without TLS, whoever listens to the network can read them. So it listens on this machine alone, unless a
proxy in front of it speaks TLS (--behind-proxy, whose word then counts for where a ping came from) or you say --expose.
"""
EXAMPLES = """\
offduty pings serve
offduty pings serve --listen 0.0.0.0:8000 --behind-proxy 10.0.0.0/8
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--listen", metavar="ADDRESS:PORT", default="127.0.0.1:8000", help="where (default 127.0.0.1:8000; port 0: any)")
    parser.add_argument(
        "--behind-proxy", metavar="ADDRESS", action="append", default=[], help="a proxy, or a network of them; may be repeated"
    )
    parser.add_argument("--expose", action="store_true", help="listen to the network without one")


def main(args: argparse.Namespace) -> int:
    """Serve."""
    import asyncio

    from offduty.wiring.pings import tidy
    from offduty.wiring.pingserver import App, Trusted, Writer, serve

    settings, clock = load(os.getcwd(), os.environ, config=args.config), Clock()
    host, port = _address(args.listen)
    trusted = Trusted(tuple(_network(text) for text in args.behind_proxy))
    if not ipaddress.ip_address(host).is_loopback and not (trusted.networks or args.expose):
        why = "whoever can listen to the network could read the addresses that are pinged"
        raise UsageError(
            "E118", f"{host} is not this machine alone", where="--listen", why=why, fix="say --behind-proxy ADDRESS, or --expose"
        )

    house = _House(args, settings, clock)
    app = App(Writer(house.desk, clock), clock, int(settings.ping.body_limit), float(settings.ping.rate), trusted)
    with _listen(host, port) as sock:
        _say(args, settings, sock)
        asyncio.run(serve(app, sock, [(LOOK_EVERY, lambda: house.reread(app.writer)), (TIDY_EVERY, lambda: tidy(house.settings, clock))]))
    return 0


class _House:
    """What the server stands on: the configuration as it is now, and a desk over its store."""

    def __init__(self, args: argparse.Namespace, settings: Settings, clock: Clock) -> None:
        self.settings, self._args, self._clock = settings, args, clock
        self._stamps = {path: stamp(path) for path in settings.files}

    def desk(self) -> Desk:
        """One that has a check for every job that pings. Raises StoreError."""
        from offduty.stores.sqlite import open_store
        from offduty.wiring.pings import Desk

        made = Desk(self.settings, self._clock, open_store(self.settings.places().store, clock=self._clock, timeout=PATIENCE).pings)
        made.sync()
        return made

    def reread(self, writer: Writer) -> None:
        """Take up a configuration that was edited; one that is broken is said once, and the old one stays. Raises ConfigErrors."""
        stamps = {path: stamp(path) for path in self._stamps}
        if stamps != self._stamps:
            self._stamps = stamps
            self.settings = load(os.getcwd(), os.environ, config=self._args.config)
            writer.renew(self.desk)


def _say(args: argparse.Namespace, settings: Settings, sock: socket.socket) -> None:
    host, port = sock.getsockname()[:2]
    url = f"http://[{host}]:{port}/ping" if ":" in host else f"http://{host}:{port}/ping"
    if args.json:
        print_json({"schema": "offduty.pings_serve/1", "listening": url, "store": settings.places().store})
    else:
        note(args, f"pings are taken at {url}")


def _address(text: str) -> tuple[str, int]:
    """Raises UsageError E117."""
    host, _, port = text.rpartition(":")
    try:
        found = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError
    except ValueError:
        raise UsageError(
            "E117", f"{quoted(text)} is not where one can listen", where="--listen", fix="write it like 127.0.0.1:8000"
        ) from None
    return str(found), int(port)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise UsageError(
            "E117", f"{quoted(text)} is no address", where="--behind-proxy", fix="write it like 10.0.0.7 or 10.0.0.0/8"
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    """Raises UsageError E117."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        why = (error.strerror or "").lower()
        raise UsageError("E117", f"cannot listen on {host}:{port}", where="--listen", why=why, fix="choose another port") from None
    return sock
