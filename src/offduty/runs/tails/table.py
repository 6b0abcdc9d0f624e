"""The table of what reads a tail, and which of their findings counts.

Each `find(tail)` gives the finding that explains most, or None. It must take any text, in time linear in its length:
lines are cut at 2,000 characters before they come here, and patterns are anchored and without nested repetition.
"""

from __future__ import annotations

from collections.abc import Callable

from offduty.runs.tails import java, julia, native, python, r, shell, sql
from offduty.runs.tails.finding import Finding, Tail

# In the order of trust where two explain the same output equally well.
TAILS: dict[str, Callable[[Tail], Finding | None]] = {
    "python": python.find,
    "java": java.find,
    "r": r.find,
    "julia": julia.find,
    "native": native.find,
    "sql": sql.find,
    "shell": shell.find,
}

FAR = 60  # lines: after that much more output, what was printed did not end the job


def best(tail: Tail) -> Finding | None:
    """The finding that explains the end of the output: the strongest, then the last. One far from the end is worth a step less."""
    found = [finding for find in TAILS.values() if (finding := find(tail))]
    return max(found, key=lambda finding: (finding.strength - (len(tail.lines) - finding.end > FAR), finding.end), default=None)
