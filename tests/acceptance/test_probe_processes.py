"""The probe in jobs of many processes and threads: nothing hangs, nothing is lost, no line is torn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
Job = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Run a script under the probe to a good end and give its events; every line must be whole."""

    def run(script: str) -> list[dict[str, Any]]:
        (tmp_path / "script.py").write_text(script)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
        probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t"}
        command = [sys.executable, "-X", "faulthandler", "script.py"]
        done = subprocess.run(command, cwd=tmp_path, env=plain | probe, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        events = [msgspec.json.decode(line) for line in (tmp_path / "events").read_bytes().splitlines()]
        assert [event for event in events if event["kind"] == "problem"] == []
        return events

    return run


def test_a_thousand_forks_while_a_thread_records(job: Job) -> None:
    """F19: a fork in the midst of another thread's recording never leaves the child, or the parent, waiting."""
    events = job("""
import faulthandler, logging, os, threading, warnings
faulthandler.dump_traceback_later(30, exit=True)
logging.getLogger().addHandler(logging.NullHandler())
from offduty_probe.start import recorder
done = threading.Event()
def keep_recording():
    while not done.is_set():
        recorder.record("test", {"text": "x" * 2000})
        logging.warning("in the thread")
thread = threading.Thread(target=keep_recording)
thread.start()
for number in range(1000):
    pid = os.fork()
    if not pid:
        logging.error("in the child")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
done.set()
thread.join()
""")
    assert sum(event["kind"] == "log" and event["level"] == "ERROR" for event in events) == 1000


def test_sixty_four_processes_lose_and_tear_nothing(job: Job) -> None:
    """F19: 64 processes append 1,000 events each, of all sizes, at once; a hundred threads in one process count to the last one."""
    events = job("""
import logging, os, threading
logging.getLogger().addHandler(logging.NullHandler())
from offduty_probe.start import recorder
pids = []
for worker in range(64):
    pid = os.fork()
    if not pid:
        for number in range(1000):
            recorder.record("test", {"worker": worker, "number": number, "text": "y" * (number * 37 % 3000)})
        os._exit(0)
    pids.append(pid)
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 0
def warn():
    for _ in range(100): logging.warning("folded")
threads = [threading.Thread(target=warn) for _ in range(100)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")
    assert Counter((event["worker"], event["number"]) for event in events if event["kind"] == "test") == Counter(
        (worker, number) for worker in range(64) for number in range(1000)
    )
    counts = [event["count"] for event in events if event["kind"] == "log"]
    assert sum(counts) == 10_000
    assert len(counts) <= 15


def test_a_killed_worker_leaves_the_others_fine(job: Job) -> None:
    """F19: SIGKILL in the midst of recording: the other workers' lines are all there and whole."""
    events = job("""
import os, signal
from offduty_probe.start import recorder
def work(count):
    pid = os.fork()
    if pid: return pid
    for number in range(count): recorder.record("test", {"number": number, "text": "z" * 500})
    os._exit(0)
for _ in range(10):
    victim, others = work(10 ** 9), [work(300) for _ in range(2)]
    while recorder._fstat(recorder.file[0]).st_size < 1000: pass
    os.kill(victim, signal.SIGKILL)
    for pid in others: assert os.waitpid(pid, 0)[1] == 0
    assert os.waitpid(victim, 0)[1] == signal.SIGKILL
""")
    by_process = Counter(event["pid"] for event in events if event["kind"] == "test")
    assert sum(count == 300 for count in by_process.values()) >= 20


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(job: Job, method: str) -> None:
    """F19: whichever way workers are started: their log records, remainders of counts, and what ended them are recorded once each."""
    events = job(f"""
import logging, multiprocessing, sys
def work(number):
    for _ in range(7): logging.getLogger("worker").warning("n %s", number)
    if number == 2: raise ValueError("bad worker")
    if number == 3: sys.exit("no input")
if __name__ == "__main__":
    context = multiprocessing.get_context("{method}")
    processes = [context.Process(target=work, args=(n,), name=f"worker-{{n}}") for n in range(4)]
    for process in processes: process.start()
    for process in processes: process.join()
    assert [process.exitcode for process in processes] == [0, 0, 1, 1]
    with context.Pool(2) as pool:
        try: pool.map(work, [2])
        except ValueError: pass
        pool.close()
        pool.join()
""")
    errors = [event for event in events if event["kind"] == "exception"]
    assert [(event["where"], event["chain"][0]["message"]) for event in errors] == [("process worker-2", "bad worker")]
    assert [event["message"] for event in events if event["kind"] == "exit" and event["message"]] == ["no input"]
    assert sum(event["count"] for event in events if event["kind"] == "log") == 5 * 7


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_workers_of_joblib(job: Job, backend: str) -> None:
    """F19: joblib's workers are recorded, and an error that comes back from one is the job's own, with its remote cause."""
    pytest.importorskip("joblib")
    events = job(f"""
import sys, warnings
from joblib import Parallel, delayed
def fit(number):
    warnings.warn("did not converge")
    if number == 5: raise ValueError("bad fold")
if __name__ == "__main__":
    try: Parallel(n_jobs=2, backend="{backend}")(delayed(fit)(n) for n in range(6))
    except ValueError as error: sys.excepthook(type(error), error, error.__traceback__)
""")
    assert any(event["kind"] == "warning" and event["message"] == "did not converge" for event in events)
    chains = [event["chain"] for event in events if event["kind"] == "exception"]
    assert [chain[0]["message"] for chain in chains] == ["bad fold"]


def test_only_the_first_python_is_the_main_one(job: Job) -> None:
    """A Python started by the job says hello as well, with its parent, and does not take itself for the main one."""
    events = job("import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'pass', 'x'], check=True)\n")
    first, second = (event for event in events if event["kind"] == "hello")
    assert (first["main"], second["main"], second["ppid"]) == (True, False, first["pid"])
    assert second["argv"][1:] == ["-c", "pass", "x"]
    assert first["python"] == ".".join(map(str, sys.version_info[:3]))
