"""Draws summary.svg from real runs: `python docs/images/summary.py`, with .venv active.

Three good days, then the clinic's feed loses a column.
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
WORLD = HERE.parents[1] / "examples" / "clinic" / "world.py"
TYPED = "offduty run --retries 0 forecast"
WIDTH = 108
GOOD_DAYS = 3


def main() -> None:
    """Run it on a terminal, keep the beginning and the end, draw."""
    with tempfile.TemporaryDirectory() as home:
        for _ in range(GOOD_DAYS):
            on_a_terminal([sys.executable, str(WORLD), "--", *TYPED.split()], home)
        printed = on_a_terminal([sys.executable, str(WORLD), "--break", "feed-column", "--", *TYPED.split()], home)
    lines = [line.replace(f"{home}", "~/.local/state/offduty") for line in printed.splitlines()]
    summary = next(number for number, line in enumerate(lines) if "== summary" in line)
    first, hidden, last = lines[:2], summary - 3, lines[summary - 1 :]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in (f"\033[1m$ {TYPED}\033[0m", *first, f"\033[2m  … {hidden} lines …\033[0m", *last):
        console.print(Text.from_ansi(line), soft_wrap=True)
    drawn = console.export_svg(title="a feed lost a column")
    (HERE / "summary.svg").write_text(re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL))  # no fonts from elsewhere


def on_a_terminal(command: list[str], home: str) -> str:
    """What the command prints when it has a terminal."""
    master, slave = pty.openpty()
    environ = {**os.environ, "OFFDUTY_STATE_DIR": home, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=environ)
    os.close(slave)
    printed = b""
    try:
        while chunk := os.read(master, 65536):
            printed += chunk
    except OSError:  # Linux says EIO when the last one has hung up
        pass
    process.wait()
    return printed.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
