"""What a job leaves behind, or closes, or takes away: offduty ends with the job, and turns idle while nothing happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Process 1 of a namespace: mounts its own /proc there.
AS_PROCESS_1 = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root here")


def cpu_seconds(pid):
    """User and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_grandchild_that_holds_the_pipe_delays_nothing(untidy_offduty):
    """F12: the job's own code, at once, with all of its output."""
    done = untidy_offduty.run("--name", "x", "--", "sh", "-c", "sleep 60 & echo hi; exit 7")
    assert (done.code, done.out) == (7, b"hi\n")
    assert done.seconds < 3
    assert any("sleep" in command for command in untidy_offduty.processes().values())


def test_what_is_left_behind_is_named(untidy_offduty):
    """F11: a daemon in a session of its own; it is left alone, and the lock is free."""
    words = ("--name", "x", "--overlap", "skip", "--", "sh", "-c", "setsid -f sleep 60; echo hi")
    done = untidy_offduty.run(*words)
    assert (done.code, done.out) == (0, b"hi\n")
    assert done.seconds < 5
    assert any("1 processes left" in note and "sleep" in note for note in untidy_offduty.record["summary"]["notes"])
    assert "sleep 60 " in untidy_offduty.processes().values()
    assert untidy_offduty.run("--name", "x", "--overlap", "skip", "--", "true").code == 0


def test_what_is_left_behind_is_ended_where_that_is_asked(offduty):
    """F11: `--kill-leftovers`."""
    done = offduty.run("--name", "x", "--kill-leftovers", "--", "sh", "-c", "setsid -f sleep 60; (sleep 61 &) ; echo hi")
    assert (done.code, done.out) == (0, b"hi\n")
    assert any("2 processes ended" in note for note in offduty.record["summary"]["notes"])
    offduty.wait_for(lambda: not offduty.processes(), "they are gone", 2)


@root_only
def test_process_1_reaps_a_thousand_orphans(offduty):
    """F13: none is left as a zombie, while the job runs."""
    spawn = "import os, time\nfor _ in range(1000):\n if os.fork() == 0:\n  if os.fork() == 0: os._exit(0)\n  os._exit(0)\n os.wait()\n"
    count = """time.sleep(0.5)
states = [open(f'/proc/{p}/stat').read().rpartition(')')[2].split()[0] for p in os.listdir('/proc') if p.isdigit()]
print('zombies', states.count('Z'), os.getppid())"""
    done = offduty.run("--name", "x", "--", sys.executable, "-S", "-c", spawn + count, prefix=AS_PROCESS_1)
    assert (done.code, done.out) == (0, b"zombies 0 1\n")


@root_only
def test_process_1_can_be_terminated(offduty):
    """F13: the kernel would throw TERM away for a process 1 that has not asked for it."""
    process = offduty.start("--name", "x", "--", "sh", "-c", "echo up; sleep 60", prefix=AS_PROCESS_1)
    assert process.stdout.readline() == b"up\n"
    [first] = [pid for pid, command in offduty.processes().items() if "-m offduty run" in command and "unshare" not in command]
    os.kill(first, signal.SIGTERM)
    assert process.wait(5) == 143
    process.communicate()


@root_only
def test_a_foreign_proc_leads_to_no_foreign_process(offduty):
    """F13: in a namespace that still sees the host's /proc, its numbers are not taken for processes of the job."""
    done = offduty.run(
        "--kill-leftovers", "--name", "x", "--", "sh", "-c", "setsid -f sleep 0.5; exit 3", prefix=["unshare", "--pid", "--fork"]
    )
    assert done.code == 3
    assert offduty.record["summary"]["notes"] == [note for note in offduty.record["summary"]["notes"] if "processes" not in note]
    offduty.wait_for(lambda: not offduty.processes(), "the sleep has ended")


def used_meanwhile(pid, seconds):
    """Seconds of processor time that a process takes in that time."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return cpu_seconds(pid) - before


@pytest.mark.parametrize(
    "silence",
    [
        "exec >&- 2>&-; ",
        "exec >/dev/null 2>&1; ",
        "",
        "printf half; ",
    ],
    ids=["closed", "redirected", "quiet", "unfinished line"],
)
def test_a_quiet_job_costs_nothing(offduty, silence):
    """F20, F28: no busy loop, whatever the job did with its descriptors; the run ends when the job does."""
    process = offduty.start("--name", "x", "--", "sh", "-c", f"{silence}until [ -e go ]; do sleep 0.1; done; exit 3")
    offduty.wait_for_chores()
    before, began = cpu_seconds(process.pid), time.monotonic()
    time.sleep(0.5)
    used, passed = cpu_seconds(process.pid) - before, time.monotonic() - began
    (offduty.home / "go").touch()
    process.communicate(timeout=40)
    assert process.returncode == 3
    assert used <= 0.02 * passed + 0.03  # the clock ticks in hundredths; a busy loop would use all of it


def test_a_survivor_is_followed_without_haste(offduty):
    """F20, `--survive`: looking into its files ten times a second costs next to nothing."""
    process = offduty.start("--survive", "--name", "x", "--", "sh", "-c", "until [ -e go ]; do sleep 0.1; done")
    offduty.wait_for_chores()
    used = used_meanwhile(process.pid, 0.8)
    (offduty.home / "go").touch()
    process.communicate(timeout=40)
    assert used <= 0.03


def test_a_job_that_makes_its_output_non_blocking(offduty):
    """F20: that is its own affair; offduty reads and writes on."""
    code = "import os\nfor fd in (1, 2): os.set_blocking(fd, False)\nfor n in range(1000): os.write(1, b'%d\\n' % n)"
    done = offduty.run("--name", "x", "--", sys.executable, "-S", "-c", code)
    assert done.out == b"".join(b"%d\n" % n for n in range(1000))
    assert offduty.logged() == done.out


def test_a_slow_reader_costs_nothing_while_it_sleeps(offduty):
    """F20: the job has ended, its output waits for a reader: no busy loop, and nothing is lost."""
    process = offduty.start("--name", "x", "--", "sh", "-c", "head -c 3000000 /dev/zero")
    offduty.wait_for(lambda: used_meanwhile(process.pid, 0.6) <= 0.03, "rest", seconds=40)  # once what is done beforehand is done
    assert process.poll() is None
    assert len(process.stdout.read()) == 3000000
    assert process.wait(40) == 0


def test_a_reader_that_never_reads_does_not_keep_offduty_from_ending(offduty):
    """F20: told to stop while the output of a job that has ended waits for its reader, offduty stops; the job's own outcome stands."""
    process = offduty.start("--name", "x", "--", "sh", "-c", "head -c 80000 /dev/zero; exit 5")
    offduty.wait_for(lambda: len(offduty.processes()) == 1 and list(offduty.state.glob("logs/*/*.log")), "the job has ended")
    time.sleep(0.3)
    process.terminate()
    assert process.wait(3) == 5
    assert offduty.record["outcome"] == "failed"
    process.stdout.close()


def test_standard_input_is_the_jobs(offduty):
    """B1: 20 MB through a pipe, untouched."""
    data = os.urandom(1 << 20) * 20
    done = offduty.run("--name", "x", "--", "sha256sum", stdin=data)
    assert done.out.split()[0].decode() == __import__("hashlib").sha256(data).hexdigest()


@pytest.mark.parametrize("fd", [0, 1, 2])
def test_a_standard_descriptor_that_is_closed(offduty, fd):
    """B1: the job runs, its log is whole, and no file of ours takes the place of the closed one: a closed stdin is closed for the job."""
    show = "[ -e /proc/$$/fd/0 ] && echo open || echo closed; echo err >&2; exit 4"
    done = offduty.run("--name", "x", "--quiet", "--", "sh", "-c", show, prefix=["sh", "-c", f'exec "$@" {fd}>&-', "sh"])
    out = b"closed\n" if fd == 0 else b"open\n"
    assert (offduty.logged(b"|"), offduty.logged(b"!")) == (out, b"err\n")
    assert (done.code, done.out, done.err) == (4, b"" if fd == 1 else out, b"" if fd == 2 else b"err\n")


def test_the_end_of_a_pipeline_ends_the_job(offduty):
    """F20: `offduty run -- yes | head -3` ends at once, and as `yes` itself does: 141."""
    pipeline = f"{' '.join(offduty.command('--quiet', '--', 'yes'))} | head -3; echo ${{PIPESTATUS[0]}}"
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", pipeline], env=offduty.env, cwd=offduty.home, capture_output=True, timeout=20)
    assert done.stdout == b"y\ny\ny\n141\n"
    assert time.monotonic() - began < 5
    assert offduty.record["signal"] == signal.SIGPIPE


def test_output_into_a_full_disk_is_counted(offduty):
    """INV-3: what our own stdout refuses is in the log, and the summary says how much it was."""
    with open("/dev/full", "wb") as full:
        done = offduty.run("--name", "x", "--", "sh", "-c", "echo 12345", stdout=full)
    assert done.code == 0
    assert offduty.logged() == b"12345\n"
    assert "6 bytes could not be passed on to stdout (ENOSPC, no space left on device)" in offduty.record["summary"]["notes"]
