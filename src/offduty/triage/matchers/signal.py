"""`signal`: what ended the job."""

from __future__ import annotations

import signal as signals
from dataclasses import dataclass
from typing import ClassVar

from offduty.errors import quoted
from offduty.runs.failure import signal_name
from offduty.triage.flaw import Flaw
from offduty.triage.matchers.condition import Condition
from offduty.triage.seen import Seen


@dataclass(frozen=True)
class Signal(Condition):
    """The signal that ended the job, or, by an exit code over 128, one of its processes."""

    key: ClassVar[str] = "signal"
    takes: ClassVar[str] = "the name of a signal, or its number"
    example: ClassVar[str] = '"SIGKILL"'

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """A signal there is."""
        return [] if number(value) else [Flaw("E403", f"there is no signal {quoted(value)}", fix='write it like "SIGKILL" or 9')]

    def match(self, seen: Seen) -> str | None:
        """It is one of them."""
        hit = seen.signal is not None and seen.signal in map(number, self.values)
        return f"the job was ended by {signal_name(seen.signal or 0)}" if hit else None

    def miss(self, seen: Seen) -> str:
        """What ended it."""
        return "no signal ended the job" if seen.signal is None else f"the job was ended by {signal_name(seen.signal)}"

    def covers(self, other: Condition) -> bool:
        """Names and numbers are the same."""
        return set(map(number, self.values)) >= set(map(number, other.values))


def number(value: object) -> int:
    """9 of `SIGKILL`, `kill` or 9; 0 if there is no such signal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 < value <= 64 else 0
    name = value.strip().upper() if isinstance(value, str) else ""
    known: int = getattr(signals, name if name.startswith("SIG") else f"SIG{name}", 0)
    return int(known) if isinstance(known, signals.Signals) else 0
