"""Jobs that make captures fail: floods, huge tables, odd arguments, deaths in the middle, and jobs that replace what is captured."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
PYENV = Path.home() / ".pyenv" / "versions"
OTHERS = sorted(str(python) for minor in (8, 9, 10, 12, 13) for python in PYENV.glob(f"3.{minor}.*/bin/python"))
Job = Callable[..., list[dict[str, Any]]]


class Run:
    """A script under the probe, in a folder of its own."""

    def __init__(self, folder: Path, script: str, python: str, environ: dict[str, str]) -> None:
        (folder / "job.py").write_text(script)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
        probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(folder / "events"), "OFFDUTY_TOKEN": "t"}
        self.path = folder / "events"
        self.process = subprocess.Popen(
            [python, "job.py"], cwd=folder, env=plain | probe | environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """What was recorded by now; a problem of the probe is never all right."""
        events = [msgspec.json.decode(line) for line in self.path.read_bytes().splitlines()]
        assert [event for event in events if event["kind"] == "problem"] == []
        return [event for event in events if event["kind"] in kinds]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Run a script to its end; its transactions."""

    def run(script: str, python: str = sys.executable, **environ: str) -> list[dict[str, Any]]:
        (tmp_path / "events").unlink(missing_ok=True)
        one = Run(tmp_path, script, python, environ)
        out, _ = one.process.communicate(timeout=100)
        assert one.process.returncode == 0, out
        return one.events("transaction")

    return run


def test_a_flood_of_opens_is_bounded_and_counted(job: Job) -> None:
    """INV-11, INV-13: open, 200,000 times (a million takes 12 s): a few dozen events, every open counted, every byte summed."""
    found = job("open('a.txt', 'w').write('12345')\nfor n in range(200_000):\n    with open('a.txt') as file: pass\n")
    reads = [event for event in found if event["op"] == "file.read"]
    assert len(reads) < 40
    assert sum(event["count"] for event in reads) == 200_000
    assert sum(event["bytes"] for event in reads) == 1_000_000


def test_many_places_are_bounded_and_counted(tmp_path: Path) -> None:
    """INV-11: 2,000 lines that open files: 256 are told apart, the others are counted together, and it is said."""
    lines = "\n".join("open('job.py.txt').close()" for _ in range(2000))
    run = Run(tmp_path, "open('job.py.txt', 'w').close()\n" + lines, sys.executable, {})
    run.process.communicate(timeout=60)
    events = [msgspec.json.decode(line) for line in run.path.read_bytes().splitlines()]
    reads = [event for event in events if event.get("op") == "file.read"]
    assert len(reads) < 300
    assert sum(event["count"] for event in reads) == 2000
    assert ["256 places" in event["what"] for event in events if event["kind"] == "problem"] == [True]


def test_failures_in_a_flood_are_told_in_full_up_to_a_limit(job: Job) -> None:
    """INV-11, INV-13: 1,000 opens, each tenth fails: the first failures are told with their errors, the others are counted."""
    found = job(
        """
open('a.txt', 'w').close()
for n in range(1000):
    try: open('a.txt' if n % 10 else f'missing{n}.txt').close()
    except OSError: pass
"""
    )
    reads = [event for event in found if event["op"] == "file.read"]
    told = [event["target"] for event in reads if event["count"] == 1 and not event["ok"]]
    assert 32 <= len(told) <= 33
    assert told[5].endswith("missing50.txt")
    assert sum(event["failed"] for event in reads) == 100
    assert sum(event["count"] for event in reads) == 1000


def test_ten_thousand_columns(job: Job) -> None:
    """The number of columns is told, the shape of the first 1,000, in a line of at most 64 KiB."""
    found = job(
        """
import pandas
frame = pandas.DataFrame({f"column {n} with quite a long name, which many have": [n] for n in range(10_000)})
frame.to_csv("wide.csv")
"""
    )
    [event] = [event for event in found if event["op"] == "file.write"]
    assert (event["rows"], event["columns"]) == (1, 10_000)
    assert event["shape"][0] == ["column 0 with quite a long name, which many have", "int64"]
    assert 500 < len(event["shape"]) <= 1000


def test_the_cost_does_not_grow_with_rows() -> None:
    """Measuring a table of ten million rows takes no longer than one of ten (the frame is measured, not the reading of it)."""
    pandas = pytest.importorskip("pandas")
    from offduty_probe.capture.pandas import size
    from offduty_probe.capture.shapes import shape_text

    def took(rows: int) -> float:
        frame = pandas.DataFrame({"a": pandas.RangeIndex(rows), "b": 1.0, "c": "text"}, index=pandas.RangeIndex(rows))
        times = []
        for _ in range(20):
            began = time.perf_counter()
            shape_text(size(frame)["shape"])
            times.append(time.perf_counter() - began)
        return min(times)

    assert took(10_000_000) < 5 * took(10) + 0.0005


@pytest.mark.parametrize(
    "url, target",
    [
        ("http://user:hunter2@localhost:1/sales.csv?token=hunter2&day=hunter2", "http://localhost:1/sales.csv?token=***&day=***"),
        ("http://localhost:1/a.csv?hunter2", "http://localhost:1/a.csv?***"),
        ("http://user:hun/hunter2@localhost/a.csv", "http://localhost/a.csv"),
    ],
)
def test_secrets_in_urls_are_masked_here_already(job: Job, url: str, target: str, tmp_path: Path) -> None:
    """INV-12: neither the target nor the message of the exception holds the secret."""
    found = job(f"import pandas\ntry: pandas.read_csv({url!r})\nexcept Exception: pass\n", OFFDUTY_CAPTURE="http_client,urllib,urllib3")
    assert [event["target"] for event in found] == [target]
    assert found[0]["op"] == "http.request"
    _hello, *others = (tmp_path / "events").read_text().splitlines()
    assert "hunter2" not in "".join(others)


def test_generators_and_file_objects_are_passed_on(job: Job) -> None:
    """A reader that is given a generator, an open file, a closed one, nothing: the job gets what it would have got."""
    found = job(
        """
import io, numpy, pandas
assert numpy.loadtxt(line for line in ["1 2", "3 4"]).shape == (2, 2)
with open("a.csv", "w") as file: pandas.DataFrame({"a": [1]}).to_csv(file)
with open("a.csv") as file: assert len(pandas.read_csv(file)) == 1
for odd in (None, 5, object(), file):
    try: pandas.read_csv(odd)
    except (ValueError, TypeError, OSError): pass
    else: raise SystemExit("must fail")
try: pandas.read_csv()
except TypeError as error: assert "filepath_or_buffer" in str(error)
"""
    )
    assert [event["target"].rpartition("/")[2] for event in found if event["op"] == "file.read"][:3] == ["<buffer>", "a.csv", "a.csv"]


def test_a_worker_killed_in_the_middle_leaves_its_begin(tmp_path: Path) -> None:
    """SIGKILL while reading from a pipe that never ends: the `begin` is there, with target and place, and no end."""
    os.mkfifo(tmp_path / "feed.csv")
    run = Run(tmp_path, "import pandas\ndef load():\n    pandas.read_csv('feed.csv')\nload()", sys.executable, {})
    deadline = time.monotonic() + 30
    while not (run.path.exists() and run.events("begin")) and time.monotonic() < deadline:
        time.sleep(0.02)
    run.process.send_signal(signal.SIGKILL)
    run.process.communicate()
    [begin] = run.events("begin")
    assert (begin["op"], begin["target"], Path(begin["where"]).name) == ("file.read", str(tmp_path / "feed.csv"), "job.py:3 in load")
    assert begin["n"] not in [event["n"] for event in run.events("transaction")]


def test_a_job_that_replaces_open(job: Job) -> None:
    """The job's own `open`, chained or not, is left as it is; what reaches the real one is recorded."""
    found = job(
        """
import builtins, io
real = builtins.open
def mine(*args, **kwargs): return real(*args, **kwargs)
builtins.open = mine
open("a.txt", "w").close()
assert builtins.open is mine
builtins.open = lambda *args: io.StringIO("mine")
assert open("anything").read() == "mine"
"""
    )
    assert [(event["op"], event["target"].rpartition("/")[2]) for event in found] == [("file.write", "a.txt")]


def test_a_fork_in_the_middle_of_a_transaction(job: Job) -> None:
    """The child does not tell the end of what its parent began; what it does itself is outermost again."""
    found = job(
        """
import os, pandas
class Forking:
    def __fspath__(self): return "a.csv"
def read(self):
    child = os.fork()
    if child == 0:
        open("child.txt", "w").close()
        raise RuntimeError("leaves read_csv in the child")
    os.waitpid(child, 0)
    return "a\\n1\\n"
class File:
    name = "a.csv"
    def read(self, size=-1):
        global reads
        reads += 1
        return read(self) if reads == 1 else ""
    def __iter__(self): return iter(["a\\n", "1\\n"])
reads, parent = 0, os.getpid()
try: pandas.read_csv(File())
except RuntimeError: pass
"""
    )
    pids = {event["pid"] for event in found}
    [read] = [event for event in found if event["op"] == "file.read"]
    [write] = [event for event in found if event["op"] == "file.write"]
    assert (read["ok"], read["rows"], len(pids)) == (True, 1, 2)
    assert (write["target"].rpartition("/")[2], write["n"]) == ("child.txt", 1)


def test_tasks_of_asyncio_do_not_hide_each_other(job: Job) -> None:
    """One task waits within a transaction while another makes its own: both are told, and both count."""
    found = job(
        """
import asyncio, sys
sys.path.insert(0, SOURCE)
from offduty_probe.capture.wrapping import wrapped
from offduty_probe.start import recorder
ledger = next(one.__self__ for one in recorder.at_flush if type(getattr(one, "__self__", None)).__name__ == "Ledger")
async def fetch(name, seconds):
    await asyncio.sleep(seconds)
    with open("inner.txt", "w"): pass
    return name
captured = wrapped(ledger, fetch, lambda args, kwargs: ("http.request", "https://api.example/" + args[0]))
async def main():
    return await asyncio.gather(captured("slow", 0.2), captured("quick", 0.05), other())
async def other():
    await asyncio.sleep(0.1)
    with open("between.txt", "w"): pass
assert asyncio.iscoroutinefunction(captured)
assert asyncio.run(main()) == ["slow", "quick", None]
""".replace("SOURCE", repr(str(PATH.parents[1])))
    )
    assert sorted(event["target"].rpartition("/")[2] for event in found) == ["between.txt", "quick", "slow"]


@pytest.mark.parametrize("python", [sys.executable, *OTHERS], ids=lambda python: Path(python).parts[-3])
def test_every_python(job: Job, python: str) -> None:
    """`open`, `os`, `pathlib`, `shutil`, subinterpreters: numbers are unique in a process, libraries that are not there are silent."""
    found = job(
        """
import os, pathlib, shutil, sys, threading
pathlib.Path("a.txt").write_text("abc")
with open("a.txt") as file: file.read()
shutil.copy("a.txt", "b.txt")
pathlib.Path("b.txt").unlink()
try: open("missing.txt")
except FileNotFoundError as error:
    frames, tb = [], error.__traceback__
    while tb: frames.append(tb.tb_frame.f_code.co_name); tb = tb.tb_next
    assert frames == ["<module>"] if sys.version_info >= (3, 11) else frames == ["<module>", "open"]
assert not {"numpy", "pandas", "sqlite3", "shelve", "json", "re"} & (set(sys.modules) - {"re"})
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
sub = interpreters.create()
interpreters.run_string(sub, "with open('sub.txt', 'w') as file: file.write('12')")
interpreters.destroy(sub)
""",
        python,
    )
    done = [(event["op"], event["target"].rpartition("/")[2], event["ok"]) for event in found]
    assert ("file.write", "sub.txt", True) in done
    assert [one for one in done if one[1] != "sub.txt"] == [
        ("file.write", "a.txt", True), ("file.read", "a.txt", True), ("file.write", "b.txt", True),
        ("file.delete", "b.txt", True), ("file.read", "missing.txt", False),
    ]  # fmt: skip
    assert len({event["n"] for event in found}) == len(found)


def test_captures_can_be_left_out(job: Job) -> None:
    """`OFFDUTY_CAPTURE=0` leaves out all, a list of names these."""
    script = "import pandas\nopen('a.txt', 'w').close()\npandas.DataFrame({'a': [1]}).to_csv('a.csv')"
    assert job(script, OFFDUTY_CAPTURE="0") == []
    assert [event["target"].rpartition("/")[2] for event in job(script, OFFDUTY_CAPTURE="pandas, numpy")] == ["a.txt", "a.csv"]
    assert [event.get("rows") for event in job(script, OFFDUTY_CAPTURE="files")] == [1]


def test_warnings_keep_their_place(job: Job) -> None:
    """A warning of pandas names the job's line, as it would without the wrapper between the two."""
    job(
        """
import io, pandas, warnings
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    pandas.read_csv(io.StringIO("a;b"), sep=";;")
assert [(one.category.__name__, one.filename.rpartition("/")[2], one.lineno) for one in found] == [("ParserWarning", "job.py", 5)], found
"""
    )
