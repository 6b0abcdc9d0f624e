"""`offduty scan` as people use it: real processes over real code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.transactions.scan import scan

OFFDUTY = str(Path(sys.executable).parent / "offduty")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SWALLOWS = "try:\n    open('a.csv')\nexcept Exception:\n    pass\nopen('b.csv', 'w')\n"


def offduty(*words, cwd):
    """Call the command; nothing of the machine's own configuration counts."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "OFFDUTY_STATE_DIR": f"{cwd}/state", "LANG": "C.UTF-8"}
    return subprocess.run([OFFDUTY, *words], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60)


CLINIC = """\
where            op            target                            in
forecast.py:35   db.connect    ${CLINIC_DB}                      main
forecast.py:48   file.read     ${LAB_FEED}                       read_lab
forecast.py:59   db.query      ${CLINIC_DB} SELECT patients      read_clinic
forecast.py:60   db.query      ${CLINIC_DB} SELECT outcomes      read_clinic
forecast.py:75   http.request  ${CALLS_API}/calls?date={day}     calls_possible
forecast.py:99   file.write    forecasts.csv                     save
forecast.py:101  db.query      ${CLINIC_DB} INSERT forecasts     save
7 transactions in 1 file: 3 db.query, 1 db.connect, 1 file.read, 1 http.request, 1 file.write
"""


def test_the_clinic_is_read_to_the_last_transaction():
    """Every file, database and service of the example, with the environment variables that say where they are."""
    done = offduty("scan", "forecast.py", "model.py", cwd=EXAMPLES / "clinic")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [line.split() for line in CLINIC.splitlines()]


def test_the_world_around_the_clinic_is_read_too():
    """Paths made of the file's own folder, and a program whose name only the run knows; each at a line where its file is named."""
    places = scan([str(EXAMPLES / "clinic/world.py")]).places
    folder = f"{EXAMPLES}/clinic"
    database = f"{folder}/world/clinic.sqlite3"
    assert [(place.op, place.target) for place in sorted(places, key=lambda place: place.line)] == [
        ("file.read", f"{folder}/data/diabetes.csv"), ("file.delete", f"{folder}/world/lab.csv"), ("file.write", f"{folder}/world/lab.csv"),
        ("file.delete", database), ("file.write", f"{database}.away"), ("file.write", database), ("db.connect", database),
        ("db.query", f"{database} CREATE patients, outcomes, forecasts"), ("db.query", f"{database} INSERT patients"),
        ("db.query", f"{database} INSERT outcomes"), ("db.query", f"{database} DROP outcomes"), ("db.connect", database),
        ("db.query", f"{database} BEGIN"), ("process.spawn", "{program}"),
    ]  # fmt: skip


def test_the_notebook_is_read_by_cell_and_line():
    """The example's one file, in its first code cell."""
    done = offduty("scan", "--json", cwd=EXAMPLES / "notebook")
    [place] = json.loads(done.stdout)["places"]
    assert place == {
        "path": "progression.ipynb", "line": 3, "op": "file.read", "target": "../clinic/data/diabetes.csv", "function": None,
        "swallowed": False, "via": "pandas.read_csv", "cell": 1,
    }  # fmt: skip
    assert "progression.ipynb cell 1:3  file.read" in offduty("scan", cwd=EXAMPLES / "notebook").stdout


def test_swallowed_failures_are_marked_and_can_fail_a_build(tmp_path):
    """The table marks them, --swallowed shows only them, and the exit status is 1 only when asked for."""
    (tmp_path / "job.py").write_text(SWALLOWS)
    plain, only, strict = (offduty("scan", *words, cwd=tmp_path) for words in ([], ["--swallowed"], ["--fail-on-swallowed"]))
    assert [done.returncode for done in (plain, only, strict)] == [0, 0, 1]
    assert plain.stdout.splitlines()[1].split() == ["job.py:2", "file.read", "a.csv", "swallowed"]
    assert plain.stdout.splitlines()[-1] == "2 transactions in 1 file: 1 file.read, 1 file.write; 1 is swallowed by an except"
    assert [line.split()[0] for line in only.stdout.splitlines()] == ["where", "job.py:2", "1"]
    assert offduty("scan", "--fail-on-swallowed", "--op", "file.write", cwd=tmp_path).returncode == 0


def test_only_the_ops_that_are_asked_for(tmp_path):
    """A glob, and several of them."""
    (tmp_path / "job.py").write_text(SWALLOWS)
    document = json.loads(offduty("scan", "--op", "file.w*", "--op", "db.*", "--json", cwd=tmp_path).stdout)
    assert [place["target"] for place in document["places"]] == ["b.csv"]
    assert (document["counts"], document["swallowed"], document["files"]) == ({"file.write": 1}, 0, 1)
    assert offduty("scan", "--op", "mail.*", cwd=tmp_path).stdout == "no transaction is like that in 1 file\n"


def test_what_cannot_be_scanned_is_named_and_is_no_failure(tmp_path):
    """B1: Python 2 and an undecodable file beside a good one: a line for each, status 0."""
    (tmp_path / "good.py").write_text("open('a')\n")
    (tmp_path / "latin.py").write_bytes("x = 'é'\n".encode("latin-1"))
    (tmp_path / "old.py").write_text("print 'x'\n")
    done = offduty("scan", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:-1] == [
        "latin.py not scanned: is not utf-8 (line 1, byte 0xe9); declare its encoding, or save it as UTF-8",
        "old.py not scanned: is Python 2 (line 1)",
    ]


def test_a_path_that_is_not_there_is_66(tmp_path):
    """One line, a code, and the document with --json."""
    done = offduty("scan", "nope.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (66, "")
    assert done.stderr == 'offduty: E508 "nope.py" cannot be scanned: no such file or directory; name a file or folder that is there\n'
    assert json.loads(offduty("scan", "nope.py", "--json", cwd=tmp_path).stdout)["error"]["code"] == "E508"


@pytest.mark.parametrize(
    "code, said", [(None, "no Python file or notebook here that could be scanned\n"), ("x = 1\n", "no transaction in 1 file\n")]
)
def test_nothing_found_is_said(tmp_path, code, said):
    """A folder without Python, and code that touches nothing."""
    if code is not None:
        (tmp_path / "job.py").write_text(code)
    done = offduty("scan", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_names_in_source_cannot_do_anything_to_a_terminal(tmp_path):
    """T06: escape sequences in a literal or a file's name are shown, not sent."""
    (tmp_path / "a\x1b[2J.py").write_text("open('\\x1b]0;title\\x07\\nx')\nopen('\\ud800')\n")
    done = offduty("scan", cwd=tmp_path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert len(done.stdout.splitlines()) == 4
    assert len(json.loads(offduty("scan", "--json", cwd=tmp_path).stdout)["places"]) == 2
