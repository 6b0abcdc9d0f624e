"""The literals of a pattern: whatever RE2 finds, its literals are there."""

from __future__ import annotations

import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offduty.triage.literals import also_required, alternatives, fold, fold_bytes, required, required_bytes

ATOMS = (
    "abc foo x Err k s é 日本 \\. \\d [abc] [^a] . ^ $ \\b (?:ab|cd) (foo|bar) (?i) (?:) \\x41 \\Q.a\\E (?i:Kes) (?P<n>zed) \\pL"
    " [[:alpha:]] a| | \\( \\[ { } (?: ( ) (?:cde)* (?:fgh)+ (?:ijk){2} (?:lmn){0} \\n ] \\x{e9} \\101 ſ K (?s:.) (?-i)"
    " [\\]x] []x] [^]x] \\z \\A"
).split(" ")
REPEATS = ["", "", "", "", "?", "*", "+", "{2}", "{0,1}", "??", "{"]
PATTERNS = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)).map("".join), min_size=1, max_size=5).map("".join)
TEXTS = st.lists(
    st.sampled_from(
        "abc foo Err ERR bar abcd cdab kes Kes ſ K é É 日本 zed A .a fgh ijkijk 1 x s S cde aa [ ( ] { Abc - {2} \n".split(" ")
    ),
    max_size=6,
).map("".join)


def compiled(pattern, case_sensitive):
    """RE2's own opinion; None where the pattern is none."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None


def alone(pattern):
    """What else a match has to hold, of a pattern that is one alternative."""
    return also_required(pattern) if alternatives(pattern) == [pattern] else []


@settings(max_examples=600, deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=4))
@example("K(?U){2}x", ["kk"])
@example("a{", ["a{"])
def test_whatever_matches_has_one_of_the_literals(pattern, texts):
    """T26: looking for literals first never loses a match, whatever the pattern and the case."""
    for found in filter(None, (compiled(pattern, True), compiled(pattern, False))):
        for text in filter(found.search, texts):
            assert not required(pattern) or any(literal in fold(text) for literal in required(pattern))
            assert all(any(literal in fold(text) for literal in more) for more in alone(pattern))
            assert not required_bytes(pattern) or any(literal in fold_bytes(text.encode()) for literal in required_bytes(pattern))


def test_the_longest_literals_are_taken():
    """They occur least often; of alternatives, each has to have one."""
    assert required("ORA-[0-9]{5}: table") == {": table"}
    assert required("(?i)(?:Connection|Stream) (?:reset|lost)") == {"connection", "stream"}
    assert required("timed out|x") == frozenset()
    assert required_bytes("(?i)ungültige Zahl") == {b"ltige zahl"}
    assert required_bytes("连接超时") == {"连接超时".encode()}


def test_what_else_a_match_holds():
    """Of a pattern with several texts each has to be there, so fewer patterns are tried."""
    assert also_required("table .*(?:already there|is gone)") == [{"table "}]
    assert also_required("disk") == also_required("[abc]") == also_required("disk(") == []


def test_what_is_not_understood_has_no_literals():
    """T26: a brace or bracket that nobody closes takes no time, and a pattern in words of its own is always tried."""
    assert required("foo {") == {"foo {"}
    assert [required(pattern) for pattern in ("\\Qabcdef\\E", "(?=abcdef)", "abcdef)", "(abcdef", "[abc")] == [frozenset()] * 5
