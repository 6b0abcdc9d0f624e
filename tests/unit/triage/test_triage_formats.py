"""A triage table as TOML, Markdown and CSV: the same rows, whatever is in them, and every mistake with its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.triage import cells
from offduty.triage.formats import FORMATS
from offduty.triage.table import as_text, of_text, of_values

CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
TRICKY = [
    "a|b", "<br>", "\\|", "\\\\|", "x\\", "=1+1", "'=1", "''x", "1. a\n2. b", "- a", 'say "x"; y, z', "a\n   b",
    "\\<br>", "%s {0.__class__}",
    "{{ x }}", "503", "a\n\n1. b", "\\\n|", "a\x85b\x0bc\u2028d", "\x1b[31m", "[a](javascript:x)", "<script>", "+1", "@x", "-2",
]  # fmt: skip
TEXT = (st.text(CHARS, max_size=30) | st.sampled_from(TRICKY)).map(str.strip)
FILLED = TEXT.filter(bool)
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "category": FILLED | st.lists(FILLED, min_size=2, max_size=3, unique=True),
        "exit_code": st.integers(0, 255),
        "dependency": FILLED,
        "status": st.integers(1, 599) | FILLED,
    },
).filter(bool)
ROWS = st.lists(
    st.fixed_dictionaries({"when": WHEN}, optional={"title": TEXT, "cause": TEXT, "notes": TEXT, "steps": st.lists(FILLED, max_size=3)}),
    min_size=1,
    max_size=3,
)


@pytest.mark.parametrize("ending", FORMATS)
@given(rows=ROWS)
@settings(max_examples=150)
def test_nothing_is_lost_on_the_way(ending, rows):
    """B5, T11: bars, newlines, quotes, formulas, HTML, control characters and format strings come back as they were."""
    table = of_values([(row, "") for row in rows])
    again = of_text(as_text(table.rows, ending), ending)
    assert again.flaws == ()
    assert [row.as_values() for row in again.rows] == [row.as_values() for row in table.rows]


def test_a_formula_is_guarded_in_csv():
    """T11: a spreadsheet shows the cell instead of running it."""
    table = of_values([({"id": "=cmd|'/c calc'!A1", "when": {"exit_code": 1}, "cause": "@SUM(1)"}, "")])
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in as_text(table.rows, ".csv").splitlines() for cell in line.split(","))


def flaws(text, ending):
    """Code and line of everything that is wrong."""
    return [(flaw.code, flaw.where) for flaw in of_text(text, ending, "t").flaws]


CSV_MISTAKES = [
    ("", [("E402", "t:1")]),
    ("id;when;cause\nA;exit_code = 1;x\n", [("E402", "t:1")]),
    ("id\twhen\nA\tx\n", [("E402", "t:1")]),
    ("when," + ",".join(f"c{n}" for n in range(50)) + "\n", [("E402", "t:1")] * 50),
    ("when,cause\nexit_code = 1,=1+1\nexit_code = 1,ok\n", [("E402", "t:2")]),
    ("when,cause\nexit_code = 1,a,b\nexit_code = x,c\n", [("E402", "t:2"), ("E403", "t:3")]),
    ('when,cause\nexit_code = 1,"two\nlines"\nlog = (a,c\n', [("E401", "t:4:7")]),
    ('when,cause\nexit_code = 1,"open\n', [("E402", "t:2")]),
    ("when,when\n", [("E402", "t:1")]),
    ("when\n=1\n", [("E402", "t:2")]),
    ("when,severity\nsingal = 9,terrible\n", [("E403", "t:2"), ("E403", "t:2")]),
]


@pytest.mark.parametrize("text, expected", CSV_MISTAKES)
def test_every_mistake_in_csv_has_its_line(text, expected):
    """B5: no table, wrong delimiter, 50 columns, formulas, torn rows: all of them at once."""
    assert flaws(text, ".csv") == expected


def test_a_cell_may_have_windows_line_ends():
    """B5: CRLF in cells, as Excel writes them."""
    [row] = of_text('when,steps\r\nexit_code = 1,"1. one\r\n2. two"\r\n', ".csv").rows
    assert row.steps == ("one", "two")


MARKDOWN = """\
# Whom to call

| a | b |
|---|---|
| 1 | 2 |

| id | when | cause | steps | team |
|----|------|:-----:|-------|------|
| A  | exception = KeyError; outcome = failed | A <b>column</b> \\| two | 1. Ask<br>2. Run | lab |
| B  | log = "(?=x)"  | c | s | lab
| C  | exit_code = 300 | c | s | t | u |

| D | exit_code = 2 | after the table | s | t |
"""


def test_a_markdown_table_between_other_things():
    """The first table with a column `when` counts, up to the first line that is none of its own; bars and new lines in cells."""
    table = of_text(MARKDOWN, ".md", "t")
    [row] = table.rows
    assert (row.id, row.cause, row.steps, row.where) == ("A", "A <b>column</b> | two", ("Ask", "Run"), "t:9")
    assert [(flaw.code, flaw.where) for flaw in table.flaws] == [("E401", "t:10:15"), ("E402", "t:11")]


TOML = """\
note = 1
[[triage]]
id = "A"
cause = '''
[[triage]]
'''
when = { log = '(a', exit_code = 1 }
[[triage]]
when.exit_code = 999
team = 3
[[triage]]
id = "empty"
"""


def test_every_mistake_in_toml_has_its_line():
    """Also behind a text that looks like a row."""
    assert flaws(TOML, ".toml") == [("E402", "t:1"), ("E401", "t:7:17"), ("E403", "t:9"), ("E403", "t:10"), ("E403", "t:11")]
    assert flaws("[[triage]\n", ".toml") == [("E402", "t:1:9")]
    assert flaws("triage = 1\n", ".toml") == [("E402", "t:1")]


@pytest.mark.parametrize(
    "pattern, offset",
    [("(a", 1), ("x(?=y)", 2), ("(a)\\1", 4), ("ab(?<!b)c", 3), ("[z-a]", 2), ("a++", 2), ("*a", 1), ("x" * 20_000, 1)],
)
def test_what_re2_lacks_is_an_error_with_its_position(pattern, offset):
    """T26, B5: look-around, back-references, bad groups, 100 kB: E401 when the table is read, never a slow match later."""
    [flaw] = of_values([({"when": {"log": pattern}}, "t:1")]).flaws
    assert (flaw.code, flaw.offset + 1) == ("E401", offset)


@given(st.text(max_size=60))
def test_any_cell_is_understood_or_reported(text):
    """Whatever people write in `when`, reading it ends, and never with an exception."""
    found = []
    cells.read_when(text, found.append)
    assert all(flaw.code == "E403" for flaw in found)


@pytest.mark.parametrize("ending", FORMATS)
@given(text=st.text(max_size=200) | st.text(alphabet='|-\n,;"= when[]triage\\<br>', max_size=200))
def test_any_text_is_a_table_or_a_list_of_mistakes(ending, text):
    """Reading never ends with an exception, and every mistake has a line."""
    assert all(flaw.where.partition(":")[0].isdigit() for flaw in of_text(text, ending).flaws)


def test_ten_thousand_rows():
    """B5: a table of 10 000 rows is read in seconds, in any form."""
    rows = [
        ({"id": f"R{n}", "when": {"log": f"error {n} in \\w+", "exit_code": n % 256}, "cause": "c", "steps": ["s"]}, "")
        for n in range(10_000)
    ]
    table = of_values(rows)
    assert [len(of_text(as_text(table.rows, ending), ending).rows) for ending in FORMATS] == [10_000] * 3
