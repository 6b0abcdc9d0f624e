"""Value: what people spent, what changes gained, and the verdict, over histories whose right verdict is known."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.handover.as_html import as_html
from offduty.handover.request import Request, Requirements, ranked, requirements
from offduty.handover.store import Past, Touch
from offduty.handover.value.effort import DAY, Handled, effort_of
from offduty.handover.value.judge import Target, gains_of, met_since, verdict
from offduty.handover.value.page import page
from offduty.handover.value.pictures import round_values
from offduty.handover.value.report import Terms, report, streaks
from offduty.handover.value.series import series_of, versions_filled
from offduty.handover.value.spread import moments, pooled, quantile, slope

NOW = 1_795_413_600.0
NOTHING = Requirements(0, 0, 0, 0)


def load_histories():
    """The generator, which is a script of its own as well."""
    import importlib.util

    path = Path(__file__).resolve().parents[2] / "simulation/value_histories.py"
    spec = importlib.util.spec_from_file_location("value_histories", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HISTORIES = load_histories()


@pytest.mark.parametrize("kind", HISTORIES.RIGHT)
def test_the_verdict_is_right_on_histories_that_are_known(kind):
    """Of 200 seeded histories of each kind, 190 or more."""
    found = [HISTORIES.judged(kind, seed).kind for seed in range(200)]
    assert found.count(HISTORIES.RIGHT[kind]) >= 190, {one: found.count(one) for one in set(found)}


def test_a_steady_gain_is_never_told_to_stop():
    """Half a deviation a change and more, over 600 histories of their own."""
    assert "stop" not in {HISTORIES.judged("gain", seed).kind for seed in range(1000, 1600)}


def run(n, version="a", outcome="succeeded", trigger="scheduled", at=None):
    """A run, a day after the other."""
    return Past(f"r{n}", f"r{n}", trigger, outcome, NOW - (1000 - n) * DAY if at is None else at, version, version)


def made(runs, measured=(), touches=(), handled=(), terms=None):
    """A report."""
    return report("forecast", runs, list(measured), touches, handled, terms or Terms(), NOTHING, NOW)


def test_nothing_and_one_run_are_too_early():
    """No history, one run, and one without a metric: said, and no error."""
    assert made([]).verdict.headline == "too early to tell: no run has reported a metric"
    assert made([run(1)], [("r1", "mape", 0.1, "")]).verdict.kind == "too early"
    assert made([run(1)]).verdict.kind == "too early"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_none_are_left_out(bad):
    """And counted."""
    measured = [(f"r{n}", "m", bad if n % 5 == 0 else 1.0 + n % 3, "") for n in range(60)]
    found = made([run(n, f"v{n // 10}") for n in range(60)], measured).gains[0]
    assert found.left_out == 12 and math.isfinite(found.noise)


def test_another_unit_begins_a_metric_anew():
    """0.08 and 8 % are not to be compared: there is no drift."""
    measured = [(f"r{n}", "mape", 0.08 if n < 30 else 8.0, "" if n < 30 else "%") for n in range(60)]
    found = made([run(n, "a") for n in range(60)], measured).gains[0]
    assert (found.unit, found.left_out, found.drift) == ("%", 30, "")


def test_a_gain_is_over_zero_when_the_metric_gets_better():
    """Whatever its direction; with the interval around it."""
    measured = [(f"r{n}", "mape", (0.2 if n < 10 else 0.1) + n % 2 / 1000, "") for n in range(20)]
    runs = [run(n, "a" if n < 10 else "b") for n in range(20)]
    change = made(runs, measured).gains[0].changes[0]
    assert change.gain.low < change.gain.value < change.gain.high and change.gain.value == pytest.approx(0.1, abs=1e-3)
    assert made(runs, measured, terms=Terms(lower=False)).gains[0].changes[0].gain.value < 0


def test_good_enough_is_met_since_the_first_of_the_good_ones():
    """One run in ten may miss."""
    points = [(float(n), 1.0 if n < 5 or n == 20 else 0.1) for n in range(40)]
    assert met_since(points, Target("<=", 0.5)) == 5.0
    assert met_since([*points, *[(99.0, 1.0)] * 5], Target("<=", 0.5)) is None


def test_a_row_that_takes_the_hours_is_fixed_first():
    """Its share of all human hours of 90 days."""
    handled = [Handled(NOW - n * DAY, "ada", "FEED-02", 2.0) for n in range(1, 5)]
    found = made([run(n) for n in range(995, 1000)], touches=[Touch("forecast", NOW - DAY, "ada", "x", 4.0)], handled=handled)
    assert (found.verdict.kind, found.verdict.headline) == ("fix first", "fix row FEED-02 first: it took 67 % of the human hours")


@pytest.mark.parametrize(
    "cause, headline",
    [("FEED-02", "fix row FEED-02 first"), ("bad_config", "fix bad config first"), ("unknown", "fix what nobody could explain first")],
)
def test_what_no_row_explains_is_called_by_what_it_is(cause, headline):
    """A category of the catalogue, or nothing at all, is no row of the table; the reasons say how to get one."""
    handled = [Handled(NOW - n * DAY, "ada", cause, 2.0) for n in range(1, 5)]
    found = made([run(n) for n in range(995, 1000)], handled=handled, terms=Terms(rows=frozenset({"FEED-02"}))).verdict
    assert found.headline == f"{headline}: it took 100 % of the human hours"
    assert any("offduty triage suggest" in reason for reason in found.reasons) == (cause != "FEED-02")


def test_a_target_that_nobody_reports_is_said_and_never_met():
    """`good_enough` names two metrics; one of them is met, of the other no run tells."""
    measured = [(f"r{n}", "mape", 0.1 + n % 2 / 1000, "") for n in range(40)]
    terms = Terms("mape", None, {"mape": Target("<=", 0.2), "r2": Target(">=", 0.5)})
    found = made([run(n) for n in range(40)], measured, terms=terms).verdict
    assert found.kind == "too early" and any("r2 has a target, but no good run has reported it" in reason for reason in found.reasons)
    assert made([run(n) for n in range(40)], measured, terms=Terms("mape", None, {"mape": Target("<=", 0.2)})).verdict.kind == "enough"


def test_a_metric_without_a_target_that_is_not_the_main_one_decides_nothing():
    """More rows every week is no drift: nobody has said that less is better."""
    measured = [(f"r{n}", name, value, "") for n in range(60) for name, value in (("mape", 0.1 + n % 3 / 1000), ("rows", 1000.0 + 9 * n))]
    found = made([run(n) for n in range(60)], measured, terms=Terms("mape", None, {"mape": Target("<=", 0.2)}))
    assert found.verdict.kind == "enough" and [one.counts for one in found.gains] == [True, False]
    assert not any(reason.startswith("rows") for reason in found.verdict.reasons)


def test_a_streak_counts_good_runs_by_their_last_attempt():
    """A retry that went well keeps it; a failure ends it."""
    runs = [
        run(1),
        run(2),
        run(3, outcome="failed"),
        run(4),
        run(5, outcome="failed"),
        run(6)._replace(root_id="r5", trigger="retry"),
        run(7),
    ]
    assert streaks(runs) == (3, 3) and streaks(runs[:3]) == (0, 2) and streaks([]) == (0, 0)


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_an_axis_holds_all_it_has_to_show(one, other):
    """Of any size, also where both are the same: a few values that rise, from below the least to above the greatest."""
    low, high = sorted((one / 1e9, other / 1e9))
    values = round_values(low, high)
    slack = 1e-6 * max(abs(low), abs(high)) + 1e-300
    assert 2 <= len(values) <= 7 and values == sorted(set(values))
    assert values[0] <= low + slack and values[-1] >= high - slack


def test_hours_that_were_said_replace_the_estimate_of_that_day():
    """A code change is an hour, unless somebody said what that day's work was; runs by hand in one hour are one touch."""
    runs = [run(1), run(2, "b"), run(3, "b", trigger="manual", at=NOW), run(4, "b", trigger="manual", at=NOW + 60)]
    assert effort_of(runs, versions_filled(runs), [], [], NOW + 99).hours == 1.25
    said = [Touch("forecast", run(2).at, "ada", "holidays", 3.0)]
    assert effort_of(runs, versions_filled(runs), said, [], NOW + 99).hours == 3.25


def test_a_clock_that_jumped_breaks_nothing():
    """F54: runs and touches of the future and of 1970."""
    runs = [run(1, at=0.0), run(2, "b", at=NOW + 400 * DAY, trigger="manual"), run(3, at=NOW)]
    found = made(runs, [("r1", "m", 1.0, ""), ("r2", "m", 2.0, "")], [Touch("forecast", NOW + 9e8, "ada", "x", 1.0)])
    assert found.effort.hours > 0 and len(found.effort.months) <= 60 and (found.effort.apart_s or 0.0) >= 0


def test_a_run_whose_clock_was_wrong_decides_nothing():
    """F54: one run of 2099, in another unit, and one of 1970 are left out and said; the verdict is that of the others."""
    measured = [(f"r{n}", "mape", 0.1 + n % 3 / 1000, "") for n in range(40)]
    terms = Terms("mape", None, {"mape": Target("<=", 0.2)})
    others = made([run(n) for n in range(40)], measured, terms=terms)
    wrong = [run(98, at=1.0), *[run(n) for n in range(40)], run(99, at=NOW + 9e8)]
    found = made(wrong, [("r98", "mape", 9.0, "%"), *measured, ("r99", "mape", 9.0, "%")], terms=terms)
    assert found.verdict.headline == others.verdict.headline and found.gains == others.gains
    assert found.verdict.reasons[-1] == "2 runs are left out: by the clock of then before 2020, or ahead of today"


def test_code_that_nobody_knows_is_that_of_the_run_before():
    """And a failed run says nothing of the code: it imported less."""
    runs = [run(1), run(2, ""), run(3, "", outcome="failed"), run(4, "a"), run(5, "b")]
    assert [one.version for one in versions_filled(runs)] == ["a", "a", "a", "b"]


def test_money_is_what_good_runs_and_the_better_metric_bring():
    """Less what the hours cost."""
    measured = [(f"r{n}", "mape", 10.0 if n < 5 else 8.0, "") for n in range(10)]
    terms = Terms("mape", None, {"mape": Target("<=", 9.0)}, 40.0, 3.0, 80.0, "EUR")
    money = made(
        [run(n, "a" if n < 5 else "b") for n in range(10)], measured, [Touch("forecast", run(5).at, "a", "x", 2.0)], terms=terms
    ).money
    assert (money.runs, money.better, money.spent, money.as_json()["balance"]) == (400.0, 30.0, 160.0, 270.0)


def test_requests_are_ranked_by_worth_for_the_hour():
    """WSJF; what is over comes last; agreed and all done is met."""
    wish = lambda number, **more: Request("f", "x", "a", NOW, number=number, **more)  # noqa: E731
    found = [wish(1, value=8, urgency=2, hours=10.0), wish(2, value=2, urgency=1, hours=0.0), wish(3, state="done"), wish(4, hours=1.0)]
    assert [one.number for one in ranked(found)] == [2, 4, 1, 3]
    assert requirements(found).met and not requirements([*found, wish(5, state="agreed")]).met


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(allow_nan=True, allow_infinity=True)), max_size=60), st.booleans())
def test_any_numbers_give_a_verdict(values, lower):
    """Total: huge, tiny, equal, not finite."""
    runs = [run(n, f"v{version}") for n, (version, _) in enumerate(values)]
    measured = [(f"r{n}", "m", value, "") for n, (_, value) in enumerate(values)]
    found = series_of(versions_filled(runs), measured)
    gains = [gains_of(one, Target("<=", 0.5), lower=lower) for one in found.values() if one.points]
    assert verdict(gains, 0.0, {}, None).kind in ("look again", "stop", "enough", "go on", "too early")


def test_the_statistics_are_those_of_the_tables():
    """Student's t against printed tables; spread and slope against a case done by hand."""
    assert [round(quantile(0.975, freedom), 2) for freedom in (1, 5, 6, 10, 30, 1000)] == [12.71, 2.57, 2.45, 2.23, 2.04, 1.96]
    assert [round(quantile(0.99, freedom), 2) for freedom in (6, 10, 30)] == [3.14, 2.76, 2.46]
    groups = [moments([1.0, 3.0]), moments([3.0, 5.0]), moments([5.0, 7.0])]
    assert pooled(groups) == (math.sqrt(2), 3)
    assert slope(groups).value == 2.0 and slope(groups).error == pytest.approx(math.sqrt(6 / 4 / 4))


def test_the_page_is_inert_and_its_pictures_are_well_formed():
    """T10: names of metrics, versions and units from outside."""
    evil = '<script>alert(1)</script>"&\x00'
    measured = [(f"r{n}", evil, n % 4 + 1.0, evil) for n in range(40)]
    found = made([run(n, evil + str(n // 8)) for n in range(40)], measured)
    html = as_html(page(found, [Request("f", evil, evil, NOW)], NOW, "now"))
    assert "<script" not in html
    pictures = [part.partition("</svg>")[0] + "</svg>" for part in html.split("<figure>")[1:]]
    assert len(pictures) == 3 and all(ET.fromstring(picture) is not None for picture in pictures)
