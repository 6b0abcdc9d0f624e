"""init, check, doctor and config show as people use them: real processes, real folders, real terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.places import Places
from offduty.stores.sqlite import open_store

OFFDUTY = str(Path(sys.executable).parent / "offduty")
ROOT = os.geteuid() == 0


@pytest.fixture
def offduty(tmp_path):
    """Call the command in a folder of its own; nothing but what a test writes is configured."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".git").mkdir()
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "etc"),
        "OFFDUTY_STATE_DIR": str(tmp_path / "state"), "LANG": "C.UTF-8",
    }  # fmt: skip

    def call(*words, **more):
        return subprocess.run([OFFDUTY, *words], cwd=folder, env={**environ, **more}, capture_output=True, text=True, timeout=30)

    call.folder, call.environ, call.state = folder, environ, tmp_path / "state"
    return call


def write(offduty, text):
    """Configure the folder."""
    (offduty.folder / "offduty.toml").write_text(text)


BROKEN = '[job.a]\nshell = "true"\nretries = "three"\n\n[job.b]\nshell = "true"\n[channel.c]\nkind = "slak"\n'


# check


def test_check_tells_everything_at_once_with_file_and_line(offduty):
    """B2: exit 1 on findings, every one with its place; the jobs that cannot run are named."""
    write(offduty, BROKEN)
    done = offduty("check")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        'offduty.toml:3: E203 job.a.retries: expected an integer from 0 to 100, found the string "three"',
        (
            'offduty.toml:8: E203 channel.c.kind: expected "slack" or "slack-bot" or "teams" or "email" or "sns" or "pagerduty"'
            ' or "webhook" or "command" or "apprise", found the string "slak"'
        ),
    ]
    assert done.stdout.splitlines()[2:] == ["2 findings; cannot run: a"]


def test_check_says_what_it_checked_when_nothing_is_wrong(offduty):
    """One line, exit 0; the second call says the same."""
    write(offduty, '[job.a]\nshell = "true"\n')
    for _ in range(2):
        done = offduty("check")
        assert (done.returncode, done.stdout, done.stderr) == (0, "ok  offduty.toml (1 job): nothing wrong\n", "")


def test_check_as_json_is_one_document(offduty):
    """For CI: the same findings, and whether all is well."""
    write(offduty, BROKEN)
    done = offduty("check", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["schema"], document["ok"], document["jobs"]) == (1, "offduty.check/1", False, ["a", "b"])
    assert document["findings"][0] == {
        "code": "E203", "setting": "job.a.retries", "where": "offduty.toml:3", "weight": "stops the job", "why": "", "fix": "",
        "what": 'expected an integer from 0 to 100, found the string "three"',
    }  # fmt: skip


def test_check_without_a_configuration_says_how_to_get_one(offduty):
    """The empty state: exit 66 and a way on."""
    done = offduty("check")
    assert done.returncode == 66
    assert "offduty init" in done.stderr


@pytest.mark.parametrize("name", ["nope.toml", ".", "/dev/zero"])
def test_check_of_a_file_that_cannot_be_read_is_a_finding(offduty, name):
    """B2: E201, also as JSON; never a traceback."""
    done = offduty("check", "--config", name, "--json")
    assert done.returncode == 1
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == ["E201"]


MISSING = [
    ('command = ["no-such-program"]', "E212", "no-such-program"),
    ('command = ["./no-such-file"]', "E212", "no-such-file"),
    ('command = ["./plain.txt"]', "E212", "cannot be executed"),
    ('command = ["python", "gone.py"]', "E212", "gone.py"),
    ('notebook = "gone.ipynb"', "E212", "gone.ipynb"),
    ('shell = "true"\ncwd = "gone"', "E212", "gone"),
    ('shell = "true"\nenv_file = "gone.env"', "E211", "gone.env"),
    ('shell = "true"\nenv_file = "open.env"', "E213", "chmod 600"),
    ('shell = "true"\nowner = "nobody"', "E207", "nobody"),
    ('shell = "true"\nenv = { TOKEN = "abc" }', "E206", "everyone on this machine"),
]


@pytest.mark.parametrize(("lines", "code", "words"), MISSING, ids=[lines for lines, *_ in MISSING])  # noqa: PT006
def test_check_looks_whether_what_is_named_is_there(offduty, lines, code, words):
    """Programs, scripts, notebooks, folders, files of variables, teams, open secrets (B2: E206 fails in check)."""
    (offduty.folder / "plain.txt").write_text("x")
    (offduty.folder / "open.env").write_text("A=1\n")
    (offduty.folder / "open.env").chmod(0o644)
    write(offduty, f"[job.a]\n{lines}\n")
    (offduty.folder / "offduty.toml").chmod(0o644)
    done = offduty("check")
    assert done.returncode == 1
    assert code in done.stdout
    assert words in done.stdout
    assert done.stdout.startswith("offduty.toml:")


def test_check_looks_for_programs_on_the_path_the_job_gets(offduty):
    """A job's own PATH counts, and so does a script beside the configuration."""
    (offduty.folder / "bin").mkdir()
    (offduty.folder / "bin/tool").write_text("#!/bin/sh\n")
    (offduty.folder / "bin/tool").chmod(0o755)
    write(offduty, f'[job.a]\ncommand = ["tool"]\nenv = {{ PATH = "{offduty.folder}/bin" }}\n[job.b]\ncommand = ["bin/tool"]\n')
    assert offduty("check").returncode == 0


# init


def test_init_finds_what_looks_like_a_job_and_writes_what_check_takes(offduty):
    """Scripts that act, notebooks, shell scripts, Makefile; not modules, tests or broken files."""
    for name, text in {
        "forecast.py": "import os\nif __name__ == '__main__':\n    print(1)\n", "top.py": "print('x')\n",
        "lib.py": "X = 1\ndef f(): pass\n",
        "test_x.py": "print(1)\n", "broken.py": "def (\n", "Night ly.sh": "true\n", "x.ipynb": "{}", "Makefile": "all:\n",
        "forecast.sh": "true\n",
        'q"uote\n.py': "print(1)\n",
    }.items():  # fmt: skip
        (offduty.folder / name).write_text(text)
    assert offduty("init").returncode == 0
    assert offduty("check").returncode == 0
    jobs = json.loads(offduty("check", "--json").stdout)["jobs"]
    assert set(jobs) >= {"forecast", "top", "x", "night-ly", "forecast-2", "work"}
    assert not {"lib", "test_x", "broken"} & set(jobs)


def test_init_in_an_empty_folder_writes_an_example_and_says_so(offduty):
    """The empty state; what it wrote is right, and right too with the # taken away."""
    done = offduty("init")
    assert (done.returncode, "example" in done.stderr) == (0, True)
    assert offduty("check").returncode == 0
    text = (offduty.folder / "offduty.toml").read_text()
    lines = [line.removeprefix("# ") for line in text.splitlines() if "=" in line or line.startswith("# [")]
    write(offduty, "\n".join(lines[1:] if "offduty check" in lines[0] else lines).replace("jobs.env", "/dev/null"))
    findings = {(f["code"], f["setting"]) for f in json.loads(offduty("check", "--json").stdout)["findings"]}
    assert findings <= {
        ("E212", "job.forecast.command"), ("E205", "channel.chat.url"), ("E211", "job.forecast.env_file"),
    }  # fmt: skip


def test_init_never_overwrites_without_force(offduty):
    """The second run: exit 2, the file untouched; with --force it is replaced whole."""
    write(offduty, "# mine\n")
    done = offduty("init")
    assert (done.returncode, "E114" in done.stderr) == (2, True)
    assert (offduty.folder / "offduty.toml").read_text() == "# mine\n"
    assert offduty("init", "--force").returncode == 0
    assert "# mine" not in (offduty.folder / "offduty.toml").read_text()
    assert [path.name for path in offduty.folder.iterdir() if ".new" in path.name] == []


def test_init_does_not_hide_a_configuration_in_pyproject(offduty):
    """offduty.toml would win over it."""
    (offduty.folder / "pyproject.toml").write_text('[tool.offduty.job.a]\nshell = "true"\n')
    assert offduty("init").returncode == 2
    assert not (offduty.folder / "offduty.toml").exists()


def test_init_dry_run_prints_and_writes_nothing(offduty):
    """stdout is the file, stderr is talk."""
    done = offduty("init", "--dry-run")
    assert done.stdout.startswith("# What offduty runs here")
    assert not (offduty.folder / "offduty.toml").exists()
    assert offduty("init").returncode == 0
    assert (offduty.folder / "offduty.toml").read_text() == done.stdout


def test_init_says_why_it_cannot_write(offduty):
    """A folder that is not there is 66; a file system that refuses is 73."""
    assert offduty("init", "nope").returncode == 66
    done = offduty("init", "--json", "/proc/self")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (73, "E115")


# config show


def test_config_show_tells_where_each_value_came_from(offduty):
    """File and line, variable, default."""
    write(offduty, '[job.a]\nshell = "true"\nmax_duration = 90\n')
    done = offduty("config", "show", "--all", "--json", OFFDUTY_JOB__A__RETRIES="2")
    found = {s["setting"]: (s["value"], s["origin"]["kind"], s["origin"]["where"]) for s in json.loads(done.stdout)["settings"]}
    assert found["job.a.max_duration"] == (90, "file", "offduty.toml:3")
    assert found["job.a.retries"] == (2, "variable", "OFFDUTY_JOB__A__RETRIES")
    assert found["job.a.log.keep_runs"] == (200, "default", "")
    plain = offduty("config", "show", "--origin").stdout.splitlines()
    assert plain[0].split() == ["setting", "value", "origin"]
    assert ["job.a.max_duration", "1", "min", "30", "s", "offduty.toml:3"] in [line.split() for line in plain]


def test_config_show_and_doctor_never_print_a_secret(offduty):
    """INV-12, T04: inline secrets, from the file or a variable, are ***; also when their job is broken."""
    write(
        offduty,
        '[job.a]\nshell = "x"\nenv = { API_TOKEN = "hunter2", DB = "pg://u:hunter2@h/d" }\ncommand = ["psql", "pg://u:hunter2@h/d"]\n'
        '[job.b]\nshell = "x"\nenv = { API_TOKEN = "hunter2" }\n'
        '[channel.c]\nkind = "slack"\nurl = "https://hunter2"\nheaders = { Authorization = "hunter2" }\n',
    )
    for words in (
        ["config", "show", "--all", "--origin"],
        ["config", "show", "--json"],
        ["doctor"],
        ["doctor", "--json"],
        ["check"],
        ["check", "--json"],
    ):
        done = offduty(*words, OFFDUTY_CHANNEL__C__TOKEN="hunter2")
        assert "hunter2" not in done.stdout + done.stderr, words
    assert "***" in offduty("config", "show").stdout


def test_config_show_without_a_configuration_says_so(offduty):
    """The empty state is no error."""
    done = offduty("config", "show")
    assert (done.returncode, done.stdout, "offduty init" in done.stderr) == (0, "", True)


# doctor


def facts(done):
    """The facts of `doctor --json` by what they are about."""
    return {fact["what"]: fact for fact in json.loads(done.stdout)["facts"]}


def test_what_a_job_leaves_behind_is_shown_as_it_is_written(offduty):
    """The words of the file, and no notation of Python."""
    write(offduty, '[job.a]\nshell = "x"\n[[job.a.output]]\npath = "out.csv"\nmax_age = "26 h"\n')
    assert '[{ path = "out.csv", max_age = "1 d 2 h" }]' in offduty("config", "show").stdout


def test_doctor_on_a_new_machine_finds_all_well_and_makes_nothing(offduty):
    """Looking changes nothing: no folder, no store."""
    done = offduty("doctor")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "all is well"
    assert not offduty.state.exists()


def test_doctor_tells_each_harm_with_its_fix(offduty):
    """T23: folders that others can look into, a store that is damaged or open to others, spool files nobody takes; exit 1."""
    offduty.state.mkdir(mode=0o755)
    (offduty.state / "offduty.sqlite3").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (offduty.state / "offduty.sqlite3").chmod(0o644)
    (offduty.state / "spool").mkdir(mode=0o700)
    (offduty.state / "spool/1.spool").write_text("")
    os.utime(offduty.state / "spool/1.spool", (1, 1))
    (offduty.state / "locks").symlink_to("/tmp")
    (offduty.state / "logs").write_text("")
    done = offduty("doctor", "--json")
    found = {what: fact["care"] for what, fact in facts(done).items() if fact["care"]}
    assert done.returncode == 1
    assert set(found) >= {"state", "store", "contents", "runs waiting", "locks", "logs"}
    assert all(fact["fix"] for fact in facts(done).values() if fact["care"])


def test_doctor_looks_at_a_store_without_changing_it(offduty):
    """Version, integrity, number of runs; a store from the future is named, and not touched."""
    open_store(str(offduty.state / "offduty.sqlite3")).close()
    found = facts(offduty("doctor", "--json"))
    assert (found["integrity"]["value"], found["runs"]["value"], found["schema"]["care"]) == ("ok", "0", "")
    with sqlite3.connect(offduty.state / "offduty.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    assert "newer" in facts(offduty("doctor", "--json"))["schema"]["care"]


def test_doctor_names_who_holds_a_lock_and_does_not_disturb_it(offduty):
    """A run that starts meanwhile must not be skipped because somebody looked."""
    locks = Path(Places(str(offduty.state), "").locks)
    locks.mkdir(parents=True, mode=0o700)
    offduty.state.chmod(0o700)
    with open(locks / "forecast.lock", "w") as file:
        (locks / "forecast.lock").chmod(0o600)
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert facts(offduty("doctor", "--json"))["locks held"]["value"] == f"forecast (process {os.getpid()})"
    assert facts(offduty("doctor", "--json"))["locks held"]["value"] == "none held"


def test_doctor_goes_on_when_the_configuration_is_broken(offduty):
    """It is what one calls when things are broken."""
    write(offduty, "[job.a\n")
    done = offduty("doctor", "--json")
    assert done.returncode == 1
    assert facts(done)["offduty.toml:1:7"]["value"] == "E202"
    assert "python" in facts(done)


@pytest.mark.skipif(not ROOT, reason="needs files of another user")
def test_doctor_names_a_folder_of_somebody_else(offduty):
    """T23: a state folder that another user owns."""
    offduty.state.mkdir(mode=0o700)
    os.chown(offduty.state, 65534, -1)
    assert "belongs to" in facts(offduty("doctor", "--json"))["state"]["care"]


# all of them


@pytest.mark.parametrize("command", ["init", "check", "doctor", "config"])
def test_help_teaches(offduty, command):
    """What it does, its options, examples; exit 0."""
    done = offduty(command, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 140


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", [["config", "show", "--origin"], ["check"], ["doctor"]])
def test_a_terminal_gets_colour_and_no_table_line_is_wider_than_it(offduty, words, columns):
    """On a real terminal of 80 and 120 columns."""
    write(offduty, f'[job.a]\nshell = "{"echo " * 60}"\ndescription = "x"\nretries = 3\n')
    text = in_terminal([OFFDUTY, *words], offduty, columns)
    assert "\x1b[" in text
    assert "Traceback" not in text
    if words[0] == "config":
        assert all(len(line) <= columns for line in strip(text).splitlines())


def in_terminal(command, offduty, columns):
    """What a command prints on a terminal of that width."""
    main, side = pty.openpty()
    child = subprocess.Popen(
        command, cwd=offduty.folder, env={**offduty.environ, "COLUMNS": str(columns), "TERM": "xterm"}, stdout=side, stderr=side
    )
    os.close(side)
    text = b""
    try:
        while chunk := os.read(main, 65536):
            text += chunk
    except OSError:  # the terminal is gone: all was read
        pass
    finally:
        os.close(main)
        child.wait(timeout=30)
    return text.decode()


def strip(text):
    """The text without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
