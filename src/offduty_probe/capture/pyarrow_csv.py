"""CSV files that pyarrow reads and writes."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_argument, of_result, reader, writer
from offduty_probe.capture.statements import unreadable
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """What is opened piece by piece counts when it is opened."""
    module = sys.modules["pyarrow.csv"]
    patches = Patches(record)
    patches.wrap(module, ["read_csv", "open_csv"], reader(0, "input_file"), of_result(0, "input_file"), failure=unreadable)
    patches.wrap(module, "write_csv", writer(1, "output_file"), of_argument(0, "data", 1, "output_file"))
    return patches.undo
