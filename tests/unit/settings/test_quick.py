"""The fast path answers as the full loader does, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from offduty.errors import OffdutyError
from offduty.settings.convert import fields_of
from offduty.settings.launch import DEFAULTS, EVENTS, LOG_DEFAULTS, URGENCIES
from offduty.settings.load import load
from offduty.settings.quick import _PLAIN, MAY_DEFAULT, quick_job
from offduty.settings.schema import Conduct, Event, Job, Log, Urgency

PLAIN = 'command = ["python", "x.py"]\nschedule = "0 6 * * mon-fri"\nmax_duration = "45 min"\nkill_after = 0\nenv = { A = "${HOME}/x" }\n'

VALUES = {
    "command": ['["true"]', '["python", "a b.py"]', "[]", '[""]', '"true"', '["a", 1]', '["a\\u0000"]'],
    "shell": ['"make x"', '""', "3"],
    "notebook": ['"x.ipynb"', '"~/x.ipynb"', '"${HOME}/x.ipynb"', '""'],
    "parameters": ["{ a = 1 }", "{}", '"a"', "{ a = [2026-11-23] }", "{ a = nan }"],
    "owner": ['"team"', '""', "1"],
    "description": ['"x"', '""', "1"],
    "schedule": ['"0 6 * * mon-fri"', '"*/15 * * * *"', '"0 0 30 2 *"', '"60 * * * *"', '"@daily"', '"0 6 31 * *"', '"5-1 * * * *"',
    '"0 6 * * MON"', '"1,2/3 0-23/2 1 1 0"', '"0  6 * * *"', '"*/0 * * * *"', '"*/99 * * * *"', '"0 6 * * 7-7"', '"0 6 * * sat-sun"',
    '"*-5 * * * *"', '"1-2-3 * * * *"', '"5/10 * * * *"'],
    "every": ['"1 h"', "90", "0", '"x"'],
    "timezone": ['"Europe/London"', '"UTC"', '"Mars/Base"', '"localtime"', '"EST5EDT"', '"../zoneinfo/UTC"', '"posix/UTC"', '"utc"',
    '""', '"Etc/GMT+5"', '"Europe"', '"Europe//London"', '"tzdata.zi"'],
    "start_grace": ['"15 min"', '"1 h"', '"61 min"', '"1 d"', '"2 d"', "0"],
    "max_duration": ['"45 min"', "10", "0", "-1", '"P1M"', "inf", "true"],
    "kill_after": ["0", '"5 min"'],
    "min_duration": ["20", '"1 h"', "0"],
    "retries": ["0", "3", "100", "101", "-1", "1.0", "true", '"3"'],
    "retry_delay": ["0", '"20 min"', "5"],
    "retry_max_delay": ['"1 h"', "1"],
    "overlap": ['"queue"', '"wait"', "1", "[]"],
    "cwd": ['"sub"', '"/tmp"', '"~"', '"../x"', '"${NOPE}"', '""'],
    "env": ['{ A = "1" }', '{ "a b" = "1" }', "{ A = 1 }", '{ A = "${HOME}" }', '{ A = "${NOPE}" }', '{ A = "$${X}" }',
    '{ A = { env = "HOME" } }', "{}", '{ A = { env = "NOPE" } }'],
    "env_file": ['"x.env"', '["a.env", "~/b.env"]', "[]", '""', "1", '[""]'],
    "stop_grace": ["0", "25.5"],
    "pty": ['"never"', '"maybe"'],
    "kill_leftovers": ["true", "1"],
    "survive": ["true"],
    "strict": ["true", '"no"'],
    "redact": ["false"],
    "secrets": ['["DB_PW"]', '"DB_PW"', "[1]"],
    "log": ['{ keep = "10 d" }', "{ keep_runs = 3, max_size = 100 }", "{ keep_runs = 0 }", "{ keep = 0 }", "{ other = 1 }",
    '{ max_total = "5 GiB", keep_runs = 1.0 }', "1"],
    "alerts": ['{ failed = "now" }', '{ fail = "now" }', '{ failed = "x" }', "1"],
    "good_enough": ['{ mape = "<= 0.12" }', '{ mape = "0.12" }', '{ r2 = ">= -1" }', "{ a = 1 }"],
    "value": ['{ metric = "mape", better = "lower", per_run = 4, per_unit = 0.5, per_hour = 80, currency = "EUR" }', '{ better = "x" }',
    "{ per_run = inf }", "{ per_run = true }", "{ per_run = nan }", '{ metric = "" }', '{ metric = 1 }', "{ other = 1 }", "1", "{}"],
    "metrics": ['["mape"]', "[]", '[""]', '"mape"', "[1]"],
    "notes": ['"x"', "1"],
    "unheard_of": ["1"],
}  # fmt: skip


def tables(keys):
    """Lines for a table: any choice of these settings, each with one of its values."""
    return st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=4).flatmap(
        lambda chosen: st.tuples(*(st.sampled_from(VALUES[key]).map(lambda value, key=key: f"{key} = {value}\n") for key in chosen)).map(
            "".join
        )
    )


@given(
    job=tables(VALUES), defaults=tables({*MAY_DEFAULT, "cwd"}), layer=tables(VALUES), name=st.sampled_from(["a", "a", "a", "A", "a.b", ""])
)
@example(job='command = ["x"]\nstart_grace = "1 h"\nschedule = "0 6 * * mon-fri"\n', defaults="", layer="", name="a")
@example(job='notebook = "${HOME}/x.ipynb"\nparameters = { a = 1 }\n', defaults="retries = 3\n", layer='cwd = "/tmp"\n', name="a")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_when_the_fast_path_answers_the_full_loader_says_the_same(tmp_path_factory, job, defaults, layer, name):
    """The fast path is an optimisation, never an opinion: over two files, defaults, and right and wrong values."""
    folder = tmp_path_factory.getbasetemp() / "agree"
    (folder / "etc/offduty").mkdir(parents=True, exist_ok=True)
    run_line = "" if any(key in job + layer for key in ("command", "shell", "notebook")) else 'command = ["true"]\n'
    (folder / "offduty.toml").write_text(f'[job."{name}"]\n{run_line}{job}[offduty.defaults]\n{defaults}')
    (folder / "etc/offduty/config.toml").write_text(f'[job."{name}"]\n{layer}')
    environ = {"HOME": "/home/x", "XDG_CONFIG_DIRS": str(folder / "etc")}
    answer = quick_job(name, str(folder), environ)
    event("declined" if answer is None else "answered")
    if answer is not None:
        assert load(str(folder), environ).launch(name) == answer


@given(st.one_of(st.text(), st.binary()).map(lambda x: x if isinstance(x, bytes) else x.encode("utf-8", "replace")))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_no_crash(tmp_path_factory, content):
    """INV-11: whatever stands behind a good start of a file, the fast path declines or agrees."""
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    (folder / "offduty.toml").write_bytes(b'[job.a]\nshell = "x"\n' + content)
    answer = quick_job("a", str(folder), {})
    try:
        full = load(str(folder), {}).launch("a")
    except OffdutyError:
        full = None
    assert answer is None or answer == full


def test_it_answers_for_the_plain_case(project, world):
    """An agreement that never answers would be worth nothing."""
    folder = project(f"[job.a]\n{PLAIN}")
    answer = quick_job("a", folder, world)
    assert answer is not None
    assert answer == load(folder, world).launch("a")
    assert (answer["max_duration"], answer["kill_after"], answer["cwd"], answer["env"]) == (2700, 0, folder, {"A": f"{world['HOME']}/x"})


def test_it_answers_for_most_right_values(project, world):
    """Each value that the full loader takes alone, except the few known to need it."""
    declined = set()
    for key, values in VALUES.items():
        for value in values:
            run_line = (
                "" if key in ("command", "shell", "notebook") else 'notebook = "x"\n' if key == "parameters" else 'command = ["true"]\n'
            )
            extra = {"kill_after": "max_duration = 9\n", "retry_max_delay": "retry_delay = 1\n"}.get(key, "")
            folder = project(f"[job.a]\n{run_line}{extra}{key} = {value}\n")
            if "a" in load(folder, world).jobs and quick_job("a", folder, world) is None:
                declined.add((key, value))
    assert declined <= {
        ("schedule", '"0 6 31 * *"'), ("schedule", '"0 6 * * MON"'), ("schedule", '"0  6 * * *"'), ("schedule", '"*/99 * * * *"'),
        ("env", '{ A = { env = "HOME" } }'), ("start_grace", '"2 d"'), ("timezone", '"../zoneinfo/UTC"'),
    }  # fmt: skip


@pytest.mark.parametrize("harm", ["job", "variable", "file"])
def test_it_declines_what_it_cannot_judge(project, world, harm):
    """A job that is not there, a variable that reaches into it, a file that is broken: the full loader has the words."""
    folder = project("[job.a]\n" + PLAIN + ("x = [" if harm == "file" else ""))
    environ = {**world, "OFFDUTY_JOB__A__RETRIES": "3"} if harm == "variable" else world
    assert quick_job("b" if harm == "job" else "a", folder, environ) is None


def test_a_broken_optional_part_does_not_make_it_decline(project, world):
    """The job must start as fast with a broken triage row as without."""
    assert quick_job("a", project(f"[job.a]\n{PLAIN}[[triage]]\nwhen = 3\n[channel.x]\n"), world) is not None


def test_both_ways_know_the_same_settings_and_defaults():
    """A setting added in one place must be added in the other."""
    conduct, job = fields_of(Conduct), fields_of(Job)
    assert set(_PLAIN) == set(job)
    assert set(MAY_DEFAULT) == set(conduct)
    plain = Job(name="x")
    assert {key: getattr(plain, key) for key in DEFAULTS} == DEFAULTS
    assert {key: getattr(Log(), key) for key in LOG_DEFAULTS} == LOG_DEFAULTS
    assert (Event.__args__, Urgency.__args__) == (EVENTS, URGENCIES)


def test_it_imports_nothing_but_tomllib(project, world):
    """The fast path rule: what costs time is imported while the job runs."""
    folder = project(f"[job.a]\n{PLAIN}")
    code = (
        f"import os, sys; sys.path[:0] = {sys.path!r}; import tomllib; before = set(sys.modules)\n"
        "from offduty.settings.quick import quick_job\n"
        f"assert quick_job('a', {folder!r}, os.environ)\n"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env={**os.environ, **world})
    assert done.stderr == ""
    assert {name for name in done.stdout.split() if not name.startswith("offduty")} <= {"errno"}
