"""The catalogue: every signature can be used, is reached by its own example, and is what the compiled file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from offduty.triage.categories import CATEGORIES, OWNER_KINDS
from offduty.triage.compiled import FILE, compile_catalogue
from offduty.triage.decide import decide
from offduty.triage.evidence import case_of_example
from offduty.triage.page import page
from offduty.triage.reading.facts import known_facts
from offduty.triage.signature import CatalogueError, Signature, catalogue, load, validate

ROOT = Path(__file__).parents[3]


def by_id(signature: Signature) -> str:
    """Its id."""
    return signature.id


def row(**changes):
    """A row as a file has it."""
    when = {"text": "out of paper"}
    return {
        "id": "printer.paper",
        "family": "office",
        "category": "os_limit",
        "title": "t",
        "cause": "c",
        "example": "e",
        "when": when,
        **changes,
    }


@pytest.mark.parametrize("signature", catalogue(), ids=by_id)
def test_an_example_reaches_its_signature(signature):
    """No other signature always wins: each can be the answer, with its category, owner and steps."""
    verdict = decide(case_of_example(signature.example, dict(signature.example_ended)))
    assert (verdict.row, verdict.category, verdict.owner_kind) == (signature.id, signature.category, signature.owner)
    assert 2 <= len(verdict.steps) <= 4


def test_every_pattern_is_re2_and_every_id_is_there_once():
    """T26: patterns are RE2, so that no text takes more than linear time; one it cannot compile is named."""
    assert validate(catalogue()) == []
    assert len(catalogue()) >= 400


def test_a_pattern_that_re2_lacks_is_refused_by_name():
    """T26: a back-reference is told as a mistake of that signature."""
    found = validate([load(row(when={"text": r"(a+)\1"}))])
    assert len(found) == 1 and found[0].startswith("printer.paper: ")


def test_the_compiled_file_is_what_the_toml_says():
    """Whoever edits a signature runs `python -m offduty.triage.compiled`."""
    assert Path(FILE).read_text("utf-8") == compile_catalogue()


@pytest.mark.parametrize("changes", [{"category": "bad_luck"}, {"owner": "nobody"}, {"when": {}}, {"when": {"smell": "burnt"}}])
def test_a_signature_with_a_mistake_is_refused(changes):
    """A category, owner or condition that does not exist is an error that names the signature."""
    with pytest.raises(CatalogueError, match=r"printer\.paper"):
        load(row(**changes))


def test_there_are_33_categories_each_with_an_owner_and_steps():
    """The taxonomy: every category has one default owner."""
    assert len(CATEGORIES) == 33
    assert all(category.owner in OWNER_KINDS and 2 <= len(category.steps) <= 4 for category in CATEGORIES.values())


def test_every_category_has_signatures():
    """A category that nothing proves could never be the answer."""
    assert {signature.category for signature in catalogue()} == set(CATEGORIES)


def test_the_facts_that_signatures_ask_for_can_be_shown():
    """A misspelt tag would make a signature that never holds."""
    asked = {
        fact for signature in catalogue() for either in (*signature.when.facts, *signature.when.no_facts) for fact in either.split("|")
    }
    assert {fact for fact in asked if not known_facts(fact)} == set()


def test_the_page_of_the_catalogue_is_up_to_date():
    """If this fails: python -m offduty.triage.page."""
    assert (ROOT / "docs/reference/catalogue.md").read_text("utf-8") == page()
