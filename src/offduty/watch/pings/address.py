"""What the address of a ping says: which check, and what happened to it. The routes of healthchecks' ping API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

Action = Literal["success", "fail", "start", "log", "ign"]

ACTIONS: dict[str, Action] = {"start": "start", "fail": "fail", "log": "log"}
LARGEST_STATUS = 255
MOST_PARAMETERS = 20

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SLUG = re.compile(r"[a-z0-9_-]{1,100}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DIGITS = re.compile(r"[0-9]+")
_ABSOLUTE = re.compile(r"https?://[^/]*", re.IGNORECASE)


class Refused(Exception):
    """A request that is no ping; answered with `status` and `body`, as healthchecks does."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass(frozen=True)
class Address:
    """Either `code` (the check's uuid), or `key` and `slug`. `rid`: names one run, or "". `create`: make the check if there is none."""

    code: str = ""
    key: str = ""
    slug: str = ""
    action: Action = "success"
    exit_status: int | None = None
    rid: str = ""
    create: bool = False


def parse(path: str, query: str) -> Address:
    """The address in a request's path (as it came, percent signs and all) and query. Raises Refused with 400 or 404.

    Nothing is looked up for it, so it discloses nothing: an address that may exist is answered by the store.
    """
    words = _words(path)
    check = _check_of(words)
    rest = words[1:] if check.code else words[2:]
    if len(rest) > 1:
        raise Refused(404, "not found")
    action, status = _happened(rest[0]) if rest else ("success", None)
    parameters = _parameters(query)
    rid = parameters.get("rid", "")
    if "rid" in parameters and not _UUID.fullmatch(rid.lower()):
        raise Refused(400, "invalid uuid format")
    create = not check.code and parameters.get("create") == "1"
    return Address(check.code, check.key, check.slug, action, status, rid.lower(), create)


def _words(path: str) -> list[str]:
    """The parts between slashes, without the host of an absolute one, without `/ping`, and without a slash at the end."""
    path = _ABSOLUTE.sub("", path, count=1) if not path.startswith("/") else path
    if not path.startswith("/"):
        raise Refused(404, "not found")
    words = path[1:].split("/")
    words = words[1:] if words[0] == "ping" else words
    return words[:-1] if len(words) > 1 and not words[-1] else words


def _check_of(words: list[str]) -> Address:
    if words and _UUID.fullmatch(words[0]):
        return Address(code=words[0])
    if len(words) < 2 or not _KEY.fullmatch(words[0]):
        raise Refused(404, "not found")
    if not _SLUG.fullmatch(words[1]):
        raise Refused(400, "invalid url format")
    return Address(key=words[0], slug=words[1])


def _happened(word: str) -> tuple[Action, int | None]:
    if word in ACTIONS:
        return ACTIONS[word], None
    if not _DIGITS.fullmatch(word):
        raise Refused(404, "not found")
    if len(word) > 10 or int(word) > LARGEST_STATUS:
        raise Refused(400, "invalid url format")
    return ("fail" if int(word) else "success"), int(word)


def _parameters(query: str) -> dict[str, str]:
    """Each at most once: with two, whoever reads the first and whoever reads the second would disagree."""
    found: dict[str, str] = {}
    pairs = query.split("&", MOST_PARAMETERS) if query else []
    if len(pairs) > MOST_PARAMETERS:
        raise Refused(400, "too many parameters")
    for pair in pairs:
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name in found and name in ("rid", "create"):
            raise Refused(400, f"{name} is given twice")
        found[name] = unquote_plus(value)
    return found
