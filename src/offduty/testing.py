"""For tests, ours and yours: a clock that moves only when told, and the record of a run with every field filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offduty.clock import Clock, new_id, rfc3339
from offduty.stores.memory import MemoryStore

if TYPE_CHECKING:
    from offduty.runs.store import Record

__all__ = ["FakeClock", "MemoryStore", "a_run"]

MONDAY = 1_795_413_600.0  # 2026-11-23T06:00:00Z


class FakeClock(Clock):
    """Starts at `wall` (by default Monday, 23 November 2026, 06:00 UTC); `sleep` takes no time and moves it on. `slept`: every sleep."""

    def __init__(self, wall: float = MONDAY) -> None:
        self._wall, self._monotonic = wall, 1000.0
        self.slept: list[float] = []

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += seconds
        self._monotonic += seconds

    def set_wall(self, wall: float) -> None:
        """Set the wall clock, as an operator or NTP would; monotonic time does not notice."""
        self._wall = wall


def a_run(job: str = "forecast", outcome: str = "succeeded", *, at: float = MONDAY, **fields: object) -> Record:
    """The record of a run of `job` that started at `at` (seconds since 1970) and took 12 s; `fields` override any field."""
    run_id = new_id(at)
    ended = outcome != "running"
    return {
        "id": run_id,
        "root_id": run_id,
        "job": job,
        "trigger": "manual",
        "attempt": 1,
        "attempts": 1,
        "outcome": outcome,
        "exit_code": 0 if ended else None,
        "exit_source": "child" if ended else None,
        "signal": None,
        "started_at": rfc3339(at),
        "ended_at": rfc3339(at + 12) if ended else None,
        "duration_s": 12.0 if ended else None,
        "log": f"/var/log/offduty/{job}/{run_id}.log",
        "host": "etl-3",
        "user": "ada",
        "pid": 4711,
        "boot_id": "5f0b1d3e-0000-4000-8000-000000000001",
        "pid_started": 123456,
        "command": ["python", f"{job}.py"],
        "cwd": "/home/ada",
        "summary": {"what": None, "notes": [], "warnings": [], "failure": None} if ended else None,
        **fields,
    }
