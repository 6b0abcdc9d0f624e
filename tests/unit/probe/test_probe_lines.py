"""Events as lines: always JSON, always one line, never over 64 KiB, whatever a job's texts hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty_probe.lines import MOST_BYTES, line_of, shortened, without_the_middle
from offduty_probe.texts import cut, plain, safe

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ANY_TEXT, inner, max_size=5),
)


@given(st.dictionaries(ANY_TEXT, VALUES, max_size=5))
def test_two_strict_readers_agree(event: dict[str, Any]) -> None:
    """F27: whatever the text, the line is one line that msgspec (which refuses surrogates) and json read alike."""
    line = line_of(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert msgspec.json.decode(line) == json.loads(line)


@given(VALUES.filter(lambda value: "\\" not in json.dumps(value)))
def test_what_needs_no_care_comes_back_as_it_was(value: Any) -> None:
    """Texts without escapes, numbers, lists and objects are read back the same."""
    assert msgspec.json.decode(line_of({"value": value})) == {"value": value}


@pytest.mark.parametrize(
    "event",
    [
        {"message": "x" * 1_000_000},
        {"message": "\x01" * 100_000},
        {"message": "\U0001f600" * 100_000, "notes": ["é" * 9000] * 1000},
        {"chain": [{"type": "E" * 9000, "frames": [{"file": "\x02" * 9000, "line": 1, "function": "\x03" * 9000}] * 500}] * 500},
        {"chain": [{"type": "E", "notes": ["\x01" * 9000] * 100, "message": "m" * 9000, "frames": []}] * 100},
    ],
)
def test_no_line_is_over_64_kib(event: dict[str, Any]) -> None:
    """INV-11: the worst texts and lists are cut until the line fits."""
    line = line_of(event)
    assert len(line) <= MOST_BYTES
    assert "left out" in line.decode()
    msgspec.json.decode(line)


def test_a_cut_says_how_much_is_missing() -> None:
    """INV-13: what is cut is counted, in texts and in lists; the end of a list counts for more."""
    assert cut("abcdef", 4) == "abcd… (2 characters left out)"
    assert cut("abcd", 4) == "abcd"
    assert without_the_middle(list("abcdefghij"), 4) == ["a", "… (7 left out)", "i", "j"]
    frames = [{"file": "f", "line": n, "function": "f", "own": True} for n in range(100)]
    assert shortened(frames, 90, 4)[1] == {"file": "…", "line": 0, "function": "97 frames left out", "own": False}


def test_bytes_that_were_no_utf8_are_shown_as_such() -> None:
    r"""F27: surrogates that stand for bytes become `\xNN`, others `\udNNN`."""
    assert plain("caf\udce9 ü") == "caf\\xe9 ü"
    assert plain("\ud800 ü") == "\\ud800 ü"


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, SystemExit])
def test_an_object_that_cannot_be_printed(error: type[BaseException]) -> None:
    """`__str__` that raises, even SystemExit, gives a stand-in, and never the exception."""

    class Odd:
        def __str__(self) -> str:
            raise error

    assert safe(Odd()) == "<unprintable Odd object>"


def test_a_text_that_only_looks_like_one() -> None:
    """A subclass of `str` with methods of its own is taken by its characters; numbers likewise."""

    class Text(str):
        def encode(self, *_: Any) -> bytes:
            raise RuntimeError

        __str__ = __repr__ = lambda self: self

    class Number(int):
        __str__ = __repr__ = lambda self: "no number"

    assert msgspec.json.decode(line_of({"a": safe(Text("é")), "b": Number(3)})) == {"a": "é", "b": 3}
