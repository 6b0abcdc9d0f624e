"""Who has taken over what: the rows of the triage table, and the job itself, each by the team that is named there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from offduty.handover.store import Acceptance

ITSELF = ""
"""The row that stands for the job as a whole, for its owner to accept."""

Standing = Literal["accepted", "refused", "changed", "open", "nobody"]


@dataclass(frozen=True)
class Ours:
    """One thing to be accepted. `row`: its name, or ITSELF; `team`: "" if nobody is named; `digest`: of all that it says."""

    row: str
    team: str
    title: str
    digest: str


@dataclass(frozen=True)
class Stands:
    """How it stands. `last`: the newest word of its team, if there is one. `changed`: it was accepted, and is another by now."""

    ours: Ours
    standing: Standing
    last: Acceptance | None = None


def digest_of(values: Mapping[str, Any], team: str, contact: str) -> str:
    """What is accepted: all that a row says, whose it is, and how they are reached."""
    text = json.dumps([values, team, contact], sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def standings(ours: Sequence[Ours], acceptances: Iterable[Acceptance]) -> list[Stands]:
    """How each row stands, in their order. The word of a team that it is not (any more) given to counts nothing."""
    said = {(one.team, one.row): one for one in acceptances}
    return [_stands(one, said.get((one.team, one.row))) for one in ours]


def _stands(ours: Ours, last: Acceptance | None) -> Stands:
    if not ours.team:
        return Stands(ours, "nobody")
    if last is None:
        return Stands(ours, "open")
    if not last.accepted and last.digest == ours.digest:
        return Stands(ours, "refused", last)
    return Stands(ours, "accepted" if last.digest == ours.digest else "changed", last)


def accept(ours: Sequence[Ours], team: str, by: str, now: float, job: str, refused: Mapping[str, str]) -> list[Acceptance]:
    """The word of a team on all that is given to it. `refused`: reasons by row."""
    return [
        Acceptance(job, team, one.row, one.digest, one.row not in refused, by, now, refused.get(one.row, ""))
        for one in ours
        if one.team == team
    ]
