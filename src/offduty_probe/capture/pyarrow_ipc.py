"""Arrow streams and files that pyarrow opens."""

from __future__ import annotations

import sys

from offduty_probe.capture.arrow import of_result, reader, writer
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """They count when they are opened: what goes through them is not seen, as their methods are written in C."""
    module = sys.modules["pyarrow.ipc"]
    patches = Patches(record)
    for owner in (module, sys.modules["pyarrow"]):
        patches.wrap(owner, ["open_file", "open_stream"], reader(0, "source"), of_result(99, ""))
        patches.wrap(owner, ["new_file", "new_stream"], writer(0, "sink"))
    return patches.undo
