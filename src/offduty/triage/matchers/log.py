"""`log`: a pattern in a line of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.matchers.condition import cut
from offduty.triage.matchers.message import Pattern
from offduty.triage.seen import Seen


@dataclass(frozen=True)
class Log(Pattern):
    """Any of the log's last lines: what the job printed, without the times in front."""

    key: ClassVar[str] = "log"
    takes: ClassVar[str] = "a pattern (RE2), looked for in each of the last lines that the job printed"
    example: ClassVar[str] = "'ORA-\\d{5}'"
    dear: ClassVar[bool] = True

    def match(self, seen: Seen) -> str | None:
        """The first line it is found in."""
        found = self.find(seen.text_bytes)
        return f"the log says “{cut(found[1])}”" if found else None

    def miss(self, seen: Seen) -> str:
        """How much was looked at."""
        lines = seen.text.count("\n") + 1 if seen.text else 0
        return f"none of the last {lines} lines is like that" if lines else "nothing was printed"
