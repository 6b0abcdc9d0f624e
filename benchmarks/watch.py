"""One tick of the watcher over 10 000, 100 000 and 1 000 000 watched jobs of which 20 are due, in SQLite.

Budget (docs/explanation/performance.md): a tick over a million jobs takes at most twice as long as one over ten thousand: it costs what is
due, not what is watched.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time

from offduty.stores.sqlite import SqliteStore, open_store
from offduty.testing import MONDAY, FakeClock
from offduty.watch.promise import Promise
from offduty.watch.watcher import Watcher

JOBS = tuple(int(number) for number in os.environ.get("JOBS", "10000,100000,1000000").split(","))
TICKS = int(os.environ.get("TICKS", "15"))
DUE = 20
MOST = 2.0
HOUR = 3600.0


def filled(path: str, clock: FakeClock, jobs: int) -> SqliteStore:
    """A store with so many jobs under watch, due far away; then each tick has 20 of them due."""
    store = open_store(path, clock=clock)
    database = store.open()
    promise = Promise("", cron="0 0 1 1 *", start_grace=60.0).as_json()
    rows = ((f"job-{n}", json.dumps({**promise, "job": f"job-{n}"}), "", MONDAY, far(n), far(n) + 60) for n in range(jobs))
    database.execute("BEGIN")
    database.executemany("INSERT INTO watched (job, promise, source, since, slot, due) VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.execute("COMMIT")
    return store


def far(number: int) -> float:
    """Twenty at a time, an hour after one another."""
    return MONDAY + HOUR * (1 + number // DUE)


def measure(jobs: int) -> float:
    """Seconds of a tick with 20 due, the median."""
    with tempfile.TemporaryDirectory() as folder:
        clock = FakeClock()
        store = filled(f"{folder}/offduty.sqlite3", clock, jobs)
        watcher = Watcher(store, lambda: None, clock, me="w", host="h")
        watcher.tick()
        took = []
        for _ in range(TICKS):
            clock.advance(HOUR)
            clock.advance(61 if not took else 0)
            began = time.perf_counter()
            ticked = watcher.tick()
            took.append(time.perf_counter() - began)
            assert len(ticked.missed) == DUE, ticked
        store.close()
    return statistics.median(took)


def main() -> int:
    """0 if the budget is kept."""
    took = {}
    for jobs in JOBS:
        took[jobs] = measure(jobs)
        print(f"{jobs:>9} jobs, {DUE} due: {took[jobs] * 1000:8.2f} ms a tick", flush=True)
    ratio = took[JOBS[-1]] / took[JOBS[0]]
    print(f"{ratio:.2f} times from {JOBS[0]} to {JOBS[-1]} jobs (budget {MOST:g})  {'ok' if ratio <= MOST else 'MISSED'}")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    raise SystemExit(main())
