"""Adding settings to a file: every other byte stays, and what cannot be added to is refused."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.errors import ConfigError
from offduty.settings.insert import insert

ADD = {("dependency", "sales"): [("min_rows", "500", "500 to 900 rows"), ("max_age", '"26 h"', "")]}

WRITTEN = """\
# ours
[job.forecast]   # daily
command = ["python", "forecast.py"]

[dependency.sales] # the feed
match = "*/sales.csv"
columns = [
  "date",
  "[store]",
]
# until January

[team.lab]
contact = "x"
"""


def test_lines_go_behind_the_last_of_their_table():
    """Remarks, blank lines and lists over several lines stay where they are."""
    wanted = WRITTEN.replace("]\n# until", ']\nmin_rows = 500  # 500 to 900 rows\nmax_age  = "26 h"\n# until')
    assert insert(WRITTEN, ADD) == wanted


def test_a_table_that_is_not_there_is_appended():
    """Also behind a file without a newline at its end, and in a pyproject.toml; a name that needs quotes gets them."""
    assert insert("[job.x]\nshell = 'x'", {("dependency", "a b"): [("min_rows", "1", "")]}) == (
        "[job.x]\nshell = 'x'\n\n[dependency.\"a b\"]\nmin_rows = 1\n"
    )
    assert insert("", ADD, ("tool", "offduty")).startswith("[tool.offduty.dependency.sales]\nmin_rows = 500")


def test_line_ends_of_windows_stay():
    """A file that somebody edits on another system is not mixed up."""
    assert insert(WRITTEN.replace("\n", "\r\n"), ADD) == insert(WRITTEN, ADD).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        'dependency.sales = { match = "x" }\n',
        "[dependency]\nsales = { match = 'x' }\n",
        "[dependency.sales]\nmin_rows = 3\n",
        "[[dependency]]\nmatch = 'x'\n",
        "dependency = 5\n",
    ],
)
def test_what_cannot_be_added_to_is_refused(text):
    """In one line, given already, or of another kind: E226, and nothing is returned that could be written."""
    with pytest.raises(ConfigError, match="E226"):
        insert(text, ADD)


def test_a_header_inside_a_text_is_none():
    """A text over several lines may hold what looks like a table: refused, or right, never wrong."""
    text = '[dependency.sales]\nmatch = """\n[dependency.sales]\nx"""\n'
    assert tomllib.loads(insert(text, ADD))["dependency"]["sales"]["min_rows"] == 500


@given(st.text("[]=\"'#\n\\abc.{}, 1", max_size=60))
def test_whatever_the_file_looks_like(text):
    """It says afterwards what it said before, and the additions; or it is refused."""
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    try:
        after = tomllib.loads(insert(text, ADD))
    except ConfigError:
        return
    assert after.pop("dependency")["sales"] == {"min_rows": 500, "max_age": "26 h"}
    assert after == before
