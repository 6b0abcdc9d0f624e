"""The FAULTS table at work in real jobs: each fault is brought about, in the library's own words, and nothing is left of it afterwards."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.drills.faults import FAULTS
from offduty.drills.synthetic import message_of
from offduty_probe.fault_answers import OF_THE_DATA, error_of
from offduty_probe.fault_errors import ERRORS, facts_of, filled, told

PROBE = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
S3 = """\
import boto3
boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b", endpoint_url="http://127.0.0.1:9").get_object(
    Bucket="b", Key="k")
"""
CALLS = {
    "open": ("file.read", "open(FEED).read()"),
    "pandas": ("file.read", "import pandas; print(pandas.read_csv(FEED)['units'].astype(float).sum())"),
    "pandas.write": ("file.write", "import pandas; pandas.DataFrame({'a': [1]}).to_csv(OUT)"),
    "sqlite3": ("db.query", "import sqlite3; sqlite3.connect(BASE).execute('select * from t')"),
    "sqlite3.connect": ("db.connect", "import sqlite3; sqlite3.connect(BASE)"),
    "pandas.sql": ("db.query", "import pandas, sqlite3; pandas.read_sql('select * from t', sqlite3.connect(BASE))"),
    "urllib": ("http.request", "import json, urllib.request; json.load(urllib.request.urlopen('http://127.0.0.1:9/x', timeout=3))"),
    "requests": ("http.request", "import requests; r = requests.get('http://127.0.0.1:9/x', timeout=3); r.raise_for_status(); r.json()"),
    "httpx": ("http.request", "import httpx; r = httpx.get('http://127.0.0.1:9/x'); r.raise_for_status(); r.json()"),
    "botocore": ("object.read", S3),
    "mysql.connector": ("db.connect", "import mysql.connector as m; m.connect(host='127.0.0.1', port=9, user='job')"),
    "asyncpg": ("db.connect", "import asyncio, asyncpg; asyncio.run(asyncpg.connect(host='127.0.0.1', port=9, user='job'))"),
    "oracledb": ("db.connect", "import oracledb; oracledb.connect(user='job', password='x', dsn='127.0.0.1:9/x')"),
    "pyodbc": ("db.connect", "import pyodbc; pyodbc.connect('DRIVER={none};SERVER=127.0.0.1;UID=job')"),
    "pg8000": ("db.connect", "import sqlalchemy; sqlalchemy.create_engine('postgresql+pg8000://job@127.0.0.1:9/x').connect()"),
    "kafka": ("queue.publish", "import kafka; kafka.KafkaProducer(bootstrap_servers='127.0.0.1:9')"),
    "confluent_kafka": ("queue.publish", "import confluent_kafka as c; c.Producer({'bootstrap.servers': '127.0.0.1:9'}).produce('t')"),
    "smtplib": ("mail.send", "import smtplib; smtplib.SMTP('127.0.0.1', 9, timeout=3)"),
}  # fmt: skip
RAISED = [
    ("open", "missing", "FileNotFoundError"), ("open", "denied", "PermissionError"), ("open", "memory", "MemoryError"),
    ("pandas", "missing", "FileNotFoundError"), ("pandas", "empty", "pandas.errors.EmptyDataError"),
    ("pandas", "denied", "PermissionError"),
    ("pandas", "column-gone", "KeyError"), ("pandas", "column-retyped", "ValueError"), ("pandas.write", "disk-full", "OSError"),
    ("sqlite3", "no-table", "sqlite3.OperationalError"), ("sqlite3", "deadlock", "sqlite3.OperationalError"),
    ("sqlite3.connect", "refused", "sqlite3.OperationalError"), ("pandas.sql", "no-table", "pandas.errors.DatabaseError"),
    ("urllib", "refused", "urllib.error.URLError"), ("urllib", "dns", "urllib.error.URLError"), ("urllib", "tls", "urllib.error.URLError"),
    ("urllib", "timeout", "TimeoutError"), ("urllib", "status-500", "urllib.error.HTTPError"),
    ("urllib", "garbage", "json.decoder.JSONDecodeError"),
    ("requests", "refused", "requests.exceptions.ConnectionError"), ("requests", "tls", "requests.exceptions.SSLError"),
    ("requests", "timeout", "requests.exceptions.ReadTimeout"), ("requests", "status-429", "requests.exceptions.HTTPError"),
    ("requests", "garbage", "requests.exceptions.JSONDecodeError"), ("httpx", "refused", "httpx.ConnectError"),
    ("httpx", "timeout", "httpx.ReadTimeout"), ("httpx", "status-401", "httpx.HTTPStatusError"),
    ("httpx", "garbage", "json.decoder.JSONDecodeError"),
    ("mysql.connector", "refused", "mysql.connector.errors.InterfaceError"),
    ("mysql.connector", "login", "mysql.connector.errors.ProgrammingError"), ("asyncpg", "refused", "ConnectionRefusedError"),
    ("asyncpg", "login", "asyncpg.exceptions.InvalidPasswordError"), ("oracledb", "login", "oracledb.exceptions.DatabaseError"),
    ("pyodbc", "login", "pyodbc.InterfaceError"), ("pg8000", "login", "sqlalchemy.exc.DatabaseError"),
    ("kafka", "refused", "kafka.errors.KafkaTimeoutError"), ("confluent_kafka", "refused", "cimpl.KafkaException"),
    ("botocore", "refused", "botocore.exceptions.EndpointConnectionError"), ("botocore", "status-403", "botocore.exceptions.ClientError"),
    ("smtplib", "no-answer", "TimeoutError"),
]  # fmt: skip


@pytest.fixture
def world(tmp_path):
    """A feed, a database, and a way to run Python code in a drill: gives the class that ended it, its message, and the notes."""
    (tmp_path / "feed.csv").write_text("day,units\n" + "".join(f"2026-11-{day:02},{day}\n" for day in range(1, 29)))
    import sqlite3

    with sqlite3.connect(tmp_path / "base.sqlite3") as base:
        base.execute("create table t (a)")

    def run(code, fault, op="*"):
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        (scratch / "notes.jsonl").unlink(missing_ok=True)
        spec = {
            "scratch": str(scratch),
            "fault": {"name": fault, "op": op, "target": f"{tmp_path}/feed.csv" if op == "file.read" else "*"} if fault else None,
        }
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        (tmp_path / "job.py").write_text(
            f"FEED, OUT, BASE = {[f'{tmp_path}/{name}' for name in ('feed.csv', 'out.csv', 'base.sqlite3')]}\n{code}\n"
        )
        env = {
            "PATH": os.environ["PATH"], "OFFDUTY_DRILL": "1", "OFFDUTY_DRILL_SPEC": f"{tmp_path}/spec.json", "OFFDUTY_TOKEN": "t",
            "OFFDUTY_EVENTS": f"{tmp_path}/events", "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        (tmp_path / "events").unlink(missing_ok=True)
        done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
        chain = next((one["chain"] for one in events if one["kind"] == "exception"), [{"type": None, "message": done.stderr}])
        notes = (
            [json.loads(line) for line in (scratch / "notes.jsonl").read_text().splitlines()] if (scratch / "notes.jsonl").exists() else []
        )
        return done.returncode, chain[0], notes, tmp_path

    return run


@pytest.mark.parametrize("call, fault, raised", RAISED)
def test_a_fault_is_the_librarys_own(world, call, fault, raised):
    """The job dies of the very class that the library has for it; the drill says what was struck; the feed is as it was (T: undone)."""
    op, code = CALLS[call]
    pytest.importorskip({"botocore": "boto3", "open": "os"}.get(call, call.partition(".")[0]))
    status, last, notes, folder = world(code, fault, op)
    assert (status, last["type"]) == (1, raised), last
    assert [one["op"] for one in notes if one["did"] == "struck"][:1] == [op]
    assert len((folder / "feed.csv").read_text().splitlines()) == 29
    assert not (folder / "out.csv").exists()


def test_a_torn_file_ends_in_the_middle(world):
    """Fewer rows than there are, the last one not whole."""
    status, _, notes, _ = world(
        "lines = open(FEED).read().splitlines(); assert 5 < len(lines) < 29, lines; assert ',' not in lines[-1]", "torn", "file.read"
    )
    assert (status, [one["why"] for one in notes]) == (0, ["torn"])


def test_an_error_names_the_file_that_the_job_asked_for(world):
    """Not the place in the drill's folder: rows and people look for the real one."""
    _, last, _, folder = world(CALLS["pandas"][1], "missing", "file.read")
    assert f"{folder}/feed.csv" in last["message"] and "scratch" not in last["message"]


@pytest.mark.parametrize("name", ["sigkill", "oom", "sigterm"])
def test_a_kill_is_a_kill(world, name):
    """The process ends by the signal itself, not by an exception."""
    assert world(CALLS["open"][1], name)[0] == (-15 if name == "sigterm" else -9)


def test_a_call_without_a_time_limit_hangs(world):
    """Seeded defect: a missing time-out. No exception is made up that would never come: the drill says that it hangs."""
    code = "import requests; requests.get('http://127.0.0.1:9/x')"
    status, _, notes, _ = world(code, "timeout", "http.request")
    assert (status, notes[0]["did"], notes[0]["why"]) == (-9, "hung", "no time-out is set")


def test_without_a_fault_everything_is_as_always(world):
    """Nothing broken, nothing changed: the job reads what is there."""
    assert world(CALLS["pandas"][1], None)[0] == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of kafka-python, when it is imported
@pytest.mark.parametrize("fault, library", [(fault, library) for fault, by in ERRORS.items() for library in by])
def test_coverage_and_drills_speak_of_the_same(fault, library):
    """The class and text by which coverage asks are those of the exception that a drill raises."""
    name = "status-403" if fault == "status" else fault
    module = {"python": "os", "urllib": "urllib.error"}.get(library, library)
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not here")
    facts = facts_of(name, "db.query", "postgresql://dw/sales SELECT stores")
    known = told(name, library)
    error = error_of(name, library, "db.query", "postgresql://dw/sales SELECT stores")
    if error is None:
        assert fault in ("status", *OF_THE_DATA)  # it is an answer, not an exception
        return
    cls = type(error)
    spelt = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    assert spelt.rpartition(".")[2] == known[0].rpartition(".")[2]
    if cls.__module__ != "socket":
        assert str(error).strip() == message_of(known[0], tuple(filled(one, facts) for one in known[1])).strip()


def test_every_fault_of_the_table_is_tried_here():
    """A new line in FAULTS needs an exercise."""
    tried = {fault for _, fault, _ in RAISED} | {"torn", "stale", "sigkill", "oom", "sigterm", "login", "status-404", "status-403"}
    assert {name for name, fault in FAULTS.items() if fault.by != "watcher"} <= tried
