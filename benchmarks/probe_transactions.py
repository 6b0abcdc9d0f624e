"""What captures cost: an event beside a line of logging, a span of OpenTelemetry and of Sentry; `open` and `read_csv` beside themselves.

Budgets (docs/explanation/performance.md): an event <= 1/5 of a line of the standard library's logging and <= 1/15 of OpenTelemetry's span;
`open` slower by <= 50 %; `read_csv` of a small file by <= 2 % or 10 microseconds. Peers that are not installed are left out.
All cases run in turn in one process; the wrapped and the plain function are at hand at the same time. `ROUNDS` sets how often.
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
OF_THIS_PROCESS = time.process_time  # where a server answers: how soon it is woken up is chance, and more than what is measured
WHERE = Path(tempfile.mkdtemp(prefix="offduty-bench-"))
os.environ["TMPDIR"] = "/nowhere"  # or what is measured would be taken for temporary files, and left out

Case = Callable[[], object]


def main() -> None:
    """Measure and print."""
    from offduty_probe.capture import ledger as ledgers
    from offduty_probe.capture import load
    from offduty_probe.recorder import Recorder

    file = WHERE / "small.csv"
    file.write_text("region,sales,day\n" + "north,12.5,2026-11-23\n" * 200)
    ledger = ledgers.Ledger(Recorder(str(WHERE / "events"), "0123456789abcdef0123456789abcdef"))
    report = Report("what captures cost, in microseconds a call")
    events(report, ledger)
    plain_open, path = open, str(file)
    uninstall = load("files")(ledger)
    captured_open = open
    uninstall()
    pair(report, "open, read, close", opening(plain_open, path), opening(captured_open, path), ledger, 0.5)
    read_csv(report, ledger, path)
    statements(report, ledger)
    postgres(report, ledger)
    requests_on_loopback(report, ledger)
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


def opening(function: Any, path: str) -> Case:
    """The least that is done with a file."""

    def once() -> None:
        with function(path) as file:
            file.read(1)

    return once


def read_csv(report: Report, ledger: Any, path: str) -> None:
    """Of a small file, where the cost is seen most; in a flood, and each told in full."""
    try:
        import pandas
    except ImportError:
        print("  not measured: pandas is not installed")
        return
    from offduty_probe.capture import load

    plain = pandas.read_csv
    uninstall = load("pandas")(ledger)
    captured = pandas.read_csv
    uninstall()
    pair(report, "read_csv, 200 rows", lambda: plain(path), lambda: captured(path), ledger, 0.02, 10.0, times=200)


def statements(report: Report, ledger: Any) -> None:
    """SQLite's cheapest query, in memory: nothing is faster, so the cost is seen most."""
    import sqlite3

    from offduty_probe.capture import load

    plain = sqlite3.connect(":memory:")
    uninstall = load("sqlite3")(ledger)
    captured = sqlite3.connect(":memory:")
    uninstall()
    query = "SELECT name FROM sqlite_master WHERE name = 'x'"
    pair(report, "sqlite3 SELECT", lambda: plain.execute(query).fetchall(), lambda: captured.execute(query).fetchall(), ledger, 0.02, 10.0)


def postgres(report: Report, ledger: Any) -> None:
    """By psycopg, over the loopback. `PGHOST`, `PGPORT` … say where; left out if nobody answers."""
    try:
        import psycopg

        connection = psycopg.connect(user="postgres", dbname="postgres", connect_timeout=2, autocommit=True)
    except Exception as error:  # noqa: BLE001  # not installed, or not there
        print(f"  not measured: psycopg ({type(error).__name__})")
        return
    from offduty_probe.capture import load

    cursor = connection.cursor()
    plain = type(cursor).execute
    uninstall = load("psycopg")(ledger)
    captured = type(cursor).execute
    uninstall()
    query = "SELECT 1"
    pair(
        report, "psycopg SELECT 1", lambda: plain(cursor, query), lambda: captured(cursor, query), ledger, 0.02, 10.0, 500, OF_THIS_PROCESS
    )
    connection.close()


def requests_on_loopback(report: Report, ledger: Any) -> None:
    """A request over a connection that stays open, to a server in a process of its own."""
    try:
        import requests
    except ImportError:
        print("  not measured: requests is not installed")
        return
    import subprocess
    import sys

    from offduty_probe.capture import load

    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/calls?day=2026-11-23"
        session = requests.Session()
        session.trust_env = False  # or it looks for a .netrc each time
        prepared = session.prepare_request(requests.Request("GET", url))
        plain = requests.Session.send
        uninstall = load("requests")(ledger)
        captured = requests.Session.send
        uninstall()
        pair(
            report,
            "requests GET",
            lambda: plain(session, prepared),
            lambda: captured(session, prepared),
            ledger,
            0.02,
            10.0,
            200,
            OF_THIS_PROCESS,
        )
        session.close()
        server.terminate()


SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def log_message(self, *args): pass
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok"); self.wfile.flush()
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


def pair(
    report: Report,
    name: str,
    plain: Case,
    captured: Case,
    ledger: Any,
    share: float,
    or_us: float = 0.0,
    times: int = TIMES,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """The same, plain and captured, in turns: in a flood, which is folded, and when every call is told in full."""
    cases = {
        "plain": per_call(plain, times, clock=clock),
        "flood": per_call(captured, times, lambda: [folding(ledger), *[captured() for _ in range(40)]], clock=clock),
        "full": per_call(captured, times, lambda: in_full(ledger), clock=clock),
    }
    found = alternate(cases, ROUNDS)
    report.figure(f"{name}: plain", found["plain"] * 1e6, "us")
    limit = max(share * found["plain"] * 1e6, or_us)
    report.budget(f"{name}: added, in a flood", (found["flood"] - found["plain"]) * 1e6, limit, unit="us")
    report.figure(f"{name}: added, each told in full", (found["full"] - found["plain"]) * 1e6, "us")


def in_full(ledger: Any) -> None:
    """Let no transaction be folded, until the ledger begins anew."""
    from offduty_probe.capture import ledger as ledgers

    ledgers.MOST_IN_FULL = ledgers.FEW = ledgers.FEW_OPENS = 10**9
    from offduty_probe.capture import files

    files.FEW_OPENS = 10**9
    ledger.forget()


def folding(ledger: Any) -> None:
    """As it is."""
    from offduty_probe.capture import files
    from offduty_probe.capture import ledger as ledgers

    ledgers.MOST_IN_FULL, ledgers.FEW, ledgers.FEW_OPENS, files.FEW_OPENS = 4000, 32, 8, 8
    ledger.forget()


def per_call(
    function: Case,
    times: int = TIMES,
    before: Case | None = None,
    after: Case | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Callable[[], float]:
    """A case: seconds a call; `before` and `after` are not counted."""

    def measure() -> float:
        if before is not None:
            before()
        began = clock()
        for _ in range(times):
            function()
        took = (clock() - began) / times
        if after is not None:
            after()
        return took

    return measure


if __name__ == "__main__":
    main()
