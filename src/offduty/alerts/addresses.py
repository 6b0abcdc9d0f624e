"""Which hosts and addresses a message may be sent to: the public ones, and those that the configuration allows by name or network (T12)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Self

from offduty.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 4096
_ALLOW = "name the host in the channel's allow"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_INTERNAL = ("localhost", "local", "internal", "localdomain", "lan", "intranet", "corp", "home.arpa")


class Place(NamedTuple):
    """A URL taken apart, nothing in it changed: `host` is without brackets, `target` is what stands in the request line."""

    scheme: str
    host: str
    port: int
    target: str


class Allowed(tuple[str, ...]):
    """Internal hosts and networks that may be reached all the same: `["hooks.intranet", "10.2.0.0/16"]`."""

    wanted: ClassVar[str] = 'a list of host names and networks like ["hooks.intranet", "10.2.0.0/16"]'

    @classmethod
    def read(cls, value: object) -> Self:
        """Raises TypeError."""
        if not isinstance(value, list) or not all(isinstance(entry, str) and _is_entry(entry) for entry in value):
            raise TypeError
        return cls(entry.lower() for entry in value)

    def names(self, host: str) -> bool:
        """Whether `host` is allowed wherever its name leads."""
        return host.lower() in self

    def covers(self, address: Address) -> bool:
        """Whether `address` lies in an allowed network."""
        return any(address in network for network in map(_network, self) if network is not None)


def is_public(address: Address) -> bool:
    """Whether `address` is one of the open internet, and so is every address wrapped in it (v4-mapped, 6to4, Teredo, NAT64)."""
    plain = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return all(map(is_public, _wrapped(address))) if _is_wrapper(address) else plain


def may_reach(host: str, address: Address, allow: Allowed) -> bool:
    """Whether a message for `host` may go to `address`."""
    return is_public(address) or allow.names(host) or allow.covers(address)


def split(url: str) -> Place:
    """Take a URL apart. Raises ConfigError E221, which never quotes it, if its form is not one that can be trusted."""
    if len(url) > LONGEST_URL:
        raise _bad("is too long", f"more than {LONGEST_URL} characters")
    if any(c <= " " or c == "\\" or ord(c) > 126 for c in url):
        raise _bad("holds a space, a control character, a backslash or a letter that is not ASCII", fix="copy it again from the service")
    scheme, colon, rest = url.partition("://")
    if scheme.lower() not in ("https", "http") or not colon:
        raise _bad("does not begin with https://", fix="copy it whole from the service")
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise _bad("holds a user name or password", fix="give credentials as options of their own")
    if "#" in rest:
        raise _bad("holds a #", fix="copy it again from the service")
    host, port = _host_and_port(authority, 443 if scheme.lower() == "https" else 80)
    target = rest[len(authority) :]
    return Place(scheme.lower(), host, port, target if target.startswith("/") else f"/{target}")


def check(url: str, allow: Allowed) -> Place:
    """A URL as it may be configured. Raises ConfigError E221 for its form, E222 for an internal host or no TLS that is not allowed."""
    place = split(url)
    literal = _literal(place.host)
    allowed = allow.names(place.host) or (literal is not None and allow.covers(literal))
    if place.scheme != "https" and not allowed:
        raise ConfigError("E222", "the URL has no TLS", why="what is sent could be read on its way", fix=f"use https://, or {_ALLOW}")
    if not allowed and ((literal is not None and not is_public(literal)) or _is_internal(place.host)):
        raise ConfigError("E222", "the URL leads to an internal address", fix=f"if that is meant, {_ALLOW}")
    return place


def literal(host: str) -> Address | None:
    """The address that `host` is, if it is one and no name."""
    return _literal(host)


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?", authority)
    plain = re.fullmatch(r"([^:\[\]]+)(?::([0-9]{1,5}))?", authority)
    found = bracketed or plain
    if found is None:
        raise _bad("has no host, or a port that is none", fix="copy it again from the service")
    host, port = found[1], int(found[2] or default)
    if not 1 <= port <= 65535:
        raise _bad(f"has the port {port}", "ports are 1 to 65535")
    if bracketed and _literal(host) is None:
        raise _bad("has an address in brackets that is none")
    if plain and _literal(host) is None:
        _check_name(host)
    return host, port


def _check_name(host: str) -> None:
    """A name of DNS; not a number that some resolvers take for an address (`2130706433`, `0x7f.1`), and without a dot at its end."""
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise _bad(
            "has a number for a host", "some systems take it for an internal address", "write the host's name, or its address as 192.0.2.7"
        )
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _bad("has a host that is no name", fix="copy it again; names in other scripts are written as xn--…, without a dot at the end")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_internal(host: str) -> bool:
    """Names that never leave the house: one word, or below a domain that is kept for that."""
    host = host.lower()
    return _literal(host) is None and ("." not in host or any(host == name or host.endswith(f".{name}") for name in _INTERNAL))


def _is_wrapper(address: Address) -> bool:
    return next(_wrapped(address), None) is not None


def _wrapped(address: Address) -> Iterator[Address]:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _is_entry(entry: str) -> bool:
    return _network(entry) is not None or all(map(_LABEL.fullmatch, entry.split(".")))


def _bad(what: str, why: str = "", fix: str = "") -> ConfigError:
    return ConfigError("E221", f"the URL {what}", why=why, fix=fix)
