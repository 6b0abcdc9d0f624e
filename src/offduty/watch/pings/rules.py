"""What a ping does to its check and to the runs it tells of. Pure: facts and a moment in, facts out.

For the check itself the rules are those of healthchecks, in their order (`advance`): paused until somebody resumes it, methods, words in
the body; then start, success and failure. Which run a ping belongs to is ours (`take`): runs that overlap are told apart by their rid.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from offduty.watch.pings.check import MOST_OPEN, Check, Open, Ping

SAME_START = 60.0
"""Seconds within which a second start without a rid is the first one, sent again because its answer was lost."""


@dataclass(frozen=True)
class Effect:
    """What a ping came to. `check`: as it is now. `begins`: a run that has started. `ends`: one that has ended; with `alone`, one that
    started and ended with this very ping. `given_up`: runs of which nobody will ever say how they ended. `adds_to`: its log gets the body.
    """

    check: Check
    ping: Ping
    begins: Open | None = None
    ends: Open | None = None
    alone: bool = False
    given_up: tuple[Open, ...] = ()
    adds_to: Open | None = None


def take(check: Check, ping: Ping, run: str) -> Effect:
    """What the ping does. `run`: the id that a new run gets."""
    ping = judged(check, ping)
    now = replace(advance(check, ping), pings=check.pings + 1)
    if ping.action == "start":
        return _start(now, ping, run)
    if ping.action in ("success", "fail"):
        return _end(now, ping, run, was_running=check.last_start is not None)
    return Effect(now, ping, adds_to=_same(check.open, ping) or _newest(check.open, ping) if ping.action == "log" else None)


def judged(check: Check, ping: Ping) -> Ping:
    """The ping with the action that counts."""
    filters = check.filters
    if check.status == "paused" and check.manual_resume:
        return replace(ping, action="ign")
    if filters.post_only and ping.method != "POST":
        return replace(ping, action="ign")
    if not filters.by_body:
        return ping
    text = ping.body.decode("utf-8", "replace")
    if any(word in text for word in filters.failure):
        return replace(ping, action="fail")
    if any(word in text for word in filters.success):
        return replace(ping, action="success")
    if any(word in text for word in filters.start):
        return replace(ping, action="start")
    return replace(ping, action="fail" if filters.default_fail else "ign")


def advance(check: Check, ping: Ping) -> Check:
    """The check's state after a ping whose action is judged: healthchecks' rules (F83)."""
    if ping.action == "start":
        return replace(check, last_start=ping.at, last_start_rid=ping.rid)
    if ping.action not in ("success", "fail"):
        return check
    ended = replace(check, last_ping=ping.at, last_duration=None, status="down" if ping.action == "fail" else "up")
    if check.last_start is not None and check.last_start_rid == ping.rid:
        return replace(ended, last_duration=max(0.0, ping.at - check.last_start), last_start=None, last_start_rid="")
    if ping.action == "fail" or not ping.rid:
        return replace(ended, last_start=None, last_start_rid="")
    return ended


def _start(check: Check, ping: Ping, run: str) -> Effect:
    """A rid that is known is the same run. Without one, a start soon after another is that one again; later, the first was given up."""
    same = _same(check.open, ping)
    if same is not None and (ping.rid or abs(ping.at - same.at) <= SAME_START):
        return Effect(check, ping, adds_to=same)
    begun = Open(run, ping.rid, ping.at)
    given_up = tuple(one for one in check.open if not ping.rid and not one.rid)
    left = [one for one in check.open if one not in given_up]
    given_up += tuple(left[: max(0, len(left) + 1 - MOST_OPEN)])
    left = [one for one in left if one not in given_up]
    return Effect(replace(check, open=(*left, begun)), ping, begins=begun, given_up=given_up)


def _end(check: Check, ping: Ping, run: str, *, was_running: bool) -> Effect:
    ended = _same(check.open, ping) or (_newest(check.open, ping) if was_running else None)
    if ended is None:
        return Effect(check, ping, ends=Open(run, ping.rid, ping.at), alone=True)
    return Effect(replace(check, open=tuple(one for one in check.open if one is not ended)), ping, ends=ended)


def _same(known: tuple[Open, ...], ping: Ping) -> Open | None:
    """The run with the ping's rid, or that has none either; of several the last one."""
    return next((one for one in reversed(known) if one.rid == ping.rid), None)


def _newest(known: tuple[Open, ...], ping: Ping) -> Open | None:
    """For a ping that names no run: the one that started last."""
    return next(reversed(known), None) if not ping.rid else None
