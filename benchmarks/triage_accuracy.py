"""How often triage is right, on a file of labelled failures: categories, owners, and what its confidence is worth.

    python benchmarks/triage_accuracy.py FILE [--by-source] [--wrong] [--json]

FILE holds one JSON object a line: `category`, `owner_kind`, `exit_code`, `also` (labels that are not wrong), `log`, `source`, `id`.
`--by-source` counts each source repository as one, which is nearer to failures of other repositories than the plain mean,
and shows the spread over five folds of repositories.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offduty.triage.categories import CATEGORIES
from offduty.triage.decide import decide
from offduty.triage.evidence import case_of
from offduty.triage.verdict import Verdict

FOLDS = 5
Z = 1.96


@dataclass(frozen=True)
class Judged:
    """One labelled failure and what triage made of it."""

    row: dict[str, Any]
    verdict: Verdict
    seconds: float

    @property
    def category_right(self) -> bool:
        return self.verdict.category in (self.row["category"], *self.row.get("also", ()))

    @property
    def owner_right(self) -> bool:
        """The label's owner, or that of the defensible label that was given."""
        also = self.verdict.category in self.row.get("also", ()) and self.verdict.category in CATEGORIES
        return self.verdict.owner_kind == self.row["owner_kind"] or (
            also and self.verdict.owner_kind == CATEGORIES[self.verdict.category].owner
        )

    @property
    def sure(self) -> bool:
        return self.verdict.confidence == "high"

    @property
    def source(self) -> str:
        return str(self.row.get("source", "")).partition("#")[0]


def judge(row: dict[str, Any]) -> Judged:
    """What triage makes of one labelled failure, and how long it takes."""
    began = time.perf_counter()
    verdict = decide(case_of(row["log"], row.get("exit_code")))
    return Judged(row, verdict, time.perf_counter() - began)


def share(found: list[bool]) -> float:
    """The share of true ones."""
    return sum(found) / len(found) if found else float("nan")


def figures(judged: list[Judged]) -> dict[str, float]:
    """The figures by name, shares between 0 and 1."""
    sure = [one for one in judged if one.sure]
    return {
        "failures": len(judged),
        "category": share([one.category_right for one in judged]),
        "owner": share([one.owner_right for one in judged]),
        "high-confidence right": share([one.category_right for one in sure]),
        "high-confidence share": len(sure) / len(judged),
        "unknown": share([one.verdict.category == "unknown" for one in judged]),
    }


def bounds(right: float, count: int) -> tuple[float, float]:
    """Where the share of all such failures lies with 95 % confidence, if `right` of `count` were seen (Wilson)."""
    middle, spread = right + Z**2 / (2 * count), Z * math.sqrt(right * (1 - right) / count + Z**2 / (4 * count**2))
    return max((middle - spread) / (1 + Z**2 / count), 0.0), min((middle + spread) / (1 + Z**2 / count), 1.0)


def print_figures(judged: list[Judged]) -> None:
    """A line each; shares with their 95 % bounds."""
    counts = {"high-confidence right": sum(one.sure for one in judged)}
    for name, value in figures(judged).items():
        if name == "failures":
            print(f"{name:24} {value}")
        else:
            low, high = bounds(value, counts.get(name, len(judged)))
            print(f"{name:24} {value:.3f}   ({low:.3f} to {high:.3f})")


def confusions(judged: list[Judged]) -> list[tuple[str, int]]:
    """What was taken for what, most frequent first."""
    wrong = Counter(f"{one.row['category']} -> {one.verdict.category}" for one in judged if not one.category_right)
    return wrong.most_common()


def fold_of(source: str) -> int:
    """One of five folds, the same one for a repository every time."""
    return int(hashlib.sha256(source.encode()).hexdigest(), 16) % FOLDS


def print_by_source(judged: list[Judged]) -> None:
    """Each repository counted once, and the spread over folds."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.source].append(one)
    right = share([share([one.category_right for one in group]) >= 0.5 for group in groups.values()])
    print(f"by source: {len(groups)} repositories, category {right:.1%}")
    for fold in range(FOLDS):
        told = [one for one in judged if fold_of(one.source) == fold]
        if told:
            print(f"  fold {fold + 1}: " + "  ".join(f"{name} {value:.3f}" for name, value in figures(told).items() if name != "unknown"))


def print_wrong(judged: list[Judged]) -> None:
    """Each wrong verdict with what it rests on."""
    for one in judged:
        if not one.category_right:
            print(f"\n#### {one.row['id']} {one.row.get('source')} {one.row['category']} also {one.row.get('also')}")
            print(f"  -> {one.verdict.category} {one.verdict.row} {one.verdict.confidence} {one.verdict.evidence[:1]}")


def main() -> int:
    """Read the file, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--by-source", action="store_true", help="each repository counts once; five folds of repositories")
    parser.add_argument("--wrong", action="store_true", help="show each wrong verdict")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    options = parser.parse_args()
    judged = [judge(json.loads(line)) for line in options.file.read_text("utf-8").splitlines() if line.strip()]
    if options.json:
        print(json.dumps({**figures(judged), "confusions": confusions(judged)}))
        return 0
    print_figures(judged)
    print(f"{'median ms':24} {sorted(one.seconds for one in judged)[len(judged) // 2] * 1000:.2f}")
    for pair, count in confusions(judged):
        print(f"  {count:3}  {pair}")
    if options.by_source:
        print_by_source(judged)
    if options.wrong:
        print_wrong(judged)
    return 0


if __name__ == "__main__":
    sys.exit(main())
