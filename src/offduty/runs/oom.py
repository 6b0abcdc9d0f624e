"""Did the kernel kill for memory? Exit status 137 alone proves nothing: only the control group's own count does."""

from __future__ import annotations

ROOTS: tuple[str, ...] = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
COUNTERS = ("memory.events", "memory.oom_control")  # version 2, version 1


def kills() -> int | None:
    """How often a process of our control group was killed for memory; None where nobody counts."""
    for folder in _folders():
        for counter in COUNTERS:
            try:
                with open(f"{folder}/{counter}", encoding="ascii") as file:
                    found = dict(line.split() for line in file)
            except (OSError, ValueError):
                continue
            if "oom_kill" in found:
                return int(found["oom_kill"])
    return None


def count(folder: str, number: int) -> None:
    """Write down so many kills as the kernel does (version 2). For drills, which have a count of their own."""
    with open(f"{folder}/{COUNTERS[0]}", "w", encoding="ascii") as file:
        file.write(f"oom_kill {number}\n")


def _folders() -> list[str]:
    """Where our group may be: its path below each root, and the root itself, which is what a container sees of its own group."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except (OSError, ValueError):
        return []
    paths = [path for _, controllers, path in lines if not controllers or "memory" in controllers.split(",")]
    return [f"{root}{path}".rstrip("/") for root in ROOTS for path in paths] + list(ROOTS)
