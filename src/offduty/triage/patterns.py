"""Many patterns at once over one text: which of them occur, in time linear in the text."""

from __future__ import annotations

from collections.abc import Sequence

import re2


class PatternSet:
    """Patterns in RE2 syntax, letter case ignored; a dot matches a line's end too. An invalid one raises `re2.error`."""

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _options()
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._empty = not patterns
        if patterns:
            self._set.Compile()

    def matches(self, text: str) -> list[int]:
        """The places, in the given order, of the patterns that occur in `text`."""
        return [] if self._empty else sorted(self._set.Match(text) or ())


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 256 << 20
    return options
