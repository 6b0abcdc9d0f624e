"""Every hook puts back exactly what was there."""

from __future__ import annotations

import logging
import multiprocessing.util
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

import loguru._handler
import pytest
import structlog._base

from offduty_probe import hooks, patching
from offduty_probe.hooks import relays
from offduty_probe.recorder import Recorder

PLACES: dict[str, list[tuple[Any, str]]] = {
    "uncaught": [(sys, "excepthook"), (sys, "__excepthook__")],
    "exits": [(sys, "exit")],
    "threads": [(threading, "excepthook"), (threading, "__excepthook__")],
    "workers": [(multiprocessing.util, "_exit_function"), (traceback, "print_exc")],
    "warned": [(warnings, "_showwarnmsg")],
    "stdlib_logging": [(logging.Logger, "callHandlers")],
    "loguru_messages": [(loguru._handler.Handler, "emit")],
    "structlog_events": [(structlog._base.BoundLoggerBase, "_process_event")],
}


def test_every_hook_is_tried_here() -> None:
    """A new line in the tables needs a line above."""
    assert {*hooks.AT_ONCE, *hooks.WHEN_IMPORTED.values()} == set(PLACES)


@pytest.mark.parametrize("hook", PLACES)
def test_a_hook_puts_back_what_was_there(hook: str, tmp_path: Path) -> None:
    """`install` replaces, the undo it gives puts the very same objects back."""
    before = [vars(owner)[name] for owner, name in PLACES[hook]]
    undo: Any = hooks.load(hook)(Recorder(str(tmp_path / "events"), "t"))
    try:
        assert all(vars(owner)[name] is not original for (owner, name), original in zip(PLACES[hook], before, strict=True))
    finally:
        undo()
        relays.handing_over.clear()
        patching.forget_imports()
    assert [vars(owner)[name] for owner, name in PLACES[hook]] == before
