"""The full loader: every mistake at once, with file, line and what was wanted; broken parts do not stop the others."""

from __future__ import annotations

import zoneinfo

import pytest

from offduty.errors import NotThere
from offduty.settings import times
from offduty.settings.load import load
from offduty.settings.mistakes import ConfigErrors

PRODUCT_EXAMPLE = """\
[job.forecast]
command      = ["python", "forecast.py"]
owner        = "data-science"
description  = "Units per store for the next 14 days; planners read it at 08:00."
schedule     = "0 6 * * mon-fri"
timezone     = "Europe/London"
start_grace  = "15 min"
max_duration = "45 min"
min_duration = "20 s"
retries      = 2
overlap      = "skip"
alerts       = { started = "quiet", succeeded = "digest", warned = "digest", failed = "now" }
good_enough  = { mape = "<= 0.12" }

[team.data-science]
contact  = "#forecast-support"
channels = ["slack-ds"]
[team.data-platform]
contact  = "#data-platform, ext. 4411, Mon-Fri 8-18"

[channel.slack-ds]
kind = "slack"
url  = { env = "SLACK_DS" }

[dependency.sales-feed]
match   = "s3://feeds/sales/*.csv"
team    = "data-platform"
max_age = "26 h"
min_rows = 1000
columns = ["date", "store", "units"]

[[triage]]
id       = "FEED-01"
when     = { dependency = "sales-feed", outcome = "failed" }
cause    = "The nightly sales feed did not arrive."
steps    = ["Ask Data Platform whether the 04:00 export ran.", "When the file is there: `offduty run forecast`."]
team     = "data-platform"
severity = "high"
"""


def job_with(line, *, command='command = ["true"]\n'):
    """A job with one more line."""
    return f"[job.a]\n{command}{line}\n"


def mistakes(folder, world):
    """Everything wrong, whether it stops everything or not."""
    try:
        return load(folder, world).mistakes
    except ConfigErrors as error:
        return error.mistakes


def test_the_example_of_the_product_loads_clean(project, world):
    """What the documentation shows must work."""
    settings = load(project(PRODUCT_EXAMPLE), {**world, "SLACK_DS": "https://hooks.invalid/x"})
    assert settings.mistakes == []
    assert settings.job("forecast").max_duration == 2700
    assert (list(settings.teams), list(settings.channels), list(settings.dependencies), len(settings.triage)) == (
        ["data-science", "data-platform"], ["slack-ds"], ["sales-feed"], 1,
    )  # fmt: skip


# line in [job.a], code, words that the error must hold
WRONG = [
    ('retries = "three"', "E203", 'expected an integer from 0 to 100, found the string "three"'),
    ("retries = -1", "E103", "-1"),
    ("retries = 101", "E103", "101"),
    ("retries = 1.5", "E203", "the number 1.5"),
    ("retries = true", "E203", "true"),
    ("retrys = 3", "E203", "did you mean retries?"),
    ("Retries = 3", "E203", "did you mean retries?"),
    ('max_duration = "P1M"', "E102", "P1M"),
    ("max_duration = 0", "E102", "0"),
    ("max_duration = inf", "E102", "inf"),
    ("max_duration = 1979-05-27", "E102", "1979"),
    ('log = { keep_run = 3 }', "E203", "did you mean keep_runs?"),
    ("log = { keep_runs = 0 }", "E203", "1 to 1000000"),
    ('log = { max_size = "5 M" }', "E102", "5 M"),
    ("log = 3", "E203", "expected a table, found the number 3"),
    ('overlap = "wait"', "E203", '"skip" or "queue" or "allow"'),
    ("strict = 1", "E203", "true or false"),
    ('alerts = { failed = "nov" }', "E203", '"quiet" or "digest" or "now"'),
    ('alerts = { fail = "now" }', "E203", "did you mean failed?"),
    ('good_enough = { mape = "small" }', "E203", "a comparison"),
    ('env = { "a b" = "x" }', "E203", "the name of a variable"),
    ("env = { A = 1 }", "E203", 'a text, { env = "NAME" }'),
    ('env = { A = "${NOPE}" }', "E205", "NOPE"),
    ('env = { A = "${NOPE" }', "E205", "not closed"),
    ('env = { "${A}" = "x" }', "E205", "values only"),
    ('env = { A = { env = "NOPE" } }', "E205", "NOPE"),
    ('env = { A = { file = "/nope" } }', "E205", "no such file"),
    ('env = { A = "${BIG}${BIG}" }', "E205", "80000 characters"),
    ('cwd = "${NOPE}/x"', "E205", "NOPE"),
    ('cwd = ""', "E203", "empty"),
    ('cwd = "a\\u0000b"', "E203", "NUL"),
    ('shell = "x"', "E208", "command and shell"),
    ("kill_after = 5", "E209", "max_duration"),
    ('max_duration = "1 min"\nmin_duration = "2 min"', "E209", "longer than max_duration"),
    ('retry_delay = "1 h"', "E209", "retry_max_delay"),
    ('schedule = "0 6 * * *"\nevery = "1 h"', "E209", "both given"),
    ("parameters = { a = 1 }", "E209", "notebooks"),
    ('owner = "nobody"', "E207", 'no team "nobody"'),
]  # fmt: skip


@pytest.mark.parametrize("line, code, words", WRONG, ids=[line for line, *_ in WRONG])
def test_each_mistake_in_a_job_has_its_code_its_line_and_what_was_wanted(project, world, line, code, words):
    """B1, B2: found, wanted, nearest key; one mistake is one error, in one line."""
    (mistake,) = mistakes(project(job_with(line)), {**world, "BIG": "x" * 40_000})
    text = str(mistake.as_error())
    assert mistake.code == code
    assert words in text
    assert "\n" not in text
    assert f"offduty.toml:{3 + line.count(chr(10)) if 'every' in line or 'min_duration' in line else 3}" in text or code == "E208"


CRONS = [
    "* * * *", "0 * * * * *", "0 0 * * * * *", "60 * * * *", "* 25 * * *", "0 0 30 2 *", "0 0 31 2,4 *", "*/0 * * * *", "5-1 * * * *",
    "@reboot",
    "@daily", "@every 0s", "L", "#6", "0 0 * * #6", "0 0 * * 1#6", "０ ６ * * *", "", " ", "* * * * * ; rm", "0 0 0 * *", "0 0 * 13 *",
    "0 0 * * 8", "0 0 * * funday", "-1 * * * *", "1.5 * * * *", "0,*/5, * * * *",
]  # fmt: skip


@pytest.mark.parametrize("cron", CRONS)
def test_a_schedule_that_cannot_be_is_found_when_it_is_read(project, world, cron):
    """B3, F64: E301; that job alone cannot run."""
    settings = load(project(job_with(f'schedule = "{cron}"') + '[job.b]\nshell = "true"\n'), world)
    assert [m.code for m in settings.broken["a"]] == ["E301"]
    assert list(settings.jobs) == ["b"]


def test_a_schedule_of_ten_kilobytes_is_refused_short(project, world):
    """B3: and its error is not ten kilobytes long."""
    (mistake,) = mistakes(project(job_with(f'schedule = "{"0," * 5000}0 * * * *"')), world)
    assert mistake.code == "E301"
    assert len(str(mistake.as_error())) < 300


@pytest.mark.parametrize(
    "cron", ["0 6 * * MON-Fri", "*/15 * * * *", "0 0 L * *", "0 0 29 2 *", "0 0 * * 1#2", "5,10-20/2 * * jan *", "0\t6 * * *"]
)
def test_schedules_that_can_be_are_taken(project, world, cron):
    """B3: names in mixed case, a leap day, the last day of a month."""
    assert mistakes(project(job_with(f"schedule = '{cron}'")), world) == []


def test_reboot_is_said_to_be_unsupported(project, world):
    """B3: not just "wrong number of fields"."""
    (mistake,) = mistakes(project(job_with('schedule = "@reboot"')), world)
    assert "@reboot is not supported" in mistake.why


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "EST5EDT", "../../etc/passwd", "/etc/localtime", "localtime", "", "utc", "Europe", "posix/UTC", "UTC\\u0000"]
)
def test_a_zone_that_is_none_is_found_when_it_is_read(project, world, zone):
    """B3, F58: E302; the allow-list is the tz database."""
    (mistake,) = mistakes(project(job_with(f'timezone = "{zone}"')), world)
    assert mistake.code == ("E203" if "u0000" in zone else "E302")


def test_every_zone_of_the_database_is_taken_except_those_without_a_place():
    """B3: our quick test of a name agrees with the list that Python would need 50 ms to make."""
    refused = {*times.NO_PLACE, *times.BY_CITY}
    for zone in zoneinfo.available_timezones() - refused:
        times.check_zone(zone)


GRACES = [
    ("start_grace = 0", "E303"), ("start_grace = -5", "E303"), ('start_grace = "366 d"', "E303"), ('start_grace = "abc"', "E303"),
    ('every = "1 h"\nstart_grace = "61 min"', "E303"), ('schedule = "*/15 * * * *"\nstart_grace = "16 min"', "E303"),
    ('schedule = "0,5 6 * * *"\nstart_grace = "6 min"', "E303"), ('schedule = "0 23,0 * * *"\nstart_grace = "2 h"', "E303"),
    ('schedule = "0 6 * * mon"\nstart_grace = "8 d"', "E303"), ('schedule = "0 6 * * mon"\nstart_grace = "6 d"', None),
    ('schedule = "0 6 * * *"\nstart_grace = "1 d"', None), ('schedule = "0 6 1 * *"\nstart_grace = "28 d"', None),
    ('every = "1 h"\nstart_grace = "1 h"', None),
]  # fmt: skip


@pytest.mark.parametrize("lines, code", GRACES)
def test_a_run_may_not_be_later_than_the_next_one_is_due(project, world, lines, code):
    """B3, F64: E303 for a grace of 0, below, longer than the period, over 365 d."""
    assert [m.code for m in mistakes(project(job_with(lines)), world)] == ([code] if code else [])


NAMES = {
    "../x": "x",
    "a/b": "a-b",
    ".": "",
    "..": "",
    "-x": "x",
    "CON": "con",
    "Café": "caf",
    "a b": "a-b",
    "ab ": "ab",
    "": "",
    "a" * 300: "a" * 100,
}


@pytest.mark.parametrize("name", [*NAMES, "\\u202Ex", "\\u0000", "\\n", "\\u001b[31m", "а", "\U0001f600"])
def test_a_jobs_name_comes_from_an_allow_list(project, world, name):
    """B1, T22: E104 with a slug to take instead, whatever the name tries."""
    (mistake,) = mistakes(project(f'[job."{name}"]\nshell = "true"\n'), world)
    text = str(mistake.as_error())
    assert mistake.code == "E104"
    assert text.isprintable()
    assert NAMES.get(name, "") in text


def test_all_mistakes_come_at_once_in_the_order_of_the_lines(project, world):
    """B2: one look mends everything."""
    text = (
        '[job.a]\nretries = "x"\nretry = 1\n\n[job.b]\n[team.t]\nchannels = ["c"]\n[channel.d]\nkind = "slak"\n[jbo]\n[[triage]]\nid = 3\n'
    )
    found = [(m.where.rpartition(":")[2], m.code) for m in mistakes(project(text), world)]
    assert found == [
        ("1", "E208"), ("2", "E203"), ("3", "E203"), ("5", "E208"), ("7", "E207"), ("9", "E203"), ("10", "E203"), ("11", "E203"),
        ("12", "E203"),
    ]  # fmt: skip


def test_broken_optional_parts_do_not_stop_a_job(project, world):
    """A channel, team, triage row or unknown table that is wrong degrades; the job runs."""
    text = (
        job_with("")
        + '[channel.c]\nkind = 3\n[[triage]]\n[dependency.d]\nmatch = 1\n[team.t]\nchannels = "x"\n[drll]\n[owners]\n"*" = "nobody"\n'
    )
    settings = load(project(text), world)
    assert settings.launch("a")["command"] == ["true"]
    assert len(settings.degraded) == len(settings.mistakes) == 6


@pytest.mark.parametrize(
    "part",
    ["job = 3", "triage = 5", "team = []", '[job]\na = "x"', "owners = 1", "drill = []", '[channel]\nc = "x"', "[job.a.env]\nA = []"],
)
def test_a_wrong_shape_is_a_mistake_and_no_crash(project, world, part):
    """B2: wrong types at any level."""
    assert {m.code for m in mistakes(project(part), world)} <= {"E203", "E208"}
    assert mistakes(project(part), world)


def test_defaults_hold_for_every_job_and_a_mistake_in_them_is_said_once(project, world):
    """`[offduty.defaults]` says how jobs are run; wrong, it stops everything."""
    two = '[job.a]\nshell = "x"\n[job.b]\nshell = "x"\nretries = 1\n'
    settings = load(project(f"[offduty.defaults]\nretries = 5\nlog = {{ keep_runs = 7 }}\n{two}"), world)
    assert [(settings.job(n).retries, settings.job(n).log.keep_runs) for n in "ab"] == [(5, 7), (1, 7)]
    assert str(settings.source(("job", "a", "retries"))).endswith("offduty.toml:2")
    with pytest.raises(ConfigErrors) as caught:
        load(project(f'[offduty.defaults]\nretries = "x"\ncommand = ["x"]\n{two}'), world)
    assert [m.path[-1] for m in caught.value.mistakes] == ["retries", "command"]


def test_a_job_that_is_not_there_is_answered_with_the_nearest(project, world):
    """And one whose table is wrong with what is wrong."""
    settings = load(project('[job.forecast]\nshell = "x"\n[job.bad]\n'), world)
    with pytest.raises(NotThere, match="forecst") as missing:
        settings.job("forecst")
    assert missing.value.fix == "did you mean forecast?"
    with pytest.raises(ConfigErrors, match="nothing to run"):
        settings.job("bad")


@pytest.mark.parametrize("value", ["2026-11-23", "[06:00:00]", "{ x = nan }", "-inf"])
def test_parameters_of_a_notebook_are_what_json_has(project, world, value):
    """They travel as JSON: a date or NaN is found when the configuration is read, not when the run starts."""
    (mistake,) = mistakes(project(f'[job.a]\nnotebook = "x.ipynb"\nparameters = {{ day = {value} }}\n'), world)
    assert (mistake.code, mistake.path[-1]) == ("E203", "day")


def test_variables_reach_settings_of_jobs_whatever_their_names(project, world):
    """`_` stands for what a variable's name cannot hold; values are read as the setting needs."""
    folder = project('[job."daily-fore.cast"]\nshell = "x"\n')
    prefix = "OFFDUTY_JOB__DAILY_FORE_CAST__"
    given = {
        "RETRIES": "3",
        "STRICT": "true",
        "OVERLAP": "queue",
        "MAX_DURATION": "2 h",
        "RETRY_DELAY": "5",
        "SECRETS": '["A"]',
        "ENV__Mode": "1",
    }
    settings = load(folder, {**world, **{prefix + key: value for key, value in given.items()}})
    job = settings.job("daily-fore.cast")
    assert settings.mistakes == []
    assert (job.retries, job.strict, job.overlap, job.max_duration, job.retry_delay, job.secrets) == (3, True, "queue", 7200, 5, ["A"])
    assert settings.launch("daily-fore.cast")["env"] == {"Mode": "1"}
    assert str(settings.source(("job", "daily-fore.cast", "retries"))) == f"{prefix}RETRIES"


def test_a_wrong_variable_is_named(project, world):
    """The place of a mistake may be a variable."""
    (mistake,) = mistakes(project(job_with("")), {**world, "OFFDUTY_JOB__A__RETRIES": "many"})
    assert (mistake.where, mistake.code) == ("OFFDUTY_JOB__A__RETRIES", "E203")


@pytest.mark.parametrize(
    "name",
    ["OFFDUTY_STATEDIR", "OFFDUTY_JOB__NOPE__RETRIES", "OFFDUTY_", "OFFDUTY___", "OFFDUTY_X__Y", "OFFDUTY_JOB__A", "OFFDUTY_JOB__A__"],
)
def test_an_unknown_variable_of_ours_is_a_warning(project, world, name):
    """B1: E106, and nothing stops."""
    settings = load(project(job_with("")), {**world, name: "x"})
    assert [(m.code, m.where) for m in settings.warnings] == [("E106", name)]
    assert settings.job("a")


def test_ten_thousand_variables_are_fine(project, world):
    """B1: an environment may be large."""
    assert load(project(job_with("")), {**world, **{f"V{n}": "x" for n in range(10_000)}}).mistakes == []


OPEN = {
    '[channel.c]\nkind = "slack"\nurl = "https://hooks.invalid/x"': 1,
    '[channel.c]\nkind = "slack"\nurl = { env = "HOME" }': 0,
    '[job.a]\nshell = "x"\nenv = { API_TOKEN = "abc" }': 1,
    '[job.a]\nshell = "x"\nenv = { DB = "postgres://u:pw@h/d" }': 1,
    '[job.a]\nshell = "x"\nenv = { API_TOKEN = "${HOME}", TOKEN_FILE = "/run/x", MODE = "live" }': 0,
}


@pytest.mark.parametrize("text", OPEN)
def test_a_secret_in_the_open_is_found_and_not_repeated(project, world, text):
    """B2, T04: E206 warns; the text of the warning holds no secret (INV-12)."""
    settings = load(project(text + "\n"), world)
    assert [m.code for m in settings.warnings] == ["E206"] * OPEN[text]
    assert not any(secret in str(m.as_error()) for m in settings.mistakes for secret in ("abc", "pw", "hooks.invalid"))


def test_a_channel_secret_may_come_from_a_file_named_by_a_variable(tmp_path, project, world):
    """`…_FILE`, as containers hand secrets over."""
    (tmp_path / "s").write_text("https://hooks.slack.com/services/x")
    text = '[channel.my-chat]\nkind = "slack"\n'
    settings = load(project(text), {**world, "OFFDUTY_CHANNEL__MY_CHAT__URL_FILE": str(tmp_path / "s")})
    assert settings.mistakes == []
    assert settings.channels["my-chat"].options["url"] == {"file": str(tmp_path / "s")}


def test_folders_come_from_variables_first_then_from_the_file(project, world):
    """`[offduty] state` and `logs`, relative to the file."""
    folder = project('[offduty]\nstate = "var"\nlogs = "${HOME}/logs"\n')
    found = load(folder, world).places()
    assert (found.state, found.logs) == (f"{folder}/var", f"{world['HOME']}/logs")
    assert load(folder, {**world, "OFFDUTY_STATE_DIR": "/s"}).places().state == "/s"
    assert load(folder, {**world, "STATE_DIRECTORY": "/s"}).places().state == "/s"
