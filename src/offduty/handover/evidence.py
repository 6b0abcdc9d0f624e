"""Everything readiness is judged by, as plain values. What is not known is None or empty, and counts as not earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from offduty.drills.store import Turn
from offduty.handover.acceptance import Stands
from offduty.handover.seams import CoverageShare, DrillResult
from offduty.handover.store import Past


@dataclass(frozen=True)
class Team:
    """A team that the job concerns. `channels`: names that are configured; `alone`: the one person who is all of it, or ""."""

    name: str
    contact: str = ""
    channels: tuple[str, ...] = ()
    alone: str = ""


@dataclass(frozen=True)
class Resolved:
    """An incident that is over, and somebody took care of. `row`: of the triage table, or "" if none explained it."""

    by: str
    row: str
    at: float


@dataclass(frozen=True)
class Evidence:
    """Of one job. Times: seconds since 1970. `runs`: the newest, oldest first. `proven`: when each channel was last confirmed to arrive.

    `pinned`: what pins the environment, "" if nothing; `same_packages`: how many newest runs had the very same packages.
    `dirty`: None if it is not known. `secrets`: places in files where one stands open; `sources`: files of the code that were looked at.
    `keep_s`: how long logs are kept.
    `turn`: the last time that everything was rehearsed.
    """

    job: str
    now: float
    owner: str = ""
    runs: tuple[Past, ...] = ()
    schedule: str = ""
    watched: bool = False
    watcher_seen: float | None = None
    teams: tuple[Team, ...] = ()
    proven: Mapping[str, float | None] = field(default_factory=dict)
    dependencies: Mapping[str, str | None] = field(default_factory=dict)
    rows: tuple[str, ...] = ()
    coverage: CoverageShare | None = None
    drills: tuple[DrillResult, ...] = ()
    turn: Turn | None = None
    pinned: str = ""
    same_packages: int = 0
    commit: str = ""
    dirty: bool | None = None
    secrets: tuple[str, ...] = ()
    sources: int = 0
    keep_s: float = 0.0
    keep_runs: int = 0
    authors: frozenset[str] = frozenset()
    resolved: tuple[Resolved, ...] = ()
    stands: tuple[Stands, ...] = ()
