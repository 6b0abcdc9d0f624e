"""What the probe watches: one file a thing, with `install(recorder) -> undo`, and one line here."""

from __future__ import annotations

from offduty_probe.guard import quietly
from offduty_probe.patching import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.recorder import Recorder

AT_ONCE = ("uncaught", "exits")
# A hook is loaded when the job itself imports what it watches: a job that does not pays nothing.
WHEN_IMPORTED = {
    "threading": "threads",
    "multiprocessing.util": "workers",
    "warnings": "warned",
    "logging": "stdlib_logging",
    "loguru._handler": "loguru_messages",
    "structlog._base": "structlog_events",
}


def install(recorder: Recorder) -> None:
    """Install every hook, now or when its module is imported."""
    for hook in AT_ONCE:
        quietly(load(hook), recorder)
    for module, hook in WHEN_IMPORTED.items():
        when_imported(module, lambda _, hook=hook: load(hook)(recorder))  # type: ignore[misc]


def load(hook: str) -> Callable[[Recorder], object]:
    """The `install` of a hook."""
    name = f"{__name__}.{hook}"
    return getattr(__import__(name, fromlist=["install"]), "install")  # type: ignore[no-any-return]  # noqa: B009
