"""What other schedulers are given means what the configuration says."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.errors import ScheduleError
from offduty.watch.entries import Start, crontab, kubernetes, systemd
from offduty.watch.entries import cron_of as cron_line
from offduty.watch.schedule import Cron, OnCalendar, slots

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC).timestamp()
MINE = Start("forecast", ("/opt/bin/offduty",), "/srv/my jobs", "UTC", cron="0 6 * * mon-fri")


@given(
    st.sampled_from(["0", "*/20", "5,10", "1-50/7"]),
    st.sampled_from(["*", "6", "*/5", "0,12"]),
    st.sampled_from(["*", "1", "1-7", "*/10", "31"]),
    st.sampled_from(["*", "3", "jan-mar", "5-12/3"]),
    st.sampled_from(["*", "mon", "1-5", "0", "7", "sat,sun", "*/2"]),
)
def test_a_timer_comes_when_the_cron_line_does(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    """Cron's *or* of days becomes two expressions; everything else one."""
    line = f"{minute} {hour} {day} {month} {weekday}"
    by_cron = list(islice(slots(Cron(line), NOW), 8))
    timers = [OnCalendar(expression) for expression in systemd.calendars(line, "UTC")]
    by_timer = sorted({slot for timer in timers for slot in islice(slots(timer, NOW), 8)})[:8]
    assert by_timer == by_cron


@pytest.mark.parametrize("line", ["0 6 * * mon-fri", "15 3 1,15 * mon", "*/15 8-18 * * *"])
def test_systemd_itself_takes_the_expressions(line: str) -> None:
    """What is written for systemd is read by systemd, where it is there to be asked."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on this machine")
    for expression in systemd.calendars(line, "Europe/London"):
        done = subprocess.run(["systemd-analyze", "calendar", expression], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "every, line",
    [(60, "* * * * *"), (900, "*/15 * * * *"), (3600, "0 * * * *"), (21600, "0 */6 * * *"), (86400, "0 0 * * *"), (604800, "0 0 * * mon")],
)
def test_a_period_becomes_five_fields_where_it_can(every: float, line: str) -> None:
    """`every = "6 h"` in a crontab."""
    assert cron_line(Start("x", ("o",), "/", "UTC", every=every)) == line


@pytest.mark.parametrize("every", [61.0, 420.0, 5400.0, 18000.0, 172800.0, 1800.5])
def test_a_period_that_cron_cannot_keep_is_refused(every: float) -> None:
    """90 minutes do not divide a day: rather no line than a wrong one."""
    with pytest.raises(ScheduleError, match="cannot be said in five fields"):
        cron_line(Start("x", ("o",), "/", "UTC", every=every))


def test_a_crontab_line_is_found_replaced_and_removed_and_nothing_else_is_touched() -> None:
    """The second install replaces the first; other people's lines stay byte for byte."""
    before = "MAILTO=me\n# mine\n0 1 * * * backup forecast"
    line = crontab.entry(MINE, "UTC")
    once = crontab.put(before, "forecast", line)
    assert crontab.find(once, "forecast") == line
    assert crontab.put(once, "forecast", line) == once
    assert crontab.remove(once, "forecast") == before + "\n"
    assert crontab.remove(once, "fore") == once


def test_a_crontab_line_quotes_what_cron_and_the_shell_would_read() -> None:
    """T28: a folder with blanks, a per cent sign."""
    start = Start("x", ("/opt/100%/offduty",), "/srv/my jobs; rm", "UTC", cron="0 6 * * *")
    assert crontab.entry(start, "UTC").startswith("0 6 * * * cd '/srv/my jobs; rm' && /opt/100\\%/offduty run")


def test_cron_is_not_given_a_zone_it_does_not_know() -> None:
    """Debian's cron would start it at another hour."""
    with pytest.raises(ScheduleError, match="Europe/London"):
        crontab.entry(Start("x", ("o",), "/", "Europe/London", cron="0 6 * * *"), "UTC")


def test_lines_of_a_crontab_are_told_from_settings_remarks_and_our_own() -> None:
    """What `adopt` takes."""
    text = "A=b\n# 1 2 3 4 5 x\n0 6 * * 1-5 job\n@daily d\n@reboot r\n 5 4 * * sun  spaced out \n0 1 * * * offduty run x\n"
    assert [(line.at, line.schedule, line.command) for line in crontab.others(text)] == [
        (2, "0 6 * * 1-5", "job"), (3, "0 0 * * *", "d"), (5, "5 4 * * sun", "spaced out"),
    ]  # fmt: skip


def test_a_unit_keeps_percent_signs_quotes_and_dollars() -> None:
    """systemd would replace them."""
    start = Start("x", ("/opt/my dir/off$duty",), "/srv/100%", "UTC", cron="0 6 * * *", description="50 %\nof it")
    service = systemd.units(start)["offduty-x.service"]
    assert 'ExecStart="/opt/my dir/off$$duty" run' in service
    assert "WorkingDirectory=/srv/100%%" in service
    assert "Description=50 %% of it\n" in service


def test_a_timer_for_a_zone_of_its_own_keeps_it() -> None:
    """OnCalendar may name the zone itself; a step is not one."""
    own = systemd.units(Start("x", ("o",), "/", "UTC", on_calendar="06:00 Asia/Tokyo"))["offduty-x.timer"]
    step = systemd.units(Start("x", ("o",), "/", "Europe/Rome", on_calendar="*:0/15"))["offduty-x.timer"]
    assert "OnCalendar=06:00 Asia/Tokyo\n" in own
    assert "OnCalendar=*:0/15 Europe/Rome\n" in step


def test_a_manifest_is_one_that_kubernetes_takes() -> None:
    """Held against the schemas of the API, old and new, where the package that has them is installed."""
    validate = pytest.importorskip("kubernetes_validate")
    yaml = pytest.importorskip("yaml")
    document = yaml.safe_load(kubernetes.manifest(MINE, "registry.example/forecast:1"))
    for version in ("1.27", "1.34"):
        validate.validate(document, version, strict=True)


def test_a_manifest_forbids_two_at_once_and_quotes_what_it_is_given() -> None:
    """An image's name cannot become YAML of its own."""
    text = kubernetes.manifest(MINE, 'x"\nevil: true')
    assert "concurrencyPolicy: Forbid" in text
    assert "\nevil" not in text
