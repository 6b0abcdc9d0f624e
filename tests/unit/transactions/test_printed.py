"""Metrics in what a job prints."""

import pytest

from offduty.transactions.printed import printed

SAID = {
    "mae=46.579": [("mae", 46.579)],
    "2026-11-23 06:00:01 INFO forecast mae=46.6, mape=0.41": [("mae", 46.6), ("mape", 0.41)],
    "mae: 46.6": [("mae", 46.6)],
    "  mae = -1.5e-3": [("mae", -0.0015)],
    "mape=8.1%": [("mape", 8.1, "%")],
    "(mae=.5)": [("mae", 0.5)],
    "mae of the mean: 66.1": [],
    "mae: 3 folds are too few": [],
    "mae_of_the_mean=66.1": [],
    "rmae=66.1": [],
    "mae=none": [],
    "mae=1.2.3": [],
    "mae=12:30": [],
    "r2=0.459": [],
}


@pytest.mark.parametrize("line", SAID)
def test_a_metric_is_read_where_it_can_be_meant(line):
    """The names of the configuration, with a number behind them; nothing of prose, of longer names, of other numbers."""
    assert [tuple(one.values()) for one in printed([line], ["mae", "mape"])] == SAID[line]


def test_each_is_told_in_order():
    """The caller keeps the last."""
    assert [one["value"] for one in printed(["mae=2", "x", "mae=1"], {"mae"})] == [2, 1]


def test_no_names_no_metrics_and_names_are_no_patterns():
    """A name may hold what patterns are made of; a number beyond all floats is none."""
    assert not list(printed(["=1"], [])) and not list(printed(["mxe=1"], ["m.e"]))
    assert [one["value"] for one in printed(["m.e=1e999", "m.e=1"], ["m.e"])] == [1]
