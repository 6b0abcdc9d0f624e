"""The tutorial's commands, run: a newcomer who types them sees what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial/first-hour.md"


def commands(text):
    """(command, the output that the page shows) for each `$ ` line in the page's console blocks; `> ` goes on with the line before."""
    found = []
    for line in "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL)).splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif line.startswith(">"):
            found[-1][0] += "\n" + line[2:]
        elif line:
            found[-1][1] += line + "\n"
    return found


def pattern(shown):
    """`…` stands for anything, a line of it for any lines; programs that pad their lines may do so."""
    lines = [r"(.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r" *\n" for line in shown.splitlines()]
    return re.compile("".join(lines) + (r"" if shown.endswith("…\n") else r"\n?"))


def play(lines, folder):
    """The output of each of these commands, all typed into one shell."""
    script = folder / "typed.sh"
    script.write_text("".join(f"{{ {line}\n}} 2>&1\nstatus=$?; echo '<<{number}>>'; (exit $status)\n" for number, line in enumerate(lines)))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OFFDUTY", "XDG"))}
    environ |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        ["bash", script], cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return re.split(r"<<\d+>>\n", done.stdout)[:-1]


def matches(says, was):
    """Whether output is as the page says; where the page says nothing, there is none."""
    return pattern(says).fullmatch(was) is not None


def test_the_first_hour_is_as_told(tmp_path):
    """Every command of the tutorial, in order, prints what stands below it."""
    typed, shown = zip(*commands(PAGE.read_text()), strict=True)
    printed = play(typed, tmp_path)
    assert len(printed) == len(typed)
    steps = zip(typed, shown, printed, strict=True)
    wrong = [f"$ {line}\n{was}--- but the page says\n{says}" for line, says, was in steps if not matches(says, was)]
    assert not wrong, "\n".join(wrong)


COMPARISONS = [
    ("a\n", "a\n", True),
    ("a\n", "b\n", False),
    ("a\n", "a\nb\n", False),
    ("", "a\n", False),
    ("…\nb\n", "x\ny\nb\n", True),
    ("a…c\n", "abc\n", True),
    ("a\n…\n", "a\nb\nc\n", True),
]


@pytest.mark.parametrize("says, was, good", COMPARISONS)
def test_the_comparison_can_fail(says, was, good):
    """`…` forgives only what it stands for."""
    assert matches(says, was) is good
