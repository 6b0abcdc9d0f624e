"""Whatever stands in a file: a scan ends, never raises, and says the same twice."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from offduty.transactions.scan import scan
from offduty.transactions.scan.families import tables
from offduty.transactions.scan.found import Found

TABLES = tables()
CALLED = sorted({*TABLES.calls, *(f"{root}().{method}".replace("*", "get") for root, table in TABLES.on.items() for method in table)})
METHODS = sorted(TABLES.methods)


def scanned(data: bytes, name: str) -> Found:
    """The answer for one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        found = scan([str(path)])
        assert found == scan([str(path)])
    assert all(place.line >= 1 and place.via for place in found.places)
    assert found.files + bool(found.problems) >= 1
    return found


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"open('\\ud800')")
@example(b"x: (y := open) = x\nx(x)")
@example(b"def f(x=f): x.open(x)\nf(f(f))")
@example(b"class A(A):\n  A = A()\n  def A(self): self.A.A = self.A(); self.A.execute('select 1')")
def test_any_bytes_are_no_crash(data):
    """B1: as a script."""
    scanned(data, "a.py")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="open(')%!?=x\n\\ \"{}", max_size=40), max_size=5))
def test_any_cells_are_no_crash(cells):
    """As a notebook, with characters that magics are made of."""
    scanned(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode(), "a.ipynb")


words = st.sampled_from(
    ["x", "y", "self", "None", "'a'", "f'{x}/{y}'", "*x", "**x", "mode='w'", "{'a': x}", "[x]", "x.y", "x[0]", "b'\\xff'", "-1"]
)
arguments = st.lists(words, max_size=4, unique=True).map(
    lambda given: ", ".join(sorted(given, key=lambda word: (word[:2] == "**", "=" in word)))
)
calls = st.tuples(st.sampled_from([*CALLED, *(f"x.{method}" for method in METHODS)]), arguments).map(lambda pair: f"{pair[0]}({pair[1]})")
statements = st.tuples(st.sampled_from(["x = ", "y = ", "x.y = ", "", "with ", "return "]), calls)


def module(lines: list[tuple[str, str]]) -> str:
    """A function with the statements, and every library imported by its whole name."""
    imports = sorted(
        {name.partition("(")[0].rpartition(".")[0] for _, name in lines if "." in name.partition("(")[0] and not name.startswith("x.")}
    )
    body = [f"  {start}{call}" + (" as x: pass" if start == "with " else "") for start, call in lines]
    return "\n".join([*(f"import {name}" for name in imports), "def f(x, y='b', self=None):", *body, "  pass", "f(1, *x)", ""])


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, min_size=1, max_size=6))
def test_every_rule_takes_any_arguments(lines):
    """Missing, too many, starred, of the wrong kind: a rule says what it can, and never raises."""
    assert scanned(module(lines).encode(), "a.py").problems == ()


def test_every_rule_takes_no_arguments():
    """Each call of the tables, bare."""
    found = scanned(module([("", f"{name}()") for name in [*CALLED, *(f"x.{method}" for method in METHODS)]]).encode(), "a.py")
    assert len(found.places) > len(TABLES.calls)
