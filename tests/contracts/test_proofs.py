"""What every store remembers of channels that were proven, over every line of `STORES`."""

from __future__ import annotations

import importlib

import pytest

from offduty.alerts.proof import ALPHABET, Proof, as_typed, new_code
from offduty.stores import STORES


@pytest.fixture(params=STORES)
def proofs(request, tmp_path):
    """Those of an empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made.proofs
    made.close()


def test_a_code_is_confirmed_once_by_whoever_typed_it(proofs):
    """The second one changes nothing; a code nobody sent is none."""
    proofs.add(Proof("K7QX2M", "chat", 100.0, "200 ok"))
    assert proofs.confirm("K7QX2M", "ada", 150.0) == Proof("K7QX2M", "chat", 100.0, "200 ok", 150.0, "ada")
    assert proofs.confirm("K7QX2M", "bob", 900.0).by == "ada"
    assert proofs.confirm("NOSUCH", "ada", 150.0) is None


def test_a_channel_is_as_proven_as_its_last_confirmed_message(proofs):
    """A newer test that nobody confirmed does not take the proof away."""
    for code, channel, at in (("A", "chat", 1.0), ("B", "chat", 5.0), ("C", "mail", 3.0), ("D", "mail", 4.0)):
        proofs.add(Proof(code, channel, at))
    proofs.confirm("A", "ada", 2.0)
    assert [(proof.channel, proof.code) for proof in proofs.newest()] == [("chat", "A"), ("mail", "D")]


def test_the_message_of_a_code_is_found(proofs):
    """Whether it was confirmed or not; a code nobody sent is left out."""
    for code in ("A", "B", "C"):
        proofs.add(Proof(code, "chat", 1.0))
    assert sorted(proof.code for proof in proofs.of(["A", "C", "X"])) == ["A", "C"]
    assert proofs.of([]) == []


def test_codes_are_easy_to_type():
    """No 0 and O, no 1 and I; dashes, blanks and small letters do not matter."""
    assert set(new_code(bytes(range(6)))) <= set(ALPHABET)
    assert as_typed(" k7q-x2m ") == "K7QX2M"
