"""Calendar expressions of systemd."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.watch.oncalendar import NotACalendar, parse

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MEANS = {
    "Mon..Fri 06:00": ["2026-11-24 06:00:00", "2026-11-25 06:00:00"],
    "Sat,Sun *-*-* 10:30": ["2026-11-28 10:30:00", "2026-11-29 10:30:00"],
    "Mon *-12-1..7 08:00": ["2026-12-07 08:00:00", "2027-12-06 08:00:00"],
    "*:0/20": ["2026-11-23 12:20:00", "2026-11-23 12:40:00"],
    "*-*-* 8..18/5:15:30": ["2026-11-23 13:15:30", "2026-11-23 18:15:30"],
    "2028-02-29": ["2028-02-29 00:00:00"],
    "02-29 12:00": ["2028-02-29 12:00:00", "2032-02-29 12:00:00"],
    "*-*~01 23:00": ["2026-11-30 23:00:00", "2026-12-31 23:00:00"],
    "quarterly": ["2027-01-01 00:00:00", "2027-04-01 00:00:00"],
    "Sunday": ["2026-11-29 00:00:00", "2026-12-06 00:00:00"],
    "Fri-Sun 06:00": ["2026-11-27 06:00:00", "2026-11-28 06:00:00"],
    "06:00 Asia/Tokyo": ["2026-11-23 21:00:00", "2026-11-24 21:00:00"],
    "2030..2031-01-01": ["2030-01-01 00:00:00", "2031-01-01 00:00:00"],
}


def shown(expression: str, count: int = 2) -> list[str]:
    """The next times, in UTC."""
    return [f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for found in islice(parse(expression).after(NOW), count)]


@pytest.mark.parametrize("expression", MEANS)
def test_an_expression_means_what_systemd_says(expression: str) -> None:
    """Spelled out, weekdays and days together."""
    assert shown(expression, len(MEANS[expression])) == MEANS[expression]


@pytest.mark.parametrize("expression", MEANS)
def test_systemd_agrees(expression: str) -> None:
    """The differential, where systemd is there to be asked."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze on this machine")
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--base-time=2026-11-23 12:00:00 UTC", "--iterations=2", expression], capture_output=True, text=True
    )
    said = [
        line.partition(": ")[2] for line in done.stdout.splitlines() if "Next elapse" in line or "Iter. #2" in line or "(in UTC)" in line
    ]
    times = [" ".join(text.split()[1:3]) for text in said if text.rstrip().endswith("UTC")]
    assert list(dict.fromkeys(times))[: len(MEANS[expression])] == MEANS[expression], done.stdout + done.stderr


@pytest.mark.parametrize(
    "expression",
    ["", " ", "Mon Tue Wed 06:00", "13-01", "32", "25:00", "06:00:61", "Foo 06:00", "*-*~03", "1..", "Fri..Mon 06:00", "0/0:00", "*-*-* 6"],
)
def test_what_is_no_expression_is_told_apart(expression: str) -> None:
    """B3: with the part that is wrong."""
    with pytest.raises(NotACalendar):
        parse(expression)


@given(st.text("MonTue0123456789*-:/.,~ "))
def test_any_text_is_one_or_is_refused(text: str) -> None:
    """Never another error."""
    try:
        parse(text)
    except NotACalendar:
        pass
