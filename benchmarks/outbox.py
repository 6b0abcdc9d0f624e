"""The outbox: claims in batches beside claims one by one, and a storm of failures from the store to the receiver.

Budgets (docs/explanation/performance.md): a claim of 50 rows takes >= 15x as many rows a second as claims of one; every incident of the
storm is named to the receiver, at most one message a second allowed for, within 5 minutes; the rate without that limit is printed.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from _measure import Report, alternate

from offduty.alerts.alert import Alert
from offduty.alerts.books import Claimant
from offduty.alerts.delivery import Attempt, Receipt
from offduty.alerts.outbox import Limits, Sender, Setting, bare
from offduty.alerts.owed import Owed
from offduty.clock import Clock
from offduty.stores.sqlite import SqliteStore, open_store
from offduty.testing import MONDAY, a_run

ROUNDS = int(os.environ.get("ROUNDS", "5"))
ROWS = int(os.environ.get("ROWS", "500"))
FAILURES = int(os.environ.get("FAILURES", "10000"))
LONGEST = 300.0


def owed(number: int, channel: str) -> Owed:
    """A row that is due."""
    return Owed(f"{channel}-{number:032x}", f"chain-{number}", f"job-{number}", "failed", channel, "firing", at=MONDAY)


def claiming(store: SqliteStore, batch: int) -> Callable[[], float]:
    """Rows claimed a second, in claims of so many, each durable."""
    count = iter(range(10**9))

    def measure() -> float:
        channel = f"batch-{batch}-{next(count)}"
        store.alerts.add([owed(number, channel) for number in range(ROWS)])
        who, alerts, began = Claimant("me", "boot", MONDAY, 0.0, 90.0), store.alerts, time.perf_counter()
        while alerts.claim(channel, who, batch):
            pass
        return ROWS / (time.perf_counter() - began)

    return measure


class Counting:
    """A receiver that takes everything."""

    def __init__(self) -> None:
        self.messages = 0
        self.named: set[str] = set()

    def send(self, alert: Alert, attempt: Attempt) -> Receipt:
        """One attempt."""
        self.messages += 1
        self.named.update(alert.items or (alert.job,))
        return Receipt()


def compose(row: Owed, members: Sequence[Owed]) -> Alert:
    """A message that names what it tells of."""
    return replace(bare(row, ""), items=tuple(it.job for it in members))


def storm(folder: str, report: Report) -> None:
    """So many jobs fail; how long until the store has them, and until the receiver knows of each."""
    store, channel = open_store(f"{folder}/storm.sqlite3"), Counting()
    tell = {"owed": {"failed": [{"channel": "chat"}]}}
    began = time.perf_counter()
    for number in range(FAILURES):
        store.put_run(a_run(f"job-{number}", "failed", at=time.time()), tell=tell)
    taken, began = time.perf_counter() - began, time.perf_counter()
    setting = Setting(compose, Clock(), lambda: 0.5, "me", "boot", lambda seconds: False, (), Limits(rate=1e9))
    sender = Sender("chat", channel, store.alerts, setting)
    while sender.step() <= 0:
        pass
    sent = time.perf_counter() - began
    report.figure(f"{FAILURES} failures taken in, each durable: a second", FAILURES / taken, "1/s")
    report.figure("of them told to the receiver, a second", FAILURES / sent, "1/s")
    report.budget("incidents named / owed", len(channel.named) / FAILURES, 1, at_least=True)
    report.budget("messages, at one a second: seconds / 300 s", max(channel.messages, sent) / LONGEST, 1)
    store.close()


def main() -> None:
    """Print and judge."""
    report = Report("outbox, SQLite, every change on disk before it counts")
    with tempfile.TemporaryDirectory(prefix="offduty-bench-") as folder:
        store = open_store(f"{folder}/claims.sqlite3")
        cases = {"one by one": claiming(store, 1), "in batches of 50": claiming(store, 50)}
        seen = alternate(cases, ROUNDS)
        for name, value in seen.items():
            report.figure(f"claims {name}", value, "1/s")
        report.budget("batches of 50 / one by one", seen["in batches of 50"] / seen["one by one"], 15, at_least=True)
        latency(store, report)
        store.close()
        storm(folder, report)
    report.end()


def latency(store: SqliteStore, report: Report) -> None:
    """From the call that takes a failure in to the receiver, when a sender looks at once."""
    channel, took = Counting(), []
    setting = Setting(compose, Clock(), lambda: 0.5, "me", "boot", lambda seconds: False, (), Limits(rate=1e9))
    sender = Sender("fast", channel, store.alerts, setting)
    for number in range(200):
        began = time.perf_counter()
        store.put_run(a_run(f"fast-{number}", "failed", at=time.time()), tell={"owed": {"failed": [{"channel": "fast"}]}})
        sender.step()
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    report.figure("failure taken in, claimed, sent, marked: median", took[100], "ms")
    report.figure("  the same, 99 of 100", took[198], "ms")


if __name__ == "__main__":
    main()
