"""`exit_code`: what the job exited with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.errors import quoted
from offduty.triage.flaw import Flaw
from offduty.triage.matchers.condition import Condition
from offduty.triage.seen import Seen


@dataclass(frozen=True)
class ExitCode(Condition):
    """The exit status of the run; 128+n after signal n."""

    key: ClassVar[str] = "exit_code"
    takes: ClassVar[str] = "a number from 0 to 255"
    example: ClassVar[str] = "[1, 137]"

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """A number that a process can exit with."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
            return []
        return [Flaw("E403", f"expected {cls.takes}, found {quoted(value)}")]

    def match(self, seen: Seen) -> str | None:
        """It is one of them."""
        return f"the exit code is {seen.case.exit_code}" if seen.case.exit_code in self.values else None

    def miss(self, seen: Seen) -> str:
        """What it is."""
        return "the exit code is not known" if seen.case.exit_code is None else f"the exit code is {seen.case.exit_code}"
