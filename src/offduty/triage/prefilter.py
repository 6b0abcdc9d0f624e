"""Which rows of a large table can match at all: the literal texts that their `log` patterns cannot do without are looked for in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

import ahocorasick_rs

from offduty.triage.literals import fold_bytes, required_bytes
from offduty.triage.row import Row


class Prefilter:
    """For rows in their order. Rows without `log`, and those whose pattern needs no certain text, are always possible."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._always: list[int] = []
        holders: dict[bytes, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            literals = _literals(row)
            if not literals:
                self._always.append(place)
            for literal in literals:
                holders[literal].append(place)
        self._holders = list(holders.values())
        self._automaton = ahocorasick_rs.BytesAhoCorasick(list(holders)) if holders else None

    def possible(self, text: bytes) -> list[int]:
        """The places of the rows that can match a case whose last lines are `text`, in order."""
        if self._automaton is None:
            return self._always
        hits = {hit[0] for hit in self._automaton.find_matches_as_indexes(fold_bytes(text), overlapping=True)}
        return sorted({*self._always, *chain.from_iterable(self._holders[hit] for hit in hits)})


def _literals(row: Row) -> set[bytes]:
    """Texts of which one is there whenever the row's `log` matches; none if that cannot be said."""
    patterns = [str(value) for condition in row.when if condition.key == "log" for value in condition.values]
    found: set[bytes] = set()
    for pattern in patterns:
        needed = required_bytes(pattern)
        if not needed:
            return set()
        found |= needed
    return found
