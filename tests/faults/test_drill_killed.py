"""A drill of an enclosed job that is killed in the middle leaves nothing: no process, no folder, no mount, no port, no file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offduty.drills.receiver import Receiver
from offduty.wiring.enclosing import can_enclose

PATIENCE = 60.0
SCRIPT = """\
#!/bin/sh
echo written > out.txt
curl -s "$SERVICE" || wget -qO- "$SERVICE"
setsid sleep {mark} &
sleep {mark}
"""


@pytest.fixture(scope="module", autouse=True)
def enclosing():
    """Only where the kernel lets us."""
    if why := can_enclose():
        pytest.skip(f"the kernel gives no namespaces here: {why}")


def until(holds):
    """Whether it comes to hold."""
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    return holds()


def processes(mark):
    """Those with this among their arguments."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if mark in line]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_drill_that_is_killed_leaves_nothing(tmp_path, number):
    """While the job sleeps, with a daemon beside it, behind the gate (F: SIGKILL in the middle of a drill)."""
    mark = f"{70_000 + os.getpid()}.{int(number)}"
    script = tmp_path / "job.sh"
    script.write_text(SCRIPT.format(mark=mark))
    script.chmod(0o755)
    (tmp_path / "offduty.toml").write_text('[job.sleeper]\ncommand = ["./job.sh"]\n')
    (tmp_path / "tmp").mkdir()
    with Receiver() as service:
        env = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state", "TMPDIR": f"{tmp_path}/tmp",
            "SERVICE": service.url,
        }  # fmt: skip
        mounts = Path("/proc/self/mountinfo").read_text()
        command = [sys.executable, "-m", "offduty", "drill", "sleeper"]
        drill = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert until(lambda: len(processes(f"sleep {mark}")) == 2), processes("drill")
        drill.send_signal(number)
        drill.wait(PATIENCE)
        assert until(lambda: not processes(mark)), processes(mark)
        assert until(lambda: not list((tmp_path / "tmp").iterdir())), list((tmp_path / "tmp").iterdir())
    assert not (tmp_path / "out.txt").exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts


def test_a_job_that_hangs_is_ended_by_the_limit(tmp_path):
    """`--limit`: the whole enclosure goes with it; the drill says that the job fails with nothing broken."""
    mark = f"{80_000 + os.getpid()}"
    (tmp_path / "offduty.toml").write_text(f'[job.sleeper]\nshell = "setsid sleep {mark} & sleep {mark}"\n')
    (tmp_path / "tmp").mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state", "TMPDIR": f"{tmp_path}/tmp"}
    command = [sys.executable, "-m", "offduty", "drill", "sleeper", "--limit", "2s", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=110)
    assert json.loads(done.stdout)["error"]["code"] == "E821", done.stderr
    assert until(lambda: not processes(mark))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_server_that_nobody_can_read_is_said_so(tmp_path):
    """`through` with a word that is no server: E823, and nothing is run."""
    (tmp_path / "offduty.toml").write_text('[job.touch]\nshell = "touch ran"\ndrill = { through = ["NO_SUCH_VARIABLE"] }\n')
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
    command = [sys.executable, "-m", "offduty", "drill", "touch"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=110)
    assert "E823" in done.stderr and not (tmp_path / "ran").exists()


def test_a_script_with_a_database_loses_it(tmp_path, postgres_port):
    """`through`: psql finds its server by name and reads; what it writes is refused; and the server is taken away (F: refused, DNS)."""
    psql = next((f"{place}/psql" for place in os.environ["PATH"].split(":") if os.access(f"{place}/psql", os.X_OK)), None)
    if psql is None:
        pytest.skip("psql is not installed (Debian: postgresql-client)")
    (tmp_path / "job.sh").write_text('set -eu\npsql "$DW" -c "select 1" > out.txt\n! psql "$DW" -c "create table never (a int)"\n')
    address = f"postgresql://postgres@localhost:{postgres_port}/postgres"
    config = f'[job.report]\ncommand = ["sh", "job.sh"]\nenv = {{ DW = "{address}" }}\ndrill = {{ through = ["DW"] }}\n'
    (tmp_path / "offduty.toml").write_text(config)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
    command = [sys.executable, "-m", "offduty", "drill", "report", "--fault", "refused", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=110)
    [one] = json.loads(done.stdout)["drills"]
    assert (one["op"], one["target"], one["loud"]) == ("db.connect", f"postgresql://localhost:{postgres_port}", True), one
    assert "Connection refused" in str(one["what"]) or "refused" in done.stdout
