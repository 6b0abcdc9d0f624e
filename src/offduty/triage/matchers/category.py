"""`category`: what the built-in catalogue calls the failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.matchers.condition import Condition, fits
from offduty.triage.seen import Seen


@dataclass(frozen=True)
class Category(Condition):
    """The category of the catalogue's verdict; `unknown` where it has none, `*` for whatever nothing above explains."""

    key: ClassVar[str] = "category"
    takes: ClassVar[str] = "a category of the catalogue, `unknown`, or `*` for any failure"
    example: ClassVar[str] = '"out_of_memory"'

    def match(self, seen: Seen) -> str | None:
        """It is one of them."""
        hit = any(fits(str(wanted), seen.verdict.category) for wanted in self.values)
        return f"the catalogue calls it {seen.verdict.category}" if hit else None

    def miss(self, seen: Seen) -> str:
        """What the catalogue says."""
        return f"the catalogue calls it {seen.verdict.category}"
