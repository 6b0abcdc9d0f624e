"""Toolbox of the fault tests: `offduty run` as a process in folders of its own, and a look around afterwards for what it left behind."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from binascii import crc32
from pathlib import Path
from typing import NamedTuple

import pytest

from offduty.runs.logread import job_bytes
from offduty.stores.sqlite import open_store

OTHER_USER = 54321  # nobody's: a server that another test runs must not count against its limits
OURS = ("OFFDUTY_", "XDG_", "STATE_DIRECTORY", "LOGS_DIRECTORY", "PYTHONDONTWRITEBYTECODE", "PYTEST_")


def pytest_configure(config):
    """`torture`: minutes, not seconds; run by `-m torture`."""
    config.addinivalue_line("markers", "torture: takes minutes; left out unless -m torture")


def pytest_collection_modifyitems(config, items):
    """Leave the long ones out of an ordinary run."""
    if "torture" not in config.option.markexpr:
        for item in items:
            if "torture" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: -m torture"))


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: bytes
    err: bytes
    seconds: float


class Offduty:
    """`offduty run` in folders of its own under `home`. `may_leave`: a test that leaves processes behind on purpose says so."""

    def __init__(self, home):
        self.home, self.state = home, home / "state"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.env |= {"OFFDUTY_STATE_DIR": str(self.state), "HOME": str(home), "XDG_STATE_HOME": str(home / "xdg")}
        self.started = []

    def command(self, *words):
        """The argument list of `offduty run …`."""
        return [sys.executable, "-m", "offduty", "run", *(word if isinstance(word, bytes) else str(word) for word in words)]

    def start(self, *words, prefix=(), **more):
        """Begin; whoever calls ends it, or the fixture does."""
        return self.popen([*prefix, *self.command(*words)], **more)

    def popen(self, command, env=None, **more):
        """A process in our folders and environment."""
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.home, **more}
        process = subprocess.Popen(command, env={**self.env, **(env or {})}, **more)
        self.started.append(process)
        return process

    def run(self, *words, prefix=(), stdin=None, timeout=30, **more):
        """Begin, wait, and say how it ended."""
        return self.started_with([*prefix, *self.command(*words)], stdin=stdin, timeout=timeout, **more)

    def started_with(self, command, stdin=None, timeout=30, **more):
        """The same for a command that starts offduty in another way."""
        began = time.monotonic()
        process = self.popen(command, **({"stdin": subprocess.PIPE} if stdin is not None else {}), **more)
        out, err = process.communicate(stdin, timeout=timeout)
        return Result(process.returncode, out, err, time.monotonic() - began)

    def records(self):
        """The last record of each run, oldest first: from the spool, or from the store where that has taken it."""
        found = {}
        if (self.state / "offduty.sqlite3").exists():
            store = open_store(str(self.state / "offduty.sqlite3"))
            found = {run["id"]: run for run in store.runs(limit=1000)}
            store.close()
        for path in sorted(self.state.glob("spool/*.spool")):
            for line in path.read_bytes().splitlines():
                crc, _, body = line.partition(b" ")
                assert int(crc, 16) == crc32(body), f"damaged: {path}"
                run = json.loads(body)["run"]
                found[run["id"]] = run
        return sorted(found.values(), key=lambda run: run["id"])

    @property
    def record(self):
        """The record of the last run."""
        return self.records()[-1]

    def log(self, record=None):
        """The bytes of a run's log."""
        return Path((record or self.record)["log"]).read_bytes()

    def logged(self, marks=b"|!"):
        """What the last run's job printed, as its log has it."""
        return b"".join(job_bytes([self.log()], marks))

    def own_lines(self):
        """offduty's own lines in the last run's log, without the column."""
        return [line[15:].decode() for line in self.log().splitlines() if line[13:14] == b"*"]

    def wait_for(self, check, what, seconds=10.0):
        """Until `check()` is true; its value."""
        until = time.monotonic() + seconds
        while not (value := check()):
            assert time.monotonic() < until, f"never: {what}"
            time.sleep(0.01)
        return value

    def wait_for_file(self, path):
        """Until the job wrote something to `path`; its text."""
        path = Path(path)
        return self.wait_for(lambda: path.exists() and path.read_text(), f"a text in {path}")

    def wait_for_chores(self):
        """Until all is done that is done while a job runs: the reserve is made last."""
        self.wait_for(lambda: (self.state / "reserve").exists(), "the last chore", seconds=40)

    @staticmethod
    def has_open(process, ending):
        """Whether `process` has a file open whose name ends so."""
        try:
            return any(os.readlink(f"/proc/{process.pid}/fd/{fd}").endswith(ending) for fd in os.listdir(f"/proc/{process.pid}/fd"))
        except OSError:
            return False

    def processes(self):
        """Live processes that descend from a run of ours, wherever they are now: they have our environment."""
        wanted = f"OFFDUTY_STATE_DIR={self.state}\0".encode()
        found = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                try:
                    environ, stat = Path(f"/proc/{entry}/environ").read_bytes(), Path(f"/proc/{entry}/stat").read_text()
                    if wanted in environ and stat.rpartition(")")[2].split()[0] not in "ZX":
                        found[int(entry)] = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                except OSError:
                    continue
        return found

    def kill_all(self):
        """End whatever is left; what it was."""
        found = self.processes()
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        return found

    def litter(self):
        """Files that should not outlast a run, and locks that are held."""
        left = [str(path) for pattern in ("**/*.new", "**/*.log.*", "**/*.tmp") for path in self.home.glob(pattern)]
        return left + [str(path) for path in self.home.glob("**/locks/*.lock") if _is_held(path)]


def _is_held(path):
    with open(path, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@pytest.fixture
def untidy_offduty(tmp_path):
    """For tests that kill offduty: processes and half-finished files may stay, and are cleared away."""
    home = tmp_path / "home"
    home.mkdir()
    offduty = Offduty(home)
    yield offduty
    offduty.kill_all()


@pytest.fixture
def offduty(untidy_offduty):
    """After the test: no process, no lock, no temporary file may be left."""
    yield untidy_offduty
    left = untidy_offduty.kill_all()
    assert left == {}, "processes are left"
    assert untidy_offduty.litter() == []


@pytest.fixture
def as_other_user(untidy_offduty):
    """A prefix to run as somebody who is not root, and may write where the run does: limits and permissions do not bind root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root, and no setpriv to become somebody else")
    os.chown(untidy_offduty.home, OTHER_USER, OTHER_USER)
    caps = "-all,+dac_read_search"  # the interpreter may live where only root can look
    return ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}"]


@pytest.fixture
def drive(untidy_offduty):
    """Many runs in one process: `drive([argv, …])` gives their exit codes. A process for each would cost minutes."""

    def go(runs, **more):
        script = Path(__file__).with_name("drive.py")
        env = {**untidy_offduty.env, **more.pop("env", {})}
        done = subprocess.run(
            [sys.executable, str(script)],
            input=json.dumps(runs),
            capture_output=True,
            text=True,
            env=env,
            cwd=untidy_offduty.home,
            timeout=110,
            **more,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return go
