"""HTTP through httpx2, the successor of httpx."""

from __future__ import annotations

from offduty_probe.capture.httpx import install_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """`send` of clients."""
    return install_in("httpx2", record)
