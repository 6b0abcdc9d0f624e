"""What is remembered of coverage and drills: when somebody looked, what was rehearsed, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from offduty.clock import rfc3339


@dataclass(frozen=True)
class Looked:
    """A look at the coverage of a job. `share`: what rows explain; `known`: with the catalogue; 0 to 1. `of`: so many faults."""

    job: str
    at: float
    share: float
    known: float
    holes: int
    of: int


@dataclass(frozen=True)
class Rehearsed:
    """One drill. `row`: the one that had to win, "" if none is expected; `fault`, `op`, `target`: what was broken; `passed`: as promised.

    `loud`, `named`, `won`, `told`: whether the job failed by it, its log names what was struck, the row won, somebody was told;
    None where it does not apply. `took`: seconds from the start of the run to the message. `entry`: all the rest, for programs.
    """

    job: str
    at: float
    row: str
    fault: str
    op: str
    target: str
    passed: bool
    said: str
    loud: bool | None = None
    named: bool | None = None
    won: bool | None = None
    told: bool | None = None
    took: float | None = None
    entry: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it and `--json` shows it: the entry's keys beside the others."""
        found = asdict(self)
        return {**found.pop("entry"), **found}


@dataclass(frozen=True)
class Turn:
    """All drills of a job, done once. `number`: 0 until it is kept. `by`: `watch`, or `hand`. `tries`: how often it was taken up.

    `outcome`: "" while it goes on, then `passed`, `failed` or `could not`; `passed` of `of` went as promised; `said`: in words; `code`: of
    the error that it could not be done for.
    """

    job: str
    began_at: float
    number: int = 0
    by: str = "watch"
    tries: int = 1
    ended_at: float | None = None
    outcome: str = ""
    passed: int = 0
    of: int = 0
    said: str = ""
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `--json` shows it."""
        ended = None if self.ended_at is None else rfc3339(self.ended_at)
        told = {"began_at": rfc3339(self.began_at), "ended_at": ended, "outcome": self.outcome or "begun", "code": self.code or None}
        return {**{name: getattr(self, name) for name in ("number", "by", "tries", "passed", "of", "said")}, **told}


def rehearsed(found: Mapping[str, Any]) -> Rehearsed:
    """The inverse of `as_json`. Raises TypeError for what is none."""
    names = [name for name in Rehearsed.__dataclass_fields__ if name != "entry"]
    rest = {key: value for key, value in found.items() if key not in names}
    return Rehearsed(**{name: found[name] for name in names if name in found}, entry=rest)


class DrillStore(Protocol):
    """Every method may raise `StoreError`, and then has changed nothing."""

    def looked(self, one: Looked) -> None:
        """Remember a coverage."""

    def coverages(self, job: str) -> list[Looked]:
        """By time, the oldest first; at most the newest thousand."""

    def rehearse(self, drills: Sequence[Rehearsed]) -> None:
        """Remember them, all or none."""

    def rehearsals(self, job: str) -> list[Rehearsed]:
        """Of each row, fault and target the newest, in the order in which they were first rehearsed."""

    def forget(self, before: float) -> int:
        """Forget drills and turns of before then, and of each job's drills all but the newest ten thousand; how many (INV-11)."""

    def put_turn(self, turn: Turn) -> Turn:
        """Keep it, or what it is now; it comes back with its number."""

    def turns(self, job: str) -> list[Turn]:
        """By time, the oldest first; at most the newest hundred."""

    def last_turns(self) -> dict[str, Turn]:
        """The newest turn of each job that ever had one."""
