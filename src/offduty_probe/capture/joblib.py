"""Models and other objects that joblib loads and dumps."""

from __future__ import annotations

import sys

from offduty_probe.capture.models import is_model
from offduty_probe.capture.noise import is_noise
from offduty_probe.capture.targets import at, is_path, reads, target_of, writes
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`joblib.Memory` loads and dumps by other ways: its results are a cache."""
    joblib = sys.modules["joblib"]
    patches = Patches(record)
    patches.wrap(joblib, "load", _loaded, lambda _, args, kwargs: _file(argument(args, kwargs, 0, "filename")))
    patches.wrap(joblib, "dump", _dumped, lambda _, args, kwargs: _file(argument(args, kwargs, 1, "filename")))
    return patches.undo


def _loaded(args: Any, kwargs: Any) -> Said | None:
    target = target_of(argument(args, kwargs, 0, "filename"))
    if is_noise(target):
        return None
    return "model.load" if is_model(target) else reads(target), target


def _dumped(args: Any, kwargs: Any) -> Said | None:
    target = target_of(argument(args, kwargs, 1, "filename"))
    return None if is_noise(target) else (writes(target), target)


def _file(place: Any) -> Known:
    return at(target_of(place)) if is_path(place) else {}
