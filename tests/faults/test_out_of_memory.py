"""F09: out of memory is said when the kernel has killed for it, and only then."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
LIMIT = 80 << 20
HOG = "import time; time.sleep(0.5); hog = []\nwhile True: hog.append(bytearray(1 << 20))"


@pytest.fixture
def small_group():
    """A control group with 80 MB of memory; a prefix that starts a command in it."""
    version, name = (V1, "memory.limit_in_bytes") if (V1 / "memory.limit_in_bytes").exists() else (V2, "memory.max")
    group = version / f"offduty-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(str(LIMIT))
        swap = group / ("memory.memsw.limit_in_bytes" if version is V1 else "memory.swap.max")
        if swap.exists():
            swap.write_text(str(LIMIT) if version is V1 else "0")
    except OSError as error:
        if group.exists():
            group.rmdir()
        pytest.skip(f"no memory control group to be had here: {error}")
    yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    group.rmdir()


def test_a_job_killed_for_memory_says_so(small_group, offduty):
    """Exit 137, supervisor alive, the reason in the summary."""
    done = offduty.run("--name", "hog", "--", sys.executable, "-c", HOG, prefix=small_group)
    record = offduty.record
    assert (done.code, record["signal"], record["outcome"]) == (137, 9, "failed")
    assert "memory" in record["summary"]["what"], record["summary"]
    assert b"memory" in done.err


def test_a_worker_killed_for_memory_is_seen_too(small_group, offduty):
    """The job itself ends with 137 or a failure of its own; the kernel's count has risen all the same."""
    done = offduty.run("--name", "hog", "--", "sh", "-c", f'{sys.executable} -c "$0"; exit $?', HOG, prefix=small_group)
    assert done.code == 137 and "memory" in offduty.record["summary"]["what"], offduty.record["summary"]


@pytest.mark.parametrize("job", ["sleep 0.5; kill -9 $$", "sleep 0.5; exit 137"])
def test_a_plain_kill_is_no_lack_of_memory(small_group, offduty, job):
    """137 alone proves nothing."""
    done = offduty.run("--", "sh", "-c", job, prefix=small_group)
    assert done.code == 137 and "out of memory" not in str(offduty.record["summary"])


def test_without_a_count_nothing_is_claimed(offduty):
    """Where no control group counts, a kill is a kill."""
    done = offduty.run("--", "sh", "-c", "sleep 0.3; kill -9 $$")
    assert done.code == 137 and "out of memory" not in str(offduty.record["summary"])
