"""Which logging library a message came from first, when one passes messages on to another: each is counted once."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

# The function by which a library hands a message to its handlers: while it is in the stack, what others get is passed on.
handing_over: dict[CodeType, str] = {}
DEEPEST = 40


def passed_on_from(others_than: str) -> str | None:
    """The other library in whose handlers the caller runs; None for a message that comes from the job."""
    if len(handing_over) < 2:
        return None
    frame: FrameType | None = sys._getframe(1)
    for _ in range(DEEPEST):
        if frame is None:
            return None
        library = handing_over.get(frame.f_code)
        if library is not None and library != others_than:
            return library
        frame = frame.f_back
    return None
