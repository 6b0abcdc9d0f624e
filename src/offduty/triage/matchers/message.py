"""`message`: a pattern in what an exception says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.flaw import Flaw
from offduty.triage.matchers import regex
from offduty.triage.matchers.condition import Condition, Value, cut
from offduty.triage.seen import Seen


@dataclass(frozen=True)
class Pattern(Condition):
    """A condition whose values are patterns."""

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """Also what RE2 refuses."""
        return regex.flaws(value)

    @classmethod
    def normal(cls, value: Value) -> Value:
        """Spaces may be meant."""
        return value

    def covers(self, other: Condition) -> bool:
        """Patterns cannot be compared, save that equal ones are equal."""
        return set(self.values) >= set(other.values)

    def find(self, text: bytes) -> tuple[str, str] | None:
        """(the pattern, the line it is found in), for the first that is found."""
        for pattern in map(str, self.values):
            if (line := regex.find(pattern, text)) is not None:
                return pattern, line
        return None

    def describe(self) -> str:
        """`message fits ORA-\\d+`."""
        return f"{self.key} fits {' or '.join(map(str, self.values))}"


@dataclass(frozen=True)
class Message(Pattern):
    """Any message of the chain, and of a failure that is no exception (a signal, a program that said why it exits)."""

    key: ClassVar[str] = "message"
    takes: ClassVar[str] = "a pattern (RE2), looked for in the messages of the exceptions"
    example: ClassVar[str] = "'column \"\\w+\" does not exist'"

    def match(self, seen: Seen) -> str | None:
        """The first message it is found in."""
        for message in seen.messages:
            if found := self.find(message.encode("utf-8", "replace")):
                return f"the message says “{cut(found[1])}”"
        return None

    def miss(self, seen: Seen) -> str:
        """What the messages say."""
        return f"the message is “{cut(seen.messages[0])}”" if seen.messages else "there was no message"
