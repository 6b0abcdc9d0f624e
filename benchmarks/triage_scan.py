"""Scanning a large log with many rules, beside `rg -f` and `grep -E -f` on the same rules and log; and the verdict on a failed run.

Each counts the lines that some rule has; ours also tells which rules. Budgets (docs/explanation/performance.md): at 1 000 rules at least
the speed of both, from 100 to 5 000 rules at most 1.6 times slower; matching a tail of 1 MiB in a
new process, at most 3 times reading it in one.
`ROUNDS` (default 5) and `SIZE` (MiB, default 256) may be set.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from _measure import Report, alternate, clean, environment, has
from redaction import WORDS

from offduty.triage.linescan import LineScan

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SIZE = int(os.environ.get("SIZE", "256")) << 20
COUNTS = (10, 100, 1000, 5000)
SUBJECTS = "connection table column partition bucket certificate token session worker kernel socket schema feed index replica lease".split()
VERBS = "refused missing expired truncated locked corrupt unreachable denied throttled overdue".split()
SHAPES = (
    "{s}_{i} {v}", "ORA-{i:05d}: {s}", "{s} .*{v} on node-{i}$", "({s}|{v})-{i} (failed|timed out)", "E{i:04d}[A-Z]: {s} [0-9]+ {v}",
    "{v} by peer {i}.*{s}",
)  # fmt: skip
READ = "import sys; content = open(sys.argv[1], 'rb').read()"
MATCH = (
    f"{READ}; from offduty.triage.linescan import LineScan;"
    " rules = open(sys.argv[2]).read().split(chr(10))[:-1]; list(LineScan(rules).lines(content))"
)
DECIDE = f"{READ}; from offduty.triage.decide import decide; from offduty.triage.evidence import case_of; decide(case_of(content.decode()))"
AGAIN = f"{DECIDE}; import time; began = time.perf_counter(); decide(case_of(content.decode())); print(time.perf_counter() - began)"


def rules(count: int) -> list[str]:
    """Rules as people write them, in the syntax that all three understand."""
    rng = random.Random(4)
    return [SHAPES[i % len(SHAPES)].format(i=i, s=rng.choice(SUBJECTS), v=rng.choice(VERBS)) for i in range(count)]


def write_log(path: Path, size: int, seed: int = 3) -> None:
    """Lines of 120 bytes; one of a thousand looks like a failure, one of ten thousand is one that the first ten rules have."""
    rng, lines = random.Random(seed), []
    for _ in range(40_000):
        text = ""
        while len(text) < 119:
            text += rng.choice(WORDS) + " "
        lines.append(text[:119])
    lines[::1000] = [f"ERROR connection to node-{n} refused, table_{n} missing".ljust(119) for n in range(40)]
    lines[::10_000] = [f"E0004X: {subject} 12 {verb}".ljust(119) for subject, verb in zip(SUBJECTS, VERBS[:4], strict=False)]
    lines[5::10_000] = [f"FATAL {rules(10)[1]}".ljust(119)] * 4
    block = ("\n".join(lines) + "\n").encode()
    with path.open("wb") as file:
        for _ in range(max(1, size // len(block))):
            file.write(block)


def ours(scan: LineScan, log: Path, threads: int) -> Callable[[], float]:
    """Seconds for the whole log."""

    def case() -> float:
        began = time.perf_counter()
        with log.open("rb") as file:
            for _ in scan.scan(file, threads=threads):
                pass
        return time.perf_counter() - began

    return case


def peer(command: list[str], log: Path) -> Callable[[], float]:
    """Seconds for the same by another program, in the C locale, which is its fastest."""

    def case() -> float:
        began = time.perf_counter()
        subprocess.run(
            [*command, str(log)], env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, check=False
        )  # into /dev/null grep stops early
        return time.perf_counter() - began

    return case


def scanning(report: Report, folder: Path) -> None:
    """Throughput by number of rules."""
    log = folder / "job.log"
    write_log(log, SIZE)
    size, speed = log.stat().st_size / 1e6, {}
    for count in COUNTS:
        listed = folder / f"rules-{count}"
        listed.write_text("\n".join(rules(count)) + "\n")
        scan = LineScan(rules(count))
        cases = {"ours": ours(scan, log, os.cpu_count() or 1), "ours, one thread": ours(scan, log, 1)}
        cases |= {"rg": peer(["rg", "-c", "-f", str(listed)], log)} if has("rg") else {}
        cases |= {"grep": peer(["grep", "-c", "-E", "-f", str(listed)], log)}
        speed[count] = {name: size / seconds for name, seconds in alternate(cases, ROUNDS).items()}
        for name, value in speed[count].items():
            report.figure(f"{count} rules: {name}", value, "MB/s")
    for name in ("grep", "rg"):
        if name in speed[1000]:
            report.budget(f"1 000 rules: ours / {name}", speed[1000]["ours"] / speed[1000][name], 1, at_least=True)
    report.budget("100 rules / 5 000 rules", speed[100]["ours"] / speed[5000]["ours"], 1.6)
    log.unlink()


def process(code: str, *arguments: Path) -> Callable[[], float]:
    """Seconds for a new Python that does this, from its start to its end; or what it says by itself."""

    def case() -> float:
        began = time.perf_counter()
        said = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
        return float(said) if said else time.perf_counter() - began

    return case


def verdicts(report: Report, folder: Path) -> None:
    """A failed run with a tail of 1 MiB."""
    log, listed = folder / "tail.log", folder / "rules-1000"
    write_log(log, 1)
    log.write_bytes(log.read_bytes()[-(1 << 20) :] + b"Traceback (most recent call last):\nKeyError: 'region'\n")
    listed.write_text("\n".join(rules(1000)) + "\n")
    cases = {"read it": process(READ, log), "read it, match 1 000 rules": process(MATCH, log, listed)}
    cases |= {"read it, a whole verdict (`decide`)": process(DECIDE, log), "a second verdict": process(AGAIN, log)}
    found = alternate(cases, max(ROUNDS, 7))
    for name, seconds in found.items():
        report.figure(f"tail of 1 MiB: {name}", seconds * 1000, "ms")
    report.budget("tail of 1 MiB, a new process: matching / reading", found["read it, match 1 000 rules"] / found["read it"], 3)


def main() -> None:
    """Measure and print."""
    env = environment()
    folder = Path(env["OFFDUTY_STATE_DIR"])
    report = Report(f"scanning {SIZE >> 20} MiB, lines of 120 bytes; a verdict")
    try:
        scanning(report, folder)
        verdicts(report, folder)
    finally:
        clean(env)
    report.end()


if __name__ == "__main__":
    main()
