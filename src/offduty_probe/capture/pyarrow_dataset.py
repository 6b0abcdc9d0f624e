"""Datasets that pyarrow opens and writes."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_argument, of_result, reader, writer
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """They count when they are opened: what is read of them later is not seen, as their methods are written in C."""
    module = sys.modules["pyarrow.dataset"]
    patches = Patches(record)
    patches.wrap(module, "dataset", reader(0, "source"), of_result(99, ""))
    patches.wrap(module, "write_dataset", writer(1, "base_dir"), of_argument(0, "data", 99, ""))
    return patches.undo
