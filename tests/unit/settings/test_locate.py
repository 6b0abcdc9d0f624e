"""On which line a setting stands."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.settings import locate

TEXT = '''\
# a comment with [job.x]
top = 1
[job.a]            # another
command = [        # 4
    "python",      # 5
    # 6
    "[job.b]",     # 7
]
env = { A = "1", "b c" = { d = 2 } }
text = """
[job.no]
retries = 9 \\"""
"""
raw = \'\'\'
[x]\'\'\'
a.b . "c" = 3
[job."q.r"]
[[triage]]
id = "1"
[triage.when]
k = 1
[[triage]]
id = "2"
'''
LINES = {
    ("top",): 2, ("job",): 3, ("job", "a"): 3, ("job", "a", "command"): 4, ("job", "a", "command", 0): 5, ("job", "a", "command", 1): 7,
    ("job", "a", "env", "A"): 9, ("job", "a", "env", "b c", "d"): 9, ("job", "a", "text"): 10, ("job", "a", "raw"): 14,
    ("job", "a", "a", "b", "c"): 16, ("job", "q.r"): 17, ("triage",): 18, ("triage", 0, "id"): 19, ("triage", 0, "when", "k"): 21,
    ("triage", 1): 22,
    ("triage", 1, "id"): 23,
}  # fmt: skip


@pytest.mark.parametrize("path", LINES, ids=str)
def test_every_way_to_write_a_setting_is_found(path):
    """Strings and comments that look like tables do not fool it; CRLF does not shift it."""
    tomllib.loads(TEXT)
    assert locate.lines(TEXT)[path] == LINES[path]
    assert locate.lines(TEXT.replace("\n", "\r\n"))[path] == LINES[path]


def test_nothing_in_a_string_is_a_table():
    """A multi-line text may hold a whole configuration."""
    assert ("job", "no") not in locate.lines(TEXT)


@given(st.text("[]{}=.,#\"'\\\na b1"))
def test_any_text_gives_some_lines_and_no_crash(text):
    """It runs on text that tomllib has read, and must not make an error worse if it ever runs on other text."""
    assert all(line >= 1 for line in locate.lines(text).values())
    assert locate.deepest(text) >= 1


@pytest.mark.parametrize("text", ["a = [{}}]", "a = [1 }", "a = {b = 1 ]}", "a = [[=]"])
def test_a_list_that_is_none_is_left(text):
    """Nothing it meets may keep it at one place for ever."""
    assert locate.lines(text)[("a",)] == 1


VALUES = st.recursive(
    st.booleans() | st.integers(-99, 99) | st.text("ab\"'\\#[]{}=,\n\t é", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab." ', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text('abc-" .\n', max_size=3), VALUES, min_size=1, max_size=4))
def test_each_key_written_on_its_own_line_is_found_there(table):
    """Against a writer of our own: key n stands on line n."""
    lines = [f"{_toml(key)} = {_toml(value)}" for key, value in table.items()]
    assert tomllib.loads("\n".join(lines)) == table
    found = locate.lines("\n".join(lines))
    assert [found[(key,)] for key in table] == list(range(1, len(table) + 1))


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\\n\t' else c for c in value) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return str(value)


@pytest.mark.parametrize(
    "text, depth", [("a.b.c = 1", 3), ("[a . b]", 2), ('x = "a.b.c.d"', 1), ("# a.b.c", 1), ('"a.b" = 1', 1), ("x = {a.b = 1}", 2)]
)
def test_only_keys_are_deep(text, depth):
    """Dots in strings, comments and quoted keys do not count."""
    assert locate.deepest(text) == depth


def test_deep_text_is_judged_in_linear_time():
    """INV-11: a megabyte of hostile text costs a blink, not hours."""
    for text in ("a." * 500_000, "a" * 1_000_000, '"' * 100_001, "a . " * 250_000):
        locate.deepest(text)
