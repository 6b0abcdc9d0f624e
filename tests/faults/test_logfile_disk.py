"""The log on a disk that is full, read-only, or pulled away; and what killed runs and other users find there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offduty.runs.logread import job_bytes

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts, other users")
WRITE_MUCH = "import os, sys\nfor n in range(40000): os.write(1, b'%09d%s\\n' % (n, b'x' * 90))\nsys.exit(3)"

FILL_DISK = """
import os, sys, time
fd = os.open(os.environ['OFFDUTY_STATE_DIR'] + '/filler', os.O_CREAT | os.O_WRONLY)
for size in (1 << 16, 1):
    try:
        while True: os.write(fd, bytes(size))
    except OSError: pass
os.write(1, b'lost\\n')
sys.exit(3)
"""


def on_small_disk(offduty, size, *mounts):
    """A prefix: a file system of `size` at each of `mounts`, seen by this run alone; copied to `after/` at the end, where we see it."""
    script = "".join(f"mkdir -p {folder} && mount -t tmpfs -o size={size},mode=700 none {folder} && " for folder in mounts)
    keep = "".join(f"mkdir -p {offduty.home}/after && cp -r {folder} {offduty.home}/after/; " for folder in mounts)
    return ["unshare", "-m", "sh", "-c", f'{script} {{ "$@"; code=$?; {keep} exit $code; }}', "sh"]


@root_only
def test_a_full_disk_under_the_log(offduty):
    """F29: the job runs to its end with its own code; what is missing is counted, in the file and in the summary; no half lines."""
    done = offduty.run(
        "--name", "x", "--quiet", "--", sys.executable, "-S", "-c", WRITE_MUCH, prefix=on_small_disk(offduty, "1m", offduty.state / "logs")
    )
    assert (done.code, len(done.out)) == (3, 40000 * 100)
    [log] = (offduty.home / "after/logs").glob("*/*.log")
    data = log.read_bytes()
    numbers = [int(line[:9]) for line in b"".join(job_bytes([data], b"|")).splitlines()]
    assert numbers == sorted(set(numbers))
    assert all(line[12:13] == b" " and line[13:14] in b"|!*" for line in data.splitlines())
    [note] = [note for note in offduty.record["summary"]["notes"] if "log incomplete" in note]
    assert note.replace(" ", "").replace(",", "").startswith(f"logincomplete:{(40000 - len(numbers)) * 100}bytesnotstored(ENOSPC")
    assert any("0000399" in line for line in offduty.record["summary"]["failure"]["tail"])


@root_only
def test_the_last_words_fit_where_the_reserve_was(offduty):
    """F29: the job fills the disk to the last byte; 4 MiB kept back hold the summary and the record."""
    fill = """import os, sys
sys.path[:0] = []
os.makedirs(sys.argv[1], 0o700, exist_ok=True)
fd = os.open(sys.argv[1] + '/reserve', os.O_CREAT | os.O_WRONLY, 0o600)
os.posix_fallocate(fd, 0, 4 << 20)
os.execv(sys.argv[2], sys.argv[2:])"""
    prefix = [*on_small_disk(offduty, "6m", offduty.state), sys.executable, "-S", "-c", fill, str(offduty.state)]
    done = offduty.run("--name", "x", "--quiet", "--", sys.executable, "-S", "-c", FILL_DISK, prefix=prefix)
    assert done.code == 3
    after = offduty.home / "after/state"
    [log] = after.glob("logs/*/*.log")
    assert b"outcome     FAILED" in log.read_bytes()
    assert b"bytes of output are missing here: the disk refused them (ENOSPC" in log.read_bytes()
    assert not (after / "reserve").exists()
    assert (after / "offduty.sqlite3").exists() or b'"outcome":"failed"' in next(after.glob("spool/*.spool")).read_bytes()


def test_a_limit_on_the_size_of_files(offduty):
    """F33: EFBIG, and the signal that comes with it is ours alone: the job that writes to a pipe does not feel the limit."""
    done = offduty.run("--name", "x", "--quiet", "--", sys.executable, "-S", "-c", WRITE_MUCH, prefix=["prlimit", "--fsize=500000"])
    assert (done.code, len(done.out)) == (3, 40000 * 100)
    assert os.path.getsize(offduty.record["log"]) <= 500_000
    assert any("bytes not stored (EFBIG" in note for note in offduty.record["summary"]["notes"])


def test_the_reserve_is_made_while_nothing_happens(offduty):
    """F29: by the first run that lasts long enough; 4 MiB that are really there, for us alone."""
    offduty.run("--name", "x", "--", "sh", "-c", f"for i in $(seq 600); do test -e {offduty.state}/reserve && exit; sleep 0.05; done")
    found = (offduty.state / "reserve").stat()
    assert (found.st_size, found.st_blocks * 512 >= 4 << 20, stat.S_IMODE(found.st_mode)) == (4 << 20, True, 0o600)


@root_only
def test_a_disk_too_small_has_no_reserve(offduty):
    """F29: what little there is, the job may need more."""
    done = offduty.run("--name", "x", "--", "sleep", "0.5", prefix=on_small_disk(offduty, "20m", offduty.state))
    assert done.code == 0
    assert not (offduty.home / "after/state/reserve").exists()


@root_only
@pytest.mark.parametrize("size", ["400k", "120k", "60k"])
def test_little_room_for_the_store(offduty, size):
    """F30: the run starts and ends; its record is in the store or, where that does not fit, whole in the spool."""
    first = offduty.run("--name", "x", "--", "sh", "-c", "sleep 0.4; exit 3", prefix=on_small_disk(offduty, size, offduty.state))
    assert first.code == 3
    (offduty.home / "after/state").rename(offduty.state)
    assert [(run["outcome"], run["exit_code"]) for run in offduty.records()] == [("failed", 3)]


def test_a_log_folder_that_is_no_folder(offduty):
    """F31: the log goes to the user's own folder, and the summary says why."""
    (offduty.state).mkdir()
    (offduty.state / "logs").write_text("a file")
    done = offduty.run("--name", "x", "--", "sh", "-c", "echo hi; exit 3")
    assert done.code == 3
    assert offduty.record["log"].startswith(str(offduty.home / "xdg/offduty/logs/x/"))
    assert offduty.logged() == b"hi\n"
    assert any("ENOTDIR" in note or "EEXIST" in note for note in offduty.record["summary"]["notes"])
    assert str(offduty.home / "xdg/offduty/logs/x/").encode() in done.err


@root_only
def test_a_log_folder_that_may_not_be_written(untidy_offduty, as_other_user):
    """F31: EACCES; as above."""
    offduty = untidy_offduty
    (offduty.home / "logs").mkdir(mode=0o500)
    done = offduty.run(
        "--name", "x", "--", "sh", "-c", "echo hi; exit 3", prefix=as_other_user, env={"OFFDUTY_LOGS_DIR": str(offduty.home / "logs")}
    )
    assert done.code == 3
    assert offduty.record["log"].startswith(str(offduty.home / "xdg/offduty/logs/x/"))
    assert offduty.logged() == b"hi\n"


def test_no_folder_takes_the_log(offduty):
    """F31, INV-3: the job runs all the same, and what was not stored is counted."""
    done = offduty.run(
        "--name", "x", "--", "sh", "-c", "echo 12345; exit 3", env={"OFFDUTY_LOGS_DIR": "/dev/null/logs", "XDG_STATE_HOME": "/dev/null/xdg"}
    )
    assert (done.code, done.out) == (3, b"12345\n")
    assert b"E616" in done.err
    assert offduty.record["log"] == ""
    assert any("6 bytes not stored" in note for note in offduty.record["summary"]["notes"])


@pytest.mark.parametrize("how", ["removed", "folder removed", "folder replaced by a link", "folder renamed"])
def test_a_log_that_is_pulled_away(offduty, how):
    """F31: the whole log stands in a place that the record names; no link is followed out of our folder."""
    process = offduty.start("--name", "x", "--quiet", "--", "sh", "-c", "echo before; read x; echo after; exit 3", stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"before\n"
    [log] = offduty.wait_for(lambda: list(offduty.state.glob("logs/x/*.log")), "the log")
    elsewhere = offduty.home / "elsewhere"
    elsewhere.mkdir()
    offduty.wait_for(lambda: b"before" in log.read_bytes(), "the first line")
    if how == "removed":
        log.unlink()
    elif how == "folder renamed":
        log.parent.rename(offduty.home / "moved")
    else:
        subprocess.run(["rm", "-r", log.parent], check=True)
    if how == "folder replaced by a link":
        log.parent.symlink_to(elsewhere)
    process.communicate(b"\n")
    assert process.returncode == 3
    assert offduty.logged() == b"before\nafter\n"
    assert list(elsewhere.iterdir()) == []
    assert any("removed while the job ran" in note for note in offduty.record["summary"]["notes"])


def test_a_link_in_place_of_the_jobs_folder(offduty):
    """F31, T22: somebody prepared a link; the log does not go through it."""
    elsewhere = offduty.home / "elsewhere"
    elsewhere.mkdir()
    (offduty.state / "logs").mkdir(parents=True)
    (offduty.state / "logs/x").symlink_to(elsewhere)
    assert offduty.run("--name", "x", "--quiet", "--", "sh", "-c", "echo hi; exit 3").code == 3
    assert list(elsewhere.iterdir()) == []
    assert offduty.logged() == b"hi\n"


@pytest.mark.parametrize("what", ["spool", "locks", "retries"])
def test_a_link_in_place_of_a_folder_of_ours(offduty, what):
    """T22, T24: neither is anything else written through a prepared link to a file."""
    victim = offduty.home / "victim"
    victim.write_text("precious")
    names = {"locks": "x.lock", "retries": "x.json.new", "spool": "x"}
    (offduty.state / what).mkdir(parents=True, mode=0o700)
    (offduty.state / what / names[what]).symlink_to(victim)
    offduty.run("--name", "x", "--quiet", "--overlap", "skip", "--retries", "1", "--retry-delay", "0", "--", "false")
    assert victim.read_text() == "precious"
    (offduty.state / what / names[what]).unlink(missing_ok=True)


@pytest.mark.parametrize("after", [0.1, 0.3, 0.5])
def test_a_log_is_readable_after_a_kill_in_mid_write(untidy_offduty, after):
    """F34: whole lines, in order, and at most the last one torn."""
    offduty = untidy_offduty
    process = offduty.start("--name", "x", "--", "seq", "1", "100000000", stdout=subprocess.DEVNULL)
    [log] = offduty.wait_for(
        lambda: [path for path in offduty.state.glob("logs/x/*.log") if b" | " in path.read_bytes()], "the first lines"
    )
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    *lines, last = [line[15:] for line in log.read_bytes().split(b"\n") if line[13:14] == b"|"]
    assert [int(line) for line in lines] == list(range(1, len(lines) + 1))
    assert str(len(lines) + 1).encode().startswith(last)


def test_a_kill_before_the_join_leaves_the_tail_readable(untidy_offduty):
    """F34, F25: the segments stand beside the head, and `offduty log` reads them as one."""
    offduty = untidy_offduty
    (offduty.home / "offduty.toml").write_text('[job.x]\nshell = "seq 1 300000; touch done; read x"\nlog = { max_size = "1 MiB" }\n')
    process = offduty.start("x", stdout=subprocess.DEVNULL, stdin=subprocess.PIPE)
    offduty.wait_for(lambda: (offduty.home / "done").exists(), "all of it was written")
    time.sleep(0.3)
    process.kill()
    process.wait()
    assert len(list(offduty.state.glob("logs/x/*.log.*"))) > 1
    shown = subprocess.run([sys.executable, "-m", "offduty", "log", "x", "--raw"], env=offduty.env, cwd=offduty.home, capture_output=True)
    numbers = [int(line) for line in shown.stdout.split()]
    assert (numbers[0], numbers[-1], numbers == sorted(set(numbers))) == (1, 300000, True)


def test_what_a_killed_run_left_goes_with_it(untidy_offduty):
    """INV-11: when its time is over, the segments and the files of `--survive` are removed together with the log."""
    offduty = untidy_offduty
    settings = 'log = { max_size = "1 MiB", keep_runs = 1 }\nsurvive = true\n'
    (offduty.home / "offduty.toml").write_text(f'[job.x]\nshell = "seq 1 300000; touch done; sleep 0.5"\n{settings}')
    process = offduty.start("x", stdout=subprocess.DEVNULL)
    offduty.wait_for(lambda: list(offduty.state.glob("logs/x/*.log.[0-9]*")), "the log is long")
    process.kill()
    process.wait()
    left = set(offduty.state.glob("logs/x/*"))
    assert {path.name.rpartition(".")[2] for path in left} > {"out", "err", "log"}
    offduty.started_with([sys.executable, "-m", "offduty", "status"])  # whoever looks finds that it is lost
    for _ in range(3):
        assert offduty.run("x", stdout=subprocess.DEVNULL).code == 0
    assert left & set(offduty.state.glob("logs/x/*")) == set()


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_others_see_nothing(offduty, umask):
    """T23, T24: whatever the umask, every file is 0600 and every folder 0700."""
    words = (
        "--name",
        "x",
        "--overlap",
        "skip",
        "--retries",
        "1",
        "--retry-delay",
        "0",
        "--survive",
        "--",
        "sh",
        "-c",
        "umask; sleep 0.5; exit 3",
    )
    done = offduty.run(*words, prefix=["sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    assert done.out.split() == [b"0" + umask.encode()] * 2
    found = {str(path): stat.S_IMODE(path.stat().st_mode) for path in [offduty.state, *offduty.state.rglob("*")]}
    assert len(found) > 8
    assert {path: oct(mode) for path, mode in found.items() if mode != (0o700 if Path(path).is_dir() else 0o600)} == {}
