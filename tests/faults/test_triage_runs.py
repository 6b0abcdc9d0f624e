"""Triage at the end of a run: bounded in time, harmless when it breaks, and by the table as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

TABLE = """\
[job.nightly]
command = ["python", "job.py"]
owner = "ours"
[team.ours]
contact = "#ours"
[team.lab]
title = "The lab"
contact = "ext. 220"
[owners]
data_provider = "lab"
[[triage]]
id = "KEY-01"
title = "A column is gone"
when = { exception = "LookupError", outcome = "failed" }
cause = "%s {0.__class__} <b>bold</b> \\u001b[31m {{ x }}"
steps = ["Ask <lab>.", "Run it again."]
team = "lab"
"""
FAILS = "raise KeyError('region')\n"


@pytest.fixture
def place(tmp_path):
    """A folder with a job and a table, and a way to run offduty in it."""
    (tmp_path / "offduty.toml").write_text(TABLE)
    (tmp_path / "job.py").write_text(FAILS)

    def offduty(*words, **environ):
        env = {
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "OFFDUTY_STATE_DIR": f"{tmp_path}/state",
        }
        command = [sys.executable, "-m", "offduty", *words]
        return subprocess.run(command, env={**env, **environ}, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    offduty.folder = tmp_path
    return offduty


def record(offduty):
    """The latest run."""
    return json.loads(offduty("runs", "show", "--json").stdout)["run"]


def test_a_failed_run_ends_with_a_row_of_ones_own(place):
    """A base class matches, the texts stay plain text, and the summary, the record and `runs show` say the same."""
    done = place("run", "nightly")
    run = record(place)
    verdict = run["summary"]["verdict"]
    assert (done.returncode, verdict["row"], verdict["team"], verdict["contact"]) == (1, "KEY-01", "lab", "ext. 220")
    assert verdict["cause"] == "%s {0.__class__} <b>bold</b> \x1b[31m {{ x }}"
    assert "triage      KEY-01 “A column is gone”: %s {0.__class__} <b>bold</b> \\x1b[31m {{ x }}" in done.stderr
    assert "team The lab · ext. 220" in " ".join(done.stderr.split())
    assert "do          1. Ask <lab>." in done.stderr
    assert "KEY-01 “A column is gone”" in place("runs", "show").stdout


def test_without_a_table_the_catalogue_says_whose_it_is(place):
    """`[owners]` maps the catalogue's kind of owner to a team."""
    (place.folder / "offduty.toml").write_text(TABLE.partition("[[triage]]")[0])
    (place.folder / "job.py").write_text("open('/nowhere/sales-2026-11-23.csv')\n")
    place("run", "nightly")
    verdict = record(place)["summary"]["verdict"]
    assert (verdict["source"], verdict["category"], verdict["team"]) == ("catalogue", "input_missing", "lab")


def test_a_run_that_went_well_has_no_verdict(place):
    """Nothing is explained where there is nothing to explain."""
    (place.folder / "job.py").write_text("print('fine')\n")
    place("run", "nightly")
    assert record(place)["summary"]["verdict"] is None


def test_what_nothing_explains_says_so_with_the_row_to_add(place):
    """Unknown is a verdict, too: the summary points to the row to add, and that row, added, explains the next failure."""
    (place.folder / "offduty.toml").write_text(TABLE.partition("[[triage]]")[0])
    (place.folder / "job.py").write_text("import sys\nprint('zyx grmbl 7')\nsys.exit(3)\n")
    said = place("run", "nightly").stderr
    assert "triage      unknown: no row explains it; `offduty triage why" in said
    add = json.loads(place("triage", "why", "--json").stdout)["add"].replace('"ours"', '"lab"')
    with (place.folder / "offduty.toml").open("a") as file:
        file.write(add)
    place("run", "nightly")
    verdict = record(place)["summary"]["verdict"]
    assert (verdict["source"], verdict["team"]) == ("table", "lab")


def test_a_table_edited_while_the_job_runs_is_for_the_next_run(place):
    """The verdict is by the table as it was, and that is said, once."""
    edit = "import time\ntime.sleep(1.5)\nold = open('offduty.toml').read()\n"
    edit += "open('offduty.toml', 'w').write(old.replace('KEY-01', 'NEW-01'))\n"
    (place.folder / "job.py").write_text(edit + FAILS)
    said = place("run", "nightly").stderr
    assert record(place)["summary"]["verdict"]["row"] == "KEY-01"
    assert said.count("was edited while the job ran") == 1


@pytest.mark.parametrize("fault", ["triage:raise", "triage table:raise"])
def test_a_fault_of_triage_harms_nothing(place, fault):
    """F24: the job's exit code and its summary are there; the fault is kept, and said."""
    done = place("run", "nightly", OFFDUTY_TESTING="1", OFFDUTY_FAILPOINT=fault)
    assert done.returncode == 1
    assert "what        KeyError: 'region'" in done.stderr
    assert (fault.startswith("triage:")) == ("problem of its own in 'triage'" in done.stderr)


@pytest.mark.parametrize(
    "action, said", [("sleep:30", "not explained in time"), ("kill", "KeyError: 'region'"), ("raise", "problem of its own in 'triage'")]
)
def test_a_verdict_that_does_not_come_is_not_waited_for(place, action, said):
    """F24, T26: triage that hangs, dies or raises in its own process costs a second at most; we are gone two seconds after the job."""
    begun = time.monotonic()
    done = place("run", "nightly", OFFDUTY_TESTING="1", OFFDUTY_FAILPOINT=f"verdict:{action}")
    assert (done.returncode, time.monotonic() - begun < 6) == (1, True)
    assert said in done.stderr
    assert record(place)["outcome"] == "failed"


def test_a_broken_table_costs_only_the_broken_rows(place):
    """B5: a row that cannot be read is said in the summary, and the others count."""
    broken = '[[triage]]\nid = "BAD"\nwhen = { log = "(?=x)" }\n'
    (place.folder / "offduty.toml").write_text(TABLE.replace("[[triage]]", broken + "[[triage]]"))
    said = place("run", "nightly").stderr
    assert record(place)["summary"]["verdict"]["row"] == "KEY-01"
    assert "1 mistake in the triage table" in said
    assert "offduty.toml:13:17: E401 when.log" in place("triage", "check").stdout


def test_a_table_in_a_file_of_its_own(place):
    """`triage = "triage.md"`: rows, mistakes and `check` name that file and its lines."""
    text = 'triage = "triage.md"\n' + TABLE.partition("[[triage]]")[0]
    (place.folder / "offduty.toml").write_text(text)
    (place.folder / "triage.md").write_text(
        "| id | when | cause | steps | team |\n|--|--|--|--|--|\n| A | exception = KeyError | c | s | nobody |\n"
    )
    place("run", "nightly")
    assert record(place)["summary"]["verdict"]["row"] == "A"
    checked = place("triage", "check")
    assert (checked.returncode, "triage.md:3: E207 team:" in checked.stdout) == (1, True)
    assert "triage.md:3" in place("check").stdout
