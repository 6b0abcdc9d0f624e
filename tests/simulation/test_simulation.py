"""The production outbox, incidents and store under virtual time: nothing lost, nothing twice without a reason, nothing unexpected."""

from __future__ import annotations

import pytest
from sim import again, play
from sim_mutants import MUTANTS, applied
from sim_world import Life

HOURS = 2000
ONE = 250.0


def check(life: Life) -> dict:
    """Play it, and say how to play it again if something is wrong."""
    found, verdict = play(life)
    assert not verdict.wrong, "\n".join([*verdict.wrong[:10], f"again: {again(life)}"])
    return found


@pytest.mark.parametrize("seed", range(1, 1 + int(HOURS / ONE)))
def test_nothing_is_lost_or_sent_twice_without_a_reason(seed):
    """INV-5 to INV-8, F37 to F39, F43, F44, F46 to F48, F54, F55, F74, T33: 2 000 hours of crashes, outages, lost answers, stops and
    clocks that are set, and of reminders, escalations, people, silences, quiet hours, digests and storms.
    """
    found = check(Life(hours=ONE, seed=seed, faults=1.0 + seed % 3))
    assert found["owed"] > 100 and found["faults"] > 100


def test_a_sender_that_slept_between_claim_and_send():
    """F46: seed 5001 once sent a message that it had leased three minutes before, while another had it: now it looks at its lease again."""
    check(Life(hours=230.0, seed=5001, faults=4.0, people=False))


def test_a_sender_that_was_stopped_between_its_last_look_and_the_first_byte():
    """F46: seed 1 of the first 100 000 hours: a copy that nobody can avoid, with its reason on record; once called unexcused."""
    found = check(Life(hours=60.0, seed=1, people=False))
    assert found["duplicated"] == 3


@pytest.mark.parametrize("seed", range(100, 103))
def test_the_same_holds_in_sqlite(seed):
    """INV-5 to INV-8: the store that people have."""
    check(Life(hours=40.0, seed=seed, store="sqlite", faults=2.0))


def test_one_seed_is_one_trace():
    """A seed replays a failure byte for byte, in either store."""
    for store in ("memory", "sqlite"):
        life = Life(hours=12.0, seed=7, store=store, faults=3.0)
        assert play(life)[0]["trace_sha256"] == play(life)[0]["trace_sha256"]


def test_both_stores_live_the_same_life():
    """What memory does is the reference: SQLite does the same, at the same moments."""
    traces = {play(Life(hours=24.0, seed=11, store=store, faults=2.0))[0]["trace_sha256"] for store in ("memory", "sqlite")}
    assert len(traces) == 1


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_mistake_in_the_protocol_is_seen(name):
    """An oracle that cannot fail proves nothing: each mutant is caught within 20 seeds."""
    with applied(name):
        assert any(play(Life(hours=30.0, seed=seed, faults=3.0, bustle=2.0))[1].wrong for seed in range(1, 21))
