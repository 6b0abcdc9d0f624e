"""Whatever way a job ends, or fails to begin, offduty's exit status and record say exactly that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

SIGNALS = [
    number
    for number in (*range(1, 32), signal.SIGRTMIN + 3)
    if number not in (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
]
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


def python(code):
    """A Python job without the environment's own start-up."""
    return ["--", sys.executable, "-S", "-c", code]


def test_every_exit_code_is_the_jobs_own(offduty, drive):
    """F01: 0 to 255, in exit status, record and summary alike."""
    codes = list(range(256))
    assert drive([["--name", f"exit-{code}", "--", "sh", "-c", f"exit {code}"] for code in codes]) == codes
    records = {run["job"]: run for run in offduty.records()}
    assert [records[f"exit-{code}"]["exit_code"] for code in codes] == codes
    assert {run["exit_source"] for run in records.values()} == {"child"}
    assert {code: records[f"exit-{code}"]["outcome"] for code in codes} == {code: "failed" if code else "succeeded" for code in codes}
    assert "(exit 77)" in "\n".join(line.decode() for line in offduty.log(records["exit-77"]).splitlines())


def test_every_signal_a_job_dies_of_is_named(offduty, drive):
    """F02: 128+n, and the number in the record; real-time signals, too."""
    deadly = [number for number in SIGNALS if number not in STOPPING]
    code = "import os, signal; {}; os.kill(os.getpid(), {})"
    reset = "signal.signal({0}, signal.SIG_DFL)"
    jobs = [["--name", f"signal-{n}", *python(code.format("0" if n == 9 else reset.format(int(n)), int(n)))] for n in deadly]
    assert drive(jobs) == [128 + number for number in deadly]
    assert sorted(run["signal"] for run in offduty.records()) == sorted(deadly)
    assert {run["outcome"] for run in offduty.records()} == {"failed"}


@pytest.fixture
def unstartable(offduty):
    """Files that cannot be run, by name."""
    (offduty.home / "plain.txt").write_text("just text\n")
    (offduty.home / "foreign").write_bytes(b"\x7fELF\0\0\0\0 of another machine")
    (offduty.home / "foreign").chmod(0o755)
    (offduty.home / "orphan.sh").write_text("#!/nowhere/sh\n")
    (offduty.home / "orphan.sh").chmod(0o755)
    return offduty


@pytest.mark.parametrize(
    "program, code, error",
    [
        ("no-such-command-at-all", 127, "E804"),
        ("./no-such-file", 127, "E804"),
        ("./orphan.sh", 127, "E804"),
        ("./plain.txt", 126, "E805"),
        ("/tmp", 126, "E805"),
        ("./foreign", 126, "E805"),
        ("./plain.txt/under-a-file", 127, "E804"),
    ],
)
def test_a_command_that_cannot_be_started(unstartable, program, code, error):
    """F14: 127 not there, 126 there and not to be run; a line that says why, and a record."""
    done = unstartable.run("--name", "x", "--", program)
    assert done.code == code
    assert error in done.err.decode()
    assert b"Traceback" not in done.err
    record = unstartable.record
    assert (record["outcome"], record["exit_code"]) == ("failed", code)
    assert record["summary"]["failure"]["kind"] == "not_started"


def test_a_script_without_an_interpreter_line_goes_to_the_shell(offduty):
    """F14: as `env`, `timeout` and every shell do."""
    (offduty.home / "bare").write_text("echo $0 $1; exit 4\n")
    (offduty.home / "bare").chmod(0o755)
    done = offduty.run("--", "./bare", "word")
    assert (done.code, done.out) == (4, b"./bare word\n")


def test_a_folder_that_is_not_there(offduty):
    """F14: the working folder is named; 125, because it is offduty that cannot begin."""
    done = offduty.run("--cwd", "gone", "--", "true")
    assert done.code == 125
    assert b"E802" in done.err
    assert offduty.record["exit_source"] == "offduty"


def test_a_word_that_no_program_can_be_given(offduty):
    """F14: an argument that the kernel refuses by its size is said to be too big."""
    done = offduty.run("--", "sh", "-c", "true", env={"BIG": "x" * 100})
    assert done.code == 0
    code = "import sys; from offduty.cli.commands.run import fast; sys.exit(fast(['--name', 'big', '--', 'true', 'x' * 200000]))"
    big = subprocess.run([sys.executable, "-c", code], env=offduty.env, capture_output=True, cwd=offduty.home)
    assert big.returncode == 126
    assert b"E2BIG" in big.stderr


@pytest.mark.parametrize("limits", [["--nofile=14"], ["--nofile=16"]], ids=["14", "16"])
def test_so_few_descriptors_that_most_things_fail(offduty, limits):
    """F23: either the job runs and its own code comes back, or 125 with the errno named; never a traceback, never a job twice."""
    done = offduty.run("--name", "x", "--", "sh", "-c", "echo ran; exit 3", prefix=["prlimit", *limits])
    assert (done.code, done.out) in [(3, b"ran\n"), (125, b"")]
    if done.code == 125:
        assert b"EMFILE" in done.err or b"too many open files" in done.err
    assert b"Traceback" not in done.err


def test_no_descriptor_for_a_pipe(offduty):
    """F23: three tries, then 125, the errno, and a record."""
    fill = """import os, sys
for _ in range({}): os.dup(0)
for fd in range(3, 40):
 try: os.set_inheritable(fd, True)
 except OSError: pass
os.execv(sys.argv[1], sys.argv[1:])"""
    done = offduty.run("--name", "x", "--", "echo", "ran", prefix=["prlimit", "--nofile=13", sys.executable, "-c", fill.format(4)])
    assert done.code == 125, done
    assert b"EMFILE" in done.err
    assert done.out == b""
    assert 4 < done.seconds < 12


def test_no_process_may_be_started(untidy_offduty, as_other_user):
    """F23: EAGAIN from fork, as another user with no process to spare: tried again, then 125 with a record."""
    if os.geteuid() != 0:
        pytest.skip("the count of an ordinary user's processes is not ours to fix")
    done = untidy_offduty.run("--name", "x", "--", "echo", "ran", prefix=["prlimit", "--nproc=1", *as_other_user])
    assert (done.code, done.out) == (125, b"")
    assert b"EAGAIN" in done.err
    assert untidy_offduty.record["outcome"] == "failed"


def test_a_second_start_is_skipped(offduty):
    """F15: 75 within a second, and a record that names the run in its way; after that run, the job can run again."""
    first = offduty.start("--name", "x", "--overlap", "skip", "--", "sh", "-c", "echo started; read line", stdin=subprocess.PIPE)
    assert first.stdout.readline() == b"started\n"
    holder = offduty.record["id"]
    second = offduty.run("--name", "x", "--overlap", "skip", "--", "echo", "ran")
    assert (second.code, second.out) == (75, b"")
    assert second.seconds < 2
    assert (offduty.record["outcome"], offduty.record["summary"]["what"]) == ("skipped", f"run {holder[-8:]} is still going")
    first.communicate(b"\n")
    assert offduty.run("--name", "x", "--overlap", "skip", "--", "echo", "ran").out == b"ran\n"


def test_a_queued_start_begins_after_the_first(offduty):
    """F15: `--overlap queue` waits its turn."""
    first = offduty.start("--name", "x", "--overlap", "queue", "--", "sh", "-c", "echo started; sleep 0.5; echo end >> order")
    assert first.stdout.readline() == b"started\n"
    assert offduty.run("--name", "x", "--overlap", "queue", "--", "sh", "-c", "echo begin >> order").code == 0
    assert (offduty.home / "order").read_text() == "end\nbegin\n"
    first.communicate()


def test_a_queued_start_can_be_told_to_go(offduty):
    """F15: TERM reaches a run that still waits for its turn."""
    first = offduty.start("--name", "x", "--overlap", "queue", "--", "sh", "-c", "echo started; read line", stdin=subprocess.PIPE)
    first.stdout.readline()
    second = offduty.start("--name", "x", "--overlap", "queue", "--", "touch", "ran")
    offduty.wait_for(lambda: offduty.has_open(second, ".lock"), "in the queue")
    second.terminate()
    assert second.wait(5) == 128 + signal.SIGTERM
    first.communicate(b"\n")
    assert not (offduty.home / "ran").exists()


def test_fifty_starts_at_once_give_one_run(offduty):
    """F15: of 50 processes that race for the lock, one runs and 49 are skipped."""
    words = ("--name", "x", "--overlap", "skip", "--quiet", "--", "sh", "-c", "echo x >> ran; until [ -e go ]; do sleep 0.1; done")
    started = [offduty.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(50)]
    offduty.wait_for(lambda: sum(process.poll() is not None for process in started) == 49, "49 skipped", 60)
    (offduty.home / "go").touch()
    assert sorted(process.wait(10) for process in started) == [0] + [75] * 49
    assert (offduty.home / "ran").read_text() == "x\n"
    assert sorted(run["outcome"] for run in offduty.records()) == ["skipped"] * 49 + ["succeeded"]


def test_a_killed_holder_frees_the_lock_though_its_worker_lives(untidy_offduty):
    """F16: a process forked from the job does not keep the job locked."""
    offduty = untidy_offduty
    words = ("--name", "x", "--overlap", "skip", "--")
    first = offduty.start(*words, "sh", "-c", "setsid sh -c 'echo $$ > worker; exec sleep 60' & read line", stdin=subprocess.PIPE)
    worker = int(offduty.wait_for_file(offduty.home / "worker"))
    first.kill()
    first.wait()
    assert offduty.run(*words, "echo", "ran").out == b"ran\n"
    assert worker in offduty.processes()
