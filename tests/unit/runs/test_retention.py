"""Which logs go: rules that hold for any runs and limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offduty.runs.retention import Kept, to_delete

AGES = st.lists(st.floats(0, 1e7), max_size=30).map(sorted)
LIMITS = st.fixed_dictionaries(
    {
        "keep_s": st.none() | st.floats(0, 1e7),
        "keep_runs": st.none() | st.integers(0, 40),
        "keep_bytes": st.none() | st.integers(0, 10_000),
    }
)


@st.composite
def histories(draw):
    """Runs, newest first, and the ids of those that somebody needs."""
    runs = [Kept(str(number), age, draw(st.integers(0, 1000))) for number, age in enumerate(draw(AGES))]
    return runs, draw(st.sets(st.sampled_from([run.id for run in runs]))) if runs else set()


def left(runs, gone):
    """What stays."""
    return [run for run in runs if run.id not in gone]


@given(histories(), LIMITS)
def test_what_is_needed_stays(history, limits):
    """Whatever the limits say."""
    runs, needed = history
    assert not needed & set(to_delete(runs, **limits, needed=needed))


@given(histories(), LIMITS)
def test_what_stays_is_within_the_limits(history, limits):
    """By age, number and size; the newest run is never too large."""
    runs, _ = history
    stay = left(runs, to_delete(runs, **limits))
    assert limits["keep_s"] is None or all(run.age_s <= limits["keep_s"] for run in stay)
    assert limits["keep_runs"] is None or len(stay) <= limits["keep_runs"]
    assert limits["keep_bytes"] is None or len(stay) <= 1 or sum(run.size for run in stay) <= limits["keep_bytes"]


@given(histories(), LIMITS)
def test_the_oldest_go_and_go_first(history, limits):
    """Without needed ones: what goes is the end of the history, from its oldest run on."""
    runs, _ = history
    gone = to_delete(runs, **limits)
    assert gone == [run.id for run in runs[len(runs) - len(gone) :]][::-1]


@given(histories(), LIMITS)
def test_a_second_time_changes_nothing(history, limits):
    """Retention that was interrupted, or comes again, removes no more than it would have."""
    runs, needed = history
    assert to_delete(left(runs, to_delete(runs, **limits, needed=needed)), **limits, needed=needed) == []


@given(histories())
def test_without_limits_everything_stays(history):
    """None means none."""
    assert to_delete(history[0], keep_s=None, keep_runs=None, keep_bytes=None) == []
