"""Scanning with many patterns: the same answers as each of them on each line."""

from __future__ import annotations

import io
import resource
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.triage.linescan import LineScan
from offduty.triage.pattern import compiled

PATTERNS = st.sampled_from(
    [
        "table",
        "(?i)Task [0-9]+",
        "^end$",
        "a|b",
        "table.*gone",
        "a table|the table",
        "(?i)table$",
        "(?P<n>table) gone",
        "disk",
        "(?i)disk",
        "连接",
        "(?P<n>x)",
        "(?P<n>y)y",
        "\\bK",
        "[0-9]{3}",
        "ble g",
        "(?i)ſk",
    ]
)
LINES = st.sampled_from(
    ["table", "TABLE gone", "the table is gone", "taſk 12", "tasK 7", "end", "ends", "diſK", "a", "连接 x", "yy", "123", "", "\r"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, max_size=12), st.lists(LINES, max_size=12))
def test_the_same_answers_as_rule_by_rule(patterns, lines):
    """Literals first, then RE2: exactly what RE2 alone finds, line by line, with the place of each line."""
    text = "\n".join(lines).encode()
    naive = []
    for at, line in [(sum(len(one.encode()) + 1 for one in lines[:n]), line.encode()) for n, line in enumerate(lines)]:
        if found := [n for n, pattern in enumerate(patterns) if compiled(pattern).search(line)]:
            naive.append((at, line, found))
    assert list(LineScan(patterns).scan(io.BytesIO(text), threads=1)) == naive
    assert list(LineScan(patterns).lines(text)) == naive


def test_chunks_do_not_cut_lines():
    """A line is whole wherever a chunk ends, and its place is that in the file."""
    filler = b"x" * 99 + b"\n"
    text = b"".join(filler * 3000 + b"the %d disk is full\n" % n for n in range(4))
    found = list(LineScan(["[0-9] disk is full"]).scan(io.BytesIO(text)))
    assert [text[at : at + len(line)] for at, line, _ in found] == [b"the %d disk is full" % n for n in range(4)]


def test_a_line_without_an_end_is_bounded():
    """B5: a line of 200 MB is scanned in pieces, within 60 MB."""

    class Endless(io.RawIOBase):
        left = 200 << 20

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return b"a" * size

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert list(LineScan(["disk is full", "b[0-9]"]).scan(Endless())) == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 << 10


def test_bombs_take_time_in_proportion():
    """T26: patterns that hang other engines are linear here: ten times the text, at most some 20 times as long."""
    scan = LineScan(["(a+)+$", "(a|aa)+b", "(.*)*x", "(?:a?){50}a{50}", "^(([a-z])+.)+[A-Z]"])
    took = []
    for size in (20_000, 200_000):
        text = (b"a" * 200 + b"!\n") * (size // 202)
        began = time.perf_counter()
        list(scan.lines(text))
        took.append(time.perf_counter() - began)
    assert took[1] < 20 * max(took[0], 0.01)
