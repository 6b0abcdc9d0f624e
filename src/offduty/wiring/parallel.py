"""The same work on many things, by as many processes as there are processors; answers in order, memory bounded."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4  # things that wait, a process

_work: Callable[[Any], Any] | None = None


def each(work: Callable[[T], R], things: Iterable[T], few: int) -> Iterator[R]:
    """`work` of each thing, in their order. Up to `few` things, and on one processor, in this process. What it raises is raised here."""
    left = iter(things)
    first = list(islice(left, few + 1))
    if len(first) <= few or processors() < 2:
        yield from map(work, chain(first, left))
        return
    pool = ProcessPoolExecutor(processors(), multiprocessing.get_context("fork"), _begin, (work,))
    waiting: deque[Future[R]] = deque()
    try:
        for thing in chain(first, left):
            waiting.append(pool.submit(_do, thing))
            if len(waiting) >= AHEAD * processors():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def _begin(work: Callable[[Any], Any]) -> None:
    """In a new process: Ctrl-C is for the one that waits."""
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(thing: Any) -> Any:
    assert _work is not None
    return _work(thing)
