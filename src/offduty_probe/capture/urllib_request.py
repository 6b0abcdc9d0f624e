"""HTTP and FTP through `urllib.request.urlopen` and openers."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.targets import url
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`OpenerDirector.open`, which also follows redirections."""
    patches = Patches(record)
    patches.wrap(sys.modules["urllib.request"].OpenerDirector, "open", _opened, _answered, failure=web.failure)
    return patches.undo


def _opened(args: Any, kwargs: Any) -> Said | None:
    place = argument(args, kwargs, 1, "fullurl")
    if isinstance(place, str):
        method, address = "GET" if argument(args, kwargs, 2, "data") is None else "POST", place
    else:
        method, address = place.get_method(), place.full_url
    if address.lower().startswith("ftp:"):
        return "file.transfer", url(address)
    return web.request(method, address)


def _answered(answer: Any, args: Any, kwargs: Any) -> Known:
    if getattr(answer, "status", None) is None:
        return {}
    return web.answered("status")(answer, args, kwargs)
