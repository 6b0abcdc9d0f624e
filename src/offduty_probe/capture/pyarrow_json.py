"""JSON lines that pyarrow reads."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_result, reader
from offduty_probe.capture.statements import unreadable
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """What is opened piece by piece counts when it is opened."""
    module = sys.modules["pyarrow.json"]
    patches = Patches(record)
    patches.wrap(module, ["read_json", "open_json"], reader(0, "input_file"), of_result(0, "input_file"), failure=unreadable)
    return patches.undo
