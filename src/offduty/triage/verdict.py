"""What explains a failure, and whose it is: the answer of triage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

UNKNOWN = "unknown"
GUESSED = "words."  # how the row of a verdict begins that only words suggest

Confidence = Literal["high", "medium", "low"]
Source = Literal["table", "catalogue", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """`row`: the id of the user's row or of the catalogue's signature; None if nothing explains the failure.

    `category` and `owner_kind` are the catalogue's (a row of one's own keeps what the catalogue would have said). `team`: the name of a
    configured team, or None; `contact`: how it is reached. `evidence`: what the verdict rests on, a short sentence each, strongest first.
    """

    category: str = UNKNOWN
    owner_kind: str | None = None
    row: str | None = None
    source: Source = "unknown"
    title: str = ""
    cause: str = ""
    steps: tuple[str, ...] = ()
    team: str | None = None
    contact: str = ""
    severity: str = "error"
    confidence: Confidence = "low"
    evidence: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    dependency: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As a record's `summary.verdict` holds it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def from_json(found: Mapping[str, Any]) -> Verdict:
    """The inverse of `as_json`; what is not known is left out."""
    known = {name: found[name] for name in Verdict.__dataclass_fields__ if name in found}
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    return Verdict(**fields)
