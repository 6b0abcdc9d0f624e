"""An attempt that is owed is found again after a crash, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.clock import Clock
from offduty.runs import retry
from offduty.runs.job import Job
from offduty.runs.record import begin

JOB = Job("x", ["true"], retries=2, retry_delay=10)


class At(Clock):
    """A clock whose wall time is set by hand."""

    def __init__(self, wall):
        self.now = wall

    def wall(self):
        return self.now


@pytest.fixture
def owed_file(tmp_path):
    """Attempt 1 of a run failed at 1,000,000 s, and its supervisor is gone."""
    record = {**begin(JOB, At(1e6)), "pid": 2**22 + 1}
    retry.owe(str(tmp_path), JOB, record, At(1e6))
    return tmp_path / "x.json", record


def owed(path, wall=1e6 + 5, job=JOB):
    """What the next start finds."""
    return retry.owed(str(path.parent), job, At(wall))


def test_the_count_is_resumed(owed_file):
    """F18."""
    path, record = owed_file
    found = owed(path)
    assert (found.attempt, found.root_id) == (2, record["id"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["x.json"]


@pytest.mark.parametrize("wall", [1e6 + 4000, 1e6 - 4000, 0, 4e9])
def test_an_old_count_is_another_days(owed_file, wall):
    """F18, F54: nor does one from the future count, after the clock was set back."""
    assert owed(owed_file[0], wall) is None


def test_a_job_with_fewer_retries_now(owed_file):
    """F18: the configuration was changed since."""
    assert owed(owed_file[0], job=Job("x", ["true"], retries=0)) is None


def test_a_living_supervisor_owes_us_nothing(tmp_path):
    """F17, F18: it makes its next attempt itself."""
    parent = os.getppid()
    started = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[19]) if parent else 0
    record = {**begin(JOB, At(1e6)), "pid": parent, "pid_started": started}
    retry.owe(str(tmp_path), JOB, record, At(1e6))
    assert retry.owed(str(tmp_path), JOB, At(1e6)) is None
    retry.owe(str(tmp_path), JOB, {**record, "pid_started": started + 1}, At(1e6))
    assert retry.owed(str(tmp_path), JOB, At(1e6)) is not None


def test_only_its_own_run_settles_it(owed_file):
    """F18: another run of the job that ends well says nothing about this one."""
    path, record = owed_file
    retry.settle(str(path.parent), JOB, "0" * 36)
    assert path.exists()
    retry.settle(str(path.parent), JOB, record["id"])
    assert not path.exists()
    retry.settle(str(path.parent), JOB, record["id"])


VALUES = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=40), st.lists(st.integers(), max_size=2))


@given(
    st.one_of(
        st.binary(max_size=200),
        st.dictionaries(st.sampled_from(["attempt", "root_id", "at", "pid", "boot_id", "pid_started"]), VALUES).map(
            lambda found: json.dumps(found).encode()
        ),
    )
)
def test_a_damaged_file_owes_nothing(tmp_path_factory, data):
    """B9: whatever is in it; never an exception."""
    path = tmp_path_factory.mktemp("retries") / "x.json"
    path.write_bytes(data)
    found = owed(path)
    assert found is None or 2 <= found.attempt <= 3


def test_a_file_cut_off_anywhere(owed_file):
    """B9: truncated at every length."""
    path, _ = owed_file
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert owed(path) is None
