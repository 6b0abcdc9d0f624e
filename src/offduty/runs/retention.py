"""Which logs may go: by age, by number and by size, never one that somebody still needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """One run of a job as retention sees it: its `id`, its age in seconds and the bytes of its files."""

    id: str
    age_s: float
    size: int


def to_delete(
    runs: Sequence[Kept], *, keep_s: float | None, keep_runs: int | None, keep_bytes: int | None, needed: Collection[str] = ()
) -> list[str]:
    """The ids of `runs` (newest first) that are beyond a limit (None: there is none), oldest first.

    `needed`: runs that stay whatever the limits say, such as those of an open incident. They count towards the limits all the same.
    """
    gone, total = [], 0
    for position, run in enumerate(runs):
        total += run.size
        too_old = keep_s is not None and run.age_s > keep_s
        too_many = keep_runs is not None and position >= keep_runs
        too_large = keep_bytes is not None and total > keep_bytes and position > 0
        if (too_old or too_many or too_large) and run.id not in needed:
            gone.append(run.id)
    return gone[::-1]
