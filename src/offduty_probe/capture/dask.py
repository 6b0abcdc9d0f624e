"""Dask: what is computed, as one transaction, whatever it consists of and wherever it runs."""

from __future__ import annotations

import sys

from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`compute` and `persist`, as functions and as methods. What tasks do in threads and processes of Dask counts by itself."""
    dask = sys.modules["dask.base"]
    patches = Patches(record)
    for name in ("compute", "persist"):
        patches.wrap(dask, name, _computed(name), also=["dask"])
        patches.wrap(dask.DaskMethodsMixin, name, _computed(name))
    return patches.undo


def _computed(name: str) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        kinds = sorted({type(one).__name__ for one in args})
        scheduler = kwargs.get("scheduler")
        place = scheduler if isinstance(scheduler, str) and len(scheduler) < 40 else ""
        return "compute.submit", f"dask://{place}", {"offduty.verb": name, "offduty.collections": ", ".join(kinds)[:200]}

    return describe
