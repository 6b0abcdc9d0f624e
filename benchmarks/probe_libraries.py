"""What a call of a library costs more when it is captured: by us, by OpenTelemetry's instrumentation, by Sentry's tracing.

Budgets (docs/explanation/performance.md): `open` slower by <= 50 %; `read_csv` of a small file, a query and a request by <= 2 % or 10
microseconds. All cases of a library run in turn, one or a few calls at a time, so that what else the machine does hits all alike and the
caches are as cold for each as they are in a job; what is added is the median of the differences to the plain call of the same turn.
Peers and libraries that are not installed are left out, and so is PostgreSQL if nobody answers (`PGHOST`, `PGPORT`). `ROUNDS`: how often.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _measure import Report

ROUNDS = int(os.environ.get("ROUNDS", "15")) * 40
FOLDER = tempfile.TemporaryDirectory(prefix="offduty-bench-")  # gone when we are
WHERE = Path(FOLDER.name)
os.environ["TMPDIR"] = "/nowhere"  # or what is measured would be taken for temporary files, and left out
OURS, TOLD = "ours, in a flood", "ours, told in full"
COLUMNS = (OURS, TOLD, "OpenTelemetry", "Sentry")
NONE = "has none"
OTHERS = {"open": NONE, "read_csv": NONE}  # neither peer knows files; Sentry has no driver of the two databases either
HTTP_METHODS = ("HTTPConnection.putrequest", "HTTPConnection.getresponse", "HTTPResponse.read", "HTTPResponse.close")

Case = Callable[[], object]
Cases = dict[str, Case]


class Library:
    """One kind of call: `cases` by name, `plain` among them; `several` calls a turn; time of the process's own, where a server answers."""

    def __init__(self, name: str, cases: Cases, share: float, or_us: float = 0.0, several: int = 1, *, own_time: bool = False) -> None:
        self.name, self.cases, self.several = name, cases, several
        self.share, self.or_us = share, or_us
        self.clock = time.process_time_ns if own_time else time.perf_counter_ns


def main() -> None:
    """Measure and print."""
    ledgers = importlib.import_module("offduty_probe.capture.ledger")
    recorder = importlib.import_module("offduty_probe.recorder").Recorder
    flood, told = (ledgers.Ledger(recorder(str(WHERE / name), "0123456789abcdef0123456789abcdef")) for name in ("flood", "told"))
    vars(ledgers)["MOST_IN_FULL"] = 10**9
    report = Report("what a captured call costs more, in microseconds")
    rows = []
    for make in (opens, read_csv, sqlite, postgres, http):
        try:
            library = make(flood, told)
        except Exception as error:  # noqa: BLE001  # not installed, or nobody answers
            print(f"  not measured: {make.__name__} ({type(error).__name__}: {error})".splitlines()[0])
            continue
        rows.append((library, measure(library)))
    show(report, rows)
    report.end()


def measure(library: Library) -> dict[str, float]:
    """Microseconds of the plain call, and what each other case adds to it.

    Sentry's is measured apart, as putting its patches in and out makes the calls that follow slower.
    """
    tell_in_full(library)
    patched = library.cases.pop("Sentry", None)
    found = in_turn(library, library.cases)
    if patched is not None:
        apart = in_turn(library, {"plain": library.cases["plain"], "Sentry": patched})
        found["Sentry"] = apart["Sentry"]
    return found


def in_turn(library: Library, cases: Cases) -> dict[str, float]:
    """As `measure`. Each case comes first equally often, and behind each other one: who comes first finds the caches coldest."""
    seen: dict[str, list[float]] = {name: [] for name in cases}
    names = list(cases)
    for turn in range(ROUNDS):
        first = turn // 2 % len(names)
        order = names[first:] + names[:first]
        for name in order if turn % 2 else reversed(order):
            seen[name].append(timed(cases[name], library))
    plain = seen.pop("plain")
    added = {name: statistics.median(one - base for one, base in zip(column, plain, strict=True)) for name, column in seen.items()}
    return {"plain": statistics.median(plain), **added}


def timed(case: Case, library: Library) -> float:
    """Microseconds a call."""
    several, clock = range(library.several), library.clock
    with getattr(case, "patched", NOTHING):
        began = clock()
        for _ in several:
            case()
        return (clock() - began) / library.several / 1000


def tell_in_full(library: Library) -> None:
    """Whatever is told in full today is told in full for ever: how many that are is decided when a place is seen first."""
    ledgers, files = (vars(importlib.import_module(f"offduty_probe.capture.{name}")) for name in ("ledger", "files"))
    before = {name: ledgers[name] for name in ("FEW", "FEW_OPENS")}
    ledgers.update(dict.fromkeys(before, 10**9))
    files["FEW_OPENS"] = 10**9
    library.cases[TOLD]()
    ledgers.update(before)
    files["FEW_OPENS"] = before["FEW_OPENS"]
    for _ in range(40):
        library.cases[OURS]()


def show(report: Report, rows: list[tuple[Library, dict[str, float]]]) -> None:
    """The table, then the budgets."""
    print(f"  {'':22}{'plain':>10}" + "".join(f"{'+ ' + name:>22}" for name in COLUMNS))
    for library, found in rows:
        cells = [f"{found[name]:.1f}" if name in found else OTHERS.get(library.name, "-") for name in COLUMNS]
        print(f"  {library.name:22}{found['plain']:>10.1f}" + "".join(f"{cell:>22}" for cell in cells))
    for library, found in rows:
        limit = max(library.share * found["plain"], library.or_us)
        report.budget(f"{library.name}: added, in a flood", found[OURS], limit, unit="us")
        for peer in COLUMNS[2:]:
            if peer in found:
                report.budget(f"{library.name}: beside what {peer} adds", found[OURS] / found[peer], 1.0)


def captured(capture: str, look: Callable[[], Any], ledgers: tuple[Any, Any]) -> list[Any]:
    """What `look` gives while the capture is installed, for each ledger."""
    load = importlib.import_module("offduty_probe.capture").load
    found = []
    for ledger in ledgers:
        uninstall = load(capture)(ledger)
        found.append(look())
        uninstall()
    return found


def opens(*ledgers: Any) -> Library:
    """The least that is done with a file."""
    path = str(small_csv())

    def opening(function: Any) -> Case:
        def once() -> None:
            with function(path) as file:
                file.read(1)

        return once

    functions = [open, *captured("files", lambda: open, ledgers)]
    return Library("open", dict(zip(("plain", OURS, TOLD), map(opening, functions), strict=True)), 0.5, several=20)


def read_csv(*ledgers: Any) -> Library:
    """Of a small file, where the cost is seen most."""
    import pandas

    path = str(small_csv())
    plain = pandas.read_csv
    flood, told = captured("pandas", lambda: pandas.read_csv, ledgers)
    return Library("read_csv", {"plain": lambda: plain(path), OURS: lambda: flood(path), TOLD: lambda: told(path)}, 0.02, 10.0)


def sqlite(*ledgers: Any) -> Library:
    """SQLite's cheapest query, in memory: nothing is faster, so the cost is seen most."""
    import sqlite3

    query = "SELECT name FROM sqlite_master WHERE name = 'x'"

    def connect() -> Any:
        return sqlite3.connect(":memory:")

    def querying(connection: Any) -> Case:
        cursor = connection.cursor()
        return lambda: cursor.execute(query).fetchall()

    plain, (flood, told) = connect(), captured("sqlite3", connect, ledgers)
    cases = {"plain": querying(plain), OURS: querying(flood), TOLD: querying(told)}
    return Library("sqlite3 SELECT", cases | traced("sqlite3", "SQLite3", connect, querying), 0.02, 10.0, 20)


def postgres(*ledgers: Any) -> Library:
    """By psycopg, over the loopback."""
    import psycopg

    def connect() -> Any:
        return psycopg.connect(user="postgres", dbname="postgres", connect_timeout=2, autocommit=True)

    def querying(execute: Any) -> Case:
        return lambda: execute(cursor, "SELECT 1")

    def querying_traced(connection: Any) -> Case:
        own = connection.cursor()
        return lambda: own.execute("SELECT 1")

    cursor = connect().cursor()
    plain, (flood, told) = type(cursor).execute, captured("psycopg", lambda: type(cursor).execute, ledgers)
    cases = {"plain": querying(plain), OURS: querying(flood), TOLD: querying(told)}
    return Library("psycopg SELECT 1", cases | traced("psycopg", "Psycopg", connect, querying_traced), 0.02, 10.0, own_time=True)


def http(*ledgers: Any) -> Library:
    """By requests, over a connection that stays open, to a server in a process of its own."""
    import requests

    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1/calls?day=2026-11-23"

    def sending(send: Any) -> Case:
        session = requests.Session()
        session.trust_env = False  # or it looks for a .netrc each time
        prepared = session.prepare_request(requests.Request("GET", url))
        return lambda: send(session, prepared)

    plain, (flood, told) = requests.Session.send, captured("requests", lambda: requests.Session.send, ledgers)
    cases = {"plain": sending(plain), OURS: sending(flood), TOLD: sending(told)}
    cases |= traced("requests", "Requests", lambda: requests.Session.send, sending) | sentry(sending(plain))
    return Library("requests GET", cases, 0.02, 10.0, own_time=True)


SERVER = """
import os, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def log_message(self, *args): pass
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok"); self.wfile.flush()
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
def go_with(parent):
    import time
    while os.getppid() == parent: time.sleep(0.5)
    os._exit(0)
threading.Thread(target=go_with, args=(os.getppid(),), daemon=True).start()
server.serve_forever()
"""


def traced(library: str, name: str, look: Callable[[], Any], case: Callable[[Any], Case]) -> Cases:
    """The case of OpenTelemetry: what `look` gives while its instrumentation is on. Its spans are thrown away in batches, by a thread."""
    try:
        instrumentor = getattr(importlib.import_module(f"opentelemetry.instrumentation.{library}"), f"{name}Instrumentor")()
    except ImportError as error:
        print(f"  not measured: {error.name} is not installed")
        return {}
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> Any:
            return importlib.import_module("opentelemetry.sdk.trace.export").SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    instrumentor.instrument(tracer_provider=provider)
    found = case(look())
    instrumentor.uninstrument()
    return {"OpenTelemetry": found}


class Nothing:
    """No patches are put in."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


NOTHING = Nothing()


class Patched:
    """Sentry's patches of `http.client`, in place as long as its case runs, within a transaction of its own."""

    def __init__(self, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        self.ours, self.theirs = ours, theirs

    def __enter__(self) -> None:
        put(self.theirs)
        self.job = importlib.import_module("sentry_sdk").start_transaction(name="job")
        self.job.__enter__()

    def __exit__(self, *_: object) -> None:
        self.job.__exit__(None, None, None)
        put(self.ours)


def sentry(send: Case) -> Cases:
    """The case of Sentry's tracing, which knows requests by what they do with `http.client`."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.stdlib import StdlibIntegration
    except ImportError as error:
        print(f"  not measured: {error.name} is not installed")
        return {}
    ours = taken()
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1", traces_sample_rate=1.0, default_integrations=False, integrations=[StdlibIntegration()],
        auto_enabling_integrations=False, transport=lambda event: None,
    )  # fmt: skip
    patched = Patched(ours, taken())
    put(ours)

    def case() -> object:
        return send()

    case.patched = patched  # type: ignore[attr-defined]
    return {"Sentry": case}


def taken() -> dict[str, Any]:
    """The methods of `http.client` as they are now."""
    client = importlib.import_module("http.client")
    return {name: vars(getattr(client, name.split(".")[0]))[name.split(".")[1]] for name in HTTP_METHODS}


def put(methods: dict[str, Any]) -> None:
    """Put them there."""
    client = importlib.import_module("http.client")
    for name, method in methods.items():
        setattr(getattr(client, name.split(".")[0]), name.split(".")[1], method)


def small_csv() -> Path:
    """200 rows of three columns."""
    file = WHERE / "small.csv"
    file.write_text("region,sales,day\n" + "north,12.5,2026-11-23\n" * 200)
    return file


if __name__ == "__main__":
    main()
