"""ORC files that pyarrow reads and writes."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_argument, of_result, reader, writer
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """The functions alone; `ORCFile` is not captured."""
    module = sys.modules["pyarrow.orc"]
    patches = Patches(record)
    patches.wrap(module, "read_table", reader(0, "source"), of_result(0, "source"))
    patches.wrap(module, "write_table", writer(1, "where"), of_argument(0, "table", 1, "where"))
    return patches.undo
