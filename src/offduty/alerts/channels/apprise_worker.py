"""What sends by Apprise, as a process of its own: every connection that one of its services makes is looked at before it is made (T12).

It reads one JSON object: `url`, `title`, `body`, `type`, `allow` (see `Allowed`), `proxy` ("", "environment" or a URL). Exit status 0:
told, 75: not, 77: an internal address was refused, 78: Apprise does not understand the URL.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import logging
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from offduty.alerts import addresses
from offduty.alerts.addresses import Allowed

PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class Guard:
    """Looks at the very address that a socket is about to be connected to: no second look-up leads elsewhere. `has_refused`: one was."""

    def __init__(self, allow: Allowed) -> None:
        self._allow, self._named = allow, set[str]()
        self.has_refused = False

    def install(self) -> None:
        """For the rest of this process."""
        right = socket.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            found = right(host, *args, **kwargs)
            if isinstance(host, str) and self._allow.names(host):
                self._named.update(str(info[4][0]) for info in found)
            return found

        socket.getaddrinfo = getaddrinfo
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
            if not all(self._may_reach(address) for address in _addresses(host)):
                self.has_refused = True
                raise ConnectionRefusedError("an internal address")

    def _may_reach(self, address: str) -> bool:
        return address in self._named or addresses.may_reach(address, ipaddress.ip_address(address.partition("%")[0]), self._allow)


def _addresses(host: str) -> list[str]:
    """`host` is an address, but for what hands a name to the system, which looks it up again."""
    if addresses.literal(host.partition("%")[0]) is not None:
        return [host]
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None)]


def use_proxy(proxy: str) -> list[str]:
    """Set the environment that Apprise's services look into; the hosts of proxies, which may be anywhere."""
    if proxy != "environment":
        for name in [name for name in os.environ if name.lower() in PROXIES]:
            del os.environ[name]
    if proxy not in ("", "environment"):
        os.environ.update(dict.fromkeys(("http_proxy", "https_proxy"), proxy))
    named = [urlsplit(value).hostname for name, value in os.environ.items() if name.lower() in PROXIES]
    return [host for host in named if host]


def main() -> int:
    """See the module."""
    logging.disable()
    given = json.load(sys.stdin)
    guard = Guard(Allowed([*given["allow"], *use_proxy(given["proxy"])]))
    guard.install()
    service = importlib.import_module("apprise").Apprise()
    if not service.add(given["url"]):
        return 78
    told = service.notify(title=given["title"], body=given["body"], notify_type=given["type"], body_format="text")
    return 0 if told else 77 if guard.has_refused else 75


if __name__ == "__main__":
    sys.exit(main())
