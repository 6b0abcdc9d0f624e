"""A job in a drill tries everything to change what is outside; nothing of it comes about, and the drill tells of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.drills.receiver import Receiver

PROBE = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
LED_AWAY = {
    "open": "open(OUT, 'w').write('x'); assert open(OUT).read() == 'x'",
    "append": "open(KEPT, 'a').write('more'); assert open(KEPT).read() == 'keptmore'",
    "pathlib": "import pathlib; pathlib.Path(OUT).write_text('x'); assert pathlib.Path(OUT).exists()",
    "folders": "import os; os.makedirs(OUT + '/a/b'); open(OUT + '/a/b/c', 'w').write('x')",
    "aside and renamed": "import os; open(OUT + '.new', 'w').write('x'); os.replace(OUT + '.new', OUT); assert open(OUT).read() == 'x'",
    "shutil.copy": "import shutil; shutil.copy(KEPT, OUT); assert open(OUT).read() == 'kept'",
    "pandas": "import pandas; pandas.DataFrame({'a': [1]}).to_csv(OUT); assert len(pandas.read_csv(OUT)) == 1",
    "parquet": "import pandas; pandas.DataFrame({'a': [1]}).to_parquet(OUT); assert len(pandas.read_parquet(OUT)) == 1",
    "polars": "import polars; polars.DataFrame({'a': [1]}).write_csv(OUT); assert len(polars.read_csv(OUT)) == 1",
    "numpy": "import numpy; numpy.save(OUT + '.npy', numpy.zeros(3)); assert len(numpy.load(OUT + '.npy')) == 3",
    "sqlite3": "import sqlite3; b = sqlite3.connect(BASE); b.execute('insert into t values (1)'); b.commit();"
    " assert sqlite3.connect(BASE).execute('select count(*) from t').fetchone() == (1,)",
    "tempfile": "import tempfile; tempfile.NamedTemporaryFile(delete=False).write(b'x')",
}
LEFT_OUT = {
    "os.remove": "import os; os.remove(KEPT); assert os.path.exists(KEPT)",
    "pathlib.unlink": "import pathlib; pathlib.Path(KEPT).unlink()",
    "os.rename": "import os; os.rename(KEPT, OUT)",
}
REFUSED = {
    "os.open": "import os; os.open(OUT, os.O_CREAT | os.O_WRONLY)",
    "os.symlink": "import os; os.symlink(KEPT, OUT)",
    "os.truncate": "import os; os.truncate(KEPT, 0)",
    "os.chmod": "import os; os.chmod(KEPT, 0o777)",
    "a program": "import subprocess; subprocess.run(['touch', OUT], check=True)",
    "the shell": "import os; assert os.system('touch ' + OUT) == 0",
    "a Python without the probe": "import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', '1'], check=True)",
    "a Python of its own environment": "import subprocess, sys; subprocess.run([sys.executable, '-c', '1'], env={}, check=True)",
    "a POST": "import requests; requests.post(URL, data='x')",
    "a PUT": "import urllib.request as u; u.urlopen(u.Request(URL, data=b'x', method='PUT'), timeout=5)",
    "a mail": "import smtplib; smtplib.SMTP('127.0.0.1', 9)",
    "an object": "import boto3; boto3.client('s3', region_name='eu-west-1', aws_access_key_id='a', aws_secret_access_key='b',"
    " endpoint_url=URL).put_object(Bucket='b', Key='k', Body=b'x')",
}


@pytest.fixture
def held(tmp_path):
    """Runs Python code in a drill without a fault: (status, stderr, notes), and what is outside of the drill's folder."""
    with Receiver() as receiver:
        outside, scratch = tmp_path / "outside", tmp_path / "scratch"
        outside.mkdir()
        for name in ("", "tmp"):
            (scratch / name).mkdir()
        (outside / "kept").write_text("kept")
        import sqlite3

        base = sqlite3.connect(outside / "base")
        base.execute("create table t (a)")
        base.close()
        (tmp_path / "spec.json").write_text(json.dumps({"scratch": str(scratch), "fault": None}))
        names = {"OUT": f"{outside}/out", "KEPT": f"{outside}/kept", "BASE": f"{outside}/base", "URL": receiver.url}

        def run(code, **more):
            (tmp_path / "job.py").write_text("".join(f"{name} = {value!r}\n" for name, value in {**names, **more}.items()) + code + "\n")
            env = {
                "PATH": os.environ["PATH"], "OFFDUTY_DRILL": "1", "OFFDUTY_DRILL_SPEC": f"{tmp_path}/spec.json", "OFFDUTY_TOKEN": "t",
                "OFFDUTY_EVENTS": f"{scratch}/events", "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": f"{scratch}/tmp",
                "HOME": str(outside),
            }  # fmt: skip
            done = subprocess.run([sys.executable, f"{tmp_path}/job.py"], cwd=outside, env=env, capture_output=True, text=True, timeout=60)
            notes = (scratch / "notes.jsonl").read_text().splitlines() if (scratch / "notes.jsonl").exists() else []
            return done.returncode, done.stderr, [json.loads(line) for line in notes]

        run.outside, run.requests = outside, receiver.requests
        yield run


def unchanged(held):
    """What was outside before is all that is there, as it was."""
    return sorted(path.name for path in held.outside.iterdir()) == ["base", "kept"] and (held.outside / "kept").read_text() == "kept"


@pytest.mark.parametrize("how", LED_AWAY)
def test_what_is_written_is_led_into_the_drills_folder(held, how):
    """The job does not notice: it finds there what it wrote."""
    if how in ("pandas", "parquet", "polars", "numpy"):
        pytest.importorskip("pyarrow" if how == "parquet" else how)
    status, said, notes = held(LED_AWAY[how])
    assert status == 0, said
    assert unchanged(held)
    assert how == "tempfile" or any(one["did"] == "redirected" for one in notes)


@pytest.mark.parametrize("how", LEFT_OUT)
def test_what_would_be_removed_stays(held, how):
    """It is left out and told; the job goes on."""
    status, said, notes = held(LEFT_OUT[how])
    assert (status, [one["did"] for one in notes]) == (0, ["left out"]), said
    assert unchanged(held)


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_led_away_is_refused(held, how):
    """PermissionError, and a note; nothing is made, nothing is sent."""
    if how in ("a POST", "an object"):
        pytest.importorskip("requests" if how == "a POST" else "boto3")
    status, said, notes = held(REFUSED[how])
    assert status == 1 and "refused in a drill" in said, said
    assert any(one["did"] == "refused" for one in notes)
    assert unchanged(held) and not held.requests


def test_what_only_asks_is_let_through(held):
    """GET and HEAD are sent; a program that only looks at the machine is started; a Python with the probe too."""
    code = "import subprocess, sys, requests; assert requests.get(URL, timeout=5).ok; subprocess.run(['uname'], check=True, stdout=-3);"
    status, said, notes = held(code + " subprocess.run([sys.executable, '-c', 'print(1)'], check=True, stdout=-3)")
    assert (status, notes) == (0, []), said
    assert len(held.requests) == 1


def test_a_child_is_held_back_as_well(held):
    """A pool of processes, and a Python that the job starts: what they write is led away too."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'open(%r, \"w\").write(\"x\")' % OUT], check=True)"
    status, said, notes = held(code)
    assert (status, [one["did"] for one in notes]) == (0, ["redirected"]), said
    assert unchanged(held)


def test_a_database_is_only_read(held, postgres_port):
    """PostgreSQL: SELECT is answered; INSERT is refused before it is sent where it would be committed at once (B: database rows)."""
    psycopg = pytest.importorskip("psycopg")
    place = f"host=127.0.0.1 port={postgres_port} user=postgres dbname=postgres"
    with psycopg.connect(place) as base:
        base.execute("create table if not exists drilled (a int)")
    code = "import psycopg; b = psycopg.connect(PLACE, autocommit=True)"
    code += "; assert b.execute('select count(*) from drilled').fetchone() == (0,)"
    code += "; b.execute('insert into drilled values (1)')"
    status, said, notes = held(code, PLACE=place)
    assert status == 1 and "INSERT changes the database" in said, said
    assert [one["did"] for one in notes] == ["refused"]


@pytest.mark.parametrize("spec", ["", "{}", '{"scratch": "/nowhere/at/all"}'])
def test_a_drill_that_cannot_be_made_safe_does_not_start(tmp_path, spec):
    """Better no job than one that is not held back: status 125, and not a line of the job is run."""
    (tmp_path / "spec.json").write_text(spec)
    (tmp_path / "job.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    env = {
        "OFFDUTY_DRILL": "1",
        "OFFDUTY_DRILL_SPEC": f"{tmp_path}/spec.json",
        "OFFDUTY_TOKEN": "t",
        "OFFDUTY_EVENTS": f"{tmp_path}/events",
    }
    done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env={**env, "PYTHONPATH": str(PROBE)}, capture_output=True, timeout=60)
    assert (done.returncode, (tmp_path / "ran").exists()) == (125, False)


def test_without_the_variable_nothing_is_held_back(tmp_path):
    """A spec alone is no drill: every other run is as it was."""
    (tmp_path / "job.py").write_text("open('ran', 'w')")
    env = {"OFFDUTY_DRILL_SPEC": "/x", "OFFDUTY_TOKEN": "t", "OFFDUTY_EVENTS": f"{tmp_path}/events", "PYTHONPATH": str(PROBE)}
    assert subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env=env, timeout=60).returncode == 0
    assert (tmp_path / "ran").exists()
