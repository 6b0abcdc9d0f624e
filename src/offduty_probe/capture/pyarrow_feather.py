"""Feather files that pyarrow reads and writes."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_argument, of_result, reader, writer
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """`write_feather` takes frames of pandas too."""
    module = sys.modules["pyarrow.feather"]
    patches = Patches(record)
    patches.wrap(module, ["read_table", "read_feather"], reader(0, "source"), of_result(0, "source"))
    patches.wrap(module, "write_feather", writer(1, "dest"), of_argument(0, "df", 1, "dest"))
    return patches.undo
