"""What every condition of a triage row promises, over all of the MATCHERS table."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.runs.failure import Failure
from offduty.runs.tails.finding import Cause
from offduty.transactions.change import KINDS, Change
from offduty.transactions.transaction import VERBS, Transaction
from offduty.triage.case import Case
from offduty.triage.flaw import Flaw
from offduty.triage.formats.toml import value as as_toml
from offduty.triage.matchers import MATCHERS, matcher
from offduty.triage.matchers.condition import TouchCondition
from offduty.triage.seen import Seen
from offduty.triage.verdict import Verdict

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["KeyError", "a.b.C", "[Errno 2] x: '/a'", "\n", "*"]
)
CAUSES = st.builds(Cause, st.none() | TEXTS, st.none() | TEXTS, st.sampled_from([None, "cause", "context"]))
TRANSACTIONS = st.builds(
    Transaction, st.integers(1, 9), st.sampled_from(list(VERBS)) | TEXTS, TEXTS, ok=st.sampled_from([True, False, None]),
    status=st.none() | st.integers() | TEXTS, error=st.none() | st.fixed_dictionaries({"type": TEXTS, "message": TEXTS}),
)  # fmt: skip
CASES = st.builds(
    Case, st.sampled_from(["failed", "missed", "timed_out"]) | TEXTS, st.none() | st.integers(0, 255), st.none() | st.integers(1, 64),
    st.none() | st.builds(Failure, st.sampled_from(["exception", "exit"]), type=st.none() | TEXTS, message=st.none() | TEXTS,
                          chain=st.lists(CAUSES, max_size=3).map(tuple)),
    st.lists(TEXTS, max_size=5).map(tuple), st.lists(TRANSACTIONS, max_size=5).map(tuple),
    st.lists(st.fixed_dictionaries({"name": TEXTS, "outcome": st.sampled_from(["failed", "warned", "passed"])}), max_size=2).map(tuple),
    st.lists(st.builds(Change, st.sampled_from(KINDS), TEXTS, TEXTS), max_size=3).map(tuple),
    st.dictionaries(st.integers(1, 9), TEXTS, max_size=3),
)  # fmt: skip


@pytest.fixture(params=MATCHERS)
def kind(request):
    """The class of each condition."""
    return matcher(request.param)


def example(kind):
    """The condition that its own documentation shows."""
    flaws: list[Flaw] = []
    condition = kind.read(tomllib.loads(f"value = {kind.example}")["value"], flaws.append)
    assert flaws == []
    return condition


def test_its_name_and_what_it_takes_are_said(kind):
    """The reference is made of them."""
    assert matcher(kind.key) is kind
    assert kind.takes
    assert kind.__doc__


def test_it_loads_from_toml_and_prints_back(kind):
    """What is written is what was read."""
    condition = example(kind)
    again = kind.read(tomllib.loads(f"value = {as_toml(condition.as_toml())}")["value"], pytest.fail)
    assert again == condition
    assert kind.key.replace("_", " ") in condition.describe() or kind.key in condition.describe()


@pytest.mark.parametrize("value", [None, True, 1.5, {}, [], [[]], "", "  ", -1, 10**9, ["", 7], "\0" * 5, b"x", ["a"] * 101])
def test_a_wrong_value_is_a_flaw_and_no_exception(kind, value):
    """B5: whatever stands there is either taken or reported, with E401 or E403."""
    flaws: list[Flaw] = []
    condition = kind.read(value, flaws.append)
    assert (condition is None) == bool(flaws)
    assert {flaw.code for flaw in flaws} <= {"E401", "E403"}


@pytest.mark.parametrize("key", MATCHERS)
@given(case=CASES)
def test_it_is_total_and_says_why(key, case):
    """Any case at all: a reason where it matches, else what there was instead; never an exception."""
    condition, seen = example(matcher(key)), Seen(case, Verdict(category="out_of_memory"))
    reason = condition.match(seen)
    assert reason is None or reason.strip()
    assert condition.miss(seen).strip()
    if isinstance(condition, TouchCondition):
        assert (reason is not None) == any(condition.match_touch(touch) is not None for touch in seen.touches)


def test_it_covers_itself(kind):
    """Lint relies on it to find rows that an earlier one always beats."""
    assert example(kind).covers(example(kind))
