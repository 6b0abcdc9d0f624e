"""The production watcher, its rules and the store under virtual time: nothing false, nothing unnoticed, nothing twice, and in time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet import play
from fleet_mutants import MUTANTS, applied
from fleet_world import Fleet

JOBS = 28  # two of each kind
USUAL = Fleet(hours=12.0, seed=1, jobs=14, watchers=2, faults=3.0)
SHOWS = {  # the world that shows a mistake soon, where that is another one; most are of the one kind of jobs that it concerns
    "calls_lost_without_a_second_look": Fleet(hours=12.0, seed=1, jobs=8, watchers=1, faults=2.0, kind=0),
    "counts_attempts": Fleet(hours=12.0, seed=2, jobs=8, watchers=1, faults=1.0, kind=10),
    "forgets_starts_while_nobody_looked": Fleet(hours=12.0, seed=2, jobs=14, watchers=1, faults=3.0),
    "hears_nobody": Fleet(hours=12.0, seed=1, jobs=2, watchers=2, faults=3.0),
    "judges_a_tick_early": Fleet(hours=24.0, seed=8, jobs=14, watchers=1, faults=1.0),
    "judges_hours_that_never_were": Fleet(hours=12.0, seed=2, jobs=14, watchers=1, faults=3.0),
    "learns_nothing": Fleet(hours=12.0, seed=1, jobs=8, watchers=1, faults=1.0, kind=9),
    "leaves_a_wrong_clock_behind": Fleet(hours=12.0, seed=2, jobs=8, watchers=1, faults=6.0, kind=1),
    "never_finds_overdue": Fleet(hours=12.0, seed=1, jobs=6, watchers=1, faults=1.0, kind=8),
    "never_looks_at_outputs": Fleet(hours=12.0, seed=1, jobs=6, watchers=1, faults=1.0, kind=12),
    "tells_without_a_key": Fleet(hours=12.0, seed=5, jobs=14, watchers=2, faults=3.0),
    "trusts_the_wall_clock": Fleet(hours=12.0, seed=2, jobs=14, watchers=1, faults=3.0),
    "trusts_what_it_did_not_hear": Fleet(hours=12.0, seed=3, jobs=2, watchers=2, faults=3.0),
    "watches_what_has_left": Fleet(hours=12.0, seed=2, jobs=4, watchers=1, faults=2.0, kind=0),
}


def check(fleet: Fleet) -> dict:
    """Play it, and say how to play it again if something is wrong."""
    found, verdict = play(fleet)
    assert not verdict.wrong, "\n".join([*verdict.wrong[:10], f"again: play({fleet})"])
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_fleet_is_watched(seed):
    """INV-4, INV-9, INV-10, F07, F08, F52 to F57, F59 to F62, F63: 2 000 job-hours, with all that can happen to clocks and processes."""
    found = check(Fleet(hours=15.0, seed=seed, jobs=JOBS, watchers=1 + seed % 3))
    assert found["slots"] > 20 and found["faults"] > 10


@pytest.mark.timeout(600)
def test_a_fleet_without_faults_misses_nothing():
    """The nights on which clocks are put forward and back, and all goes well."""
    for seed in (0, 1, 3):
        found = check(Fleet(hours=20.0, seed=seed, jobs=6, watchers=1, faults=0.0))
        assert found["missed"] == 0 and found["slots"] > 100


def test_one_seed_is_one_trace():
    """A seed replays a failure byte for byte."""
    fleet = Fleet(hours=6.0, seed=7, jobs=12, faults=3.0)
    assert play(fleet)[0] == play(fleet)[0]


@pytest.mark.torture
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(1000, 1025))
def test_a_hundred_thousand_job_hours(seed):
    """As above."""
    check(Fleet(hours=48.0, seed=seed, jobs=84, watchers=1 + seed % 3))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_mistake_of_the_watcher_is_seen(name):
    """An oracle that cannot fail proves nothing: each mutant is caught within 20 seeds, the one that is known to show it first."""
    first = SHOWS.get(name, USUAL)
    with applied(name):
        assert any(play(replace(first, seed=seed))[1].wrong for seed in [first.seed, *range(1, 20)])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", sorted({USUAL, *SHOWS.values()}, key=str), ids=str)
def test_without_the_mistake_nothing_is_wrong(world):
    """What is seen of a mutant is its mistake, and nothing that its world shows anyway."""
    check(world)
