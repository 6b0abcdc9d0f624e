"""One thing that is not as it was on the last good run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "input.columns", "input.types", "input.rows", "input.size", "input.age", "input.missing",
    "output.missing", "output.rows", "output.size", "code", "packages", "python", "host", "command", "environment",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Change:
    """`subject`: what changed (a target, a package, a variable's name), or empty. `text`: how, in words, without the subject.

    `names`: what came (`+name`), went (`-name`) or is another (`~name`): columns, packages, variables. `unusual`: outside of what good
    runs show, so that it may well be the reason; a change of every day (a few rows more, another date) is told and not unusual.
    """

    kind: Kind
    subject: str
    text: str
    names: tuple[str, ...] = ()
    unusual: bool = False

    def as_json(self) -> dict[str, Any]:
        """As a record's summary holds it."""
        return {**asdict(self), "names": list(self.names)}
