"""When a message may go out: quiet hours and digest times, in the zone of the job, over every change of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offduty.alerts.plan import Policy, Urgency


def not_before(urgency: Urgency, policy: Policy, now: float) -> float:
    """The moment (seconds since 1970) at which a message that is owed at `now` is due."""
    zone = _zone(policy.timezone)
    if urgency == "digest":
        return min((_next(text, zone, now) for text in policy.digest_at if _clock(text)), default=now)
    ends = [end for pair in policy.quiet_hours if (end := _end_of(pair, zone, now)) is not None]
    return max(ends, default=now)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def _next(text: str, zone: ZoneInfo, now: float) -> float:
    """The next moment after `now` at which clocks there show `text`; a time that a day leaves out is taken right after the gap."""
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    moments = (_at(today + timedelta(days=days), text, zone) for days in range(3))
    return next(moment for moment in moments if moment > now)


def _at(day: date, text: str, zone: ZoneInfo) -> float:
    clock = _clock(text) or time()
    return datetime.combine(day, clock.replace(tzinfo=None), zone).timestamp()


def _end_of(pair: tuple[str, str], zone: ZoneInfo, now: float) -> float | None:
    """The end of the quiet hours that `now` is in, None outside of them. They may reach over midnight."""
    begin, end = _clock(pair[0]), _clock(pair[1])
    if begin is None or end is None or begin == end:
        return None
    shown = datetime.fromtimestamp(now, UTC).astimezone(zone).time()
    inside = begin <= shown < end if begin < end else shown >= begin or shown < end
    return _next(pair[1], zone, now) if inside else None
