"""Signals to offduty reach the job, once; TERM, Ctrl-C and a time limit end it, and the record says which."""

from __future__ import annotations

import signal
import sys
import time

import pytest

# What dumb-init forwards: everything but KILL, STOP, CHLD and the three that suspend.
FORWARDED = [
    n for n in range(1, 32) if n not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
]
PRINT_SIGNALS = """
import os, signal
for number in {}:
    signal.signal(number, lambda number, frame: os.write(1, b"%d\\n" % number))
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""
PYTHONS_OWN = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)  # Python ignores these for itself
STUBBORN = "import signal, os, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.write(1, b'ready\\n')\ntime.sleep(60)"


def job(code, *options):
    """A Python job, and options of ours before it."""
    return [*options, "--name", "x", "--", sys.executable, "-S", "-c", code]


def begun(offduty, code, *options):
    """Started, and the job said that it is ready."""
    process = offduty.start(*job(code, *options))
    assert process.stdout.readline() == b"ready\n"
    return process


def test_each_of_25_signals_reaches_the_job_once(offduty):
    """F03: within 100 ms, and offduty lives on."""
    assert len(FORWARDED) == 25
    process = begun(offduty, PRINT_SIGNALS.format(FORWARDED), "--stop-grace", "60")
    delays = []
    for number in FORWARDED:
        began = time.monotonic()
        process.send_signal(number)
        assert process.stdout.readline() == b"%d\n" % number
        delays.append(time.monotonic() - began)
    assert sorted(delays)[len(delays) // 2] < 0.1
    assert process.poll() is None
    [child] = [pid for pid in offduty.processes() if pid != process.pid]
    signal.pidfd_send_signal(__import__("os").pidfd_open(child), signal.SIGKILL)
    assert process.communicate()[0] == b""
    assert offduty.logged(b"|").split() == [b"ready", *(b"%d" % number for number in FORWARDED)]


def test_real_time_signals_pass_too(offduty):
    """F03: without offduty they would reach the job; they must not kill offduty."""
    number = signal.SIGRTMIN + 5
    process = begun(offduty, PRINT_SIGNALS.format([int(number)]))
    process.send_signal(number)
    assert process.stdout.readline() == b"%d\n" % number
    process.terminate()
    assert process.wait(5) == 143


def test_term_is_the_jobs_to_handle(offduty):
    """F04: a job that ends on TERM gives its own exit code; the run counts as terminated."""
    process = begun(offduty, "import signal, os, sys\nsignal.signal(15, lambda *a: sys.exit(7))\nos.write(1, b'ready\\n')\nsignal.pause()")
    process.terminate()
    assert process.wait(5) == 7
    record = offduty.record
    assert (record["outcome"], record["exit_code"], record["exit_source"]) == ("terminated", 7, "child")
    assert any(line.startswith("TERM came: passed on; KILL after 25 s") for line in offduty.own_lines())


def test_a_job_that_ignores_term_is_killed(offduty):
    """F04: after the grace the whole group goes; exit status 143."""
    process = begun(offduty, STUBBORN, "--stop-grace", "0.5s")
    began = time.monotonic()
    process.terminate()
    assert process.wait(5) == 143
    assert 0.4 < time.monotonic() - began < 2.5
    record = offduty.record
    assert (record["outcome"], record["exit_code"], record["exit_source"], record["signal"]) == ("terminated", 143, "offduty", 9)
    assert "still there: KILL" in offduty.own_lines()


def test_term_wakes_a_stopped_job(offduty):
    """F04: a job that stopped itself cannot act on TERM, so it is continued."""
    process = begun(offduty, "import os, signal\nos.write(1, b'ready\\n')\nos.kill(os.getpid(), signal.SIGSTOP)")
    time.sleep(0.2)
    process.terminate()
    assert process.wait(5) == 143
    assert offduty.record["signal"] == signal.SIGTERM


def test_ctrl_c_is_passed_on(offduty):
    """F05: the job decides; dying of it is being terminated, not a failure, so it is not tried again."""
    process = begun(offduty, "import os, time\nos.write(1, b'ready\\n')\ntime.sleep(60)", "--retries", "2", "--retry-delay", "0")
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert [run["outcome"] for run in offduty.records()] == ["terminated"]


def test_a_second_ctrl_c_kills(offduty):
    """F05: within two seconds of the first."""
    process = begun(offduty, STUBBORN.replace("SIGTERM", "SIGINT"))
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    record = offduty.record
    assert (record["outcome"], record["signal"], record["exit_source"]) == ("terminated", 9, "offduty")
    assert "INT came again: KILL" in offduty.own_lines()


def test_a_failure_long_after_a_hangup_is_a_failure(offduty):
    """F05: HUP makes many programs read their configuration again; what fails later fails for reasons of its own."""
    code = """import os, signal, sys, time
came = []
signal.signal(1, lambda *a: came.append(a))
os.write(1, b'ready\\n')
while not came: time.sleep(0.01)
time.sleep(0.5)
sys.exit(3)"""
    process = begun(offduty, code, "--stop-grace", "0.1s")
    process.send_signal(signal.SIGHUP)
    assert process.wait(30) == 3
    assert offduty.record["outcome"] == "failed"


def test_the_time_limit_ends_the_whole_group(offduty):
    """F06: 124, grandchildren gone, log complete to the end."""
    done = offduty.run("--name", "x", "--timeout", "0.5s", "--", "sh", "-c", "echo first; sleep 99 & sleep 99")
    assert (done.code, done.out) == (124, b"first\n")
    assert done.seconds < 10
    record = offduty.record
    assert (record["outcome"], record["exit_code"], record["exit_source"]) == ("timed_out", 124, "offduty")
    assert offduty.logged() == b"first\n"
    assert "stopping: its time is up (TERM, then KILL after 8 s)" in offduty.own_lines()


def test_the_time_limit_ends_those_that_left_the_group(offduty):
    """F06: a grandchild in a session of its own that ignores TERM goes with the rest."""
    stubborn = f"setsid {sys.executable} -S -c 'import signal, os, time; signal.signal(15, 1); os.write(1, b\"up\\n\"); time.sleep(99)'"
    done = offduty.run("--name", "x", "--timeout", "1s", "--stop-grace", "0.3s", "--", "sh", "-c", f"{stubborn} & sleep 99")
    assert done.code == 124
    assert done.seconds < 10


def test_a_stubborn_job_is_killed_when_its_time_is_up(offduty):
    """F06: TERM, the grace, KILL: 124 all the same."""
    done = offduty.run(*job(STUBBORN, "--timeout", "0.4s", "--stop-grace", "0.3s"))
    assert done.code == 124
    assert (offduty.record["outcome"], offduty.record["signal"]) == ("timed_out", 9)


def test_overdue_without_a_limit_is_only_told(offduty):
    """F06: `max_duration` alone stops nothing: the job ends by itself, and the run is a warning."""
    (offduty.home / "offduty.toml").write_text('[job.slow]\ncommand = ["sleep", "0.6"]\nmax_duration = "0.2 s"\n')
    assert offduty.run("slow").code == 0
    assert offduty.record["outcome"] == "warned"
    assert "overdue: longer than 0.2 s" in offduty.own_lines()


def test_a_limit_of_a_year_is_no_trouble(offduty):
    """B1: poll() itself takes 24 days at most."""
    done = offduty.run("--timeout", "365d", "--", "sh", "-c", "sleep 0.2; echo hi")
    assert (done.code, done.out) == (0, b"hi\n")


def test_term_between_two_attempts(offduty):
    """F18: the wait for the next attempt ends at once, and nothing is owed any more."""
    process = offduty.start("--name", "x", "--retries", "3", "--retry-delay", "60", "--", "false")
    offduty.wait_for(
        lambda: list(offduty.state.glob("retries/*.json")) and offduty.record["outcome"] == "failed", "the first attempt is over"
    )
    process.terminate()
    assert process.wait(5) == 143
    assert list(offduty.state.glob("retries/*")) == []
    assert len(offduty.records()) == 1


@pytest.mark.parametrize("ignored", [signal.SIGCHLD, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_parent_that_ignores_a_signal(offduty, ignored):
    """INV-1: the job inherits what is ignored, as it would without us; and offduty learns how the job ended all the same."""
    launch = f"import os, signal, sys; signal.signal({int(ignored)}, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    done = offduty.run(
        *job("import sys; print(*(line for line in open('/proc/self/status') if 'SigIgn' in line)); sys.exit(5)"),
        prefix=[sys.executable, "-S", "-c", launch],
    )
    assert done.code == 5
    assert int(done.out.split()[1], 16) == 1 << (ignored - 1) | PYTHONS_OWN
