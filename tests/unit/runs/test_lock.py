"""The lock of a job dies with its holder, and says who that is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from offduty.runs.lock import JobLock

HOLD = """import sys
from offduty.runs.lock import JobLock
lock = JobLock(sys.argv[1], 'x')
print(lock.take('r' * 36), flush=True)
sys.stdin.read()"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock, until its stdin is closed."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    yield process
    process.kill()
    process.communicate()


def test_one_holder_and_who_it_is(tmp_path, holder):
    """F15."""
    lock = JobLock(str(tmp_path), "x")
    assert not lock.take("s" * 36)
    assert lock.holder() == "r" * 36
    lock.release()


def test_a_killed_holder_holds_nothing(tmp_path, holder):
    """F16: free at once."""
    lock = JobLock(str(tmp_path), "x")
    holder.kill()
    holder.wait()
    assert lock.take("s" * 36)
    assert lock.holder() == "s" * 36
    lock.release()


def test_a_forked_child_does_not_keep_it(tmp_path, holder):
    """F16: `flock` would; a record lock belongs to one process."""
    reader, writer = os.pipe()
    lock = JobLock(str(tmp_path / "other"), "x")
    assert lock.take("r" * 36)
    pid = os.fork()
    if pid == 0:
        os.read(reader, 1)
        os._exit(0)
    lock.release()
    check = "import sys\nfrom offduty.runs.lock import JobLock\nprint(JobLock(sys.argv[1], 'x').take('s' * 36))"
    done = subprocess.run([sys.executable, "-c", check, tmp_path / "other"], capture_output=True, text=True)
    os.write(writer, b"x")
    os.waitpid(pid, 0)
    for fd in (reader, writer):
        os.close(fd)
    assert done.stdout == "True\n"


def test_the_file_is_private_and_no_link(tmp_path):
    """T23, T24."""
    lock = JobLock(str(tmp_path / "locks"), "x")
    assert os.stat(lock.path).st_mode & 0o777 == 0o600
    assert os.stat(tmp_path / "locks").st_mode & 0o777 == 0o700
    lock.release()
    (tmp_path / "locks" / "y.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        JobLock(str(tmp_path / "locks"), "y")
