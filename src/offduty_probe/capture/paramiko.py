"""SSH and SFTP by paramiko: connecting, programs that are started at the other end, files that are read, written and listed there."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.programs import program
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

DEFAULT_PORT = 22
# Methods, and where among their arguments the path at the other end stands.
PATHS = {
    "get": (1, "remotepath"), "getfo": (1, "remotepath"), "put": (2, "remotepath"), "putfo": (2, "remotepath"),
    "open": (1, "filename"), "file": (1, "filename"), "listdir": (1, "path"), "listdir_attr": (1, "path"), "stat": (1, "path"),
    "remove": (1, "path"), "unlink": (1, "path"), "mkdir": (1, "path"), "rmdir": (1, "path"),
    "rename": (2, "newpath"), "posix_rename": (2, "newpath"),
}  # fmt: skip


def install(record: Ledger) -> Callable[[], None]:
    """`SSHClient.connect` and `exec_command`, until the program has started; methods of `SFTPClient`."""
    paramiko = sys.modules["paramiko"]
    patches = Patches(record)
    patches.wrap(paramiko.SSHClient, "connect", _connected, failure=_failure)
    patches.wrap(paramiko.SSHClient, "exec_command", _executed, failure=_failure)
    for name, (position, keyword) in PATHS.items():
        patches.wrap(paramiko.SFTPClient, name, _transferred(name, position, keyword), _known, failure=_failure)
    return patches.undo


def _address(host: Any, port: Any) -> tuple[str, Known]:
    host, port = str(host), int(port or DEFAULT_PORT)
    place = f"[{host}]" if ":" in host else host
    return f"{place}{'' if port == DEFAULT_PORT else f':{port}'}", {"server.address": host, "server.port": port}


def _connected(args: Any, kwargs: Any) -> Said:
    address, attributes = _address(argument(args, kwargs, 1, "hostname"), argument(args, kwargs, 2, "port", DEFAULT_PORT))
    return "file.transfer", f"ssh://{address}", attributes


def _executed(args: Any, kwargs: Any) -> Said:
    address, attributes = _address(*args[0].get_transport().getpeername()[:2])
    return "process.spawn", f"ssh://{address} {program(argument(args, kwargs, 1, 'command'), shell=True)}", attributes


def _transferred(name: str, position: int, keyword: str) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        address, attributes = _address(*args[0].get_channel().get_transport().getpeername()[:2])
        path = argument(args, kwargs, position, keyword, ".")
        path = path.decode(errors="replace") if isinstance(path, bytes) else str(path)
        return "file.transfer", f"sftp://{address}/{path.lstrip('/')}", dict(attributes, **{"offduty.verb": name})

    return describe


def _known(result: Any, args: Any, kwargs: Any) -> Known:
    """How many names there are; of a file its size and age, as `put` and `stat` ask for them anyway."""
    if isinstance(result, list):
        return {"rows": len(result)}
    size, modified = getattr(result, "st_size", None), getattr(result, "st_mtime", None)
    return {name: value for name, value in (("bytes", size), ("modified", modified)) if isinstance(value, (int, float))}


def _failure(error: Any) -> Known:
    """What SFTP and the network say is told; other messages quote keys and names."""
    return {} if isinstance(error, OSError) else {"message": without_values(str(error))}
