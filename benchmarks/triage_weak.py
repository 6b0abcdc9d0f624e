"""How often the guess from words alone is right, with every signature left out, and with a random half of them.

    python benchmarks/triage_weak.py FILE...

Prints for each file of labelled failures (as `triage_accuracy.py` reads them) the share of right categories and owners.
"""

from __future__ import annotations

import json
import random  # an experiment of its own, seeded: not offduty's clock
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offduty.triage import decide as deciding
from offduty.triage.categories import CATEGORIES
from offduty.triage.evidence import case_of
from offduty.triage.signature import catalogue
from offduty.triage.verdict import Verdict

HALVES = 3


def share_right(rows: list[dict[str, Any]], judge: Callable[[dict[str, Any]], Verdict]) -> tuple[float, float, float]:
    """The shares of right categories, right owners, and unknown."""
    categories = owners = unknown = 0
    for row in rows:
        verdict = judge(row)
        right = verdict.category in (row["category"], *row.get("also", ()))
        categories += right
        owners += verdict.owner_kind == row["owner_kind"] or (right and verdict.owner_kind == CATEGORIES[verdict.category].owner)
        unknown += verdict.category == "unknown"
    return categories / len(rows), owners / len(rows), unknown / len(rows)


def judged(row: dict[str, Any]) -> Verdict:
    """What triage makes of a row."""
    return deciding.decide(case_of(row["log"], row.get("exit_code")))


def without(left_out: frozenset[str]) -> Callable[[dict[str, Any]], Verdict]:
    """Triage as if these signatures were not there."""

    def judge(row: dict[str, Any]) -> Verdict:
        case = case_of(row["log"], row.get("exit_code"))
        evidence = deciding.gather(case)
        kept = [one for one in deciding.candidates(evidence) if one.signature.id not in left_out]
        return deciding.weigh(kept, evidence, case)

    return judge


def main() -> int:
    """Each file: all signatures, a random half (mean of three), none."""
    ids = [signature.id for signature in catalogue()]
    for name in sys.argv[1:]:
        rows = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines() if line.strip()]
        halves = [share_right(rows, without(frozenset(random.Random(seed).sample(ids, len(ids) // 2)))) for seed in range(HALVES)]
        shown = {
            "all signatures": share_right(rows, judged),
            "half of them": tuple(sum(values) / HALVES for values in zip(*halves, strict=True)),
            "none": share_right(rows, without(frozenset(ids))),
        }
        print(f"{name} ({len(rows)} failures)")
        for what, (category, owner, unknown) in shown.items():
            print(f"  {what:16} category {category:.3f}  owner {owner:.3f}  unknown {unknown:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
