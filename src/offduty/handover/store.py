"""What letting go needs from a store: who took what over, what people did and asked for, how ready a job was, and its past in brief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from offduty.handover.request import Request

GOOD = ("succeeded", "warned")
BAD = ("failed", "timed_out", "terminated", "lost")


@dataclass(frozen=True)
class Acceptance:
    """A team took over a row of the triage table, or refused it. `row`: its name, "" for the job itself. `digest`: of what it was then."""

    job: str
    team: str
    row: str
    digest: str
    accepted: bool
    by: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Touch:
    """Something a person did for a job. `hours`: how long it took; None if nobody said."""

    job: str
    at: float
    by: str
    text: str
    hours: float | None = None


@dataclass(frozen=True)
class Reading:
    """How ready a job was. `states`: by the code of each item; `score` in per cent."""

    job: str
    at: float
    level: str
    score: int
    states: Mapping[str, str]


class Past(NamedTuple):
    """A run in brief (no dataclass: there may be 100 000). `at`: its start. `version`: of its code, "" if unknown; `label`: for people."""

    id: str
    root_id: str
    trigger: str
    outcome: str
    at: float
    version: str
    label: str


Measured = tuple[str, str, float, str]
"""One value of one metric: the run's id, name, value, unit ("" if there is none)."""


class HandoverStore(Protocol):
    """Every method may raise `StoreError`, and then has changed nothing. Times: seconds since 1970."""

    def accept(self, acceptances: Sequence[Acceptance]) -> None:
        """Remember them, all or none."""

    def acceptances(self, job: str) -> list[Acceptance]:
        """Of each team and row the newest, by team and row."""

    def touch(self, touch: Touch) -> None:
        """Remember it."""

    def touches(self, job: str) -> list[Touch]:
        """By time."""

    def add_request(self, request: Request) -> int:
        """Its number."""

    def put_request(self, request: Request) -> bool:
        """Change the one of that number; False if there is none."""

    def requests(self, job: str | None = None) -> list[Request]:
        """By number."""

    def read(self, reading: Reading) -> bool:
        """Remember a reading; False if it is as the last one was, but for its time, which changes nothing."""

    def readings(self, job: str) -> list[Reading]:
        """By time."""

    def past(self, job: str, limit: int | None = None) -> list[Past]:
        """The newest runs of a job that have ended, drills and skipped ones left out, the oldest first."""

    def measured(self, job: str) -> list[Measured]:
        """All metrics of the runs of `past`, in their order. Those of drills may be among them: look up the run."""
