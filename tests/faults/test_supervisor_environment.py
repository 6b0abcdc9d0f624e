"""The job's world is the one it would have without offduty (INV-1), and offduty is in nobody's way (INV-2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

DUMP = """
import json, os, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
env = dict(pair.split(b"=", 1) for pair in open("/proc/self/environ", "rb").read().split(b"\\0") if pair)
fds = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in sorted(os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{fd}")}
print(json.dumps({
    "argv": [os.fsencode(word).hex() for word in sys.orig_argv[4:]],
    "env": {name.hex(): value.hex() for name, value in env.items()},
    "cwd": os.getcwd(), "umask": status["Umask"].strip(), "fds": fds,
    "signals": [status[name].strip() for name in ("SigBlk", "SigIgn", "SigPnd", "ShdPnd")],
    "nice": os.nice(0), "limits": open("/proc/self/limits").read(), "groups": status["Groups"].strip(),
}))
"""
ADDED = ["OFFDUTY_ATTEMPT", "OFFDUTY_EVENTS", "OFFDUTY_JOB", "OFFDUTY_RUN_ID", "OFFDUTY_TOKEN", "PYTHONPATH"]


def both(offduty, *words, env=None, prefix=()):
    """What a job sees without offduty and with it."""
    job = [sys.executable, "-S", "-c", DUMP, *words]
    environ = {**offduty.env, **(env or {})}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "cwd": offduty.home}
    plain = subprocess.run([*prefix, *job], env=environ, check=True, **pipes)
    done = offduty.run("--name", "x", "--", *job, env=env, prefix=prefix)
    assert done.code == 0, done
    return json.loads(plain.stdout), json.loads(done.out)


def test_nothing_about_the_job_is_different(offduty):
    """INV-1, F21: argv, folder, umask, descriptors, signals, limits; and the environment but for six documented variables."""
    plain, ours = both(offduty, "two words", "", "*", "--help", "--", "-x")
    added = set(ours["env"]) - set(plain["env"])
    assert sorted(bytes.fromhex(name).decode() for name in added) == ADDED
    assert {name: ours["env"][name] for name in plain["env"]} == plain["env"]
    assert sorted(ours["fds"]) == sorted(plain["fds"])
    assert ours["fds"]["0"] == plain["fds"]["0"]
    for same in ("argv", "cwd", "umask", "signals", "nice", "limits", "groups"):
        assert ours[same] == plain[same], same


def test_words_and_variables_that_are_no_text(offduty):
    """INV-1, B1: bytes that are no UTF-8 arrive as they are, and show with backslashes in the record."""
    plain, ours = both(offduty, b"\xff\xfe caf\xe9", env={"STRANGE": b"\x80\xff"})
    assert ours["argv"] == plain["argv"]
    assert ours["env"][b"STRANGE".hex()] == "80ff"
    assert offduty.record["command"][-1] == r"\xff\xfe caf\xe9"


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C"}, {"LC_CTYPE": "C.UTF-8"}], ids=str)
def test_the_locale_is_the_jobs_own(offduty, locale):
    """INV-1: in the C locale Python puts LC_CTYPE into its own environment, and the job must not get it from us."""
    for name in ("LC_ALL", "LANG", "LC_CTYPE", "LANGUAGE"):
        offduty.env.pop(name, None)
    words = ["env", "-u", "PWD", "sh", "-c", "env | grep -a -E '^(LC_|LANG)'; true"]
    plain = subprocess.run(words, env={**offduty.env, **locale}, stdout=subprocess.PIPE, check=True)
    done = offduty.run("--", *words, env=locale)
    assert done.out == plain.stdout


def test_descriptors_that_were_handed_to_us_are_the_jobs(offduty):
    """INV-1, F21: a job server's pipe or a socket of systemd passes through; nothing of ours does."""
    reader, writer = os.pipe()
    done = offduty.run("--", "bash", "-c", f"ls /proc/self/fd | tr '\\n' ' '; echo hi >&{writer}", pass_fds=[writer])
    os.close(writer)
    assert os.read(reader, 10) == b"hi\n"
    os.close(reader)
    assert [fd for fd in done.out.split() if int(fd) > 3] == [b"%d" % writer]  # 3 is the folder that `ls` reads


def test_ten_thousand_variables(offduty):
    """B1: no harm."""
    env = {f"VARIABLE_{n}": str(n) for n in range(10_000)}
    done = offduty.run("--", "sh", "-c", "env | grep -c ^VARIABLE_", env=env)
    assert (done.code, done.out) == (0, b"10000\n")


def test_a_variable_of_the_command_line_wins(offduty):
    """INV-1: `--env`, and `PYTHONPATH` is added to, not replaced."""
    done = offduty.run(
        "--env", "A=1", "--env", "B=x=y", "--", "sh", "-c", "echo $A $B; echo $PYTHONPATH", env={"A": "0", "PYTHONPATH": "/mine"}
    )
    assert done.out.splitlines()[0] == b"1 x=y"
    assert done.out.splitlines()[1].endswith(b"offduty_probe/path:/mine")


def test_a_folder_that_was_removed_under_us(offduty):
    """INV-1: the job starts there, as it would have."""
    (offduty.home / "gone").mkdir()
    done = offduty.run("--", "sh", "-c", "echo up", prefix=["sh", "-c", 'cd gone && rmdir ../gone && exec "$@"', "sh"])
    assert (done.code, done.out) == (0, b"up\n")


@pytest.mark.parametrize("trouble", ["store", "state", "logs", "locks"])
def test_no_folder_of_ours_keeps_the_job_from_running(offduty, trouble):
    """INV-2: whatever cannot be written, the job runs, its own code comes back, and we are gone two seconds later at most."""
    if trouble == "state":
        offduty.state.write_text("a file where the folder should be")
    else:
        offduty.state.mkdir()
        (offduty.state / {"store": "offduty.sqlite3", "logs": "logs", "locks": "locks"}[trouble]).write_text("not what it should be")
    done = offduty.run("--name", "x", "--overlap", "skip", "--", "sh", "-c", "echo ran; exit 3")
    assert (done.code, done.out) == (3, b"ran\n")
    assert done.seconds < 3
    assert b"Traceback" not in done.err


def test_a_store_that_is_locked_delays_nothing(offduty):
    """INV-2, F66: somebody holds the database; the job starts at once, and we leave within two seconds of its end."""
    offduty.run("--name", "x", "--", "sleep", "0.5")
    hold = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()"
    command = [sys.executable, "-c", hold, offduty.state / "offduty.sqlite3"]
    lock = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert lock.stdout.readline() == b"held\n"
    done = offduty.run("--name", "x", "--", "sh", "-c", "sleep 0.5; exit 3")
    assert done.code == 3
    assert done.seconds < 3.5
    lock.communicate(b"\n")
    assert [run["outcome"] for run in offduty.records()] == ["succeeded", "failed"]
