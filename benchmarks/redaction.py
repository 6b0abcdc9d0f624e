"""Masking secrets: speed on output without any, beside a plain copy, what else was considered, and `s6-log`; and on hostile output.

Budgets (docs/explanation/performance.md): with redaction on, at least the speed of `s6-log`; T03: a megabyte out of 10 MB of hostile
output costs at most twice a megabyte out of 1 MB. What hostile output costs beside ordinary output with a secret in every line is a figure.
`ROUNDS` (default 9) may be set.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from _measure import Report, alternate, clean, environment, has
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from offduty.secrets import Redactor
from offduty.secrets.formats import FORMATS
from offduty.secrets.keyed import LITERALS

ROUNDS = int(os.environ.get("ROUNDS", "9"))
CHUNK = 256 << 10
WORDS = (
    "loading sales rows store units forecast model fit 2026-11-23 06:00:00,412 INFO DEBUG features pandas.core 0.8123"
    " n_estimators=200 the of and to in for is on that by this with path/to/file.parquet (81204, 13)"
    " https://api.example.org/v1/x?store=12 Epoch 3/10 loss: 0.1234 tensor([1, 2, 3]) None True elapsed 12.3s [#####     ] 45%"
).split(" ")
HOSTILE = (
    b"ghp_", b"eyJ", b"token=", b"n_token=", b"password=", b"--token ", b"sk-", b"://a:", b"Bearer ", b"\x1b[0m", b"password=f(",
    b"-----BEGIN ", b"pwd ",
)  # fmt: skip


def lines(word: str = "") -> bytes:
    """A chunk of lines of 120 bytes; with `word` in the middle of each."""
    rng, out = random.Random(1), []
    while sum(map(len, out[-1:])) + len(out) * 120 < CHUNK:
        text = ""
        while len(text) < 119:
            text += rng.choice(WORDS) + " " + (word if 50 < len(text) < 70 and word not in text else "")
        out.append(text[:119] + "\n")
    return "".join(out).encode()


def per_byte(job: Callable[[bytes], object], data: bytes) -> Callable[[], float]:
    """Seconds of CPU a megabyte; repeated until it takes 20 ms, for a clock's sake."""

    def case() -> float:
        began, times = time.process_time(), 0
        while not times or time.process_time() - began < 0.02:
            job(data)
            times += 1
        return (time.process_time() - began) / times / len(data) * 1e6

    return case


def redaction(secrets: int) -> Callable[[bytes], object]:
    """`redact` as the log calls it, with so many secrets in the environment."""
    rng = random.Random(2)
    redactor = Redactor(
        {f"K{n}_PASSWORD": "".join(rng.choices("abcdefghijkmnpqrstuvwxyzABCDEFGH23456789-_", k=24)) for n in range(secrets)}
    )
    return lambda data: redactor.redact(data, final=False)


def alternatives() -> dict[str, Callable[[bytes], object]]:
    """What else could look for our own literals: only whether any is there."""
    literals = sorted({literal for finder in FORMATS for literal in finder.literals} | set(LITERALS))
    automaton = BytesAhoCorasick(literals, MatchKind.LeftmostFirst, Implementation.DFA)
    joined = re.compile(b"|".join(map(re.escape, literals)))
    return {
        f"one automaton over {len(literals)} literals": automaton.find_matches_as_indexes,
        "one `in` for each literal": lambda data: any(literal in data for literal in literals),
        "one joined `re`": joined.search,
    }


def s6_log(data: bytes, folder: Path) -> float:
    """Seconds (by the wall) a megabyte for 64 MB of lines into `s6-log` through a pipe, stamped."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    block = data * 4
    began = time.perf_counter()
    with subprocess.Popen(["s6-log", "T", "n2", "s268435455", str(folder)], stdin=subprocess.PIPE) as child:
        assert child.stdin
        for _ in range(64):
            child.stdin.write(block)
    return (time.perf_counter() - began) / (64 * len(block)) * 1e6


def hostile(size: int) -> dict[bytes, bytes]:
    """Output made of nothing but beginnings of secrets."""
    return {unit: (unit * (size // len(unit) + 1))[:size] for unit in HOSTILE}


def main() -> None:
    """Measure and print."""
    env, plain = environment(), lines()
    redact = redaction(5)
    cases = {f"redact, {n} secrets known": per_byte(redaction(n), plain) for n in (0, 5, 20, 60, 200)}
    cases |= {name: per_byte(job, plain) for name, job in alternatives().items()}
    cases["copy"] = per_byte(bytearray, plain)
    cases["redact, coloured lines"] = per_byte(redact, lines("\x1b[32mINFO\x1b[0m "))
    cases["redact, `tokens` in every line"] = per_byte(redact, lines("tokens per second: 12 "))
    cases["redact, a secret in every line"] = per_byte(redact, lines("password=hunter2abc "))
    if has("s6-log"):
        cases["s6-log T"] = lambda: s6_log(plain, Path(env["OFFDUTY_STATE_DIR"], "s6"))
    found = alternate(cases, ROUNDS)
    report = Report(f"redaction ({CHUNK >> 10} KiB chunks of 120-byte lines)")
    for name, seconds in found.items():
        report.figure(name, 1 / seconds, "MB/s")
    report.figure("redact / copy", found["copy"] / found["redact, 5 secrets known"], "x")
    report.budget("redact, 5 secrets known", 1 / found["redact, 5 secrets known"], 400, at_least=True, unit="MB/s")
    if "s6-log T" in found:
        report.budget("redact / s6-log T", found["s6-log T"] / found["redact, 5 secrets known"], 2, at_least=True)
    report_hostile(report, redact, found["redact, a secret in every line"])
    clean(env)
    report.end()


def report_hostile(report: Report, redact: Callable[[bytes], object], ordinary: float) -> None:
    """T03: linear, whatever the output is made of."""
    small, large = hostile(1 << 20), hostile(10 << 20)
    worst, growth = 0.0, 0.0
    for unit in HOSTILE:
        before, cost, after = (per_byte(redact, data[unit])() for data in (small, large, small))
        report.figure(f"hostile: {unit!r} again and again", 1 / cost, "MB/s")
        worst, growth = max(worst, cost), max(growth, 2 * cost / (before + after))
    report.budget("10 MB of it / 1 MB of it, a megabyte, at worst", growth, 2)
    report.figure("hostile at worst / a secret in every line, a megabyte", worst / ordinary, "x")


if __name__ == "__main__":
    main()
