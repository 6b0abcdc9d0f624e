"""What a watcher makes of its two clocks."""

from __future__ import annotations

import pytest

from offduty.watch.looking import Look, between, read_look

HOUR, DAY, SIX = 3600.0, 86_400.0, 1_795_413_600.0


def looks(*walls: float, step: float = 10.0, boot: str = "b") -> list[Look]:
    """One after another, so many monotonic seconds apart."""
    return [Look(wall, 100 + number * step, boot) for number, wall in enumerate(walls)]


def last_of(*walls: float) -> tuple[float, float | None]:
    """(step, slots that are open again) at the last look, after all others."""
    at, *rest = looks(*walls)
    for look in rest:
        found = between(at, look)
        at = found.now
    return found.stepped, found.reopen


@pytest.mark.parametrize("set_by", [HOUR, DAY, 8 * HOUR, -HOUR])
def test_a_clock_that_is_set_is_seen(set_by: float) -> None:
    """F54, F55, F60: starts that are new then happened since the last look, or, where the clock shows less now, just now."""
    found = between(*looks(SIX, SIX + 10 + set_by))
    assert (found.stepped, found.since, found.reopen) == (set_by, min(SIX, SIX + 10 + set_by), None)


def test_a_watcher_that_was_away_for_hours_saw_no_step() -> None:
    """F61: both clocks went on, so what was due meanwhile was due."""
    found = between(*looks(SIX, SIX + 12 * HOUR, step=12 * HOUR))
    assert (found.stepped, found.since) == (0.0, SIX)


def test_slots_open_again_when_a_wrong_clock_is_put_right() -> None:
    """F55: a year ahead for ten seconds must not leave a job unwatched for a year; nothing before the mistake comes back."""
    assert last_of(SIX, SIX + 365 * DAY, SIX + 20) == (SIX + 20 - SIX - 365 * DAY - 10, SIX + 20)
    assert last_of(SIX, SIX + 365 * DAY, SIX - DAY)[1] == SIX
    assert last_of(SIX, SIX + 365 * DAY, SIX + 730 * DAY, SIX + 366 * DAY, SIX + DAY)[1] == SIX + DAY


@pytest.mark.parametrize("walls", [(SIX, SIX - DAY), (SIX, SIX + HOUR, SIX + 20), (SIX, SIX + 8 * HOUR, SIX + 8 * HOUR - 90)])
def test_slots_stay_settled_where_schedulers_start_nothing_again(walls: tuple[float, ...]) -> None:
    """F54: less than three hours, or a clock that was right before."""
    assert last_of(*walls)[1] is None


def test_across_a_reboot_only_a_clock_that_runs_behind_was_set() -> None:
    """F08, F61: the monotonic clock began anew and says nothing."""
    before, after = Look(SIX, 9999.0, "b"), Look(SIX + DAY, 5.0, "c")
    assert (between(before, after).stepped, between(before, after).since) == (0.0, SIX)
    assert between(before, Look(SIX - HOUR, 5.0, "c")).stepped == -HOUR


def test_a_look_comes_back_from_the_store_as_it_went() -> None:
    """Round trip; what is no number, or from an older offduty, is not known (B9)."""
    look = Look(SIX, 5.0, "b", ((SIX - 1, 7.0),))
    assert read_look(SIX, look.facts()) == look
    assert read_look(SIX, {"monotonic": "x", "boot": 5, "jumps": [["x", True]]}) == Look(SIX, 0.0)
