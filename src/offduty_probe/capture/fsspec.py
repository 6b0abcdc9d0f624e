"""Remote files by fsspec: S3, Google Cloud, Azure, HTTP and other families; local ones are seen when they are opened."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.targets import url
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

LOCAL = ("file", "local", "memory", "dir", "zip", "tar", "reference", "simplecache", "filecache", "blockcache", "cached")


def install(record: Ledger) -> Callable[[], None]:
    """`open` of file systems of every kind; `fsspec_asyn` has the rest."""
    patches = Patches(record)
    patches.wrap(sys.modules["fsspec.spec"].AbstractFileSystem, "open", _opened, _size_of_opened, failure=web.failure)
    return patches.undo


def _opened(args: Any, kwargs: Any) -> Said | None:
    mode = str(argument(args, kwargs, 2, "mode", "rb"))
    return said("object.read" if "r" in mode else "object.write", args[0], argument(args, kwargs, 1, "path"))


def _size_of_opened(file: Any, args: Any, kwargs: Any) -> Known:
    details = vars(file).get("details") or {}
    size = vars(file).get("size") if vars(file).get("size") is not None else details.get("size")
    return {"bytes": size} if isinstance(size, int) else {}


def said(op: str, filesystem: Any, path: Any) -> Said | None:
    """For `describe`: `op` of `path`, or of several, in a file system; None in a local one."""
    protocol = filesystem.protocol if isinstance(filesystem.protocol, str) else filesystem.protocol[0]
    if protocol in LOCAL:
        return None
    several = list(path) if isinstance(path, (list, tuple, dict)) else [path]
    first = str(several[0]) if several else ""
    target = url(first if "://" in first else f"{protocol}://{first.lstrip('/')}")
    return op, target, {"offduty.objects": len(several)} if len(several) != 1 else None
