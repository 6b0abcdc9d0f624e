"""`offduty triage gaps` and `suggest`, on failures that happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CONFIG = """\
# ours
[job.nightly]
command = ["{python}", "nightly.py"]
owner = "lab"
[team.lab]
contact = "ext. 220"
"""
INLINE = (
    CONFIG
    + """\
[[triage]]
id = "ZERO-01"
when = { exception = "ZeroDivisionError" }
cause = "No rows."
steps = ["Ask."]
team = "lab"   # for now
"""
)
JOB = """\
import os, sys
how = os.environ["HOW"]
if how == "zero": 1 / 0
if how.startswith("key"): {}[how]
print(f"host {how} is not there"); sys.exit(7)
"""
TABLES = {
    "triage.md": "# What goes wrong\n\n| id | when | cause | steps | team |\n|---|---|---|---|---|\n"
    "| ZERO-01 | exception = ZeroDivisionError | No rows. | Ask. | lab |\n\nAsk the lab first.\n",
    "triage.csv": "id,when,cause,steps,team\r\nZERO-01,exception = ZeroDivisionError,No rows.,Ask.,lab\r\n",
    "triage.toml": "# ours\n[[triage]]\nid = 'ZERO-01' # for now\n"
    "when = { exception = 'ZeroDivisionError' }\ncause='No rows.'\nsteps=['Ask.']\nteam='lab'\n",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A folder in which a job failed six times, in three ways, and `offduty` for it."""
    folder = tmp_path_factory.mktemp("gaps")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "OFFDUTY_STATE_DIR": f"{folder}/state"}

    def run(*words, **more):
        command = [sys.executable, "-m", "offduty", *words]
        return subprocess.run(command, env={**env, **more}, cwd=folder, capture_output=True, text=True, timeout=60)

    run.folder = folder
    (folder / "nightly.py").write_text(JOB)
    configure(run, INLINE)
    for how in ("zero", "key1", "key2", "a1", "key3", "b2"):
        run("run", "nightly", HOW=how)
    return run


def configure(run, text):
    """Write the configuration."""
    (run.folder / "offduty.toml").write_text(text.replace("{python}", sys.executable))


def test_gaps_are_what_no_row_explains(failed):
    """The most frequent first, with a run to look at and what the catalogue says; what a row explains is none."""
    configure(failed, INLINE)
    found = json.loads(failed("triage", "gaps", "nightly", "--json").stdout)
    assert (found["failures"], found["explained"]) == (6, 1)
    assert [gap["count"] for gap in found["gaps"]] == [3, 2]
    assert found["gaps"][0]["verdict"]["category"] == "code_bug"
    shown = failed("triage", "gaps").stdout
    assert "5 of 6 failures have no row of your own" in shown
    assert found["gaps"][0]["run"][-8:] in shown
    assert failed("triage", "gaps", "--since", "2099-01-01").stdout == "no failures: nothing to explain\n"


@pytest.mark.parametrize("name", [None, *TABLES])
def test_suggested_rows_are_added_in_the_tables_own_form(failed, name):
    """What is there stays, byte by byte; the result passes the check; a second time there is nothing to add."""
    configure(failed, INLINE if name is None else f'triage = "{name}"\n{CONFIG}')
    table = failed.folder / (name or "offduty.toml")
    if name:
        table.write_bytes(TABLES[name].encode())
    before = table.read_bytes().decode()
    done = failed("triage", "suggest", "--write", "--json")
    assert len(json.loads(done.stdout)["rows"]) == 2, done.stderr
    after = table.read_bytes().decode()
    kept = [line for line in after.splitlines(keepends=True) if line in before.splitlines(keepends=True)]
    assert before in after or "".join(kept).replace("\n\n", "\n") == before.replace("\n\n", "\n")
    assert failed("triage", "check").stdout == "ok  3 rows: nothing wrong\n"
    assert "nothing to suggest" in failed("triage", "suggest", "--write").stdout
    assert table.read_bytes().decode() == after
    assert failed("triage", "gaps").stdout == "all 6 failures are explained by rows of your own\n"


def test_broad_rows_are_about_whole_kinds_of_failure(failed):
    """One for each kind that the catalogue has explained; guesses from words are nobody's kind."""
    configure(failed, INLINE)
    rows = json.loads(failed("triage", "suggest", "--broad", "--json").stdout)["rows"]
    assert [(row["id"], row["when"], row["explains"]) for row in rows] == [("CODE-BUG-99", {"category": "code_bug"}, 3)]
    assert rows[0]["cause"] and len(rows[0]["steps"]) >= 2


def test_a_table_that_cannot_be_added_to_is_left_alone(failed):
    """B5: rows on one line, `triage = [...]`, are refused with a sentence, and nothing is written."""
    row = 'triage = [{ id = "Z", when = { exception = "ZeroDivisionError" }, cause = "c", steps = ["s"], team = "lab" }]\n'
    configure(failed, row + CONFIG)
    before = (failed.folder / "offduty.toml").read_text()
    done = failed("triage", "suggest", "--write")
    assert done.returncode == 78
    assert "E402 the table was not changed" in done.stderr
    assert (failed.folder / "offduty.toml").read_text() == before


def test_a_missing_extra_is_one_line(failed):
    """E701, exit status 69, and the command that helps."""
    configure(failed, INLINE)
    hidden = failed.folder / "hidden"
    hidden.mkdir()
    (hidden / "drain3.py").write_text("raise ImportError('no', name='drain3')")
    done = failed("triage", "gaps", PYTHONPATH=str(hidden))
    assert (done.returncode, done.stdout) == (69, "")
    assert "pip install 'offduty[mine]'" in done.stderr
    assert done.stderr.count("\n") == 1
