"""Ray: starting it or joining it, and waiting for results; what runs in its workers is told by these, if they are reached at all."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`init`, `get` and `wait`: `remote` only hands in, and what failed is known when the job asks for it."""
    ray = sys.modules["ray"]
    patches = Patches(record)
    also = ["ray._private.worker"]
    patches.wrap(ray, "init", _joined, also=also, failure=failure)
    patches.wrap(ray, ["get", "wait"], _waited, also=also, failure=failure)
    return patches.undo


def _joined(args: Any, kwargs: Any) -> Said:
    address = str(argument(args, kwargs, 0, "address") or "").rpartition("://")[2]
    return "compute.submit", f"ray://{address}", {"offduty.verb": "init"}


def _waited(args: Any, kwargs: Any) -> Said:
    several = args[0] if args else next(iter(kwargs.values()), None)
    count = len(several) if isinstance(several, (list, tuple)) else 1
    return "compute.submit", "ray://", {"offduty.tasks": count}


def failure(error: Any) -> Known:
    """The last line names the exception of the task; what stands before it is a traceback from there."""
    lines = str(error).strip().splitlines() or [""]
    return {"message": without_values(lines[-1])}
