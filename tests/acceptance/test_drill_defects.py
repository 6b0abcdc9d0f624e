"""Seeded defects in a job and its table: each is found by coverage or by a drill; and a drill changes nothing outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from offduty.drills.receiver import Receiver
from offduty.drills.scratch import PREFIX

JOB = """\
import json, os, sqlite3, urllib.request
def rate():
    return json.load(urllib.request.urlopen(os.environ["RATES"]))["rate"]  # no time-out
def holidays():
    try:
        return open("holidays.txt").read().split()
    except Exception:
        return []
def prices():
    found = []
    for name in ("a.txt", "b.txt"):
        try:
            found.append(float(open(name).read()))
        except:
            continue
    return found
stock = [line.split(",") for line in open("stock.csv").read().splitlines()[1:]]
base = sqlite3.connect("base.sqlite3")
total = sum(float(units) for _, units in stock) * rate() * (1 + len(holidays())) + sum(prices())
with base:
    base.execute("insert into totals values (?)", (total,))
os.makedirs("out", exist_ok=True)
with open("out/total.txt", "w") as file:
    file.write(str(total))
assert open("out/total.txt").read() == str(total)
if os.path.exists("old.txt"):
    os.remove("old.txt")
print("total", total)
"""
CONFIG = """\
[job.total]
command = ["{python}", "total.py"]
owner = "stock"
env = {{ RATES = "{rates}" }}
[team.stock]
channels = ["hook"]
[team.nobody]
contact = "ext. 1"
[channel.hook]
kind = "webhook"
url = {{ env = "HOOK" }}
allow = ["127.0.0.1"]
[dependency.stock]
match = "*/stock.csv"
team = "stock"
[[triage]]
id = "STOCK-01"
when = {{ dependency = "stock", exception = "FileNotFoundError" }}
cause = "No stock."
steps = ["Ask."]
team = "stock"
[[triage]]
id = "DB-01"
when = {{ transaction = "db.connect", exception = "sqlite3.OperationalError" }}
cause = "No base."
steps = ["Ask."]
team = "nobody"
[[triage]]
id = "RATES-01"
when = {{ transaction = "http.request", exception = "TimeoutError" }}
cause = "Slow rates."
steps = ["Ask."]
team = "stock"
[[triage]]
id = "NEVER-01"
when = {{ dependency = "stock", exception = "sqlite3.IntegrityError" }}
cause = "Cannot be."
steps = ["Ask."]
team = "stock"
"""


class Place:
    """A folder with the job, a service of rates, and a service that takes alerts."""

    def __init__(self, folder: Path, rates: Receiver, hook: Receiver) -> None:
        self.folder, self.hook = folder, hook
        for name, text in {
            "total.py": JOB,
            "stock.csv": "day,units\n1,2\n2,3\n",
            "a.txt": "1",
            "b.txt": "2",
            "holidays.txt": "",
            "old.txt": "x",
        }.items():
            (folder / name).write_text(text)
        (folder / "offduty.toml").write_text(CONFIG.format(python=sys.executable, rates=rates.url))
        import sqlite3

        base = sqlite3.connect(folder / "base.sqlite3")
        base.execute("create table totals (value)")
        base.commit()
        base.close()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OFFDUTY_STATE_DIR": f"{folder}/state",
            "HOOK": hook.url,
            "TMPDIR": f"{folder}/tmp",
        }
        (folder / "tmp").mkdir()

    def offduty(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command's answer."""
        command = [sys.executable, "-m", "offduty", *words]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120)

    def drilled(self, *words: str) -> dict[tuple[str, str, str], dict]:
        """Results by row, fault and the last part of the target."""
        answer = json.loads(self.offduty("drill", "total", *words, "--json").stdout)
        return {(one["row"], one["fault"], one["target"].rpartition("/")[2]): one for one in answer["drills"]}

    def files(self) -> dict[str, bytes]:
        """Everything that is the user's."""
        ours = ("state", "tmp", "drills.xml")
        found = (path for path in self.folder.rglob("*") if path.is_file() and path.relative_to(self.folder).parts[0] not in ours)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One for all: no test of this file changes it."""
    from offduty.drills.receiver import reply

    with Receiver(reply(200, b'{"rate": 2}')) as rates, Receiver() as hook:
        yield Place(tmp_path_factory.mktemp("total"), rates, hook)


@pytest.fixture(scope="module")
def rows(place):
    """Each row, and everything without one, rehearsed once; the files before and after."""
    before = place.files()
    found = place.drilled("--junit", "drills.xml")
    return found, before, place.files()


def test_a_row_that_is_as_it_should_be_passes(rows):
    """The file is gone: the job fails, its log names it, the row wins, its team would have been told (F: missing)."""
    one = rows[0]["STOCK-01", "missing", "stock.csv"]
    assert (one["passed"], one["loud"], one["named"], one["won"], one["told"]) == (True, True, True, True, True)
    assert [(message["channel"], message["team"]) for message in one["messages"]] == [("hook", "stock")]


def test_a_row_that_can_never_match_is_found(rows):
    """Nothing that the job touches makes it win; coverage says the same."""
    assert not rows[0]["NEVER-01", "", ""]["passed"]


def test_a_team_without_a_channel_is_found(rows):
    """The row wins, and its team hears of nothing: only the owner does, in the digest."""
    one = rows[0]["DB-01", "refused", "base.sqlite3"]
    assert one["won"] and not one["passed"]
    assert "nobody has no channel" in one["said"]


def test_a_call_without_a_time_limit_is_found(rows):
    """No exception would ever come: the drill says that it hangs."""
    one = next(one for (row, _, _), one in rows[0].items() if row == "RATES-01")
    assert not one["passed"] and one["said"].startswith("it hangs")


@pytest.mark.parametrize("name", ["holidays.txt", "a.txt"])
def test_a_swallowed_exception_is_found(rows, name):
    """`except Exception: return []`, and a bare `except: continue`: the job goes on, and ends with 0."""
    one = next(one for (_, _, target), one in rows[0].items() if target == name)
    assert not one["passed"] and "the job went on" in one["said"] and one["exit_code"] == 0


def test_coverage_finds_what_is_swallowed_and_what_never_matches(place):
    """Without running anything, from the source alone."""
    answer = json.loads(place.offduty("triage", "coverage", "total", "--json").stdout)["jobs"][0]
    assert {hole["where"] for hole in answer["holes"] if hole["swallowed"]} == {"total.py:6", "total.py:13"}
    assert "NEVER-01" in answer["unreached"]
    assert place.offduty("triage", "coverage", "total", "--min", "90").returncode == 1


def test_nothing_outside_is_changed(rows):
    """What the job writes, removes and inserts in earnest is as it was; no folder was made; no temporary one is left."""
    _, before, after = rows
    assert after == before


def test_a_drill_is_no_run(place, rows):
    """No run, no incident, no lock, no alert: the store has its results alone."""
    assert json.loads(place.offduty("runs", "--json").stdout)["runs"] == []
    assert json.loads(place.offduty("incidents", "--json").stdout)["incidents"] == []
    assert not place.hook.requests
    assert list((place.folder / "tmp").iterdir()) == []
    assert not (place.folder / "state" / "locks").exists() or not list((place.folder / "state" / "locks").iterdir())


def test_ci_can_read_it(place, rows):
    """JUnit XML with one case a drill, and a failure for each that did not go as promised."""
    suite = ElementTree.parse(place.folder / "drills.xml").getroot()
    assert int(suite.get("tests")) == len(rows[0])
    assert len(suite.findall(".//failure")) == sum(not one["passed"] for one in rows[0].values())


def test_readiness_reads_it(place, rows):
    """`offduty ready` knows what was rehearsed."""
    assert "R09" in place.offduty("ready", "total").stdout


def test_for_real_is_sent_and_marked(place):
    """One message, to the team's channel, that says that it is a drill; its code confirms that it arrived."""
    before = len(place.hook.requests)
    place.drilled("--row", "STOCK-01", "--for-real")
    sent = place.hook.requests[before:]
    told = json.loads(sent[0].body)["data"]
    assert (len(sent), told["drill"], told.get("incident")) == (1, True, None)
    assert place.offduty("alerts", "confirm", told["code"]).returncode == 0


def test_what_the_user_allows_is_written(place):
    """`--allow-writes`: the job's file is really written, the rest is not."""
    out = place.folder / "out"
    out.mkdir()
    try:
        place.drilled("--fault", "lost", "--allow-writes", f"{out}/*")
        assert (out / "total.txt").read_text() == "13.0"
    finally:
        (out / "total.txt").unlink(missing_ok=True)
        out.rmdir()


def test_a_drill_that_is_killed_leaves_nothing(place):
    """No folder, no lock, no process, whatever it was doing (F: SIGKILL in the middle of a drill)."""
    command = [sys.executable, "-m", "offduty", "drill", "total", "--quiet"]
    process = subprocess.Popen(command, cwd=place.folder, env=place.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not list((place.folder / "tmp").glob(f"{PREFIX}*/logs/*/*.log")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while list((place.folder / "tmp").iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    assert list((place.folder / "tmp").iterdir()) == []


WALLED = [sys.executable, str(Path(__file__).resolve().parents[1] / "servers" / "walled.py")]


def test_a_job_that_cannot_be_held_back_is_refused(tmp_path):
    """A shell line where the kernel gives no namespaces: E820, nothing is run; with --unsafe it is killed, and told so (B: shell job)."""
    (tmp_path / "offduty.toml").write_text('[job.touch]\nshell = "sleep 1; echo done > ran.txt"\n')
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
    command = [*WALLED, sys.executable, "-m", "offduty", "drill", "touch"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert "E820" in done.stderr and not (tmp_path / "ran.txt").exists()
    done = subprocess.run([*command, "--unsafe", "--fault", "sigkill"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert "what it writes is not held back" in done.stderr
    assert "1 of 1 went as promised" in done.stdout


@pytest.mark.parametrize("options", ['"-I", ', '"-S", ', '"-E", '])
def test_a_python_that_neither_probe_nor_kernel_holds_is_refused(tmp_path, options):
    """Asked before anything of the job is run: not a byte is written."""
    (tmp_path / "job.py").write_text("open('ran', 'w')")
    (tmp_path / "offduty.toml").write_text(f'[job.apart]\ncommand = ["{sys.executable}", {options}"job.py"]\n')
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
    command = [*WALLED, sys.executable, "-m", "offduty", "drill", "apart"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert "E820" in done.stderr and not (tmp_path / "ran").exists()


def test_a_drill_may_be_the_first_process_of_a_container(tmp_path):
    """What it starts asks whether its parent still lives, which has the number 1 there."""
    alone = ["unshare", "--map-root-user", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the kernel gives no namespaces here")
    (tmp_path / "offduty.toml").write_text(f'[job.total]\ncommand = ["{sys.executable}", "total.py"]\n')
    (tmp_path / "total.py").write_text("print(open('stock.csv').read())\n")
    (tmp_path / "stock.csv").write_text("1\n")
    env = {**os.environ, "OFFDUTY_STATE_DIR": str(tmp_path / "state")}
    command = [*alone, sys.executable, "-m", "offduty", "drill", "total", "--fault", "missing", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert [(one["fault"], one["op"]) for one in json.loads(done.stdout)["drills"]] == [("missing", "file.read")], done.stderr
