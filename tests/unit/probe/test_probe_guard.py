"""Our own mistakes are swallowed and told; the job's exceptions pass."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from offduty_probe import guard


@pytest.fixture
def told() -> Iterator[list[str]]:
    """The problems told."""
    problems: list[str] = []
    guard.tell_problems_to(problems.append)
    yield problems
    guard._tell = None


def test_our_mistake_is_told_with_its_place(told: list[str]) -> None:
    """Principle 9: never harm the job, never hide our own bugs."""
    assert guard.quietly(lambda: 1 // 0) is None
    assert told[0].startswith("the probe failed: ZeroDivisionError: ")
    assert "test_probe_guard.py:" in told[0]


def test_a_telling_that_fails_is_the_end_of_it() -> None:
    """Not even the report of a mistake may raise."""
    guard.tell_problems_to(lambda _: 1 // 0)
    guard.quietly(lambda: 1 // 0)
    guard._tell = None
    guard.quietly(lambda: 1 // 0)


def test_the_time_limit_of_a_job_passes_through(told: list[str]) -> None:
    """INV-1: a job's SIGALRM handler raises while the probe happens to run: the job must get its exception."""

    def late(*_: object) -> None:
        raise TimeoutError("the job's own")

    before = signal.signal(signal.SIGALRM, late)
    try:
        with pytest.raises(TimeoutError, match="the job's own"):
            guard.quietly(os.kill, os.getpid(), signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert told == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_mistake_passes(told: list[str], error: type[BaseException]) -> None:
    """Ctrl-C while the probe runs is for the job."""

    def interrupted() -> None:
        raise error

    with pytest.raises(error):
        guard.quietly(interrupted)
