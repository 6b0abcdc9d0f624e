"""Time that a run which failed takes to be held against twenty good ones, as large as the ledger of a run gets.

    python benchmarks/compare.py [--good 20] [--transactions 2000]

The budget: half a second for reading, and all of the end of a run within two. One input of 10 000 columns (of which 1 000 names are kept),
the other transactions with 20 columns each; and beside it the ordinary case: nine transactions.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from offduty.clock import Clock
from offduty.runs.because import because
from offduty.runs.failure import Cause, Failure
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, a_run
from offduty.transactions.changes import changes
from offduty.transactions.transaction import from_json
from offduty.wiring.compare import usual_runs

FAILURE = Failure("exception", "python", "KeyError", "'c7'", chain=(Cause("KeyError", "'c7'"),))
MADE_OF = {"packages": {f"package-{n}": "1.0" for n in range(300)}, "code": {"files": {f"m{n}.py": "0" * 12 for n in range(50)}}}


def ledger(size: int) -> list[dict[str, object]]:
    """A wide input, then as many smaller ones as it takes."""
    wide = {"number": 1, "op": "file.read", "target": "/wide.parquet", "ok": True, "rows": 10**6, "columns": 10_000, "took_s": 1.0}
    entries = [{**wide, "shape": [[f"c{n}", "float64"] for n in range(1000)]}]
    narrow = {"op": "file.read", "ok": True, "rows": 1000, "columns": 20, "at": MONDAY, "modified": MONDAY - 60, "took_s": 0.1}
    shape = [[f"column_{n}", "int64"] for n in range(20)]
    return entries + [{**narrow, "number": n, "target": f"/feeds/{n % 7}/part-{n:05}.parquet", "shape": shape} for n in range(2, size + 1)]


def measure(folder: str, good: int, size: int) -> str:
    """Reading, comparing, explaining: milliseconds of each."""
    store = open_store(os.path.join(folder, f"{size}.sqlite3"))
    for number in range(good):
        store.put_run(a_run("forecast", at=MONDAY - 86400 * (number + 1)), ledger(size), fingerprint=MADE_OF)
    now = [from_json({**one, "rows": 1, "shape": one["shape"][:-1]}) for one in ledger(size)]  # type: ignore[index] # it has one
    began = time.perf_counter()
    usual = usual_runs(store, a_run("forecast", "failed"), Clock())
    read = time.perf_counter()
    found = changes(usual, now, MADE_OF, came_to_end=False)
    compared = time.perf_counter()
    because(FAILURE, found, now, usual)
    told = time.perf_counter()
    figures = f"read {1e3 * (read - began):6.0f} ms  compare {1e3 * (compared - read):5.0f} ms  explain {1e3 * (told - compared):5.0f} ms"
    return f"{size:5} transactions, {usual.runs:2} of {good} good runs: {figures}"


def main() -> None:
    """Print both cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--good", type=int, default=20)
    parser.add_argument("--transactions", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in (9, options.transactions):
            print(measure(folder, options.good, size))


if __name__ == "__main__":
    main()
