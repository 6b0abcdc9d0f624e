"""`python3 dev.py sim --fleet --job-hours N --seed S`: play so many job-hours of a fleet, and say in one line of JSON what became of it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from hashlib import sha256
from typing import Any

from fleet_oracle import Verdict, judge
from fleet_world import Fleet, live

HOURS = 48.0
"""Hours of one world: a long simulation is several, each with a seed of its own."""


def play(fleet: Fleet, lines: list[str] | None = None) -> tuple[dict[str, Any], Verdict]:
    """One world: the line of JSON, and what the oracle found."""
    world = live(fleet, lines)
    try:
        verdict = judge(world)
        found = {
            "job_hours": fleet.hours * fleet.jobs,
            "faults": sum(world.faults.values()),
            "slots": verdict.slots,
            "missed": verdict.missed,
            "told": verdict.told,
            "lost": verdict.lost,
            "wrong": len(verdict.wrong),
            "seed": fleet.seed,
            "trace_sha256": world.engine.digest(),
        }
    finally:
        world.close()
    return found, verdict


def main(arguments: list[str]) -> int:
    """0 if nothing was wrong."""
    parser = argparse.ArgumentParser(prog="dev.py sim --fleet")
    parser.add_argument("--job-hours", type=float, default=2000.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=84)
    parser.add_argument("--faults", type=float, default=1.0, help="how many times as many faults as usual")
    parser.add_argument("--trace", action="store_true", help="print every line of the trace")
    args = parser.parse_args(arguments)
    began, left, seed, total = time.perf_counter(), args.job_hours, args.seed, {}
    while left > 0:
        lines: list[str] | None = [] if args.trace else None
        fleet = Fleet(min(HOURS, left / args.jobs), seed, args.jobs, 1 + seed % 3, args.faults)
        found, verdict = play(fleet, lines)
        print(*(lines or ()), sep="\n", end="\n" if lines else "")
        for sentence in verdict.wrong:
            print(f"seed {seed}: {sentence}", file=sys.stderr)
        total = added(total, found)
        left, seed = left - fleet.hours * args.jobs, seed + 1
    print(f"{args.job_hours / (time.perf_counter() - began):.0f} job-hours a second", file=sys.stderr)
    print(json.dumps(total))
    return 1 if total["wrong"] else 0


def added(total: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Several worlds as one."""
    if not total:
        return found
    sums = {name: total[name] + found[name] for name in found if name not in ("seed", "trace_sha256")}
    return {**sums, "seed": total["seed"], "trace_sha256": sha256((total["trace_sha256"] + found["trace_sha256"]).encode()).hexdigest()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
