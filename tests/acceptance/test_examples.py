"""The example solutions: on their own, in a broken world, and under offduty."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOLS = Path(sys.executable).parent


@pytest.fixture
def examples(tmp_path):
    """A copy of the examples: nothing is left in the repository."""
    return shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("world", "forecasts.csv", "__pycache__"))


@pytest.fixture
def run(examples, tmp_path):
    """Run a command in one of the examples, as if .venv were activated."""

    def run(folder, *command):
        environ = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "OFFDUTY_STATE_DIR": str(tmp_path / "state")}
        environ["OMP_NUM_THREADS"] = "1"  # other tests want a processor too
        return subprocess.run(command, cwd=examples / folder, env=environ, capture_output=True, text=True, timeout=60)

    return run


def log_of(tmp_path, job):
    """The text of the job's only log."""
    [log] = (tmp_path / "state" / "logs" / job).glob("*.log")
    return log.read_text()


def test_the_data_is_what_it_is_said_to_be():
    """Row for row what scikit-learn ships: real, and not touched up."""
    datasets = pytest.importorskip("sklearn.datasets")
    real = datasets.load_diabetes(scaled=False, as_frame=True).frame.to_numpy().round(6).tolist()
    with (EXAMPLES / "clinic/data/diabetes.csv").open(newline="") as file:
        ours = [[round(float(value), 6) for value in row[1:]] for row in list(csv.reader(file))[1:]]
    assert ours == real


def test_the_clinic_runs_without_offduty(run, examples):
    """The solution is an ordinary one: it forecasts, better than a guess, and knows nothing of offduty."""
    done = run("clinic", "python", "world.py", "--", "python", "forecast.py", "--date", "2026-11-23")
    assert (done.returncode, done.stderr) == (0, "")
    figures = dict(line.split("=") for line in done.stdout.splitlines() if "=" in line)
    assert float(figures["mae"]) < 0.8 * float(figures["mae_of_the_mean"])
    assert len((examples / "clinic/forecasts.csv").read_text().splitlines()) == 1 + 42


FAULTS = {
    "feed-missing": (1, "FileNotFoundError"),
    "feed-column": (1, "KeyError: \"['ltg'] not in index\""),
    "feed-torn": (1, "Input X contains NaN"),
    "feed-stale": (0, "WARNING the newest lab result is 9 days old"),
    "feed-quiet": (0, "wrote 0 forecasts"),
    "api-503": (1, "HTTP Error 503"),
    "api-garbage": (1, "JSONDecodeError"),
    "api-down": (1, "Connection refused"),
    "db-locked": (1, "database is locked"),
    "db-table": (1, "no such table: outcomes"),
    "db-missing": (1, "unable to open database file"),
    "db-refused": (1, "unable to open database file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_clinic_in_a_broken_world(run, fault):
    """Each fault shows as its README says, without a change to the job's code."""
    status, text = FAULTS[fault]
    done = run("clinic", "python", "world.py", "--break", fault, "--", "python", "forecast.py")
    assert done.returncode == status
    assert text in done.stdout + done.stderr


def test_the_clinic_under_offduty(run, tmp_path):
    """What `dev.py demo` does: the job's output in its log, a summary at its end."""
    done = run("clinic", "python", "world.py", "--", "offduty", "run", "forecast")
    assert done.returncode == 0, done.stderr
    log = log_of(tmp_path, "forecast")
    assert "| wrote 42 forecasts" in log
    assert "SUCCEEDED" in log.partition("== summary ==")[2]


def test_a_broken_clinic_under_offduty(run, tmp_path):
    """The exit status is the job's, both attempts have a log, and the summary names the exception."""
    done = run("clinic", "python", "world.py", "--break", "feed-missing", "--", "offduty", "run", "--retry-delay", "0", "forecast")
    logs = [log.read_text() for log in (tmp_path / "state/logs/forecast").glob("*.log")]
    assert (done.returncode, len(logs)) == (1, 2)
    assert all("FileNotFoundError" in log.partition("== summary ==")[2] for log in logs)


def test_the_shell_pipeline_under_offduty(run, tmp_path):
    """Not Python, and run all the same."""
    assert run("shell", "offduty", "run", "outliers").returncode == 0
    assert "| 5 of 442 are outliers" in log_of(tmp_path, "outliers")
    assert run("shell", "offduty", "run", "largest").stdout.split()[0] == "P257,346"


def test_the_notebook_under_offduty(run, tmp_path):
    """It runs from top to bottom, and the executed copy lies beside the log."""
    pytest.importorskip("nbclient")
    done = run("notebook", "offduty", "run", "progression")
    assert done.returncode == 0, done.stderr
    assert "strongest: bmi" in log_of(tmp_path, "progression")
    [copy] = (tmp_path / "state/logs/progression").glob("*.ipynb")
    assert "strongest: bmi" in copy.read_text()
