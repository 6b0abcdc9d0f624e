"""The job's name and its times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.runs.job import Job, is_name, name_for, slug


@pytest.mark.parametrize(
    "command, name",
    [
        (["python", "-u", "forecast.py", "--date", "2026-11-23"], "forecast"),
        (["python3.11", "/srv/My Jobs/Load Data.py"], "load-data"),
        (["/usr/bin/python", "-m", "pkg.train"], "pkg.train"),
        (["python", "-c", "print(1)"], "python"),
        (["python"], "python"),
        (["bash", "-e", "etl.sh"], "etl"),
        (["Rscript", "model.R"], "model"),
        (["env", "A=1", "./run.sh"], "run"),
        (["/opt/bin/nightly"], "nightly"),
        (["make", "forecast"], "forecast"),
        (["java", "-jar", "x.jar"], "x.jar"),
        (["///"], "job"),
        (["日本"], "job"),
        ([".hidden"], "hidden"),
    ],
)
def test_a_command_names_its_job(command, name):
    """After its script, or else its program."""
    assert name_for(command) == name


@given(st.text(max_size=200))
def test_a_slug_is_a_name(text):
    """B1: whatever it is made from; and a name stays what it is, up to its end."""
    assert is_name(slug(text))
    if is_name(text) and text[-1] not in ".-":
        assert slug(text) == text


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5))
def test_every_command_has_a_name(command):
    """B1: no words at all lead to none."""
    assert is_name(name_for(command))


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "A", "a b", "a\n", "-x", "_x", "a" * 101, "é", "\u0430"])
def test_what_is_no_name(text):
    """B1, T22: an allow-list, because names become parts of paths."""
    assert not is_name(text)


def test_waits_double_up_to_a_limit():
    """F18: 30 s, 1 min, 2 min … 15 min."""
    job = Job("x", ["true"], retries=9)
    assert [job.delay_before(n) for n in range(2, 9)] == [30, 60, 120, 240, 480, 900, 900]
    assert Job("x", ["true"], retry_delay=0).delay_before(100) == 0


def test_a_job_is_stopped_only_where_that_is_asked():
    """F06: overdue alone stops nothing."""
    assert Job("x", ["true"], max_duration=10).stop_at is None
    assert Job("x", ["true"], kill_after=5).stop_at is None
    assert Job("x", ["true"], max_duration=10, kill_after=5).stop_at == 15
