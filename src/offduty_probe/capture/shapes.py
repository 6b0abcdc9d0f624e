"""The shape of a table: names and types of its columns, never a value. Costs grow with the columns, not with the rows."""

from __future__ import annotations

from offduty_probe.lines import dumps
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

    Shape = Iterable[tuple[Any, Any]]

MOST_COLUMNS = 1000
MOST_NAME, MOST_TYPE = 128, 64
MOST_TEXT = 48 * 1024


def shape_text(shape: Shape) -> str:
    """`[[column, dtype], …]` as JSON: at most the first 1,000, and as many as fit into 48 KiB."""
    types: dict[Any, str] = {}
    texts = []
    room = MOST_TEXT
    for number, (column, dtype) in enumerate(shape):
        if number == MOST_COLUMNS:
            break
        known = types.get(id(dtype))
        if known is None:
            known = types[id(dtype)] = dumps(cut(safe(dtype), MOST_TYPE))
        text = f"[{dumps(cut(column if type(column) is str else safe(column), MOST_NAME))},{known}]"
        room -= len(text) + 1  # what is not ASCII takes more bytes: the line has 16 KiB to spare, and can be cut once more
        if room < 0:
            break
        texts.append(text)
    return "[" + ",".join(texts) + "]"
