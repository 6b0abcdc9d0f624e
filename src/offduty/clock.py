"""The only place that reads the time and makes ids: everything else is handed a `Clock`, so that tests can play years in a second."""

from __future__ import annotations

import os
import time


class Clock:
    """The time of this machine: wall time in seconds since 1970 (UTC), monotonic seconds, and sleep."""

    def wall(self) -> float:
        """Seconds since 1970, UTC; may jump."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back; comparable within one boot of one machine only."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def boot_id() -> str:
    """What names this boot of this machine (Linux: the kernel's random boot id; elsewhere empty)."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def new_id(wall: float) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits; sorts by time."""
    random = int.from_bytes(os.urandom(10), "big")
    number = int(wall * 1000) << 80 | 0x7 << 76 | (random >> 68) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def short_id(run_id: str) -> str:
    """The eight last hex digits: random, so they tell runs of one minute apart, which the first eight do not."""
    return run_id[-8:]


def rfc3339(wall: float) -> str:
    """`2026-11-23T06:00:00.412Z`: how every time is written that a program may read."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(wall))}.{int(wall * 1000) % 1000:03d}Z"


def wall_of(moment: str) -> float:
    """The wall time that `rfc3339` wrote as `moment`; raises ValueError for what is no time."""
    from datetime import datetime  # a run's fast path knows no dates

    return datetime.fromisoformat(moment).timestamp()


def clock_time(wall: float) -> str:
    """`06:00:00.412`, UTC: the time column of a run's log."""
    return f"{time.strftime('%H:%M:%S', time.gmtime(wall))}.{int(wall * 1000) % 1000:03d}"


def file_stamp(wall: float) -> str:
    """`2026-11-23T06-00-00Z`: a time that may stand in a file name."""
    return time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime(wall))
