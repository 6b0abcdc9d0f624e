"""The ping API as clients of healthchecks use it: every item of design/wire-formats.md W10, with curl and a plain socket.

runitor's binary is not at hand: what it sends is replayed as its source has it (internal/api.go: POST with a text/plain body and a
Content-Length, `/start`, `/log` or `/EXIT_STATUS` behind the handle, 200 expected, Ping-Body-Limit read).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from offduty.stores.sqlite import open_store
from offduty.watch.promise import Promise

RID_A, RID_B = "684e2e73-017e-465f-8149-d70b7c5aaa49", "0b5f8f6e-6c1b-4f35-9a1d-0d8f0b2f6c11"
CONFIG = """\
[ping]
body_limit = "1 kB"
[team.ops]
channels = ["desk"]
[channel.desk]
kind = "command"
command = ["true"]
[job.known]
ping = true
owner = "ops"
every = "1 h"
"""


class Site:
    """A folder with a configuration, its store, and the server that takes its pings."""

    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state"
        ours = ("OFFDUTY_", "XDG_", "STATE_DIRECTORY", "LOGS_DIRECTORY")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.env |= {"OFFDUTY_STATE_DIR": str(self.state), "HOME": str(folder)}
        (folder / "offduty.toml").write_text(CONFIG)
        self.server = self.start("--listen", "127.0.0.1:0")
        self.port = int(re.search(r":(\d+)/ping", self.server.stderr.readline())[1])

    def start(self, *words):
        """`offduty pings serve`, running."""
        command = [sys.executable, "-m", "offduty", "pings", "serve", *words]
        return subprocess.Popen(command, env=self.env, cwd=self.folder, stderr=subprocess.PIPE, text=True)

    def offduty(self, *words, code=0):
        """The answer of a command, as JSON."""
        command = [sys.executable, "-m", "offduty", *words, "--json"]
        done = subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def new(self, *words):
        """Paths of a new check: by its uuid, and by key and slug."""
        made = self.offduty("pings", "new", *words)
        return tuple(made[name].partition("8000")[2] for name in ("address", "slug_address"))

    def ask(self, path, method="GET", body=b"", headers=(), version="1.1"):
        """(status, headers, body) of one request on a connection of its own."""
        lines = [f"{method} {path} HTTP/{version}", "Host: here", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
        return self.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)

    def raw(self, data, patience=10.0):
        """What the server answers to these very bytes."""
        with socket.create_connection(("127.0.0.1", self.port), patience) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            return answer(sock)

    def check(self, job):
        """The check, as the store has it."""
        with contextlib.closing(open_store(str(self.state / "offduty.sqlite3"))) as store:
            return next(check for check in store.pings.checks() if check.job == job)

    def runs(self, job):
        """The runs of a job, oldest first."""
        with contextlib.closing(open_store(str(self.state / "offduty.sqlite3"))) as store:
            return store.runs(job)[::-1]

    def heard(self, job):
        """The action of each ping of a check, oldest first."""
        with contextlib.closing(open_store(str(self.state / "offduty.sqlite3"))) as store:
            return [one.action for one in store.pings.heard(job)][::-1]


def answer(sock):
    """(status, headers, body) that comes until the connection ends."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]) if first else 0, headers, body


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One server for all: each test has a check of its own."""
    made = Site(tmp_path_factory.mktemp("pings"))
    yield made
    made.server.terminate()
    made.server.wait(20)
    made.server.stderr.close()


def test_what_runitor_sends(site):
    """W10.1: start, then an exit status with output: 200, the limit of bodies told, and the job is down."""
    path, _ = site.new("runitor-job")
    text = ["Content-Type: text/plain", "User-Agent: runitor/1.4.1 (+https://bdd.fi/x/runitor)"]
    status, headers, body = site.ask(f"{path}/start", "POST", headers=[*text, "Content-Length: 0"])
    assert (status, headers["ping-body-limit"], body) == (200, "1000", b"OK")
    assert site.ask(f"{path}/1", "POST", b"KeyError: 'region'\n", text)[0] == 200
    (run,) = site.runs("runitor-job")
    assert (site.check("runitor-job").status, run["outcome"], run["exit_code"]) == ("down", "failed", 1)
    assert run["summary"]["failure"]["type"] == "KeyError" and run["summary"]["verdict"]["category"]


def test_a_slug_is_made_by_whoever_has_the_key(site):
    """W10.1: `-create` is answered with 201, and with 200 from then on; what is made is expected once a day."""
    _, path = site.new("with-a-key")
    made = path.replace("/with-a-key", "/made-by-ping")
    assert site.ask(f"{made}?create=1")[::2] == (201, b"Created")
    assert site.ask(f"{made}?create=1")[::2] == (200, b"OK")
    with contextlib.closing(open_store(str(site.state / "offduty.sqlite3"))) as store:
        (found,) = store.watch.watched("made-by-ping")
    assert (found.promise.every, found.promise.start_grace) == (86_400.0, 3_600.0)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_line_that_people_have_in_their_scripts(site):
    """W10.2: `curl -fsS -m 10 --retry 5 --data-raw "$m" URL/$?`; the body is the log of the run."""
    path, _ = site.new("scripted")
    command = ["curl", "-fsS", "-m", "10", "--retry", "5", "--data-raw", "42 rows", f"http://127.0.0.1:{site.port}{path}/0"]
    assert subprocess.run(command, capture_output=True, timeout=30).stdout == b"OK"
    (run,) = site.runs("scripted")
    assert run["outcome"] == "succeeded" and "|~42 rows" in Path(run["log"]).read_text()
    assert "curl/" in run["summary"]["notes"][0]


def test_head_counts_and_has_no_body(site):
    """W10.3: monitors and link checkers ping by HEAD."""
    path, _ = site.new("head")
    assert site.ask(path, "HEAD")[::2] == (200, b"")
    assert site.check("head").pings == 1


@pytest.mark.parametrize(
    "more, status, body",
    [
        ("/256", 400, b"invalid url format"), ("/999999999999", 400, b"invalid url format"), ("/-1", 404, b"not found"),
        ("/abc", 404, b"not found"), ("/007", 200, b"OK"), ("/start/1", 404, b"not found"), ("/", 200, b"OK"), ("//", 404, b"not found"),
        ("?rid=12345", 400, b"invalid uuid format"), (f"?rid={RID_A}0", 400, b"invalid uuid format"),
        ("?rid=", 400, b"invalid uuid format"),
        (f"?rid={RID_A.replace('-', '')}", 400, b"invalid uuid format"), (f"?rid={RID_A.upper()}", 200, b"OK"), ("?x=1&y=%ff", 200, b"OK"),
        (f"?rid={RID_A}&rid={RID_B}", 400, b"rid is given twice"), ("?create=1&create=0", 400, b"create is given twice"),
    ],
)  # fmt: skip
def test_what_may_stand_behind_the_address(site, more, status, body):
    """W10.4, 5 and 12; B6: exit statuses, run ids, a slash at the end, parameters that two readers would read differently."""
    path = known(site)
    assert site.ask(path + more)[::2] == (status, body)


def known(site):
    """The path of the check that the configuration knows."""
    (found,) = (check for check in site.offduty("pings")["checks"] if check["check"] == "known")
    return found["address"].partition("8000")[2]


def test_addresses_nobody_has(site):
    """B6: another uuid, upper case, no dashes, another key, a wrong slug: 404, and nothing says which part was wrong (T15)."""
    path, by_slug = site.new("hidden")
    key = by_slug.split("/")[2]
    wrong = [
        f"/ping/{RID_A}",
        f"/ping/{path.removeprefix('/ping/').upper()}",
        path.replace("-", ""),
        f"/ping/{key}/other",
        f"/ping/{'x' * 24}/hidden",
        "/",
        "/ping",
        "/ping/",
    ]
    assert {site.ask(one)[::2] for one in wrong} == {(404, b"not found")}
    assert site.ask(by_slug)[0] == 200 and site.ask(by_slug.removeprefix("/ping"))[0] == 200


@pytest.mark.parametrize("slug", ["HIDDEN", "a%2fb", "%2e%2e", "..", "caf\u00e9", "a%0d%0ab", "a.b"])
def test_slugs_that_cannot_be(site, slug):
    """W10.6, B6: upper case, percent signs, dots, other letters: 400."""
    assert site.ask(f"/ping/{'k' * 24}/{slug}".encode().decode("latin-1"))[0] == 400


def test_two_checks_with_one_slug(site):
    """W10.6: 409, and neither is pinged."""
    _, path = site.new("one", "--slug", "twin")
    site.new("two", "--slug", "twin")
    assert site.ask(path)[::2] == (409, b"ambiguous slug")
    assert site.check("one").pings == site.check("two").pings == 0


def test_two_runs_that_overlap(site):
    """W10.7, F83: each end belongs to the start with its rid, whatever comes in between."""
    path, _ = site.new("overlap")
    for more in (f"/start?rid={RID_A}", f"/start?rid={RID_B}", f"?rid={RID_A}", f"/3?rid={RID_B.upper()}"):
        assert site.ask(path + more)[0] == 200
    first, second = site.runs("overlap")
    assert [first["outcome"], second["outcome"]] == ["succeeded", "failed"]
    assert first["duration_s"] is not None and second["exit_code"] == 3


def test_paused_until_somebody_resumes_it(site):
    """W10.8: pings are answered and remembered, and change nothing."""
    path, _ = site.new("quiet", "--manual-resume")
    site.offduty("pings", "pause", "quiet")
    assert site.ask(path)[0] == site.ask(f"{path}/fail")[0] == 200
    assert (site.check("quiet").status, site.heard("quiet"), site.runs("quiet")) == ("paused", ["ign", "ign"], [])
    site.offduty("pings", "resume", "quiet")
    site.ask(path)
    assert site.check("quiet").status == "up"


def test_paused_until_it_pings(site):
    """Without --manual-resume a success ends the pause, and it is expected again."""
    path, _ = site.new("napping")
    site.offduty("pings", "pause", "napping")
    with contextlib.closing(open_store(str(site.state / "offduty.sqlite3"))) as store:
        assert store.watch.watched("napping") == []
        site.ask(f"{path}/start")
        assert site.check("napping").status == "paused"
        site.ask(path)
        assert site.check("napping").status == "up" and len(store.watch.watched("napping")) == 1


def test_a_failure_while_it_is_down_is_counted_and_not_told_again(site):
    """W10.9, INV-5: one incident, one alert, two failures."""
    path, _ = site.new("down-twice", "--team", "ops")
    site.ask(f"{path}/fail")
    site.ask(f"{path}/fail")
    with contextlib.closing(open_store(str(site.state / "offduty.sqlite3"))) as store:
        (incident,) = store.alerts.incidents("down-twice")
        told = [row for row in store.alerts.alerts(job="down-twice", limit=50) if row.event == "failed"]
    assert (incident.failures, len(told), told[0].team) == (2, 1, "ops")


def test_the_hour_that_is_left_out_in_spring():
    """W10.10: `30 2 * * *` in a zone with summer time is due right after the gap, once, and on the next day at 02:30."""
    zone = ZoneInfo("Europe/London")
    schedule = Promise("job", cron="30 1 * * *", zone="Europe/London").schedule()
    at = datetime(2026, 3, 28, 2, 0, tzinfo=zone).timestamp()
    due = [schedule.after(at)]
    due.append(schedule.after(due[0]))
    shown = [datetime.fromtimestamp(one, zone).isoformat() for one in due]
    assert shown == ["2026-03-29T02:00:00+01:00", "2026-03-30T01:30:00+01:00"]


def test_a_body_that_is_no_utf8(site):
    """W10.11: 200, and the bytes are in the log."""
    path, _ = site.new("latin")
    assert site.ask(path, "POST", b"caf\xe9\x00\x1b[31m")[0] == 200
    assert b"|~caf\xe9\x00\x1b[31m\n" in Path(site.runs("latin")[0]["log"]).read_bytes()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH", "OPTIONS"])
def test_other_methods(site, method):
    """B6: 405, with what is allowed."""
    status, headers, _ = site.ask(known(site), method)
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST")


def test_pings_that_must_be_sent_by_post(site):
    """POST-only: others are ignored, and still answered with 200."""
    path, _ = site.new("posted", "--post-only")
    assert site.ask(path)[0] == 200 and site.check("posted").status == "new"
    site.ask(path, "POST")
    assert (site.check("posted").status, site.heard("posted")) == ("up", ["ign", "success"])


def test_words_in_the_body_say_what_happened(site):
    """Failure before success before start; with none of them the ping is ignored."""
    path, _ = site.new("worded", "--start-word", "BEGIN", "--success-word", "DONE", "--failure-word", "ERROR")
    for body in (b"BEGIN", b"nothing", b"DONE with an ERROR", b"DONE"):
        site.ask(path, "POST", body)
    assert site.heard("worded") == ["start", "ign", "fail", "success"]
    assert [run["outcome"] for run in site.runs("worded")] == ["failed", "succeeded"]


def test_the_first_bytes_of_a_body_are_kept(site):
    """B6: over the limit, cut within a character, and 200 all the same; offduty's marks cannot be forged, and secrets are masked."""
    path, _ = site.new("long-body")
    text = b"ok\n06:00:00.000 * forged\npassword=hunter2hunter2\n" + "é".encode() * 600
    assert site.ask(path, "POST", text)[0] == 200
    log = Path(site.runs("long-body")[0]["log"]).read_bytes()
    assert b"| 06:00:00.000 * forged\n" in log and b"hunter2" not in log and len(log) < 2500


def test_runs_that_ping_look_like_others(site):
    """`status`, `runs`, `log`, `triage why` and `pings show` work on them unchanged."""
    path, _ = site.new("familiar")
    site.ask(f"{path}/start")
    assert site.offduty("status", "familiar")["jobs"][0]["last"]["outcome"] == "running"
    site.ask(f"{path}/2", "POST", b"sh: 1: psql: not found\n")
    (run,) = site.runs("familiar")
    assert site.offduty("status", "familiar")["jobs"][0]["well"] is False
    assert site.offduty("triage", "why", run["id"])["verdict"]["category"] == run["summary"]["verdict"]["category"]
    shown = site.offduty("pings", "show", "familiar")
    assert (shown["state"], [one["action"] for one in shown["heard"]]) == ("down", ["fail", "start"])


def test_a_rotated_address_is_unknown_at_once(site):
    """T15: whoever has the old one has nothing."""
    path, by_slug = site.new("rotating")
    new = site.offduty("pings", "rotate", "rotating")["address"].partition("8000")[2]
    assert (site.ask(path)[0], site.ask(new)[0]) == (404, 200)
    site.offduty("pings", "remove", "rotating")
    assert (site.ask(new)[0], site.ask(by_slug)[0]) == (404, 404)
    assert len(site.runs("rotating")) == 1


def test_a_job_of_the_configuration_that_others_start(site):
    """`ping = true`: its schedule is watched, `check` and `schedule` treat it as any job, and `run` says that there is nothing to run."""
    assert site.offduty("schedule", "known")["jobs"][0]["when"] == "every 1 h"
    assert site.offduty("check")["ok"] is True
    with contextlib.closing(open_store(str(site.state / "offduty.sqlite3"))) as store:
        assert store.watch.watched("known")[0].promise.every == 3600.0
    assert site.offduty("pings", "new", "known", code=2)["error"]["code"] == "E518"


@pytest.mark.parametrize(
    "words, code",
    [(["--listen", "0.0.0.0:0"], "E118"), (["--listen", "[::]:0"], "E118"), (["--listen", "nowhere"], "E117"),
     (["--listen", ":99999"], "E117"),
     (["--behind-proxy", "x"], "E117")],
)  # fmt: skip
def test_where_it_listens(site, words, code):
    """T17: on this machine alone, unless told otherwise."""
    assert site.offduty("pings", "serve", *words, code=2)["error"]["code"] == code


def test_the_server_ends_when_told(site):
    """SIGTERM: it lets go of its port."""
    server = site.start("--listen", "127.0.0.1:0")
    port = int(re.search(r":(\d+)/ping", server.stderr.readline())[1])
    server.terminate()
    began = time.monotonic()
    server.wait(10)
    server.stderr.close()
    assert time.monotonic() - began < 5
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1)
