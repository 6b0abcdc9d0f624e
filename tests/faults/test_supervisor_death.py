"""When offduty itself is killed, stopped or short of memory: the job, its log and its record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offduty.clock import Clock
from offduty.runs.alive import supervisor_alive
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store

TICK = "import os, time\nfor n in range(10000): os.write(1, b'%06d\\n' % n); time.sleep(0.01)"
MEMORY_V1 = Path("/sys/fs/cgroup/memory")
MEMORY_V2 = Path("/sys/fs/cgroup")


def the_job(offduty, process):
    """The process id of the only child."""
    [child] = offduty.wait_for(lambda: [pid for pid in offduty.processes() if pid != process.pid], "the job")
    return child


def log_of(offduty):
    """The log file of a run that never ended, however far it came."""
    return max(offduty.state.glob("logs/*/*.log"))


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chance", range(50))
def test_fifty_kills_at_random_times(untidy_offduty, chance):
    """F07: as below, fifty times."""
    test_the_job_does_not_outlive_a_killed_offduty(untidy_offduty, int.from_bytes(os.urandom(2), "big") / 65536 * 2)


@pytest.mark.parametrize("after", [0.05, 0.2, 0.55, 0.9, 1.4])
def test_the_job_does_not_outlive_a_killed_offduty(untidy_offduty, after):
    """F07, F10: gone within a second; the log holds every byte written a second before, and whole lines only."""
    offduty = untidy_offduty
    process = offduty.start("--name", "x", "--", sys.executable, "-S", "-c", TICK)
    assert process.stdout.readline() == b"000000\n"
    child = the_job(offduty, process)
    time.sleep(after)
    log_before, printed = log_of(offduty), int(after * 100 * 0.5)
    process.kill()
    offduty.wait_for(lambda: child not in offduty.processes(), "the job is gone", 1.0)
    lines = [line[15:] for line in log_before.read_bytes().splitlines() if line[13:14] == b"|"]
    assert lines == [b"%06d" % n for n in range(len(lines))]
    assert len(lines) >= printed - 100


def test_what_was_printed_a_second_ago_is_in_the_log(untidy_offduty):
    """F07, F28: also the beginning of a line whose end never came, while the other stream is busy (its last word may be half a secret)."""
    offduty = untidy_offduty
    code = """import os, time
os.write(1, b'not finished ')
for n in range(15): os.write(2, b'busy\\n'); time.sleep(0.1)
os.write(1, b'!')
time.sleep(60)"""
    process = offduty.start("--name", "x", "--", sys.executable, "-S", "-c", code)
    offduty.wait_for(lambda: process.stdout.read(14) == b"not finished !", "all of it")
    process.kill()
    assert b"|~not finished \n" in log_of(offduty).read_bytes()


def test_a_killed_run_becomes_lost(untidy_offduty):
    """F07, INV-4: whoever reads next finds that its supervisor is gone."""
    offduty = untidy_offduty
    process = offduty.start("--name", "x", "--", "sh", "-c", "echo up; sleep 60")
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.wait()
    store = open_store(str(offduty.state / "offduty.sqlite3"))
    replay(str(offduty.state / "spool"), store, alive=supervisor_alive, clock=Clock())
    assert [run["outcome"] for run in store.runs()] == ["lost"]
    store.close()


def test_a_job_that_is_to_survive_goes_on(untidy_offduty):
    """F07, `--survive`: its output goes on into a file beside the log, and nothing of it is missing."""
    offduty = untidy_offduty
    code = "import os, time\nfor n in range(100): os.write(1, b'%06d\\n' % n); time.sleep(0.01)\nopen('done', 'w').write('yes')"
    process = offduty.start("--survive", "--name", "x", "--", sys.executable, "-S", "-c", code)
    assert process.stdout.readline() == b"000000\n"
    process.kill()
    assert offduty.wait_for_file(offduty.home / "done") == "yes"
    out = Path(f"{log_of(offduty)}.out")
    assert out.read_bytes() == b"".join(b"%06d\n" % n for n in range(100))
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_job_that_could_survive_is_logged_as_any_other(offduty):
    """`--survive`: output, log and exit code as without, live; the files are gone afterwards."""
    process = offduty.start(
        "--survive",
        "--name",
        "x",
        "--",
        "sh",
        "-c",
        "echo one; echo two >&2; read x; head -c 3000000 /dev/zero | tr '\\0' z; exit 6",
        stdin=subprocess.PIPE,
    )
    assert (process.stdout.readline(), process.stderr.readline()) == (b"one\n", b"two\n")
    out, _ = process.communicate(b"\n")
    assert (process.returncode, len(out)) == (6, 3000000)
    assert offduty.logged(b"|") == b"one\n" + out
    assert offduty.logged(b"!") == b"two\n"


def test_a_stopped_offduty_disturbs_nobody(offduty):
    """F22: the job goes on until its pipe is full; when offduty continues, nothing is missing and one record says how it ended."""
    work = "until [ -e go ]; do sleep 0.05; done; for i in 1 2 3 4 5; do echo $i; done; touch done; exit 4"
    process = offduty.start("--name", "x", "--", "sh", "-c", f"echo up; {work}")
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGSTOP)
    (offduty.home / "go").touch()
    offduty.wait_for(lambda: (offduty.home / "done").exists(), "the job is done while offduty is stopped")
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=10)[0] == b"1\n2\n3\n4\n5\n"
    assert (process.returncode, offduty.record["outcome"], len(offduty.records())) == (4, "failed", 1)


@pytest.fixture
def memory_limit():
    """A memory cgroup of 60 MB: the file to write a process id into, and how to count its kills."""
    folder = (MEMORY_V1 if MEMORY_V1.is_dir() else MEMORY_V2) / f"offduty-test-{os.getpid()}"
    try:
        folder.mkdir()
        name = "memory.limit_in_bytes" if MEMORY_V1.is_dir() else "memory.max"
        (folder / name).write_text(str(60 << 20))
    except OSError as error:
        if folder.is_dir():
            folder.rmdir()
        pytest.skip(f"no memory cgroup of our own: {error.strerror}")
    yield folder
    until = time.monotonic() + 5
    while (folder / "cgroup.procs").read_text().strip() and time.monotonic() < until:
        time.sleep(0.05)
    folder.rmdir()


def test_the_oom_killer_takes_the_job_and_not_offduty(offduty, memory_limit):
    """F09: exit 137, offduty alive to tell, and it tells that memory ran out."""
    enter = f'echo $$ > {memory_limit}/cgroup.procs; exec "$@"'
    eat = "import os, time\ntime.sleep(0.4)\nhoard = []\nwhile True: hoard.append(bytearray(os.urandom(1 << 20)))"
    done = offduty.run("--name", "x", "--", sys.executable, "-S", "-c", eat, prefix=["sh", "-c", enter, "sh"])
    assert done.code == 137
    record = offduty.record
    assert (record["outcome"], record["signal"]) == ("failed", 9)
    assert "memory" in str(record["summary"]).lower()


def test_a_kill_from_elsewhere_is_not_called_out_of_memory(offduty):
    """F09: 137 alone proves nothing."""
    done = offduty.run("--name", "x", "--", "sh", "-c", "sleep 0.4; kill -9 $$")
    assert done.code == 137
    assert "memory" not in str(offduty.record["summary"]).lower()


def test_a_crash_between_attempts_resumes_the_count(untidy_offduty):
    """F18: the next start makes attempt 2 of 3, and belongs to the same run."""
    offduty = untidy_offduty
    words = ("--name", "x", "--retries", "2", "--retry-delay", "0", "--", "false")
    killed = offduty.run(*words, env={"OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": "between attempts:kill"})
    assert killed.code == -signal.SIGKILL
    assert offduty.run(*words).code == 1
    runs = offduty.records()
    assert [(run["attempt"], run["attempts"]) for run in runs] == [(1, 3), (2, 3), (3, 3)]
    assert {run["root_id"] for run in runs} == {runs[0]["id"]}
    assert len({run["log"] for run in runs}) == 3


def test_a_run_that_waits_for_its_next_attempt_keeps_it(offduty):
    """F18: a second start of the same job does not take over the attempt that a living one is waiting for."""
    words = ("--name", "x", "--retries", "2", "--retry-delay", "60", "--", "sh", "-c", "test -e good")
    waiting = offduty.start(*words)
    offduty.wait_for(lambda: list(offduty.state.glob("retries/x.json")), "an attempt is owed")
    (offduty.home / "good").touch()
    assert offduty.run(*words).code == 0
    assert [run["attempt"] for run in offduty.records()] == [1, 1]
    assert list(offduty.state.glob("retries/x.json"))
    waiting.terminate()
    waiting.wait()


def test_each_attempt_has_its_own_log_and_the_last_one_decides(offduty):
    """F18: fail, fail, succeed: exit status 0."""
    code = "n=$(cat n 2>/dev/null || echo 0); echo $((n+1)) > n; echo attempt $OFFDUTY_ATTEMPT; test $n = 2"
    done = offduty.run("--name", "x", "--retries", "5", "--retry-delay", "0", "--", "sh", "-c", code)
    assert (done.code, done.out) == (0, b"attempt 1\nattempt 2\nattempt 3\n")
    runs = offduty.records()
    assert [(run["attempt"], run["outcome"], run["trigger"]) for run in runs] == [
        (1, "failed", "manual"),
        (2, "failed", "retry"),
        (3, "succeeded", "retry"),
    ]
    assert [b"attempt %d\n" % run["attempt"] in offduty.log(run) for run in runs] == [True] * 3


def test_another_process_with_our_number_owes_nothing(offduty):
    """F17: a pid that was used again is not taken for the run that died."""
    (offduty.state / "retries").mkdir(parents=True)
    started = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    owed = '{{"attempt": 2, "root_id": "{}", "at": {}, "pid": {}, "boot_id": "{}", "pid_started": {}}}'
    for wrong, attempts in [(0, [1]), (1, [1, 2])]:
        (offduty.state / "retries/x.json").write_text(owed.format("0" * 36, time.time(), os.getpid(), boot, int(started) + wrong))
        offduty.run("--name", "x", "--retries", "1", "--retry-delay", "0", "--", "true")
        assert [run["attempt"] for run in offduty.records()] == attempts
