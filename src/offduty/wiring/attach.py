"""Hang the heavier parts into a run's `World`: each is imported when it is first needed, and by then the job is running."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.runs.attempts import World
    from offduty.wiring.runs import Keeper


def attach(world: World, options: Mapping[str, Any]) -> None:
    """`options`: those of `offduty run` (`quiet`, `summary`)."""

    keepers: list[Keeper] = []

    def keeper() -> Keeper:
        if not keepers:
            from offduty.wiring.runs import Keeper

            keepers.append(Keeper(world, options))
        return keepers[0]

    world.redactor = lambda job: keeper().redactor(job)
    world.started = lambda attempt: keeper().started(attempt)
    world.ended = lambda attempt: keeper().ended(attempt)
    world.chores = lambda attempt: keeper().chores(attempt)
    world.skipped = lambda job, record, holder: keeper().skipped(job, record, holder)
