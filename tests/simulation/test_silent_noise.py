"""Silent failures in made-up histories: seeded defects are found, and noise alone is no defect.

python tests/simulation/test_silent_noise.py        # prints the figures of docs/explanation/silent-failures.md
"""

from __future__ import annotations

import random
from dataclasses import replace

from offduty.transactions.silent import Declared, Past, silent
from offduty.transactions.transaction import Transaction

DAY = 86400.0
SEED = 20261123


def told(run, past):
    """The texts that make a run warned."""
    return [one.text for one in silent(run, past, Declared({})) if one.warns]


def read(number, target, modified):
    """A file that was read."""
    return Transaction(number, "file.read", target, ok=True, modified=modified, bytes=1000)


def write(number, target, rows):
    """A table that was written."""
    return Transaction(number, "file.write", target, ok=True, rows=rows, bytes=rows * 20)


def failed(number, target="http://api/x"):
    """A transaction that failed."""
    return Transaction(number, "http.request", target, ok=False, failed=1, error={"type": "OSError", "message": "refused"})


def noisy(chance, days):
    """The runs of one made-up job, newest first: sizes and times that vary, a feed or two, an output or two, some of them irregular."""
    spread, slow = chance.uniform(0.02, 0.6), chance.lognormvariate(3, 1.5)
    outputs = [(f"out{number}.csv", chance.lognormvariate(6, 2), regular(chance)) for number in range(chance.randint(1, 3))]
    inputs = [(f"in{number}.csv", chance.choice([1.0, 1.0, 0.0, regular(chance)])) for number in range(chance.randint(1, 3))]
    modified = {name: 0.0 for name, _ in inputs}
    runs = []
    for number in reversed(range(days)):
        started = 1e9 - number * DAY + chance.gauss(0, 600)
        entries = []
        for name, changes in inputs:
            modified[name] = started - 3600 if chance.random() < changes or not modified[name] else modified[name]
            entries.append(read(len(entries) + 1, name, modified[name]))
        for name, rows, written in outputs:
            if chance.random() < written:
                entries.append(write(len(entries) + 1, name, max(1, round(rows * chance.lognormvariate(0, spread)))))
        if chance.random() < 0.03:  # tried again
            entries += [failed(len(entries) + 1), Transaction(len(entries) + 2, "http.request", "http://api/x", ok=True)]
        runs.append(Past(started, slow * chance.lognormvariate(0, spread), tuple(entries)))
    return runs[::-1]


def regular(chance):
    """How often something happens: mostly always; of every fifth nobody knows."""
    return 1.0 if chance.random() < 0.8 else chance.random()


def defects(chance, run, past):
    """What may be wrong with a run, each with the run that shows it."""
    first = next(one for one in past[0].entries if one.op == "file.read")
    outputs = [one for one in run.entries if one.op == "file.write"]
    others = tuple(one for one in run.entries if one.op != "file.write")
    yield "empty", replace(run, entries=(*others, *(replace(one, rows=0, bytes=0) for one in outputs)))
    yield "tenth", replace(run, entries=(*others, *(replace(one, rows=max(1, (one.rows or 0) // 10)) for one in outputs)))
    yield "missing", replace(run, entries=others)
    yield (
        "stale",
        replace(run, entries=tuple(first if one.op == "file.read" and one.target == first.target else one for one in run.entries)),
    )
    yield "fast", replace(run, duration_s=(run.duration_s or 0) / 50)
    yield "swallowed", replace(run, entries=(*run.entries, failed(99, "http://other/y")))


def measure(jobs, seed):
    """(runs, false alarms, {defect: (found, of)}) over so many made-up jobs, each looked at on days 1 to 40."""
    chance = random.Random(seed)
    runs = alarms = 0
    found = {}
    for _ in range(jobs):
        history = noisy(chance, 41)
        for at in range(0, 40, 3):
            runs += 1
            alarms += bool(told(history[at], history[at + 1 :]))
        for name, broken in defects(chance, history[0], history[1:]):
            hit, of = found.get(name, (0, 0))
            before = told(history[0], history[1:])
            found[name] = (hit + (len(told(broken, history[1:])) > len(before)), of + 1)
    return runs, alarms, found


def test_noise_alone_is_hardly_ever_a_defect():
    """False alarms in less than 1 % of runs; what is wrong is found where the past can tell."""
    runs, alarms, found = measure(300, SEED)
    assert alarms / runs < 0.01
    assert found["swallowed"][0] == found["swallowed"][1]
    assert found["empty"][0] / found["empty"][1] > 0.75
    assert found["missing"][0] / found["missing"][1] > 0.75


if __name__ == "__main__":
    runs, alarms, found = measure(3000, SEED)
    print(f"false alarms: {alarms} of {runs} runs, {alarms / runs:.2%}")
    for name, (hit, of) in found.items():
        print(f"{name:10} {hit} of {of} found, {hit / of:.0%}")
