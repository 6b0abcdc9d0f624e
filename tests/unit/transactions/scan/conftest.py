"""Code to scan."""

from __future__ import annotations

import pytest

from offduty.transactions.scan import scan


@pytest.fixture
def places(tmp_path):
    """Write a module and return the places found in it; every part of it must have been understood."""

    def look(source, name="job.py"):
        (tmp_path / name).write_text(source, encoding="utf-8")
        found = scan([str(tmp_path / name)])
        assert found.problems == ()
        return found.places

    return look


@pytest.fixture
def touched(places):
    """The (op, target) pairs of a module, in order."""
    return lambda source: [(place.op, place.target) for place in places(source)]
