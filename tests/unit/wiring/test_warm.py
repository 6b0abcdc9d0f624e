"""What is imported while a job runs is there to be imported, the deeper first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from offduty.wiring import warm


@pytest.mark.parametrize("names", [warm.EVERY_END, warm.TOLD_END, warm.TRIAGE, warm.TOLD_OF])
def test_every_module_is_there(names):
    """A module that was renamed would be a mistake of ours in every run."""
    done = [chore() for _, chore in warm.imports("warm", names)]
    assert [module.__name__.partition(".")[0] for module in done] == [name.partition(".")[0] for name in names]


def test_no_chore_imports_what_a_later_one_would():
    """Else one of them would be long, and the job's output would wait for it."""
    names = (*warm.EVERY_END, *warm.TOLD_END, *warm.TRIAGE, *warm.TOLD_OF)
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
import offduty.wiring.runs
for name in {names!r}:
    assert name not in sys.modules, name
    __import__(name)
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
