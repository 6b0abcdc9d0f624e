"""What customers ask for, and in which order it is worth doing: weighted shortest job first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STATES = ("open", "agreed", "done", "declined", "elsewhere")
"""`agreed`: a requirement of this tool. `elsewhere`: another tool serves it."""
OVER = ("done", "declined", "elsewhere")
LEAST_HOURS = 0.25
"""Effort below this counts as this: nothing is free."""


@dataclass(frozen=True)
class Request:
    """One wish. `value` and `urgency`: 1 to 10; `hours`: of work; `served_by`: "" for this tool, else another one's name."""

    job: str
    text: str
    asked_by: str
    at: float
    value: int = 5
    urgency: int = 5
    hours: float = 4.0
    served_by: str = ""
    state: str = "open"
    decided_by: str = ""
    decided_at: float | None = None
    reason: str = ""
    number: int = field(default=0)

    @property
    def weight(self) -> float:
        """WSJF: what a delay costs, by the hour of work that ends it."""
        return round((self.value + self.urgency) / max(self.hours, LEAST_HOURS), 2)

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)


def request_from_json(found: Mapping[str, Any]) -> Request | None:
    """The inverse of `as_json`; None for what is none."""
    try:
        request = Request(**{name: found[name] for name in Request.__dataclass_fields__ if name in found})
        return request if request.state in STATES and math.isfinite(request.weight) else None
    except (TypeError, ValueError):
        return None


def ranked(requests: Iterable[Request]) -> list[Request]:
    """Those to be done, the most worthwhile first; agreed before open where they are worth the same. Then what is over, by number."""
    return sorted(
        requests, key=lambda one: (one.state in OVER, -one.weight if one.state not in OVER else 0.0, one.state != "agreed", one.number)
    )


@dataclass(frozen=True)
class Requirements:
    """How far what was agreed for a tool is done. `met`: there is something agreed, and all of it is done."""

    agreed: int
    done: int
    waiting: int
    elsewhere: int

    @property
    def met(self) -> bool:
        """Nothing that was agreed is left."""
        return self.done > 0 and self.agreed == 0


def requirements(requests: Iterable[Request]) -> Requirements:
    """Counted over one job's requests; a wish that nobody has decided on yet is `waiting`."""
    states = [one.state for one in requests]
    return Requirements(states.count("agreed"), states.count("done"), states.count("open"), states.count("elsewhere"))
