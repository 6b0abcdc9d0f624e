"""What `offduty ready` finds out by itself: the repository, and secrets in the code that ran. Real processes, real git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OFFDUTY = str(Path(sys.executable).parent / "offduty")
GIT = shutil.which("git")
JOB = "[job.feed]\ncommand = ['python', 'feed.py']\nowner = 'ds'\n[team.ds]\n"
FEED = "import time\nfrom part import PASSWORD\ntime.sleep(0.3)\n"
ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@pytest.fixture
def folder(tmp_path):
    """A job of two files."""
    made = tmp_path / "work"
    made.mkdir()
    (made / "offduty.toml").write_text(JOB)
    (made / "feed.py").write_text(FEED)
    (made / "part.py").write_text("import os\nPASSWORD = os.environ.get('FEED_PASSWORD')\n")
    return made


def call(folder, *words):
    """Run a command in a folder; nothing of the machine's own configuration counts."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(folder.parent), "OFFDUTY_STATE_DIR": f"{folder.parent}/state", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, timeout=100)


def git(folder, *words):
    """It has to go well."""
    done = call(folder, GIT, *ADA, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def items(folder):
    """Run the job, then judge: items by code."""
    assert call(folder, OFFDUTY, "run", "feed").returncode == 0
    done = call(folder, OFFDUTY, "ready", "feed", "--json")
    assert done.returncode == 0, done.stderr
    return {item["code"]: item for item in json.loads(done.stdout)["jobs"][0]["items"]}


def test_without_git_the_code_is_not_committed(folder):
    """Said in words, with what to do; no traceback."""
    item = items(folder)["R11"]
    assert (item["state"], item["evidence"]) == ("not met", "the last run knows of no commit") and item["command"].startswith("git init")


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_a_commit_that_ran_unchanged_counts_also_in_a_shallow_clone(folder, tmp_path):
    """Clean; then a clone that has only the newest commit; then a file that differs."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "commit", "-qm", "two", "--allow-empty")
    commit = git(folder, "rev-parse", "--short=7", "HEAD")
    assert items(folder)["R11"]["evidence"] == f"the last run was of commit {commit}, unchanged"
    shallow = tmp_path / "shallow"
    git(folder, "clone", "-q", "--depth", "1", f"file://{folder}", str(shallow))
    assert items(shallow)["R11"]["evidence"] == f"the last run was of commit {commit}, unchanged"
    (shallow / "part.py").write_text("PASSWORD = None\n")
    assert items(shallow)["R11"]["evidence"] == f"the last run's code differs from its commit {commit}"


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_who_committed_in_another_work_tree_is_an_author_too(folder, tmp_path):
    """Else the author could resolve an incident as somebody else (R13)."""
    from offduty.wiring.handover import authors_of

    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "worktree", "add", "-q", str(tmp_path / "other"))
    assert {"ada", "ada@example.org"} <= authors_of(str(tmp_path / "other"))


def test_a_secret_in_an_imported_file_is_found_and_never_shown(folder):
    """INV-12: the configuration is clean, and so is the script; what it imports is not."""
    assert items(folder)["R06"]["evidence"] == "no secret stands in the configuration, or in 2 files of its code"
    (folder / "part.py").write_text("# of the feed\nPASSWORD = 'hunter2-of-ada'\n")
    done = call(folder, OFFDUTY, "run", "feed")
    item = items(folder)["R06"]
    assert done.returncode == 0 and item["state"] == "not met" and "part.py:2" in item["evidence"]
    assert "hunter2" not in call(folder, OFFDUTY, "ready", "feed").stdout
