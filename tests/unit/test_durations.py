"""Durations and sizes: what people may write, what is refused, and how they are said."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty import durations
from offduty.errors import UsageError

GOOD = {
    90: 90.0, 0.5: 0.5, "90": 90.0, "90s": 90.0, "90 sec": 90.0, "2h30m": 9000.0, "1 h 30 min": 5400.0, "1h 5m": 3900.0, "1d": 86400.0,
    "1.5 h": 5400.0, "500 ms": 0.5, "2 weeks": 1209600.0, "PT2H30M": 9000.0, "P1D": 86400.0, "P1DT12H": 129600.0, "PT0.5S": 0.5,
    "365 d": 31536000.0,
}  # fmt: skip
BAD = [
    "", " ", "abc", "1h30", "1e99", "1e9", "inf", "NaN", "-1", "+5", "0x10", "1_000", "P", "PT", "P1M", "P1Y", "P1DT", "٣ min", "５s",
    "h", "1 h h",
    "1s 1h", "1h 1h", "1..5 h", ".5 h", "1. h", "1 H", "1 fortnight", "366 d", "9" * 400, "0", "0 s", "PT0S", 0, -1, 1e99, math.inf,
    -math.inf, math.nan,
    True, None, [], {}, "1h\n", "1\x00h",
]  # fmt: skip


@pytest.mark.parametrize("written, seconds", GOOD.items())
def test_a_duration_is_read_as_people_write_it(written, seconds):
    """Numbers are seconds; units go from large to small; ISO 8601 without months."""
    assert durations.parse(written) == seconds


@pytest.mark.parametrize("written", BAD, ids=repr)
def test_what_is_no_duration_is_refused_with_its_value_and_a_fix(written):
    """B1: E102 for everything but a documented duration; 0 is an error and never "no limit"."""
    with pytest.raises(UsageError) as caught:
        durations.parse(written)
    assert caught.value.code == "E102"
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_zero_is_fine_only_where_it_means_something():
    """`kill_after = 0` stops a job at its limit; `max_duration = 0` would be a slip."""
    assert durations.parse("0", zero=True) == 0.0
    with pytest.raises(UsageError):
        durations.parse("-1", zero=True)


@given(st.one_of(st.text(), st.text("0123456789. hmsdPTinw-+eE"), st.integers(), st.floats(), st.booleans(), st.none()))
def test_reading_never_fails_in_another_way(written):
    """INV-11: any value gives seconds within the bounds, or E102."""
    try:
        seconds = durations.parse(written)
    except UsageError:
        seconds = 1.0
    assert 0 < seconds <= durations.LONGEST


SPOKEN = {
    0: "0 s", 0.0004: "0.4 ms", 0.61: "0.61 s", 5: "5 s", 12.34: "12.3 s", 59.94: "59.9 s", 59.96: "1 min", 134: "2 min 14 s",
    3599.9: "1 h",
    9000: "2 h 30 min", 14399: "4 h", 86399: "1 d", 100000: "1 d 4 h", -90: "-1 min 30 s",
}  # fmt: skip


@pytest.mark.parametrize("seconds, words", SPOKEN.items())
def test_a_duration_is_said_in_at_most_two_units(seconds, words):
    """Rounded first, so that "60 s" and "1 h 60 min" never appear."""
    assert durations.spoken(seconds) == words


@given(st.integers(min_value=1, max_value=365 * 24))
def test_whole_hours_survive_being_said_and_read(hours):
    """What is printed may be pasted back."""
    assert durations.parse(durations.spoken(hours * 3600)) == hours * 3600


@pytest.mark.parametrize("written, size", {5: 5, "5": 5, "812 B": 812, "500 MB": 500_000_000, "1.5 MiB": 1572864, "1GiB": 1 << 30}.items())
def test_a_size_is_read_in_both_kinds_of_units(written, size):
    """MB is 1000 kB, MiB is 1024 KiB."""
    assert durations.parse_size(written) == size


@pytest.mark.parametrize(
    "written", ["", "0", 0, -1, 1.5, "1.5", True, None, "1 gib", "1 GiB 5", "99999 TiB", "٣ MB", "1e3", "5 M"], ids=repr
)
def test_what_is_no_size_is_refused(written):
    """B1: as for durations."""
    with pytest.raises(UsageError, match="cannot be used"):
        durations.parse_size(written)


def test_the_fast_path_may_import_it():
    """Nothing is imported that costs time before the job starts."""
    code = "import sys, offduty.durations; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"], capture_output=True, text=True
    ).stdout
    assert not {"re", "typing", "dataclasses", "enum", "json", "pathlib"} & set(modules.split())
