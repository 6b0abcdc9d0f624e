"""Metrics that a job prints, in any language: `mae=46.6` on a line, for the names that its configuration knows."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def printed(lines: Iterable[str], names: Collection[str]) -> Iterator[dict[str, Any]]:
    """The metrics in lines of output, in order, as events have them: `name`, `value`, and `unit` for a per cent sign.

    `name=value` counts anywhere between blanks, commas or brackets; `name: value` only where it ends the line, since prose has colons too.
    """
    if not names:
        return
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?:^|(?<=[\s,;|(\[]))({known})\s*(?:=\s*({_NUMBER})(%?)(?=$|[\s,;|)\]])|:\s*({_NUMBER})(%?)\s*$)")
    for line in lines:
        for found in pattern.finditer(line):
            name, after_equals, percent, after_colon, percent_too = found.groups()
            value, unit = float(after_equals or after_colon), percent or percent_too
            if math.isfinite(value):
                yield {"name": name, "value": value, **({"unit": unit} if unit else {})}
