"""Cross-validation: how often triage is right on one file with only what other files bear out.

    python benchmarks/triage_transfer.py FILE --by OTHER...

Every alternative of every pattern that occurs in no failure of the OTHER files is left out, and so is every signature without a pattern
that holds for none of them. What is right in FILE then is right by signatures that do not owe FILE their being there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage_accuracy import Judged, print_figures

from offduty.triage.decide import Candidate, candidates, weigh
from offduty.triage.evidence import case_of, gather
from offduty.triage.patterns import PatternSet, pieces_of
from offduty.triage.signature import catalogue


@dataclass(frozen=True)
class Alternatives:
    """All alternatives of the catalogue's patterns, and which of them each signature has."""

    count: int
    patterns: PatternSet
    of_signature: dict[str, frozenset[int]]

    def shown(self, candidate: Candidate) -> frozenset[int]:
        """Those of the signature that its statement has."""
        return self.of_signature[candidate.signature.id].intersection(self.patterns.matches(candidate.statement.text))


@dataclass(frozen=True)
class BorneOut:
    """What some failures show of the catalogue: alternatives, and signatures without a pattern."""

    all: Alternatives
    alternatives: frozenset[int]
    signatures: frozenset[str]

    def keeps(self, candidate: Candidate) -> bool:
        """Whether the signature would hold for its statement with what is borne out alone."""
        if not candidate.signature.when.text:
            return candidate.signature.id in self.signatures
        return not self.alternatives.isdisjoint(self.all.shown(candidate))


def alternatives() -> Alternatives:
    """Those of the catalogue, each once."""
    pieces: dict[str, Any] = {}
    of_signature = {}
    for signature in catalogue():
        mine = [piece for pattern in signature.when.text for piece in pieces_of(pattern)]
        pieces.update({piece[0]: piece for piece in mine})
        of_signature[signature.id] = {piece[0] for piece in mine}
    place = {text: number for number, text in enumerate(pieces)}
    numbered = {name: frozenset(place[text] for text in texts) for name, texts in of_signature.items()}
    return Alternatives(len(pieces), PatternSet(list(pieces), [[piece] for piece in pieces.values()]), numbered)


def borne_out(rows: Iterable[dict[str, Any]]) -> BorneOut:
    """What these failures show."""
    known = alternatives()
    shown: set[int] = set()
    held: set[str] = set()
    for row in rows:
        for candidate in candidates(gather(case_of(row["log"], row.get("exit_code")))):
            held.add(candidate.signature.id)
            shown |= known.shown(candidate)
    return BorneOut(known, frozenset(shown), frozenset(held))


def judge(row: dict[str, Any], known: BorneOut) -> Judged:
    """What triage makes of a labelled failure with only what is borne out."""
    case = case_of(row["log"], row.get("exit_code"))
    evidence = gather(case)
    return Judged(row, weigh([one for one in candidates(evidence) if known.keeps(one)], evidence, case), 0.0)


def rows_of(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The labelled failures of some files."""
    for path in paths:
        yield from (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())


def main() -> int:
    """Read, leave out, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--by", type=Path, nargs="+", required=True, help="the files whose failures bear signatures out")
    options = parser.parse_args()
    known = borne_out(rows_of(options.by))
    print_figures([judge(row, known) for row in rows_of([options.file])])
    print(f"{'alternatives borne out':24} {len(known.alternatives)} of {known.all.count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
