"""The store: durable single commits beside plain `fdatasync`, and the lists that people ask for, over 100 000 runs.

Budgets (docs/explanation/performance.md): durable commits >= 0.9x the rate at which the same disk takes a line of that size appended and
fdatasync'ed; a page of runs is found through an index, so over 100 000 runs it takes <= 3x the time that it takes over 1 000.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator

from _measure import Report, alternate

from offduty.stores.record import OUTCOMES, to_row
from offduty.stores.sqlite import QUERIES, SqliteStore, open_store
from offduty.testing import MONDAY, a_run

ROUNDS = int(os.environ.get("ROUNDS", "11"))
COMMITS = int(os.environ.get("COMMITS", "300"))
RUNS = int(os.environ.get("RUNS", "100000"))
JOBS = 50
GROWING = ("last_runs of 50 jobs", "run by the end of its id")  # one counts all runs, the other reads all ids

now = itertools.count()


def rate(commit: Callable[[], object]) -> float:
    """Commits per second."""
    began = time.perf_counter()
    for _ in range(COMMITS):
        commit()
    return COMMITS / (time.perf_counter() - began)


def new_run() -> dict[str, object]:
    """A run of its own, seconds after the last one."""
    return a_run(outcome="running", at=MONDAY + next(now))


def appending(path: str) -> Callable[[], object]:
    """A line with the same record, appended to a file and on disk."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def commit() -> None:
        os.write(fd, json.dumps(new_run()).encode() + b"\n")
        os.fdatasync(fd)

    return commit


def overwriting(path: str) -> Callable[[], object]:
    """4 KiB over the same place of a file that is there: no list of blocks changes, so this is the disk's own floor."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, b"x" * 4096, 0)

    def commit() -> None:
        os.pwrite(fd, b"y" * 4096, 0)
        os.fdatasync(fd)

    return commit


def commits(report: Report, folder: str) -> None:
    """Single durable commits."""
    store = open_store(f"{folder}/commits.sqlite3")
    line, floor = appending(f"{folder}/lines"), overwriting(f"{folder}/page")
    cases = {"put_run": lambda: rate(lambda: store.put_run(new_run())), "append": lambda: rate(line), "overwrite": lambda: rate(floor)}
    found = alternate(cases, ROUNDS)
    report.figure("put_run, each on disk before it returns", found["put_run"], "/s")
    report.figure("a line of the same record appended, fdatasync", found["append"], "/s")
    report.figure("a page overwritten in place, fdatasync", found["overwrite"], "/s")
    report.budget("put_run against append + fdatasync", found["put_run"] / found["append"], 0.9, at_least=True)
    report.figure("put_run against overwrite + fdatasync", found["put_run"] / found["overwrite"], "x")
    began = time.perf_counter()
    open_store(f"{folder}/commits.sqlite3").close()
    report.figure("opening a store that is there", 1000 * (time.perf_counter() - began), "ms")


def rows(number: int) -> Iterator[tuple[object, ...]]:
    """Runs of 50 jobs, a minute apart; one in twenty did not end well."""
    for n in range(number):
        outcome = OUTCOMES[3 + n // 20 % 3] if n % 20 == 0 else "succeeded"
        yield to_row(a_run(f"job-{n % JOBS:02}", outcome, at=MONDAY + 60 * n))


def filled(path: str, number: int) -> SqliteStore:
    """A store with that many runs, written in one transaction."""
    store = open_store(path)
    db = store.open()
    db.execute("BEGIN")
    db.executemany(QUERIES["put"], rows(number))
    db.execute("COMMIT")
    return store


def ms(ask: Callable[[], object]) -> Callable[[], float]:
    """A case that takes the time of one question."""

    def measure() -> float:
        began = time.perf_counter()
        ask()
        return 1000 * (time.perf_counter() - began)

    return measure


def questions(store: SqliteStore) -> dict[str, Callable[[], object]]:
    """What the commands ask."""
    some = store.runs("job-07", limit=1)[0]
    return {
        "runs, 50 newest": lambda: store.runs(limit=50),
        "runs of a job, 50 newest": lambda: store.runs("job-07", limit=50),
        "runs that failed, 50 newest": lambda: store.runs(outcomes=("failed",), limit=50),
        "run by the end of its id": lambda: store.run(some["id"][-8:]),
        "running": lambda: store.running("etl-3"),
        "last_runs of 50 jobs": store.last_runs,
    }


def lists(report: Report, folder: str) -> None:
    """The same questions of a small store and of a large one, in turn."""
    small, large = questions(filled(f"{folder}/small", 1000)), questions(filled(f"{folder}/large", RUNS))
    for name in small:
        found = alternate({"small": ms(small[name]), "large": ms(large[name])}, ROUNDS)
        report.figure(f"{name}, over 1 000 runs", found["small"], "ms")
        report.figure(f"{name}, over {RUNS} runs", found["large"], "ms")
        if name not in GROWING:
            report.budget(f"{name}: large against small", found["large"] / found["small"], 3)


def main() -> None:
    """Print every figure beside its budget."""
    report = Report("the store (SQLite, WAL, synchronous=FULL)")
    with tempfile.TemporaryDirectory(prefix="offduty-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        commits(report, folder)
        lists(report, folder)
    report.end()


if __name__ == "__main__":
    main()
