"""Looking back at real runs: status, runs, runs show, log, for people and for programs."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

OFFDUTY = [sys.executable, "-m", "offduty"]
FIELDS = ("id", "job", "trigger", "attempt", "attempts", "outcome", "exit_code", "signal", "started_at", "ended_at", "duration_s", "log",
          "host", "user", "command", "summary")  # fmt: skip
PATIENCE = 20.0  # seconds


class Home:
    """A user's home with nothing in it, and offduty in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"
        ours = {"HOME": str(folder), "OFFDUTY_STATE_DIR": str(self.state), "TZ": "UTC", "XDG_CONFIG_HOME": str(folder / "xdg")}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.env = {**kept, **ours, "PYTHONUTF8": "1"}

    def __call__(self, *words: str, **options) -> subprocess.CompletedProcess:
        """Run a command to its end; bytes unless `text`."""
        return subprocess.run([*OFFDUTY, *words], env=self.env, cwd=self.folder, capture_output=True, timeout=60, **options)

    def say(self, *words: str) -> str:
        """What a command that succeeds prints on stdout."""
        done = self(*words, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str):
        """The document a command answers with."""
        return json.loads(self.say(*words, "--json"))

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Start a command and stay beside it."""
        return subprocess.Popen([*OFFDUTY, *words], env=self.env, cwd=self.folder, stdout=subprocess.PIPE, **options)


@pytest.fixture
def home(tmp_path):
    """An empty home."""
    return Home(tmp_path)


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A home in which three jobs ran: `good`, then `talks` (which failed), then `killed`."""
    home = Home(tmp_path_factory.mktemp("worked"))
    home("run", "--name", "good", "--", "echo", "fine")
    program = r"import os; os.write(1, b'10%\r99%\r100%\n\x1b]0;title\x07\xff no newline'); os.write(2, b'oops\n'); raise SystemExit(3)"
    home("run", "--name", "talks", "--", sys.executable, "-c", program)
    home("run", "--name", "killed", "--", "sh", "-c", "kill -9 $$")
    return home


@pytest.mark.parametrize("words", [("status",), ("runs",)])
def test_before_the_first_run_it_says_how_to_start_one(home, words):
    """The empty state teaches, and looking makes nothing."""
    assert home.say(*words) == "no runs yet; start one: offduty run -- python my_job.py\n"
    assert not home.state.exists()


@pytest.mark.parametrize("words", [("log",), ("runs", "show")])
def test_before_the_first_run_there_is_nothing_to_show(home, words):
    """One line, exit 66."""
    done = home(*words, text=True)
    assert (done.returncode, done.stdout) == (66, "")
    assert done.stderr == "offduty: E506 no runs yet; start one: offduty run -- python my_job.py\n"


def test_status_has_one_line_for_each_job(worked):
    """Job, outcome as a word, and why, each on one line, in the order of the names."""
    header, *lines = worked.say("status").splitlines()
    assert [line.split()[0] for line in lines] == ["good", "killed", "talks"]
    assert [line.split()[2] for line in lines] == ["succeeded", "failed", "failed"]
    assert header.split()[:2] == ["job", "last"]
    assert "signal 9" in lines[1].lower() or "sigkill" in lines[1].lower()


def test_status_for_programs(worked):
    """offduty.status/1: whether it is well, how many in a row, the whole last record."""
    document = worked.json("status", "talks", "good")
    talks, good = document["jobs"]
    assert document["schema"] == "offduty.status/1"
    assert (talks["job"], talks["well"], talks["in_a_row"], talks["last"]["exit_code"]) == ("talks", False, 1, 3)
    assert (good["well"], good["last_good_at"], good["counts"]) == (True, good["last"]["started_at"], {"succeeded": 1})


def test_a_configured_job_that_never_ran_is_listed_with_when_it_is_due(home):
    """The configuration's jobs are there from the first day."""
    (home.folder / "offduty.toml").write_text('[job.nightly]\ncommand = ["true"]\nschedule = "30 2 * * *"\n')
    assert re.search(r"nightly +. never ran .* in \d+ (h|min|s) +start it: offduty run nightly", home.say("status"))
    (job,) = home.json("status")["jobs"]
    assert (job["configured"], job["last"], job["well"]) == (True, None, None)
    assert job["next_due"].endswith("T02:30:00.000Z")


def test_status_knows_days_off_and_calendar_expressions(home):
    """A job that is not due today is not shown as due today, also where no watcher has seen it yet."""
    (home.folder / "offduty.toml").write_text(
        '[calendar.never]\ndates = ["2000-01-01..2000-01-02"]\n'
        '[job.weekly]\ncommand = ["true"]\non_calendar = "Mon *-*-* 02:30 UTC"\n'
        '[job.daily]\ncommand = ["true"]\nschedule = "30 2 * * *"\ntimezone = "UTC"\nnot_on = "off"\n'
        '[calendar.off]\nfile = "off.txt"\n'
    )
    first = home.json("status")["jobs"][0]["next_due"]
    assert first is None  # its calendar is not there
    tomorrow = [datetime.now(UTC).date() + timedelta(days=number) for number in range(3)]
    (home.folder / "off.txt").write_text("".join(f"{day}\n" for day in tomorrow))
    daily, weekly = home.json("status")["jobs"]
    assert daily["next_due"] >= f"{tomorrow[-1]}T23"
    assert datetime.fromisoformat(weekly["next_due"]).weekday() == 0


def test_a_broken_configuration_does_not_keep_anybody_from_looking_back(worked):
    """The runs are shown; what is wrong is a note on stderr, which --quiet leaves out."""
    broken = worked.folder / "offduty.toml"
    broken.write_text("[job.x\n")
    try:
        done, quiet = worked("status", text=True), worked("status", "--quiet", text=True)
    finally:
        broken.unlink()
    assert done.returncode == quiet.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["job", "good", "killed", "talks"]
    assert done.stderr.startswith("note: the configuration is left out: E202")
    assert quiet.stderr == ""


@pytest.mark.parametrize(
    "jobs, words",
    [
        (3, ()),
        (2, ("--failed",)),
        (1, ("--outcome", "succeeded")),
        (1, ("talks",)),
        (1, ("--limit", "1")),
        (3, ("--since", "1h")),
        (0, ("--until", "1h")),
    ],
)
def test_runs_are_filtered(worked, jobs, words):
    """By job, outcome, time and number; the latest first."""
    runs = worked.json("runs", *words)["runs"]
    assert len(runs) == jobs
    assert [run["started_at"] for run in runs] == sorted((run["started_at"] for run in runs), reverse=True)


def test_records_have_the_documented_fields(worked):
    """Stable names, UTC times with Z; the exit code and its source."""
    (run,) = worked.json("runs", "talks")["runs"]
    assert set(FIELDS) <= set(run)
    assert (run["exit_code"], run["exit_source"], run["outcome"]) == (3, "child", "failed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", run["started_at"])


def test_a_run_is_found_by_the_end_of_its_id(worked):
    """The eight digits that `runs` shows are what `runs show` and `log` take."""
    short = next(line.split()[0] for line in worked.say("runs").splitlines() if " talks " in line)
    shown = worked.json("runs", "show", short)["run"]
    assert (shown["job"], shown["id"][-8:]) == ("talks", short)
    assert worked.json("runs", "show", "talks")["run"] == shown
    assert re.search(rf"(?m)^run +{shown['id']}$", worked.say("runs", "show", short))


def test_the_log_is_shown_with_its_column_and_without_power_over_the_terminal(worked):
    """T06, F31: a title sequence is text, a progress bar one state; whose line it is stays to be seen."""
    shown = worked.say("log", "talks")
    assert re.search(r"(?m)^\d\d:\d\d:\d\d\.\d{3} \|.100%$", shown)
    assert re.search(r"(?m)^\d\d:\d\d:\d\d\.\d{3} !.oops$", shown)
    assert r"\x1b]0;title\x07\xff no newline" in shown
    assert "== summary ==" in shown


def test_raw_gives_the_jobs_own_bytes_back(worked):
    """INV-3: stdout byte for byte, the newline that never came included; and stderr."""
    assert worked("log", "talks", "--raw", "--stream", "out").stdout == b"10%\r99%\r100%\n\x1b]0;title\x07\xff no newline"
    assert worked("log", "talks", "--raw", "--stream", "err").stdout == b"oops\n"


def test_raw_is_refused_on_a_terminal_without_force(worked):
    """T06: the bytes of a job can do anything to a terminal, so somebody has to want it."""
    refused = on_a_terminal(worked, "log", "talks", "--raw")
    forced = on_a_terminal(worked, "log", "talks", "--raw", "--force")
    assert b"\x1b]0;" not in refused
    assert b"E113" in refused
    assert b"\x1b]0;title\x07" in forced


def on_a_terminal(home, *words) -> bytes:
    """What a command prints on a terminal of its own."""
    main, side = pty.openpty()
    process = subprocess.Popen([*OFFDUTY, *words], env={**home.env, "TERM": "xterm"}, stdout=side, stderr=side, cwd=home.folder)
    os.close(side)
    seen = bytearray()
    try:
        while data := os.read(main, 65536):
            seen += data
    except OSError:  # the other side is closed
        pass
    process.wait(PATIENCE)
    os.close(main)
    return bytes(seen)


def test_on_a_terminal_there_is_colour_and_the_line_fits(worked):
    """Colour on top of words; COLUMNS is kept to; NO_COLOR takes the colour away."""
    worked.env.update(COLUMNS="60")
    coloured = on_a_terminal(worked, "status").decode()
    worked.env.update(NO_COLOR="1")
    plain = on_a_terminal(worked, "status").decode()
    del worked.env["COLUMNS"], worked.env["NO_COLOR"]
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert words(re.sub(r"\x1b\[[0-9;]*m", "", coloured)) == words(plain)
    assert max(len(line) for line in plain.splitlines()) <= 60


def words(table: str) -> list[list[str]]:
    """The first words of each line: those that are the same a second later."""
    return [line.split()[:3] for line in table.splitlines()]


def test_rich_is_only_loaded_for_a_terminal(worked):
    """Piped answers do without it: its import is half of the time."""
    code = "import sys; from offduty.cli.frame import main; status = main(sys.argv[1:]); sys.exit('rich' in sys.modules and 9 or status)"
    for words in (("status",), ("runs",), ("runs", "show", "talks"), ("log", "talks"), ("status", "--json")):
        assert subprocess.run([sys.executable, "-c", code, *words], env=worked.env, cwd=worked.folder, capture_output=True).returncode == 0


def test_the_tail_is_the_end_of_the_log(worked):
    """`--tail` counts lines of the file, or of one stream."""
    whole = worked.say("log", "talks").splitlines()
    assert worked.say("log", "talks", "--tail", "3").splitlines() == whole[-3:]
    assert worked.say("log", "talks", "--tail", "1", "--stream", "err").splitlines() == [line for line in whole if line[13] == "!"]
    assert worked.say("log", "talks", "--tail", "0") == ""


def test_the_path_is_where_the_file_is(worked):
    """For `less "$(offduty log --path)"`."""
    assert Path(worked.say("log", "talks", "--path").strip()).read_bytes().startswith(b"")
    assert "/logs/talks/" in worked.say("log", "talks", "--path")


def test_the_log_for_programs_is_json_lines(worked):
    """First the run, then a line for each line, with whose it is and whether its newline is the job's."""
    head, *lines = [json.loads(line) for line in worked.say("log", "talks", "--json").splitlines()]
    assert (head["schema"], head["run"]["job"]) == ("offduty.log/1", "talks")
    assert [line["text"] for line in lines if line["stream"] == "err"] == ["oops"]
    assert [line["newline"] for line in lines if line["stream"] == "out"] == [True, False]


def test_a_log_that_was_removed_is_said_to_be_gone(home):
    """E504, exit 66: retention, or somebody's rm."""
    home("run", "--name", "short", "--", "true")
    os.unlink(home.say("log", "--path").strip())
    done = home("log", text=True)
    assert (done.returncode, done.stderr.split()[1]) == (66, "E504")


def test_a_link_in_the_place_of_a_log_is_not_followed(home):
    """T22: not even by the owner's own command."""
    home("run", "--name", "short", "--", "true")
    path = home.say("log", "--path").strip()
    os.unlink(path)
    os.symlink("/etc/passwd", path)
    done = home("log", text=True)
    assert (done.returncode, done.stdout, done.stderr.split()[1]) == (66, "", "E505")


def until(question) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def running(home, marker: str) -> subprocess.Popen:
    """A job that prints a line, waits until the file `go` is there, and prints another."""
    script = f"echo {marker}; while [ ! -e {home.folder}/go ]; do sleep 0.05; done; echo last words"
    job = home.start("run", "--name", "slow", "--", "sh", "-c", script, stderr=subprocess.DEVNULL)
    until(lambda: home.state.exists() and any(marker.encode() in path.read_bytes() for path in home.state.glob("logs/slow/*.log")))
    return job


def test_a_run_is_seen_while_it_runs(home):
    """Its record comes from the spool, its log as it grows."""
    job = running(home, "first words")
    try:
        assert home.json("status", "slow")["jobs"][0]["last"]["outcome"] == "running"
        assert "first words" in home.say("log", "slow")
        assert "running" in home.say("status")
    finally:
        (home.folder / "go").touch()
        job.communicate(timeout=PATIENCE)


def test_follow_goes_on_until_the_run_ends_and_shows_its_summary(home):
    """What is there, what comes, the summary; then it ends by itself with exit 0."""
    job = running(home, "first words")
    follower = home.start("log", "slow", "--follow", stderr=subprocess.PIPE)
    assert any(b"first words" in line for line in iter(follower.stdout.readline, b""))
    (home.folder / "go").touch()
    rest, errors = follower.communicate(timeout=PATIENCE)
    job.communicate(timeout=PATIENCE)
    assert (follower.returncode, errors) == (0, b"")
    assert rest.index(b"last words") < rest.index(b"== summary ==")
    assert rest.decode() == home.say("log", "slow")[-len(rest.decode()) :]


def test_follow_ends_when_the_supervisor_is_killed(home):
    """F02: nobody will write to this log again, and the run is known to be lost."""
    job = running(home, "first words")
    follower = home.start("log", "slow", "--follow", stderr=subprocess.PIPE)
    assert any(b"first words" in line for line in iter(follower.stdout.readline, b""))
    job.kill()
    follower.communicate(timeout=PATIENCE)
    (home.folder / "go").touch()
    job.communicate(timeout=PATIENCE)
    assert follower.returncode == 0
    assert home.json("runs", "show", "slow")["run"]["outcome"] == "lost"


def test_ctrl_c_ends_following_quietly_and_leaves_the_job_alone(home):
    """Exit 130, nothing on stderr."""
    job = running(home, "first words")
    follower = home.start("log", "slow", "--follow", stderr=subprocess.PIPE)
    assert any(b"first words" in line for line in iter(follower.stdout.readline, b""))
    follower.send_signal(signal.SIGINT)
    _, errors = follower.communicate(timeout=PATIENCE)
    assert (follower.returncode, errors) == (130, b"")
    assert job.poll() is None
    (home.folder / "go").touch()
    job.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("words", [("digest",), ("handover", "a")])
def test_documents_are_laid_out_on_a_terminal(home, words):
    """Into a pipe they go as Markdown, for whoever keeps them."""
    (home.folder / "offduty.toml").write_text('[job.a]\ncommand = ["true"]\nowner = "lab"\n[team.lab]\ncontact = "#lab"\n')
    home("run", "a")
    piped, seen = home.say(*words), on_a_terminal(home, *words).decode()
    assert piped.startswith("# ") and "\n## " in piped and "| --- |" in piped
    assert "## " not in seen and "| --- |" not in seen
