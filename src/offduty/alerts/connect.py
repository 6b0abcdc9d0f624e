"""A connection to a host whose addresses were looked at, the trust that TLS rests on, and what went wrong in words that quote nothing."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
from functools import lru_cache

from offduty.alerts import addresses
from offduty.alerts.addresses import Allowed
from offduty.alerts.deadline import Deadline, bounded

_CERTIFICATES = {10: "the certificate has expired", 9: "the certificate is not valid yet", 62: "the certificate is for another host"}


class Refused(OSError):
    """The host leads to an address that nothing may be sent to."""


def dial(host: str, port: int, deadline: Deadline, allow: Allowed | None) -> socket.socket:
    """A connection to one of the host's addresses, all of which are looked at first; None allows any. Raises OSError, TimeoutError."""
    found = bounded(lambda: socket.getaddrinfo(str(host), int(port), type=socket.SOCK_STREAM), deadline.left(), (OSError, UnicodeError))
    if allow is not None and not all(addresses.may_reach(host, _address(info[4][0]), allow) for info in found):
        raise Refused
    last: OSError = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    for family, kind, protocol, _, target in found:
        connection = socket.socket(family, kind, protocol)
        try:
            deadline.guard(connection)
            connection.settimeout(deadline.left())
            connection.connect(target)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError as error:
            connection.close()
            last = error
    raise last


@lru_cache(maxsize=8)
def tls_context(ca: str | None) -> ssl.SSLContext:
    """A context of the system's trust, or of `ca` alone. Made once: it reads every certificate there is."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def words(error: Exception, *, is_over: bool) -> str:
    """What happened, without what the error quotes. `is_over`: the deadline was."""
    if isinstance(error, Refused):
        return "the host leads to an internal address; if that is meant, name it in the channel's allow"
    if is_over or isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "the host's name cannot be looked up"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {_CERTIFICATES.get(error.verify_code, 'the certificate is not trusted')}"
    if isinstance(error, ssl.SSLError):
        return "TLS: the two sides do not agree"
    if not isinstance(error, OSError):
        return "what was answered is not understood"
    return os.strerror(error.errno).lower() if error.errno else "the connection broke off"


def _address(text: object) -> addresses.Address:
    return ipaddress.ip_address(str(text).partition("%")[0])
