"""`offduty ready` and `offduty handover` as people use them: real processes over the clinic's configuration."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OFFDUTY = str(Path(sys.executable).parent / "offduty")
CLINIC = Path(__file__).resolve().parents[2] / "examples/clinic"


@pytest.fixture
def offduty(tmp_path):
    """Call the command in a copy of the clinic; nothing of the machine's own configuration counts."""
    shutil.copy(CLINIC / "offduty.toml", tmp_path)
    shutil.copy(CLINIC / "forecast.py", tmp_path)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": f"{tmp_path}/state", "LANG": "C.UTF-8"}

    def call(*words, **more):
        return subprocess.run([OFFDUTY, *words], cwd=tmp_path, env={**environ, **more}, capture_output=True, text=True, timeout=60)

    return call


def test_ready_tells_what_is_missing_and_how_to_earn_it(offduty, tmp_path):
    """A job that nobody has run: on duty; CI can ask for more; the badge is a picture."""
    done = offduty("ready", "forecast", "--badge", "ready.svg")
    assert done.returncode == 0 and "R04  channels proven: write [channel.NAME], then: offduty alerts test" in done.stdout
    assert (tmp_path / "ready.svg").read_text().startswith("<svg")
    assert offduty("ready", "forecast", "--require", "on-duty").returncode == 0
    assert offduty("ready", "forecast", "--require", "rehearsed").returncode == 1
    assert offduty("ready", "nosuch").returncode == 66
    assert offduty("ready", "--require", "asleep").returncode == 2


def test_a_team_accepts_its_rows_and_refuses_one(offduty):
    """Only its own; the reason is kept; what changes is asked for again."""
    offduty("handover", "accept", "forecast", "--team", "lab", "--by", "Mei", "--refuse", "LAB-04", "--reason", "old files are not ours")
    rows = {row["row"]: row for row in json.loads(offduty("handover", "accept", "forecast", "--json").stdout)["rows"]}
    assert [rows[row]["state"] for row in ("LAB-01", "LAB-04", "DB-01", None)] == ["accepted", "refused", "open", "open"]
    assert (rows["LAB-04"]["by"], rows["LAB-04"]["reason"]) == ("Mei", "old files are not ours")
    assert "E530" in offduty("handover", "accept", "forecast", "--team", "labx").stderr
    assert "E520" in offduty("handover", "accept", "forecast", "--team", "lab", "--refuse", "DB-01", "--reason", "x").stderr
    assert "E111" in offduty("handover", "accept", "forecast", "--team", "lab", "--refuse", "LAB-01").stderr


def test_a_runbook_in_each_form(offduty, tmp_path):
    """Made of the configuration and what ran; an older one is replaced."""
    offduty("run", "forecast")  # fails: its variables are not set
    for form in ("md", "html"):
        for _ in range(2):
            assert offduty("handover", "forecast", "-o", f"runbook.{form}").returncode == 0
        made = (tmp_path / f"runbook.{form}").read_text()
        assert "Ask the lab whether the 05:00 export ran." in made and "LAB_FEED" not in made.partition("What to do now")[0]
    assert json.loads(offduty("handover", "forecast", "--json").stdout)["schema"] == "offduty.handover/1"
    assert "E112" in offduty("handover", "forecast", "-o", "runbook.docx").stderr


def test_without_typst_a_pdf_is_one_line(offduty, tmp_path):
    """The extra is named, exit status 69, and no file is begun."""
    hidden = tmp_path / "hidden"
    (hidden / "typst").mkdir(parents=True)
    (hidden / "typst/__init__.py").write_text("raise ImportError('hidden')\n")
    done = offduty("handover", "forecast", "-o", "runbook.pdf", PYTHONPATH=str(hidden))
    assert (done.returncode, done.stderr.count("\n")) == (69, 1) and "pip install 'offduty[pdf]'" in done.stderr
    assert not (tmp_path / "runbook.pdf").exists()


def test_what_people_did_and_what_is_asked_for(offduty, tmp_path):
    """Touches count as hours, requests are ranked and decided, and the page has its pictures."""
    assert offduty("value", "forecast").stdout.startswith("forecast: too early to tell")
    assert offduty("touch", "forecast", "changed the holiday feature", "--hours", "3", "--by", "ada").returncode == 0
    offduty("request", "add", "forecast", "weekends too", "--value", "8", "--hours", "2")
    offduty("request", "add", "forecast", "a map", "--value", "1", "--urgency", "1")
    listed = json.loads(offduty("request", "--json").stdout)["requests"]
    assert [(one["number"], one["worth"]) for one in listed] == [(1, 6.5), (2, 0.5)]
    offduty("request", "decide", "1", "agreed")
    offduty("request", "decide", "1", "done")
    found = json.loads(offduty("value", "forecast", "--json").stdout)["jobs"][0]
    assert (found["effort"]["hours"], found["requirements"]["met"]) == (3.0, True)


@pytest.mark.parametrize(
    "form, begins", [("html", b"<!doctype html"), ("md", b"# Value"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG\r\n")]
)
def test_a_report_in_each_form(offduty, tmp_path, form, begins):
    """The name of the file says which; a job that has never run has a report too."""
    if form in ("pdf", "png"):
        pytest.importorskip("typst")
    done = offduty("value", "forecast", "-o", f"value.{form}")
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / f"value.{form}").read_bytes().lstrip().startswith(begins)


def test_each_picture_in_a_file_of_its_own(offduty, tmp_path):
    """SVG, or PNG where that is asked for."""
    pytest.importorskip("typst")
    assert offduty("value", "forecast", "--plots", "pictures").returncode == 0
    assert offduty("value", "forecast", "--plots", "pictures", "--png").returncode == 0
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["calendar.png", "calendar.svg", "hours.png", "hours.svg"]


def test_wrong_words_are_one_line(offduty):
    """Each names what does not fit."""
    wrong = {
        ("touch", "forecast", "x", "--hours", "nan"): "E112", ("touch", "nosuch", "x"): "E506", ("value", "nosuch"): "E506",
        ("request", "decide", "9", "done"): "E531", ("request", "decide", "9", "maybe"): "E112", ("value", "-o", "x.html"): "E111",
        ("value", "forecast", "-o", "x.docx"): "E112", ("value", "forecast", "--png"): "E111",
        ("request", "add", "forecast", "x", "--value", "11"): "E112",
    }  # fmt: skip
    assert [words for words, code in wrong.items() if code not in offduty(*words).stderr] == []
