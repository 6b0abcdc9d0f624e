"""Calls without a time limit hang in a drill, calls with one fail by the library's own time-out: as each library's defaults are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
URL = "'http://127.0.0.1:9/x'"
AIOHTTP = """\
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession({0}) as session:
        await session.get({1})
asyncio.run(main())
"""
REDIS = "import redis; redis.Redis(host='127.0.0.1', port=9{0}).get('a')"
SMTP = "import smtplib; smtplib.SMTP('127.0.0.1', 9{0})"
FTP = "import ftplib; ftplib.FTP('127.0.0.1'{0})"
HTTP, CONNECT, QUERY = "http.request", "db.connect", "db.query"
CALLS = [
    ("requests", HTTP, f"import requests; requests.get({URL})", True),
    ("requests", HTTP, f"import requests; requests.get({URL}, timeout=3)", False),
    ("requests", HTTP, f"import requests; requests.get({URL}, timeout=(3, None))", True),
    ("urllib", HTTP, f"import urllib.request as u; u.urlopen({URL})", True),
    ("urllib", HTTP, f"import socket, urllib.request as u; socket.setdefaulttimeout(3); u.urlopen({URL})", False),
    ("urllib3", HTTP, f"import urllib3; urllib3.PoolManager().request('GET', {URL})", True),
    ("urllib3", HTTP, f"import urllib3; urllib3.PoolManager(timeout=3).request('GET', {URL})", False),
    ("urllib3", HTTP, f"import urllib3; urllib3.PoolManager().request('GET', {URL}, timeout=urllib3.Timeout(connect=3))", True),
    ("httpx", HTTP, f"import httpx; httpx.get({URL})", False),
    ("httpx", HTTP, f"import httpx; httpx.get({URL}, timeout=None)", True),
    ("httpx", HTTP, f"import httpx; httpx.Client(timeout=httpx.Timeout(3, read=None)).get({URL})", True),
    ("aiohttp", HTTP, AIOHTTP.format("", URL), False),
    ("aiohttp", HTTP, AIOHTTP.format("timeout=aiohttp.ClientTimeout()", URL), True),
    ("aiohttp", HTTP, AIOHTTP.format("timeout=aiohttp.ClientTimeout()", f"{URL}, timeout=aiohttp.ClientTimeout(total=9)"), False),
    ("redis", "cache.call", REDIS.format(", socket_timeout=None"), True),
    ("redis", "cache.call", REDIS.format(", socket_timeout=3"), False),
    ("smtplib", "mail.send", SMTP.format(""), True),
    ("smtplib", "mail.send", SMTP.format(", timeout=3"), False),
    ("ftplib", "file.transfer", FTP.format(""), True),
    ("ftplib", "file.transfer", FTP.format(", timeout=3"), False),
    ("psycopg2", CONNECT, "import psycopg2; psycopg2.connect('host=127.0.0.1 port=9')", True),
    ("psycopg2", CONNECT, "import psycopg2; psycopg2.connect('host=127.0.0.1 port=9 connect_timeout=3')", False),
    ("psycopg2", CONNECT, "import os; os.environ['PGCONNECT_TIMEOUT'] = '3'; import psycopg2; psycopg2.connect(host='127.0.0.1')", False),
    ("psycopg", CONNECT, "import psycopg; psycopg.connect('host=127.0.0.1 port=9')", False),
]
PG = "connect('host=127.0.0.1 port={port} user=postgres dbname=postgres'{more})"


@pytest.fixture
def struck(tmp_path):
    """`struck(op, code)`: whether the job hung by it; else it has to die of an exception of its own."""

    def run(op, code, target="*"):
        (tmp_path / "scratch/tmp").mkdir(parents=True, exist_ok=True)
        name = "timeout" if op in (HTTP, QUERY, "cache.call") else "no-answer"
        spec = {"scratch": f"{tmp_path}/scratch", "fault": {"name": name, "op": op, "target": target}, "allow": ["ssh://*"]}
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        (tmp_path / "job.py").write_text(code)
        env = {
            "PATH": os.environ["PATH"], "OFFDUTY_DRILL": "1", "OFFDUTY_DRILL_SPEC": f"{tmp_path}/spec.json", "OFFDUTY_TOKEN": "t",
            "OFFDUTY_EVENTS": f"{tmp_path}/events", "PYTHONPATH": str(PROBE), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100)
        notes = [json.loads(line) for line in (tmp_path / "scratch/notes.jsonl").read_text().splitlines()]
        hung = any(one["did"] == "hung" for one in notes)
        assert hung or (done.returncode == 1 and any(one["did"] == "struck" for one in notes)), (done.stderr, notes)
        assert hung or "time" in done.stderr.lower(), done.stderr
        return hung

    return run


@pytest.mark.parametrize("library, op, code, hangs", CALLS)
def test_what_has_no_time_limit_hangs(struck, library, op, code, hangs):
    """Seeded defect: a missing time-out, in each library's own way of missing it; defaults count as the library has them."""
    pytest.importorskip(library)
    assert struck(op, code) is hangs


@pytest.mark.parametrize("library", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("more, hangs", [("", True), (", options='-c statement_timeout=3000'", False)])
def test_a_session_is_asked_for_its_statement_timeout(struck, postgres_port, library, more, hangs):
    """Wherever it was set, for the role, the database or the session: the server says what counts; without it a statement waits."""
    pytest.importorskip(library)
    assert (
        struck(QUERY, f"import {library} as p; c = p.{PG.format(port=postgres_port, more=more)}.cursor(); c.execute('select 1')") is hangs
    )


@pytest.mark.parametrize("more, hangs", [("", True), (", read_timeout=3", False)])
def test_mysql_waits_for_ever_without_a_read_timeout(struck, mariadb_port, more, hangs):
    """Connecting is limited to ten seconds, answers are not."""
    pytest.importorskip("pymysql")
    code = f"import pymysql; pymysql.connect(host='127.0.0.1', port={mariadb_port}, database='test'{more}).cursor().execute('select 1')"
    assert struck(QUERY, code) is hangs


@pytest.mark.parametrize("more, hangs", [("", True), ("; f.get_channel().settimeout(3)", False)])
def test_sftp_waits_for_ever_without_a_time_for_its_channel(struck, ssh_port, more, hangs):
    """Connecting is limited by the time for the banner."""
    code = "import paramiko, warnings; warnings.simplefilter('ignore'); c = paramiko.SSHClient()"
    code += "; c.set_missing_host_key_policy(paramiko.AutoAddPolicy())"
    code += f"; c.connect('127.0.0.1', {ssh_port}, 'user', 'CANARY', look_for_keys=False, allow_agent=False)"
    assert struck("file.transfer", f"{code}; f = c.open_sftp(){more}; f.listdir('.')", f"sftp://127.0.0.1:{ssh_port}/.") is hangs
