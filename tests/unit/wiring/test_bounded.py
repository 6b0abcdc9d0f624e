"""Work in a process of its own: its answer, its failure, or nothing in time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from offduty.wiring.bounded import DidNotFinish, TookTooLong, within


def children():
    """The processes that this one started and that are not reaped."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_the_answer_comes_back():
    """Also one larger than a pipe holds."""
    assert within(10, lambda: {"x": ["y" * 300_000]}) == {"x": ["y" * 300_000]}


def test_what_it_changes_is_lost():
    """Nothing it does is seen here."""
    seen: list[int] = []
    within(10, lambda: seen.append(1))
    assert seen == []


def test_a_mistake_comes_back_as_its_traceback():
    """F24: so that it can be kept."""
    with pytest.raises(DidNotFinish, match="ZeroDivisionError"):
        within(10, lambda: 1 // 0)


@pytest.mark.parametrize("death", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3), lambda: object()])
def test_a_process_that_dies_is_no_answer(death):
    """F24: a crash of a library, or an answer that is none."""
    with pytest.raises(DidNotFinish):
        within(10, death)


def test_what_takes_too_long_is_ended():
    """T26: it is not waited for, and leaves no process."""
    begun, before = time.monotonic(), children()
    with pytest.raises(TookTooLong):
        within(0.1, lambda: time.sleep(60))
    assert time.monotonic() - begun < 5
    assert children() == before
