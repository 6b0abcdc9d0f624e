"""Methods of fsspec's asynchronous file systems, which all of the big ones are: reading, listing, writing whole objects."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.fsspec import said
from offduty_probe.capture.wrapping import Patches, argument, looking_like, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

READS = {"cat": "path", "cat_file": "path", "get": "rpath", "get_file": "rpath", "info": "path"}
LISTS = {"ls": "path", "find": "path", "glob": "path", "walk": "path"}
WRITES = {"pipe": "path", "pipe_file": "path", "put": "rpath", "put_file": "rpath", "rm": "path", "rm_file": "path", "cp_file": "path2"}
SECOND = ("put", "put_file", "cp_file")  # the remote path is the second argument


def install(record: Ledger) -> Callable[[], None]:
    """Their synchronous methods, which are made for each file system when it is made."""
    patches = Patches(record)
    patches.put(sys.modules["fsspec.asyn"], "sync_wrapper", lambda original: _wrapper_of_methods(record, original))
    return patches.undo


def _wrapper_of_methods(record: Ledger, original: Any) -> Any:
    def sync_wrapper(func: Any, obj: Any = None) -> Any:
        method = original(func, obj)
        name = getattr(func, "__name__", "").lstrip("_")
        if name not in READS and name not in LISTS and name not in WRITES:
            return method
        return wrapped(record, method, lambda args, kwargs: _called(name, obj, args, kwargs), _known_of(name), web.failure)

    return looking_like(original, sync_wrapper)


def _called(name: str, filesystem: Any, args: Any, kwargs: Any) -> Said | None:
    op = "object.read" if name in READS else "object.list" if name in LISTS else "object.write"
    argument_name = {**READS, **LISTS, **WRITES}[name]
    return said(op, filesystem, argument(args, kwargs, 1 if name in SECOND else 0, argument_name))


def _known_of(name: str) -> Callable[[Any, Any, Any], Known]:
    def known(result: Any, args: Any, kwargs: Any) -> Known:
        if name in LISTS:
            return {"rows": len(result)} if isinstance(result, (list, dict)) else {}
        return {"bytes": len(result)} if isinstance(result, bytes) else {}

    return known
