"""Copying output into a stamped log: speed beside `cat | cat > file`, `s6-log` and `ts`; memory at 1 GiB of lines and at one such line.

Budgets (docs/explanation/performance.md): stamped >= 0.28x cat, >= 2x `s6-log T`, >= 20x `ts`; with redaction >= 1x `s6-log T`;
lines of 1 MB >= 0.3x cat; a job of a million tiny writes no more than 20 % slower than into `cat`;
resident memory <= 64 MB at 1 GiB of lines and at one line of 1 GiB.
`SIZE` (MiB, default 1024), `ROUNDS` (default 3) and `WRITES` (default a million) may be set.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from _measure import OFFDUTY, VENV_PYTHON, Report, alternate, clean, environment, has

SIZE = int(os.environ.get("SIZE", "1024")) << 20
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WRITES = int(os.environ.get("WRITES", "1000000"))
MEMORY = 64  # MiB
TINY = f"import os\nwrite = os.write\nfor _ in range({WRITES}): write(1, b'one small line, no more\\n')"
LINE = b"2026-11-23 06:00:00,412 INFO forecast: store 0412 fitted in 0.41 s, rows 1204, mape 0.0812, next in line: store 0413 ...\n"


def write_file(path: Path, line: bytes) -> None:
    """`SIZE` bytes of `line` again and again."""
    block = line * max(1, (1 << 20) // len(line))
    with path.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)


def timed(command: str, env: Mapping[str, str]) -> float:
    """Seconds for a shell command."""
    began = time.perf_counter()
    subprocess.run(["sh", "-c", command], env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def offduty(path: Path, env: Mapping[str, str], *options: str) -> Callable[[], float]:
    """`offduty run` around a `cat` of the file; its log is removed again."""

    def case() -> float:
        began = time.perf_counter()
        subprocess.run([OFFDUTY, "run", *options, "--", "cat", str(path)], env=env, check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - began
        shutil.rmtree(Path(env["OFFDUTY_STATE_DIR"], "logs"))
        return took

    return case


def tiny_writes(env: Mapping[str, str], *before: str, into: str = "") -> Callable[[], float]:
    """A job that writes a line at each `write`: seconds until it, and whoever takes its output, has ended."""
    job = f"{VENV_PYTHON} -S -c {shlex.quote(TINY)}"
    return lambda: timed(f"{' '.join(before)} {job}{into}", env)


def main() -> None:
    """Measure and print."""
    env = environment()
    folder = Path(env["OFFDUTY_STATE_DIR"])
    lines, long_lines, one = folder / "lines", folder / "long", folder / "one"
    write_file(lines, LINE)
    write_file(long_lines, b"x" * 999_999 + b"\n")
    write_file(one, b"x")
    out = folder / "out"
    cat = lambda path: lambda: timed(f"cat {path} | cat > {out}", env)  # noqa: E731
    cases = {
        "cat | cat": cat(lines), "offduty, no redaction": offduty(lines, env, "--no-redact"), "offduty, redaction": offduty(lines, env),
        "cat | cat, 1 MB lines": cat(long_lines), "offduty, 1 MB lines, no redaction": offduty(long_lines, env, "--no-redact"),
        "offduty, one line": offduty(one, env, "--no-redact"),
    }  # fmt: skip
    tiny = {
        "tiny writes, cat": tiny_writes(env, into=f" | cat > {out}"),
        "tiny writes, offduty": tiny_writes(env, OFFDUTY, "run", "--no-redact", "--"),
        "tiny writes, offduty, redaction": tiny_writes(env, OFFDUTY, "run", "--"),
    }
    if has("s6-log"):
        cases["s6-log T"] = lambda: timed(f"rm -rf {folder}/s6; mkdir {folder}/s6; cat {lines} | s6-log T n2 s268435455 {folder}/s6", env)
    if has("ts"):
        cases["ts, a 16th of the lines"] = lambda: timed(f"head -c {SIZE // 16} {lines} | ts > {out}", env)
    found = alternate(cases, ROUNDS)
    report = Report("copying output")
    for name, seconds in found.items():
        size = SIZE / 16 if name.startswith("ts") else SIZE
        report.figure(name, size / seconds / 1e6, "MB/s")
    report.budget("stamped / cat", found["cat | cat"] / found["offduty, no redaction"], 0.28, at_least=True)
    report.figure("redaction on / cat", found["cat | cat"] / found["offduty, redaction"], "x")
    report.budget("1 MB lines / cat", found["cat | cat, 1 MB lines"] / found["offduty, 1 MB lines, no redaction"], 0.3, at_least=True)
    if "s6-log T" in found:
        report.budget("stamped / s6-log T", found["s6-log T"] / found["offduty, no redaction"], 2, at_least=True)
        report.budget("redaction on / s6-log T", found["s6-log T"] / found["offduty, redaction"], 1, at_least=True)
    if "ts, a 16th of the lines" in found:
        report.budget("stamped / ts", found["ts, a 16th of the lines"] * 16 / found["offduty, no redaction"], 20, at_least=True)
    found = alternate(tiny, ROUNDS)
    for name, seconds in found.items():
        report.figure(name, WRITES / seconds / 1e6, "M/s")
    report.budget("tiny writes: seconds / cat's", found["tiny writes, offduty"] / found["tiny writes, cat"], 1.2)
    report.figure("the same with redaction", found["tiny writes, offduty, redaction"] / found["tiny writes, cat"], "x")
    # The greatest of all children so far, so the larger processes (none of the peers is) would show here.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    report.budget(f"greatest resident memory, {SIZE >> 20} MiB of lines and one line", peak, MEMORY, unit="MB")
    clean(env)
    report.end()


if __name__ == "__main__":
    main()
