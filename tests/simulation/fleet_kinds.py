"""The kinds of jobs that a fleet has: what they promise, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

HOUR = 3600.0
NOONS = tuple(  # before clocks are put forward and back, and one ordinary day
    datetime(*day, 12, tzinfo=UTC) for day in ((2027, 3, 27), (2027, 10, 30), (2027, 3, 13), (2027, 11, 6), (2026, 11, 23))
)
BEGINNINGS = tuple(noon.timestamp() for noon in NOONS)
HOLIDAYS = tuple((noon + timedelta(days=1)).date().isoformat() for noon in NOONS)
MAX_AGE = 45 * 60.0
"""Of outputs."""


@dataclass(frozen=True)
class Kind:
    """`longest`: seconds that its runs take; `hangs`: the share that hang for an hour or so and are killed then, which is no good run;
    `fails`: the share that fail and are tried again; `writes`: whether good runs leave a file; `starts`: whether anything ever starts it.
    """

    promise: Mapping[str, Any]
    longest: float = 500.0
    hangs: float = 0.0
    fails: float = 0.0
    writes: bool = False
    starts: bool = True


KINDS = (
    Kind({"cron": "*/15 * * * *", "start_grace": 120.0, "zone": "Europe/London"}),
    Kind({"cron": "0 * * * *", "start_grace": 300.0}),
    Kind({"cron": "30 2 * * *", "start_grace": 600.0, "zone": "America/New_York"}),
    Kind({"cron": "30 1 * * *", "zone": "Europe/London"}),
    Kind({"on_calendar": "*-*-* *:20:00", "start_grace": 300.0, "zone": "Australia/Lord_Howe"}),
    Kind({"every": HOUR, "start_grace": 600.0}),
    Kind({"every": 7 * HOUR, "start_grace": 1200.0, "zone": "Europe/London", "except_on": HOLIDAYS}),
    Kind({"every": 900.0, "start_grace": 120.0, "zone": "America/New_York"}),
    Kind({"cron": "*/20 * * * *", "start_grace": 120.0, "max_duration": 540.0}, hangs=0.05),
    Kind({"cron": "*/15 * * * *", "start_grace": 120.0}, longest=60.0, hangs=0.02),
    Kind({"cron": "*/15 * * * *", "start_grace": 120.0}, longest=60.0, fails=0.2),
    Kind({"cron": "0 * * * *", "start_grace": 300.0, "zone": "America/New_York", "except_on": HOLIDAYS}),
    Kind({"cron": "*/30 * * * *", "start_grace": 300.0}, writes=True),
    Kind({"cron": "0 */2 * * *"}, starts=False),
)
