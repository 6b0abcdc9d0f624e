"""`offduty triage` as people and CI use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TABLE = """\
[job.nightly]
command = ["true"]
[team.lab]
contact = "ext. 220"
[dependency.lab-feed]
match = "*/lab.csv"
team = "lab"
[[triage]]
id = "LAB-01"
when = { dependency = "lab-feed", outcome = "failed" }
cause = "The feed is not there."
steps = ["Ask the lab.", "Run it again."]
team = "lab"
"""
LOG = """\
loading
Traceback (most recent call last):
  File "/srv/job.py", line 3, in <module>
    open("/data/lab.csv")
FileNotFoundError: [Errno 2] No such file or directory: '/data/lab.csv'
"""


@pytest.fixture
def triage(tmp_path):
    """Run `offduty triage …` in an empty folder."""

    def run(*words, **more):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state"}
        command = [sys.executable, "-m", "offduty", "triage", *words]
        return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, **more)

    run.folder = tmp_path
    (tmp_path / "job.log").write_text(LOG)
    return run


@pytest.fixture
def configured(triage):
    """The same, with a table."""
    (triage.folder / "offduty.toml").write_text(TABLE)
    return triage


def test_without_a_table_it_says_how_to_begin(triage):
    """Empty states teach."""
    assert "no triage table yet" in triage().stdout
    assert triage("list", "--json").stdout == '{\n  "schema": "offduty.triage/1",\n  "rows": []\n}\n'
    assert "no row is called" in triage("show", "X").stderr


def test_the_table_is_listed_and_shown(configured):
    """A row is found by its id; a slip of the finger by what looks like it."""
    assert "LAB-01  dependency = lab-feed; outcome = failed  lab" in configured().stdout
    assert "cause       The feed is not there." in configured("show", "LAB-01").stdout
    assert "did you mean LAB-01?" in configured("show", "LAB-1").stderr
    assert configured("show", "LAB-01", "--toml").stdout.startswith('[[triage]]\nid       = "LAB-01"\n')


def test_any_log_is_explained_without_any_configuration(triage):
    """Cause, first steps, evidence, and the kind of owner."""
    said = triage("explain", "job.log", "--exit-code", "1").stdout
    assert "input_missing" in said
    assert "No such file or directory: '/data/lab.csv'" in said
    assert "do          1. " in said


def test_a_log_that_names_a_dependency_goes_to_its_row(configured):
    """Rows, teams and dependencies of the configuration count for logs from anywhere, too."""
    [found] = json.loads(configured("explain", "job.log", "--json").stdout)["logs"]
    assert (found["row"], found["team"], found["dependency"], found["id"]) == ("LAB-01", "lab", "lab-feed", "job.log")


def test_a_log_from_standard_input(triage):
    """In a pipe."""
    assert "input_missing" in triage("explain", "-", input=LOG).stdout


def test_a_log_of_our_own_says_how_the_job_ended(configured):
    """The column is taken off, and the exit code is read from the summary."""
    command = [sys.executable, "-m", "offduty", "run", "--name", "x", "--", "sh", "-c", "echo grmbl; exit 7"]
    env = {"PATH": os.environ["PATH"], "HOME": str(configured.folder), "OFFDUTY_STATE_DIR": f"{configured.folder}/state"}
    subprocess.run(command, env=env, cwd=configured.folder, capture_output=True, timeout=60)
    [log] = (configured.folder / "state/logs/x").glob("*.log")
    assert "when     = { exit_code = 7 }" in configured("explain", str(log)).stdout


def test_json_lines_come_out_in_their_order(triage):
    """One line out for each in, with the agreed keys; a line that is none is answered, too, and the exit status says so."""
    lines = [json.dumps({"id": 7, "log": LOG, "exit_code": 1}), "nope", json.dumps({"log": "Killed\n", "exit_code": 137}), '{"log": 3}']
    done = triage("explain", "--jsonl", "-", input="\n".join(lines))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, [answer["id"] for answer in answers]) == (65, [7, "line 2", "line 3", "line 4"])
    assert [answer["category"] for answer in answers] == ["input_missing", "unknown", "out_of_memory", "unknown"]
    assert list(answers[0]) == ["id", "category", "owner_kind", "row", "cause", "steps", "team", "confidence", "evidence"]
    assert ["error" in answer for answer in answers] == [False, True, False, True]


STRANGE = [
    '{"log": "x", "exit_code": -999}',
    '{"log": "x", "exit_code": 1000000000000000000000}',
    '{"log": "", "id": null}',
    '{"log": "\\ud800 \\u0000 \\u001b[2J", "exit_code": 139}',
    '{"log": "Traceback (most recent call last):\\n  File \\"a\\", line 99999999999999999999\\nE: x"}',
    '{"id": {"a": [1]}, "log": "Killed"}',
]


def test_strange_lines_are_answered(triage):
    """Numbers without measure, half characters, forged places: one answer each."""
    done = triage("explain", "--jsonl", "-", input="\n".join(STRANGE))
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", len(STRANGE))


@pytest.mark.parametrize(
    "content", [b"", b"\0\xff\xfe" * 5000, b"x" * 6_000_000, b"\x1b[2J\x1b]0;t\x07\n" * 9, b"12:00:00.000 * not ours\n"]
)
def test_any_bytes_are_explained(triage, content):
    """Binary, nothing at all, one line without an end, hostile sequences: an answer, and nothing that a terminal would obey."""
    (triage.folder / "job.log").write_bytes(content)
    done = triage("explain", "job.log")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    "words, code", [((), "E111"), (("gone.log",), "E521"), (("no*.log",), "E521"), (("job.log", "--exit-code", "x"), "E112")]
)
def test_what_cannot_be_explained_is_an_error_in_one_line(triage, words, code):
    """No traceback, whatever is given."""
    done = triage("explain", *words)
    assert (done.returncode != 0, done.stderr.startswith(f"offduty: {code} "), done.stderr.count("\n")) == (True, True, 1)


def test_a_table_goes_to_a_spreadsheet_and_back(configured):
    """Export, edit, import: the file that the configuration names has the new rows."""
    (configured.folder / "offduty.toml").write_text('triage = "triage.md"\n' + TABLE.partition("[[triage]]")[0])
    (configured.folder / "first.toml").write_text("[[triage]]" + TABLE.partition("[[triage]]")[2])
    assert configured("import", "first.toml").returncode == 0
    assert configured("export", "edited.csv").returncode == 0
    assert configured("export", "edited.csv").stderr.startswith("offduty: E404 edited.csv: ")
    edited = (configured.folder / "edited.csv").read_text().replace("The feed is not there.", "There is | no feed.")
    (configured.folder / "edited.csv").write_text(edited)
    assert configured("import", "edited.csv").returncode == 0
    assert "There is \\| no feed." in (configured.folder / "triage.md").read_text()
    assert configured("check").stdout == "ok  1 row: nothing wrong\n"


@pytest.mark.parametrize(
    "content",
    [
        b"id;when\nA;exit_code = 1\n",
        b"when,cause\nexit_code = 1,=HYPERLINK(1)\nexit_code = 2,fine\n",
        "when,cause\nexit_code = 1,gr\xfcn\n".encode("latin-1"),
        b"when," + b",".join(b"c%d" % n for n in range(50)) + b"\n",
        b"when,cause\nexit_code = 999,x\n",
    ],
)
def test_nothing_is_imported_unless_all_passes(configured, content):
    """B5: wrong delimiter, formulas, Latin-1, 50 columns, a bad value: errors with their line, and the old table stays."""
    (configured.folder / "offduty.toml").write_text('triage = "triage.md"\n' + TABLE.partition("[[triage]]")[0])
    (configured.folder / "triage.md").write_text("old")
    (configured.folder / "new.csv").write_bytes(content)
    done = configured("import", "new.csv")
    assert (done.returncode, done.stdout, (configured.folder / "triage.md").read_text()) == (78, "", "old")
    assert all(line.startswith("offduty: E40") and " new.csv:" in line for line in done.stderr.splitlines())


def test_check_is_for_ci(configured):
    """Exit status 1 and the place of each finding; a file can be checked before it is imported."""
    (configured.folder / "new.md").write_text("| when | cause |\n|--|--|\n| log = a* | c |\n")
    done = configured("check", "new.md")
    assert done.returncode == 1
    assert [line.split()[:2] for line in done.stdout.splitlines()[:3]] == [
        ["new.md:3:", "E415"],
        ["new.md:3:", "E413"],
        ["new.md:3:", "E413"],
    ]
    assert json.loads(configured("check", "--json").stdout) == {"schema": "offduty.triage_check/1", "ok": True, "rows": 1, "findings": []}
