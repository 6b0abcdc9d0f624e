"""What a job tells in its own words: in a script, in workers, in blocks, in a flood, wrongly, and with nobody there to listen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import offduty
from offduty.clock import Clock
from offduty.stores.sqlite import open_store

TOOLS = Path(sys.executable).parent


class Ran:
    """What came of a script."""

    def __init__(self, done, state):
        self.status, self.said = done.returncode, done.stdout + done.stderr
        store = open_store(str(state / "offduty.sqlite3"), clock=Clock())
        self.runs = {run["job"]: run for run in store.runs(limit=10)}
        self.run = store.runs(limit=1)[0]
        self.checks = [(one["name"], one["outcome"], one.get("detail"), one["count"]) for one in store.checks(self.run["id"])]
        self.metrics = [(one["name"], one["value"], one.get("unit")) for one in store.metrics(self.run["id"])]
        self.ledger = store.ledger(self.run["id"])
        self.checks_of = {job: [one["name"] for one in store.checks(run["id"])] for job, run in self.runs.items()}
        store.close()
        self.log = Path(self.run["log"]).read_text()
        self.summary = self.run["summary"]


PRINTING = """
[job.printing]
shell = "echo start; echo 'INFO mape=0.2 rows=412'; echo mape: 0.081; echo other=7"
metrics = ["rows"]
good_enough = { mape = "<= 0.12" }
"""
"""A job that knows nothing of offduty, and not of Python either."""


@pytest.fixture
def run(tmp_path):
    """Run a script, by default under `offduty run`."""

    def run(script, *command, **environ):
        (tmp_path / "job.py").write_text(script)
        env = {**os.environ, "OFFDUTY_STATE_DIR": str(tmp_path / "state"), **environ}
        words = command or (TOOLS / "offduty", "run", "--", sys.executable, "job.py")
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        subprocess.run([TOOLS / "offduty", "runs"], env=env, capture_output=True)  # takes the spool in
        return Ran(done, tmp_path / "state")

    return run


def test_checks_and_metrics(run):
    """Each in the log as it happens, in the summary, in the store; a warning never changes the exit code."""
    ran = run(
        """import offduty
assert offduty.check("stores_present", 409 == 412, detail="3 of 412 missing") is False
assert offduty.check("no_gaps", [1]) is True
offduty.check("dates", 0, severity="fail")
offduty.metric("mape", 0.2)
offduty.metric("mape", 0.081)
offduty.metric("rows", 81204, "rows")
"""
    )
    assert (ran.status, ran.run["outcome"]) == (0, "warned"), ran.said
    assert ran.checks == [("stores_present", "warned", "3 of 412 missing", 1), ("no_gaps", "passed", None, 1), ("dates", "failed", None, 1)]
    assert ran.metrics == [("mape", 0.081, None), ("rows", 81204, "rows")]
    assert ran.summary["checks"] == "1 passed, 1 warned (stores_present: 3 of 412 missing), 1 failed (dates)"
    assert ran.summary["metrics"] == "mape 0.081, rows 81204 rows"
    assert "* check    stores_present                                WARN    3 of 412 missing   job.py:2" in ran.log


def test_a_transaction_of_ones_own(run):
    """What happens inside is part of it; its exception passes; credentials stay out."""
    ran = run(
        """import offduty
with offduty.transaction("api", "https://me:hunter2@api.example/v1?key=hunter2") as t:
    open("job.py").close()
    t.rows, t.status, t.bytes = 5, 200, "many"
try:
    with offduty.transaction("mail", "planners"):
        raise ValueError("refused")
except ValueError:
    print("passed")
"""
    )
    assert [(one["op"], one["target"], one["ok"], one.get("rows"), one.get("status")) for one in ran.ledger] == [
        ("http.request", "https://api.example/v1?key=***", True, 5, 200),
        ("mail.send", "planners", False, None, None),
    ]
    assert "hunter2" not in ran.log
    assert "probe: transaction: bytes is a whole number from 0 on; str was given, and left out" in ran.summary["notes"]


WRONG = """import offduty, decimal
offduty.metric("nan", float("nan"))
offduty.metric("inf", -float("inf"))
offduty.metric("huge", 10**400)
offduty.metric("text", "0.1")
offduty.metric("list", [1])
offduty.metric("decimal", decimal.Decimal("0.5"))
class NoTruth:
    def __bool__(self): raise TypeError("ambiguous")
    def __str__(self): raise RuntimeError("no")
assert offduty.check("array", NoTruth(), detail=NoTruth()) is False
offduty.check(None, True)
offduty.check("x", False, severity="loud")
offduty.check("\\x1b[31m\\n* forged\\u202e" + "y" * 1000, True)
with offduty.transaction("nothing like that", object()): pass
"""


def test_what_is_wrong_is_told_and_never_raised(run):
    """Numbers that are none, truths that are none, names that would forge a line (B, INV-11)."""
    ran = run(WRONG)
    assert (ran.status, ran.run["outcome"]) == (0, "warned"), ran.said
    found = {name: (outcome, detail) for name, outcome, detail, _ in ran.checks}
    assert found["metric nan"] == ("warned", "its value is not a number (NaN)")
    assert found["metric inf"] == found["metric huge"] == ("warned", "its value is not finite, or too large")
    assert found["array"] == ("warned", "it is neither true nor false: NoTruth has no truth value (TypeError)")
    assert ran.metrics == [("decimal", 0.5, None)]
    notes = "\n".join(ran.summary["notes"])
    for part in (
        "metric 'text': str is no number",
        "metric 'list': list is no number",
        "named by a text",
        "'loud' is neither",
        "is no kind",
    ):
        assert part in notes
    assert "\x1b" not in ran.log and "\n* forged" not in ran.log
    assert all(len(line) < 1000 for line in ran.log.splitlines())


def test_a_million_checks_are_a_few_lines(run):
    """Counted to the last one, told in few lines (INV-11, INV-13)."""
    ran = run("import offduty\nfor i in range(1_000_000):\n    offduty.check('row', i % 1000)\n")
    assert [(name, outcome, count) for name, outcome, _, count in ran.checks] == [("row", "warned", 1000), ("row", "passed", 999_000)]
    assert ran.log.count("* check") < 50


def test_a_thousand_names_of_checks(run):
    """The first are kept by name, the others counted together, failures apart from what holds."""
    ran = run("import offduty\nfor i in range(1000):\n    offduty.check(f'row {i}', True)\noffduty.check('last', False)\n")
    assert sum(count for _, outcome, _, count in ran.checks if outcome == "passed") == 1000
    assert len(ran.checks) == 256 + 1 + 1
    assert ("last", "warned") in [one[:2] for one in ran.checks]


def test_workers_and_forks_tell_too(run):
    """Each process counts for itself; nothing is told twice by a child of a fork."""
    ran = run(
        """import multiprocessing, os, offduty
def work(number):
    offduty.check("part", number != 3)
if __name__ == "__main__":
    for _ in range(5):
        offduty.check("parent", True)
    if os.fork() == 0:
        offduty.check("child", True)
        os._exit(0)
    os.wait()
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(2) as pool:
            pool.map(work, range(6))
            pool.close()
            pool.join()
"""
    )
    assert ran.status == 0, ran.said
    counted = {(name, outcome): count for name, outcome, _, count in ran.checks}
    assert counted == {("parent", "passed"): 5, ("child", "passed"): 1, ("part", "passed"): 10, ("part", "warned"): 2}


def test_a_check_in_a_block(run):
    """`offduty.run` in a process of its own; a block in a second thread tells to its own run."""
    ran = run(
        """import offduty, threading
def second():
    with offduty.run("aside", quiet=True):
        offduty.check("of aside", True)
        with offduty.transaction("api", "http://x"): pass
with offduty.run("first", quiet=True):
    offduty.check("of first", True)
    thread = threading.Thread(target=second)
    thread.start(); thread.join()
offduty.check("of nobody", False)
""",
        sys.executable,
        "job.py",
    )
    assert ran.checks_of == {"first": ["of first"], "aside": ["of aside"]}, ran.said


def test_without_offduty_nothing_happens(tmp_path):
    """The same script by hand: results as promised, no file, no output."""
    script = "import offduty\nassert offduty.check('x', 1) and not offduty.check('y', 0)\noffduty.metric('m', 'x')\n"
    script += "with offduty.transaction('api', 'x') as t: t.rows = 1\n"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OFFDUTY")}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=plain, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr, list(tmp_path.iterdir())) == (0, "", "", [])


def test_importing_offduty_is_cheap():
    """No import but its version, and with a check what the probe needs: nothing a job would notice."""
    script = "import sys; before = set(sys.modules); import offduty; offduty.check; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = {name for name in done.stdout.split() if not name.startswith("offduty_probe")}
    assert loaded <= {"offduty", "offduty.version", "__future__", "_contextvars", "itertools", "_stat"}
    assert offduty.check("not in a run", True)


def test_a_job_whose_environment_has_no_offduty(run, tmp_path):
    """`offduty_probe` comes with `offduty run`; the documented stand-in keeps the script running without it."""
    script = """import sys
assert not [path for path in sys.path if "offduty" in path and "site-packages" in path]
try:
    from offduty_probe import check
except ImportError:
    def check(name, ok, detail="", severity="warn"):
        return bool(ok)
print(check("stores", False))
"""
    isolated = run(script, TOOLS / "offduty", "run", "--", sys.executable, "-S", "job.py")
    assert isolated.status == 0 and "| False" in isolated.log, isolated.said
    ran = run(script)
    assert ran.checks == [("stores", "warned", None, 1)]


def test_events_forged_by_the_job_do_no_harm(run):
    """Whoever has the token may say anything: what is no check is refused, the rest is bounded (INV-11, T)."""
    ran = run(
        """import os, json
token, path = os.environ["OFFDUTY_TOKEN"], os.environ["OFFDUTY_EVENTS"]
bad = [dict(name="a", outcome="great"), dict(name=5, outcome="passed"), dict(outcome="passed"), dict(name="c", outcome="failed", count=-1)]
with open(path, "a") as file:
    for keys in bad:
        file.write(json.dumps({"token": token, "kind": "check", "at": 1.0, "pid": 1, **keys}) + "\\n")
    file.write(json.dumps({"token": token, "kind": "metric", "at": 1.0, "pid": 1, "name": "m", "value": "1"}) + "\\n")
    for i in range(3000):
        file.write(json.dumps({"token": token, "kind": "check", "at": 1.0, "pid": 1, "name": f"n{i}", "outcome": "passed"}) + "\\n")
        file.write(json.dumps({"token": token, "kind": "metric", "at": 1.0, "pid": 1, "name": f"n{i}", "value": i}) + "\\n")
"""
    )
    assert ran.status == 0
    assert (len(ran.checks), len(ran.metrics)) == (1000, 1000)
    assert ran.summary["checks"] == "3 000 passed"
    assert any("5 lines of the events file could not be understood" in note for note in ran.summary["notes"])


def test_what_a_job_prints_of_its_metrics_is_read(run, tmp_path):
    """Of any language: the names that its configuration knows, the last value of each, beside what is good enough."""
    (tmp_path / "offduty.toml").write_text(PRINTING)
    ran = run("", TOOLS / "offduty", "run", "--summary", "always", "printing")
    assert ran.metrics == [("mape", 0.081, None), ("rows", 412.0, None)]
    assert "metrics     mape 0.081 (good enough: <= 0.12), rows 412" in ran.said


def test_what_is_reported_counts_more_than_what_is_printed(run, tmp_path):
    """The job's own word comes from where the number is made."""
    command = f"[job.x]\ncommand = [{str(sys.executable)!r}, 'job.py']\nmetrics = ['mape', 'rows']\n"
    (tmp_path / "offduty.toml").write_text(command)
    ran = run("import offduty_probe\noffduty_probe.metric('mape', 1)\nprint('mape=2 rows=3')", TOOLS / "offduty", "run", "x")
    assert sorted(ran.metrics) == [("mape", 1.0, None), ("rows", 3.0, None)]
