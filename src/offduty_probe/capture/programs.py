"""What the captures of other programs share: which program, never its arguments; and `os.system`, `os.posix_spawn`."""

from __future__ import annotations

import os

from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-")
SHELL = "sh"


def install(record: Ledger) -> Callable[[], None]:
    """`os.system` and `os.posix_spawn`: the latter is over when the program has started."""
    patches = Patches(record)
    patches.wrap(os, "system", lambda args, kwargs: spawn(argument(args, kwargs, 0, "command"), True), _exited, also=["posix"])
    patches.wrap(os, ["posix_spawn", "posix_spawnp"], lambda args, kwargs: spawn(argument(args, kwargs, 0, "path"), False), also=["posix"])
    return patches.undo


def spawn(command: Any, shell: bool) -> Said:
    """For `describe`: the start of `command`, a text or a list whose first item is the program."""
    name = program(command, shell)
    return "process.spawn", name, {"process.executable.name": name.rpartition("/")[2] or name}


def program(command: Any, shell: bool) -> str:
    """The program of a command. Of a line for the shell its first word, if it is one: `KEY=secret curl` is the shell's."""
    first = command
    if not isinstance(command, (str, bytes, os.PathLike)):
        first = command[0]
    text = os.fsdecode(first)
    if shell:
        words = text.split(None, 1)
        text = words[0] if words and PLAIN.issuperset(words[0]) else SHELL
    return text


def exit_code(code: int) -> Known:
    """For `known`: as Python has it, negative for a signal."""
    return {"status": code, "attributes": {"process.exit.code": code}}


def _exited(status: Any, args: Any, kwargs: Any) -> Known:
    return exit_code(-(status & 0x7F) if status & 0x7F else status >> 8)
