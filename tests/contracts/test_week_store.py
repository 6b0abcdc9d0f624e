"""What every store remembers of the weeks that teams were told of, over every line of `STORES`."""

from __future__ import annotations

import importlib

import pytest

from offduty.handover.week import Week
from offduty.stores import STORES


@pytest.fixture(params=STORES)
def weeks(request, tmp_path):
    """Those of an empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made.weeks
    made.close()


def test_the_last_week_of_each_team_is_kept_by_configuration(weeks):
    """Teams of two projects may have one name."""
    first, other, later = Week("/a.toml", "lab", 10.0, 5.0), Week("/b.toml", "lab", 11.0, 6.0), Week("/a.toml", "lab", 20.0, 15.0)
    for week in (first, other, later):
        weeks.put(week)
    assert (weeks.of("/a.toml"), weeks.of("/b.toml"), weeks.of("/c.toml")) == ({"lab": later}, {"lab": other}, {})
