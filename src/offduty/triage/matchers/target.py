"""`target`: the path or address of what failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.flaw import Flaw
from offduty.triage.matchers import regex
from offduty.triage.matchers.condition import TouchCondition, Value, cut, fits
from offduty.triage.matchers.transaction import touched
from offduty.triage.seen import Seen, Touch

MARK = "re:"


@dataclass(frozen=True)
class Target(TouchCondition):
    """The target of a transaction that failed; where nothing but a log is there, a path or address in an exception's message.

    A glob has to fit all of it; behind `re:` stands a pattern, which may be found anywhere in it.
    """

    key: ClassVar[str] = "target"
    takes: ClassVar[str] = "the path or address of what failed: a glob, or a pattern (RE2) behind `re:`"
    example: ClassVar[str] = '"s3://feeds/sales/*.csv"'

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """Also what RE2 refuses, behind `re:`."""
        if isinstance(value, str) and value.startswith(MARK):
            return regex.flaws(value.removeprefix(MARK))
        return super().flaws(value)

    @classmethod
    def normal(cls, value: Value) -> Value:
        """Spaces in a pattern may be meant."""
        return value if str(value).startswith(MARK) else super().normal(value)

    def match_touch(self, touch: Touch) -> str | None:
        """Its target is one of them."""
        return f"the target is {cut(touch.target)}" if touch.target and any(_is(str(one), touch.target) for one in self.values) else None

    def miss(self, seen: Seen) -> str:
        """What failed."""
        return touched(seen)


def _is(wanted: str, target: str) -> bool:
    if wanted.startswith(MARK):
        return regex.find(wanted.removeprefix(MARK), target.encode("utf-8", "replace")) is not None
    return fits(wanted, target)
