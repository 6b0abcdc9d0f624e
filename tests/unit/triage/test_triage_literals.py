"""The literals a pattern needs, and sets of patterns: faster than trying each, never another answer."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from offduty.triage.literals import alternatives, required
from offduty.triage.patterns import PatternSet

PATTERNS = [
    r"connection (?:refused|reset)", r"no such file|cannot open", r"colou?r blind", r"(?:a|b)cd+ef", r"time[d -]*out", r"\bx?yz{2}top",
    r"磁盘", r"[0-9]{3}", r"^killed$", r"a\.b\|c", r"(?:foo|bar){0,2}bazz", r"[]|^]end", r"x{0}long",
]  # fmt: skip


@pytest.mark.parametrize(
    "pattern, parts",
    [("a|b", ["a", "b"]), ("(a|b)|c", ["(a|b)", "c"]), (r"a\|b|[|]", [r"a\|b", "[|]"]), ("[]|]x|y", ["[]|]x", "y"]), ("", [""])],
)
def test_a_pattern_is_parted_at_its_outermost_bars(pattern, parts):
    """Bars in groups, in brackets or behind a backslash do not count."""
    assert alternatives(pattern) == parts


@pytest.mark.parametrize(
    "pattern, literals",
    [
        ("no such file", {"no such file"}),
        ("colou?r blind", {"r blind"}),
        ("(?:refused|reset) by", {"refused", "reset"}),
        ("(?:refused)? by peer", {" by peer"}),
        (r"\d+ rows", {" rows"}),
        ("a.b", set()),
        ("x+yz", {"yz"} & set()),
        ("磁盘", {"磁盘"}),
    ],
)
def test_what_a_match_cannot_do_without(pattern, literals):
    """What may be left out is not required; of groups, one member is."""
    assert required(pattern) == frozenset(literals)


@given(
    st.lists(
        st.sampled_from(
            [
                "connection",
                " refused",
                "reset",
                "no such file",
                "COLOR",
                " blind",
                "abcddef",
                "time-out",
                "yzzTOP",
                "磁盘",
                "404",
                "killed",
                "a.b|c",
                "barbazz",
                "]end",
                "xlong",
                "\n",
                " ",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_a_set_answers_as_its_patterns_do_one_by_one(text):
    """Looking for literals first never loses a match and never invents one."""
    options = re2.Options()
    options.case_sensitive, options.dot_nl = False, True
    alone = [place for place, pattern in enumerate(PATTERNS) if re2.compile(pattern, options).search(text)]
    assert PatternSet(PATTERNS).matches(text) == alone


def test_an_empty_set_matches_nothing():
    """A catalogue without patterns is possible."""
    assert PatternSet([]).matches("anything") == []
