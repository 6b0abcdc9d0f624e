"""What an event costs: beside a line of logging, a span of OpenTelemetry and of Sentry. What libraries cost more: `probe_libraries.py`.

Budgets (docs/explanation/performance.md): an event <= 1/5 of a line of the standard library's logging and <= 1/15 of OpenTelemetry's span.
All cases run in turn in one process. What counts is the processor time of their own thread, so that other work on the machine matters
little, and so does what the peers export in a thread of its own. `ROUNDS` sets how often.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _measure import Report, alternate

ROUNDS = int(os.environ.get("ROUNDS", "15"))
TIMES = 2000
FOLDER = tempfile.TemporaryDirectory(prefix="offduty-bench-")  # gone when we are
WHERE = Path(FOLDER.name)

Case = Callable[[], object]


def main() -> None:
    """Measure and print."""
    from offduty_probe.capture import ledger as ledgers
    from offduty_probe.recorder import Recorder

    ledger = ledgers.Ledger(Recorder(str(WHERE / "events"), "0123456789abcdef0123456789abcdef"))
    report = Report("what an event costs")
    events(report, ledger)
    report.end()


def events(report: Report, ledger: Any) -> None:
    """One event: a transaction that has a begin is two."""
    target = "/srv/feeds/sales-2026-11-23.csv"

    def transaction() -> None:
        ledger.transaction("file.read", target).done(lambda: {"bytes": 12345, "rows": 17})

    cases = {"ours": per_call(transaction, before=lambda: in_full(ledger)), "logging": per_call(logging_pair())}
    for name, make in (("OpenTelemetry", opentelemetry_span), ("Sentry", sentry_span)):
        try:
            span, after = make()
            cases[name] = per_call(span, after=after)
        except ImportError as error:
            print(f"  not measured: {error.name} is not installed")
    found = alternate(cases, ROUNDS)
    for name, seconds in found.items():
        report.figure(f"{name}: begin and end", seconds * 1e6, "us")
    report.budget("an event beside a line of logging", found["ours"] / found["logging"], 1 / 5)  # two events, two lines
    if "OpenTelemetry" in found:
        report.budget("an event beside a span of OpenTelemetry", found["ours"] / 2 / found["OpenTelemetry"], 1 / 15)
    if "Sentry" in found:
        report.figure("an event beside a span of Sentry", found["ours"] / 2 / found["Sentry"], "x")
    folded = alternate({"folded": per_call(transaction, before=lambda: folding(ledger))}, ROUNDS)["folded"]
    report.figure("ours: in a flood, folded", folded * 1e6, "us")


def logging_pair() -> Case:
    """Two lines, with what the event says."""
    import logging

    handler = logging.FileHandler(WHERE / "log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(filename)s:%(lineno)d %(message)s"))
    logger = logging.getLogger("job")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False

    def both() -> None:
        logger.info("begin %s %s", "file.read", "/srv/feeds/sales-2026-11-23.csv")
        logger.info("end %s %s took %.6f bytes %d rows %d", "file.read", "/srv/feeds/sales-2026-11-23.csv", 0.1, 12345, 17)

    return both


def opentelemetry_span() -> tuple[Case, Case]:
    """A span with the same attributes, exported to a file in batches, by a thread."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=(WHERE / "spans").open("w"))))
    tracer = provider.get_tracer("job")

    def span() -> None:
        with tracer.start_as_current_span("file.read") as one:
            one.set_attribute("file.path", "/srv/feeds/sales-2026-11-23.csv")
            one.set_attribute("file.size", 12345)
            one.set_attribute("rows", 17)

    return span, provider.force_flush  # or its thread takes the time of the other cases; what it costs is left out


def sentry_span() -> tuple[Case, Case]:
    """A span within a transaction, with the same data."""
    import sentry_sdk

    sentry_sdk.init(dsn=None, traces_sample_rate=1.0, default_integrations=False, auto_enabling_integrations=False)
    job = sentry_sdk.start_transaction(name="job").__enter__()
    calls = 0

    def span() -> None:
        nonlocal job, calls
        calls += 1
        if calls % 500 == 0:  # a transaction keeps the first 1,000 spans
            job.__exit__(None, None, None)
            job = sentry_sdk.start_transaction(name="job").__enter__()
        with sentry_sdk.start_span(op="file.read", name="read") as one:
            one.set_data("file.path", "/srv/feeds/sales-2026-11-23.csv")
            one.set_data("file.size", 12345)
            one.set_data("rows", 17)

    return span, lambda: None


def in_full(ledger: Any) -> None:
    """Let no transaction be folded, until the ledger begins anew."""
    few(ledger, 10**9, 10**9, 10**9)


def folding(ledger: Any) -> None:
    """As it is, and the flood has begun."""
    few(ledger, 4000, 32, 0)


def few(ledger: Any, in_full: int, at_a_place: int, opens: int) -> None:
    """How many are told in full: of the process, at a place, and at a place that opens files."""
    from offduty_probe.capture import ledger as ledgers

    ledgers.MOST_IN_FULL, ledgers.FEW, ledgers.FEW_OPENS = in_full, at_a_place, opens
    ledger.forget()


def per_call(function: Case, before: Case | None = None, after: Case | None = None) -> Callable[[], float]:
    """A case: seconds a call; `before`, the first calls and `after` are not counted."""

    def measure() -> float:
        if before is not None:
            before()
        for _ in range(40):
            function()
        began = time.thread_time()
        for _ in range(TIMES):
            function()
        took = (time.thread_time() - began) / TIMES
        if after is not None:
            after()
        return took

    return measure


if __name__ == "__main__":
    main()
