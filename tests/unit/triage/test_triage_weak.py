"""The guess from words: what it suggests where no signature explains a failure, and how little it claims."""

from __future__ import annotations

import pytest

from offduty.triage.case import Case
from offduty.triage.categories import CATEGORIES
from offduty.triage.decide import decide, gather, weigh
from offduty.triage.evidence import case_of, case_of_example
from offduty.triage.propose import row_for
from offduty.triage.signature import catalogue
from offduty.triage.weak import SIGNS, THINGS, guess

SUGGESTED = {
    "GlorpFault: widget column 'net' is absent from sheet": "schema_drift",
    "GlorpFault: module zorble is absent": "dependency_missing",
    "GlorpFault: the delivery of May is absent": "input_missing",
    "GlorpFault: blob 7 seems damaged": "input_corrupt",
    "GlorpFault: the checkpoint seems damaged": "model_artifact",
    "GlorpFault: another instance holds the latch": "concurrency_lock",
    "GlorpFault: solver gave up, deviance diverging": "numeric_convergence",
    "GlorpFault: credits used up for today": "rate_limited",
}


def alone(log: str):
    """What triage would say if the catalogue had no signature."""
    case = case_of(log, 1)
    return weigh([], gather(case), case)


@pytest.mark.parametrize("log, category", SUGGESTED.items())
def test_words_that_no_signature_knows_suggest_a_category(log, category):
    """What went wrong and with what thing make the guess; the owner is the taxonomy's, and it is never sure."""
    verdict = alone(f"starting\n{log}")
    assert (verdict.category, verdict.owner_kind, verdict.confidence) == (category, CATEGORIES[category].owner, "low")
    assert verdict.row == f"words.{category}" and "guess" in verdict.cause and "[[triage]]" in verdict.steps[-1]


def test_a_guess_never_stands_against_a_signature():
    """Whatever its words would vote for, the example of a signature is answered by a signature."""
    verdicts = [decide(case_of_example(one.example, dict(one.example_ended))) for one in catalogue()]
    assert not [verdict.row for verdict in verdicts if (verdict.row or "").startswith("words.")]


def test_a_guess_is_not_written_into_a_proposed_row():
    """The row to add leaves cause and steps to be filled in: what was guessed would look as if it were known."""
    case = case_of("GlorpFault: module zorble is absent", 1)
    row = row_for(case, decide(case))
    assert row["cause"].startswith("What has happened") and row["steps"] == ["What to do first."]


def test_words_that_say_nothing_leave_it_unknown():
    """A guess needs a word of its own: none is made up."""
    assert guess(gather(case_of("loading\nFrobnicationFault: flux 3 is amiss", 1)).statements) is None


def test_a_warning_that_nothing_explains_is_left_as_it_is():
    """A run that only warned is not given a guess."""
    assert decide(Case(outcome="warned", lines=("WARNING glorp: credits used up for today",))).source == "unknown"


def test_half_the_examples_of_the_catalogue_are_guessed_right_without_it():
    """The words alone carry: one line that they were not written for, with 33 answers to choose from."""
    told = [(one, alone(one.example)) for one in catalogue() if not one.general and not one.example_ended]
    assert sum(said.category == one.category for one, said in told) >= 0.5 * len(told)
    assert sum(said.owner_kind == one.owner for one, said in told) >= 0.5 * len(told)


def test_every_sign_means_a_category_and_names_things_that_are_described():
    """A misspelt one would never count."""
    assert {category for sign in SIGNS for category in sign.means.values()} <= set(CATEGORIES)
    assert {thing for sign in SIGNS for thing in sign.means} <= {*THINGS, ""}


def test_a_line_that_speaks_of_no_trouble_suggests_nothing():
    """What a job says while it goes well is no sign of what ended it."""
    assert decide(case_of("starting job\nloading configuration\nopening column table", 1)).category == "unknown"
