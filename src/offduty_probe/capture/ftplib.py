"""FTP by `ftplib`: connecting, logging in, whole transfers, and what is done with names."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

TRANSFERS = "retrbinary retrlines storbinary storlines".split()  # they take a command: `RETR name`
NAMED = {"delete": "filename", "rename": "fromname", "size": "filename", "mkd": "dirname", "rmd": "dirname", "cwd": "dirname"}
LISTS = ("nlst", "dir")
DEFAULT_PORT = 21


def install(record: Ledger) -> Callable[[], None]:
    """Methods of `FTP`, which `FTP_TLS` inherits; `mlsd` gives its names one by one and is not seen."""
    ftp = sys.modules["ftplib"].FTP
    patches = Patches(record)
    patches.wrap(ftp, "connect", _connected, failure=_failure)
    patches.wrap(ftp, "login", lambda args, kwargs: _said(args[0], "", "login"), failure=_failure)
    patches.wrap(ftp, TRANSFERS, _transferred, failure=_failure)
    patches.wrap(ftp, LISTS, lambda args, kwargs: _said(args[0], argument(args, kwargs, 1, "", ""), "list"), _listed, failure=_failure)
    for name, keyword in NAMED.items():
        patches.wrap(ftp, name, _changed(name, keyword), failure=_failure)
    return patches.undo


def _said(ftp: Any, path: Any, verb: str) -> Said:
    """`path` as the job gave it: relative to where it is on the server."""
    host, port = str(ftp.host), int(ftp.port) or DEFAULT_PORT
    place = f"[{host}]" if ":" in host else host
    path = path if isinstance(path, str) else ""
    target = f"ftp://{place}{'' if port == DEFAULT_PORT else f':{port}'}/{path.lstrip('/')}"
    return "file.transfer", target, {"server.address": host, "server.port": port, "offduty.verb": verb}


def _connected(args: Any, kwargs: Any) -> Said:
    ftp = args[0]
    op, _, attributes = _said(ftp, "", "connect")
    host, port = argument(args, kwargs, 1, "host") or ftp.host, argument(args, kwargs, 2, "port") or ftp.port or DEFAULT_PORT
    target = f"ftp://{host}{'' if port == DEFAULT_PORT else f':{port}'}/"
    return op, target, dict(attributes, **{"server.address": host, "server.port": port})


def _transferred(args: Any, kwargs: Any) -> Said:
    verb, _, path = str(argument(args, kwargs, 1, "cmd", "")).partition(" ")
    return _said(args[0], path, verb.lower())


def _changed(verb: str, keyword: str) -> Callable[[Any, Any], Said]:
    return lambda args, kwargs: _said(args[0], argument(args, kwargs, 1, keyword), verb)


def _listed(result: Any, args: Any, kwargs: Any) -> Known:
    return {"rows": len(result)} if isinstance(result, list) else {}


def _failure(error: Any) -> Known:
    """Servers quote names, which are in the target, and whatever else they like; their codes come first: `550 …`."""
    if isinstance(error, OSError):
        return {}
    text = str(error)
    status = {"status": int(text[:3])} if text[:3].isdigit() else {}
    return dict(status, message=f"{text[:3]}{without_values(text[3:])}" if status else without_values(text))
