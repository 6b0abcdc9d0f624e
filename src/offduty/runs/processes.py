"""Looking at processes through /proc: who descends from whom, and whether one is still the one that was meant."""

from __future__ import annotations

import os


class Process:
    """A process: `pid`, `parent`, process `group`, `name` (of its program, 15 bytes), `started` (clock ticks since boot), `state`."""

    __slots__ = ("group", "name", "parent", "pid", "started", "state")

    def __init__(self, pid: int, name: str, state: str, parent: int, group: int, started: int) -> None:
        self.pid, self.name, self.state, self.parent, self.group, self.started = pid, name, state, parent, group, started


def look(pid: int) -> Process | None:
    """The process `pid`, or None. The name stands in parentheses and may hold any byte, so fields are counted from the last one."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            head, _, rest = file.read().rpartition(b")")
    except OSError:
        return None
    fields = rest.split()
    name = head.partition(b"(")[2].decode("utf-8", "backslashreplace")
    return Process(pid, name, fields[0].decode("ascii"), int(fields[1]), int(fields[2]), int(fields[19]))


def descendants(ancestor: int) -> list[Process]:
    """Every live process below `ancestor`, children before their children."""
    if not _proc_is_ours():
        return []
    children: dict[int, list[Process]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (process := look(int(entry))) is not None and process.state != "Z":
            children.setdefault(process.parent, []).append(process)
    found, waiting = [], [ancestor]
    while waiting:
        for process in children.get(waiting.pop(0), []):
            found.append(process)
            waiting.append(process.pid)
    return found


def _proc_is_ours() -> bool:
    """Whether /proc shows the process ids that we see. In a namespace entered without mounting it anew, they mean other processes."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False
