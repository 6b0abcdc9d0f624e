"""Copies, moves and removals of whole files and folders by `shutil`: one transaction each."""

from __future__ import annotations

import sys

from offduty_probe.capture.noise import is_noise
from offduty_probe.capture.targets import of_file, target_of
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`rmtree` is an object with attributes of its own in some versions: they are shown by its wrapper too."""
    shutil = sys.modules["shutil"]
    patches = Patches(record)
    patches.wrap(shutil, ["copy", "copy2", "copyfile", "copytree", "move"], _copied, _size)
    patches.wrap(shutil, "rmtree", _removed)
    return patches.undo


def _copied(args: Any, kwargs: Any) -> Said | None:
    source, target = target_of(argument(args, kwargs, 0, "src")), target_of(argument(args, kwargs, 1, "dst"))
    return None if is_noise(target) else ("file.write", target, {"offduty.copied_from": source})


def _size(result: Any, args: Any, kwargs: Any) -> Known:
    """The functions give the place where the copy is, which may be a file within the folder that was named."""
    return of_file(target_of(result))


def _removed(args: Any, kwargs: Any) -> Said | None:
    target = target_of(argument(args, kwargs, 0, "path"))
    return None if is_noise(target) or kwargs.get("dir_fd") is not None else ("file.delete", target)
