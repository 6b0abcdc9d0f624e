"""The simulation's own modules lie beside its tests."""

from __future__ import annotations

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def pytest_configure(config):
    """`torture`: minutes, not seconds; run by `-m torture`."""
    config.addinivalue_line("markers", "torture: takes minutes; left out unless -m torture")


def pytest_collection_modifyitems(config, items):
    """Leave the long ones out of an ordinary run."""
    for item in items if "torture" not in config.option.markexpr else ():
        if "torture" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="takes minutes: -m torture"))
