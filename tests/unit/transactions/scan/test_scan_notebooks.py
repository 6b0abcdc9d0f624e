"""Notebooks: cells as one module, magics as the Python that IPython makes of them."""

from __future__ import annotations

import json

import pytest

from offduty.transactions.scan import scan


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook of code cells and scan it."""

    def look(*cells, **metadata):
        path = tmp_path / "n.ipynb"
        document = {"nbformat": 4, "metadata": metadata, "cells": [{"cell_type": "markdown", "source": "# title"}]}
        document["cells"] += [{"cell_type": "code", "source": cell} for cell in cells]
        path.write_text(json.dumps(document))
        return scan([str(path)])

    return look


def shown(found):
    """Cell, line, op and target of each place."""
    return [(place.cell, place.line, place.op, place.target) for place in found.places]


def test_names_go_from_cell_to_cell(notebook):
    """An import in one counts in the next; code cells are counted from 1, lines within them."""
    found = notebook(["import pandas as pd\n", "PATH = 'a.csv'"], ["\n", "pd.read_csv(PATH)\n"])
    assert shown(found) == [(2, 2, "file.read", "a.csv")]
    assert found.places[0].where.endswith("n.ipynb cell 2:2")


MAGICS = [
    ("%matplotlib inline\nopen('a')", [(1, 2, "file.read", "a")]),
    ("!cp a b", [(1, 1, "process.spawn", "cp")]),
    ("if x:\n    !rm -rf out\nopen('a')", [(1, 2, "process.spawn", "rm"), (1, 3, "file.read", "a")]),
    ("files = !ls data", [(1, 1, "process.spawn", "ls")]),
    ("!curl -o x \\\n  https://a\nopen('a')", [(1, 1, "process.spawn", "curl"), (1, 3, "file.read", "a")]),
    ("%time open('a')", [(1, 1, "file.read", "a")]),
    ("%timeit -n 3 -r 2 open('a')", [(1, 1, "file.read", "a")]),
    ("%%time\nopen('a')", [(1, 2, "file.read", "a")]),
    ("%%capture out\n!ls\nopen('a')", [(1, 2, "process.spawn", "ls"), (1, 3, "file.read", "a")]),
    ("%%bash\necho $(date) > x", [(1, 1, "process.spawn", "bash")]),
    ("%%sql\nselect *\nfrom stores", [(1, 1, "db.query", "SELECT stores")]),
    ("rows = %sql select * from stores", [(1, 1, "db.query", "SELECT stores")]),
    ("%%writefile -a model.py\nx = 1", [(1, 1, "file.write", "model.py")]),
    ("%%html\n<b>open('a')</b>", []),
    ("frame?\n?frame\nopen('a')", [(1, 3, "file.read", "a")]),
    ("x = '''\n%not a magic\n!nor this\n'''\nopen('a')", [(1, 5, "file.read", "a")]),
    ("x = (7\n% 3)\nopen('a')", [(1, 3, "file.read", "a")]),
    ("%pip install x\nimport x", [(1, 1, "process.spawn", "pip")]),
    ("get_ipython().system('ls')", [(1, 1, "process.spawn", "ls")]),
    ("await f()\nopen('a')", [(1, 2, "file.read", "a")]),
]


@pytest.mark.parametrize("cell, expected", MAGICS)
def test_magics_do_not_keep_a_cell_from_being_read(notebook, cell, expected):
    """What runs a program, a query or writes a file counts; what only looks like a magic stays as it is."""
    found = notebook(cell)
    assert found.problems == ()
    assert shown(found) == expected


def test_a_cell_that_is_no_python_is_named_and_the_others_are_read(notebook):
    """The notebook counts as understood but for that cell."""
    found = notebook("open('a')", "this is no python", "open('b')")
    assert [(place.cell, place.target) for place in found.places] == [(1, "a"), (3, "b")]
    assert [problem.why.startswith("cell 2 cannot be parsed") for problem in found.problems] == [True]


def test_a_cell_of_many_magics_ends(notebook):
    """Beyond 200 it is named instead."""
    assert len(notebook("!ls\n" * 150).places) == 150
    assert [problem.why for problem in notebook("!ls\n" * 300).problems] == ["cell 1 has too many magics"]


def test_another_language_is_named(notebook):
    """An R notebook is not read as Python."""
    found = notebook("x <- 1", kernelspec={"language": "R"})
    assert (found.places, [problem.why for problem in found.problems]) == ((), ["is a notebook in r, not in Python"])


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"cells": 3}',
    b'{"cells": [3, {"cell_type": "code"}, {"cell_type": "code", "source": 3}]}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_notebook_is_no_crash(tmp_path, data):
    """B1: empty, torn, of another shape, nested without end."""
    (tmp_path / "n.ipynb").write_bytes(data)
    found = scan([str(tmp_path)])
    assert found.places == ()
    assert len(found.problems) == (0 if data.startswith(b'{"cells": [') else 1)


def test_version_3_keeps_cells_in_worksheets(tmp_path):
    """As notebooks of 2014 do."""
    document = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["open('a')"]}]}]}
    (tmp_path / "n.ipynb").write_text(json.dumps(document))
    assert shown(scan([str(tmp_path)])) == [(1, 1, "file.read", "a")]
