"""One thing that is wrong with a triage table, before anybody decides what that stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offduty.errors import ConfigError

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Flaw:
    """`path`: the key it is about, from the row on, like `("when", "log")`. `where`: file:line, once that is known.

    `text`: what stands wrong in the file (a pattern), `offset`: how many characters into it; both serve to find the column.
    """

    code: str
    what: str
    path: Path = ()
    why: str = ""
    fix: str = ""
    where: str = ""
    text: str = ""
    offset: int = 0

    def as_error(self) -> ConfigError:
        """As it is raised and printed: `E401 triage.md:14:31: when.log: …`."""
        place = ": ".join(part for part in (self.where, ".".join(map(str, self.path))) if part)
        return ConfigError(self.code, self.what, where=place, why=self.why, fix=self.fix)


Report = Callable[[Flaw], None]


class TableErrors(ConfigError):
    """All flaws of a table at once: `flaws`, and the same as `errors`."""

    def __init__(self, flaws: list[Flaw]) -> None:
        first = flaws[0].as_error()
        super().__init__(first.code, first.what, where=first.where, why=first.why, fix=first.fix)
        self.flaws = flaws
        self.errors = [flaw.as_error() for flaw in flaws]
