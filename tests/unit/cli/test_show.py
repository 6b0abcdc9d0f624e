"""How answers look: colour when it is wanted, columns that fit, times as people name them."""

from __future__ import annotations

import argparse
import io
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offduty.cli import show

NOW = 1_795_413_600.0  # 2026-11-23 06:00:00 UTC
DAY = 86400.0


@pytest.fixture(autouse=True)
def london(monkeypatch):
    """Times are those of the reader's zone; here one that is on UTC in winter."""
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    "choice, environ, terminal, colour",
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_first_that_speaks_decides_about_colour(choice, environ, terminal, colour):
    """--color, NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, TERM=dumb, terminal: in this order."""
    assert show.wants_colour(choice, environ, terminal) is colour


@pytest.mark.parametrize("environ, terminal, width", [({"COLUMNS": "72"}, True, 72), ({"COLUMNS": "72"}, False, None), ({}, False, None)])
def test_columns_is_honoured_on_a_terminal_and_a_pipe_is_never_cut(environ, terminal, width):
    """A script gets whole lines whatever the window's size is."""
    assert show.columns(environ, terminal) == width


@pytest.mark.parametrize("columns", ["0", "-5", "wide", "", "٧٢"])
def test_a_columns_that_is_no_number_is_ignored(columns):
    """B1: the environment may hold anything."""
    assert show.columns({"COLUMNS": columns}, True) >= 1


@pytest.mark.parametrize("outcome", [*show.LOOKS, "never seen before"])
def test_an_outcome_carries_a_word_not_only_a_colour(outcome):
    """States are never told by hue alone, and a terminal without the symbol gets another."""
    for symbols in (True, False):
        text = show.Screen(True, True, 80, symbols).outcome(outcome).text
        assert outcome.replace("_", " ") in text
        assert symbols or text.isascii()


CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60), min_size=1)


@CALM
@given(SIZES, st.integers(1, 200))
def test_a_table_fits_if_it_can(natural, width):
    """Nothing grows; columns that are not to spare stay; the line fits unless those alone are too wide."""
    fitted = show.fit(natural, width, flexible=("a", "b"), spare=("c", "d"))
    needed = sum(1 if name in "ab" else size for name, size in natural.items() if name not in "cd")
    kept = [name for name in natural if name not in "cd"]
    assert all(1 <= fitted[name] <= natural[name] for name in fitted)
    assert set(kept) <= set(fitted)
    assert show._line(fitted) <= max(width, needed + 2 * (len(fitted) - 1))


def test_nothing_is_left_out_of_a_pipe():
    """Width None: the natural widths."""
    assert show.fit({"a": 500, "c": 3}, None, ("a",), ("c",)) == {"a": 500, "c": 3}


@pytest.mark.parametrize(
    "then, says",
    [
        (NOW + 0.2, "06:00, now"),
        (NOW - 3 * 3600, "03:00, 3 h ago"),
        (NOW - 2 * DAY, "21 Nov 06:00, 2 d ago"),
        (NOW - 400 * DAY, "2025-10-19 07:00, 400 d ago"),
        (NOW + 90, "06:01, in 1 min"),
        (NOW + 3 * DAY, "26 Nov 06:00, in 3 d"),
    ],
)
def test_a_time_is_said_twice_when_and_how_long_ago(then, says):
    """In the zone of who reads, summer time and all."""
    assert f"{show.moment(then, NOW)}, {show.distance(then, NOW)}" == says


@CALM
@given(st.text())
def test_text_from_outside_stays_on_its_line_and_moves_nothing(text):
    """T06: a failure's message is the job's own text."""
    shown = show.one_line(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)


def test_a_pipe_gets_plain_aligned_text(capsys):
    """No ANSI, no trailing blanks, columns two blanks apart."""
    on = show.screen(argparse.Namespace(color="auto"), {}, io.StringIO())
    show.print_table(on, ("job", "why"), [[show.Cell("a", "red"), show.Cell("")], [show.Cell("longer"), show.Cell("x")]])
    assert capsys.readouterr().out == "job     why\na\nlonger  x\n"
