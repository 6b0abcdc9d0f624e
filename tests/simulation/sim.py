"""`python3 dev.py sim --hours N --seed S`: play so many hours, and say what became of every alert, in one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from sim_oracle import Verdict, judge
from sim_world import Life, live

AT_ONCE = 500.0
"""Hours of one world: a long simulation is several, each with a seed of its own, as nothing is forgotten in any."""


def play(life: Life, *, lines: list[str] | None = None) -> tuple[dict[str, Any], Verdict]:
    """One world: what `dev.py sim` prints, and what the oracle found."""
    world = live(life, lines=lines)
    try:
        verdict = judge(world)
        trace = world.engine.digest()
    finally:
        world.close()
    return report(life, sum(world.faults.values()), verdict, trace), verdict


def report(life: Life, faults: int, verdict: Verdict, trace: str) -> dict[str, Any]:
    """The line of JSON."""
    names = ("owed", "delivered", "lost", "duplicated", "unexcused", "unexpected", "dead")
    return {
        "hours": life.hours,
        "faults": faults,
        **{name: getattr(verdict, name) for name in names},
        "seed": life.seed,
        "trace_sha256": trace,
    }


def again(life: Life) -> str:
    """The command that plays this life again."""
    alone = f" --bustle {life.bustle:g}" if life.people else " --alone"
    return f"python3 dev.py sim --hours {life.hours:g} --seed {life.seed} --store {life.store} --faults {life.faults:g}{alone}"


def main(arguments: list[str]) -> int:
    """0 if nothing was lost, unexcused or unexpected."""
    parser = argparse.ArgumentParser(prog="dev.py sim")
    parser.add_argument("--hours", type=float, default=2000.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("memory", "sqlite"), default="memory")
    parser.add_argument("--faults", type=float, default=1.0, help="how many times as many faults as usual")
    parser.add_argument("--bustle", type=float, default=1.0, help="how many times as often as usual people act, and storms come")
    parser.add_argument("--alone", action="store_true", help="runs alone: no people, no silences, no storms, plans without a policy")
    parser.add_argument("--trace", action="store_true", help="print every line of the trace")
    args = parser.parse_args(arguments)
    started, total, left, seed = time.perf_counter(), {}, args.hours, args.seed
    while left > 0:
        lines: list[str] | None = [] if args.trace else None
        life = Life(min(left, AT_ONCE), seed, args.store, faults=args.faults, people=not args.alone, bustle=args.bustle)
        found, verdict = play(life, lines=lines)
        print(*(lines or ()), sep="\n", end="\n" if lines else "")
        for sentence in verdict.wrong:
            print(f"seed {seed}: {sentence}", file=sys.stderr)
        if verdict.wrong:
            print(f"again: {again(life)}", file=sys.stderr)
        total = added(total, found)
        left, seed = left - AT_ONCE, seed + 1
    print(f"{args.hours / (time.perf_counter() - started):.0f} simulated hours a second", file=sys.stderr)
    print(json.dumps(total))
    return 1 if total["lost"] or total["unexcused"] or total["unexpected"] else 0


def added(total: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Several worlds as one; the trace's digest is that of their digests."""
    if not total:
        return found
    from hashlib import sha256

    sums = {name: total[name] + found[name] for name in found if name not in ("seed", "trace_sha256")}
    trace = sha256((total["trace_sha256"] + found["trace_sha256"]).encode()).hexdigest()
    return {**sums, "seed": total["seed"], "trace_sha256": trace}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
