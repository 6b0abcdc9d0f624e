"""Starting a process: where its program is looked for, what is said when it cannot be started, and what waits for it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys

import pytest

from offduty.errors import CannotStart
from offduty.runs import processes, spawn

# Each case in a process of its own: waiting for any child, and blocking every signal, is not for the test runner.
START = """
import json, os, sys
from offduty.runs import spawn
command, env = json.loads(sys.argv[1])
null = os.open(os.devnull, os.O_RDWR)
signals = spawn.Signals()
child = spawn.start(command, env, None, spawn.Stdio(null, null), signals=signals, survive=False)
while child.status is None:
    child.reap()
print(child.status)
"""


def started(command, env):
    """The status of a command, or the error it was refused with."""
    import json

    done = subprocess.run([sys.executable, "-c", START, json.dumps([command, env])], capture_output=True, text=True, timeout=20)
    return int(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def script(path, code):
    """An executable script that exits with `code`."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_the_first_on_the_path_wins(tmp_path):
    """F14: as execvp(3) looks; a file that may not be run is passed over."""
    script(tmp_path / "a/tool", 1).chmod(0o644)
    script(tmp_path / "b/tool", 2)
    script(tmp_path / "c/tool", 3)
    path = ":".join(str(tmp_path / name) for name in ("none", "a", "b", "c"))
    assert os.waitstatus_to_exitcode(started(["tool"], {"PATH": path})) == 2


def test_only_files_that_may_not_be_run(tmp_path):
    """F14: found, and refused: 126 and not 127."""
    script(tmp_path / "a/tool", 1).chmod(0o644)
    assert "E805" in started(["tool"], {"PATH": f"{tmp_path}/a:{tmp_path}/none"})
    assert "E804" in started(["tool"], {"PATH": str(tmp_path / "none")})


@pytest.mark.parametrize("env", [{"A": "nul\0inside"}, {"A=B": "c"}])
def test_an_environment_that_cannot_be(env):
    """F23, F24: the child that failed says so; it is never taken for a job that ended."""
    assert "EINVAL" in started(["true"], {**env, "PATH": os.environ["PATH"]})


def test_the_status_carries_the_signal():
    """F02."""
    assert os.WTERMSIG(started(["sh", "-c", "kill -KILL $$"], dict(os.environ))) == signal.SIGKILL


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE])
def test_what_may_pass(number):
    """F23: is worth another try, so it is no refusal yet."""
    refusal = spawn._refusal("exec", number, "x", None)
    assert isinstance(refusal, OSError)
    assert spawn.is_transient(refusal)


def test_what_will_not_pass():
    """F14, F23."""
    refusal = spawn._refusal("exec", errno.E2BIG, "x", None)
    assert isinstance(refusal, CannotStart)
    assert (refusal.status, refusal.code) == (126, "E805")
    assert "E2BIG" in str(refusal)


def test_a_process_is_seen_with_any_name(tmp_path):
    """F11: parentheses, spaces and newlines in a program's name confuse nobody."""
    import shutil

    odd = tmp_path / "a) S (b\n c"
    shutil.copy(shutil.which("sleep"), odd)
    process = subprocess.Popen([odd, "60"], process_group=0)
    try:
        found = processes.look(process.pid)
        assert (found.name, found.parent, found.group) == ("a) S (b\n c", os.getpid(), process.pid)
        assert process.pid in [each.pid for each in processes.descendants(os.getpid())]
    finally:
        process.kill()
        process.wait()
    assert processes.look(process.pid) is None
