"""`offduty schedule`: from the configuration to the scheduler that starts the job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
[job.forecast]
command = ["python3", "forecast.py"]
schedule = "0 6 * * mon-fri"
timezone = "UTC"
not_on = "uk"
[job.tick]
shell = "echo tick > ticked"
every = "1 h"
timezone = "UTC"
[job.by-hand]
shell = "true"
[calendar.uk]
dates = ["2026-12-25"]
"""
CRONTAB = '#!/bin/sh\ncase "$1" in -l) cat "$TAB" 2>/dev/null || { echo "no crontab for me" >&2; exit 1; };; -) cat > "$TAB";; esac\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration, and a crontab(1) of its own: the tests must not change the machine's."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/crontab").write_text(CRONTAB)
    (tmp_path / "bin/crontab").chmod(0o755)
    (tmp_path / "offduty.toml").write_text(CONFIG)
    return tmp_path


def offduty(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command there."""
    environ = {
        **os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}", "TAB": f"{place}/tab", "OFFDUTY_STATE_DIR": f"{place}/state",
        "TZ": "UTC",
    }  # fmt: skip
    return subprocess.run([sys.executable, "-m", "offduty", *words], cwd=place, env=environ, capture_output=True, text=True, timeout=60)


def test_the_next_slots_are_shown_in_local_time_and_utc(place: Path) -> None:
    """One line a job; a job without a schedule says so."""
    done = offduty(place, "schedule", "--json")
    jobs = {job["job"]: job for job in json.loads(done.stdout)["jobs"]}
    assert jobs["forecast"]["next_utc"][0].endswith("T06:00:00.000Z")
    assert jobs["by-hand"]["next"] == []
    assert "by hand" in offduty(place, "schedule").stdout


def test_an_installed_line_starts_the_job_when_cron_runs_it(place: Path) -> None:
    """What stands in the crontab is given to sh, as cron does."""
    assert offduty(place, "schedule", "install", "tick", "--cron").returncode == 0
    line = (place / "tab").read_text().splitlines()[-1]
    subprocess.run(["/bin/sh", "-c", line.split(None, 5)[5]], env={"HOME": str(place), "OFFDUTY_STATE_DIR": f"{place}/state"}, check=True)
    assert (place / "ticked").read_text() == "tick\n"
    run = json.loads(offduty(place, "runs", "--json").stdout)["runs"][0]
    assert (run["job"], run["trigger"]) == ("tick", "scheduled")


def test_a_second_install_changes_nothing_and_remove_takes_it_out(place: Path) -> None:
    """The second run of the same command."""
    (place / "tab").write_text("0 1 * * * mine\n")
    offduty(place, "schedule", "install", "tick", "--cron")
    once = (place / "tab").read_text()
    offduty(place, "schedule", "install", "tick", "--cron")
    assert (place / "tab").read_text() == once
    assert offduty(place, "schedule", "remove", "tick").returncode == 0
    assert (place / "tab").read_text() == "0 1 * * * mine\n"
    assert "E509" in offduty(place, "schedule", "remove", "tick").stderr


@pytest.mark.parametrize("scheduler", ["--cron", "--systemd"])
def test_a_dry_run_writes_nothing(place: Path, scheduler: str) -> None:
    """It prints what would be written."""
    done = offduty(place, "schedule", "install", "tick", scheduler, "--dry-run")
    assert "run --trigger scheduled tick" in done.stdout
    assert not (place / "tab").exists()


def test_a_job_without_a_schedule_is_not_installed(place: Path) -> None:
    """E306, with what to write."""
    done = offduty(place, "schedule", "install", "by-hand", "--cron")
    assert done.returncode == 78
    assert done.stderr.startswith("offduty: E306 by-hand has no schedule")


def test_lines_of_a_crontab_become_jobs_that_run(place: Path) -> None:
    """Adopt: the line's folder, command and time; what it did with its output goes, because the log has it now."""
    (place / "tab").write_text(f"MAILTO=me\n0 6 * * 1-5 cd {place} && echo one >> out.txt; touch did >/dev/null 2>&1\n@reboot keep\n")
    done = offduty(place, "schedule", "adopt", "--write")
    assert done.returncode == 0, done.stderr
    tab = (place / "tab").read_text()
    assert tab.startswith("MAILTO=me\n# offduty ")
    assert tab.endswith("@reboot keep\n")
    assert offduty(place, "run", "echo").returncode == 0
    assert (place / "did").exists()
    assert "no line of the crontab" in offduty(place, "schedule", "adopt").stderr


def test_a_calendar_that_cannot_be_read_is_one_line(place: Path) -> None:
    """E512 with file and line."""
    (place / "offduty.toml").write_text(CONFIG + 'file = "days.txt"\n')
    assert "E512" in offduty(place, "schedule").stderr
    (place / "days.txt").write_text("# bank holidays\n2026-12-26\nChristmas\n")
    assert "days.txt:3" in offduty(place, "schedule").stderr
