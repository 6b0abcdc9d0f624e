"""Models that are loaded by `pickle.load` (and so by `cloudpickle.load`) from a file with the name of one."""

from __future__ import annotations

import sys

from offduty_probe.capture.models import is_model
from offduty_probe.capture.noise import is_noise
from offduty_probe.capture.targets import at, target_of
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """The file itself counts when it is opened, so what is no model needs no second mention."""
    patches = Patches(record)
    patches.wrap(sys.modules["pickle"], "load", _loaded, lambda _, args, kwargs: at(_target(args, kwargs)), also=["_pickle", "cloudpickle"])
    return patches.undo


def _loaded(args: Any, kwargs: Any) -> Said | None:
    target = _target(args, kwargs)
    return ("model.load", target) if is_model(target) and not is_noise(target) else None


def _target(args: Any, kwargs: Any) -> str:
    return target_of(argument(args, kwargs, 0, "file"))
