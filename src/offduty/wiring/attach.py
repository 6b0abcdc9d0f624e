"""Hang the heavier parts into a run's `World`: each is imported when it is first needed, and by then the job is running."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from offduty.runs.attempts import World


def attach(world: World, options: Mapping[str, Any]) -> None:
    """`options`: those of `offduty run` (`quiet`, `summary`)."""

    def late(name: str) -> Callable[..., Any]:
        def call(*args: object) -> Any:
            from offduty.wiring import runs

            return getattr(runs, name)(world, options, *args)

        return call

    world.redactor, world.started, world.ended = late("make_redactor"), late("run_started"), late("run_ended")
    world.chores, world.skipped = late("chores"), late("run_skipped")
