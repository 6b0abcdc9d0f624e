"""One event as one line of JSON of at most 64 KiB.

Written by hand: importing `json` costs a job more than everything else the probe does at start-up.
"""

from __future__ import annotations

from offduty_probe.texts import cut, plain, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_BYTES = 65536
# How many characters a text and how many items a list may have: the next pair is tried when the line is still too long.
LIMITS = ((8192, 64), (2048, 32), (512, 16), (128, 8), (48, 5))
ESCAPES = {number: f"\\u{number:04x}" for number in [*range(32), 127]}
ESCAPES.update({ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", ord('"'): '\\"', ord("\\"): "\\\\"})


def line_of(event: dict[str, Any]) -> bytes:
    """`event` (text, numbers, None, lists and objects of them) and a newline; long texts and lists are cut, and say so."""
    line = (dumps(event) + "\n").encode("utf-8") if _is_small(event) else b""
    if 0 < len(line) <= MOST_BYTES:
        return line
    for limits in LIMITS:
        if limits is not LIMITS[-1] and weight(event, *limits) > MOST_BYTES:
            continue  # known beforehand, so that no line of a hundred megabytes is ever built
        line = (dumps(shortened(event, *limits)) + "\n").encode("utf-8")
        if len(line) <= MOST_BYTES:
            break
    return line


def _is_small(event: dict[str, Any]) -> bool:
    """Whether there is surely nothing to cut: the case of nearly all events, so the short way for them."""
    return all(len(value) < 2048 if type(value) is str else type(value) in (int, float) or value is None for value in event.values())


def weight(value: Any, text_limit: int, list_limit: int) -> int:
    """How many characters of text `value` has at least, once it is shortened."""
    if isinstance(value, str):
        return min(len(value), text_limit)
    if isinstance(value, dict):
        value = list(value.values())
    elif isinstance(value, (list, tuple)):
        value = without_the_middle(list(value), list_limit)
    else:
        return 1
    return sum([weight(item, text_limit, list_limit) for item in value])


def dumps(value: Any) -> str:
    """JSON. What JSON has no form for is written as its text."""
    if isinstance(value, str):
        needs_no_care = value.isascii() and value.isprintable() and '"' not in value and "\\" not in value
        return f'"{value}"' if needs_no_care else '"' + plain(value).translate(ESCAPES) + '"'
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and value - value == 0:  # neither infinite nor NaN
        return float.__repr__(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{dumps(safe(key))}:{dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([dumps(item) for item in value]) + "]"
    return dumps(safe(value))


def shortened(value: Any, text_limit: int, list_limit: int) -> Any:
    """`value` with every text and every list within its limit."""
    if isinstance(value, str):
        return cut(value, text_limit)
    if isinstance(value, dict):
        return {key: shortened(item, text_limit, list_limit) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shortened(item, text_limit, list_limit) for item in without_the_middle(list(value), list_limit)]
    return value


def without_the_middle(items: list[Any], limit: int) -> list[Any]:
    """At most `limit` items: the first quarter, a stand-in that says how many are left out, the last three quarters.

    The end counts for more: of frames it is where it happened, of a chain of exceptions it is the cause.
    """
    if len(items) <= limit:
        return items
    first = limit // 4
    last = limit - first - 1
    return [*items[:first], stand_in(items[first], len(items) - first - last), *items[-last:]]


def stand_in(item: Any, count: int) -> Any:
    """What stands for `count` items like `item`, in the same shape, so that readers need no special case."""
    if not isinstance(item, dict):
        return f"… ({count} left out)"
    if "function" in item:
        return {"file": "…", "line": 0, "function": f"{count} frames left out", "own": False}
    return {"type": "…", "message": f"{count} exceptions left out", "link": item.get("link"), "notes": [], "frames": []}
