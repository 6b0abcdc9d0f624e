"""F09 in drills: a kill for want of memory is seen as one, as the kernel's own is; a plain kill is not."""

from __future__ import annotations

import json
import sys

import pytest

CONFIG = """\
[job.hog]
{runs}
[[triage]]
id = "MEM-01"
when = {{ category = "out_of_memory" }}
cause = "The machine is too small."
[[triage]]
id = "KILL-01"
when = {{ signal = 9 }}
cause = "Somebody killed it."
"""
PYTHON = f'command = ["{sys.executable}", "job.py"]'
SHELL = 'shell = "cat feed.csv; sleep 5"'


def drilled(offduty, runs, *words):
    """The one result of a drill."""
    (offduty.home / "offduty.toml").write_text(CONFIG.format(runs=runs))
    (offduty.home / "feed.csv").write_text("1\n")
    (offduty.home / "job.py").write_text("print(open('feed.csv').read())\n")
    done = offduty.started_with([sys.executable, "-m", "offduty", "drill", "hog", "--json", *words], timeout=100)
    answer = json.loads(done.out)
    if answer.get("error", {}).get("code") == "E820":
        pytest.skip("the kernel does not hold a job back here")
    return answer["drills"][0]


@pytest.mark.parametrize("runs, unsafe", [(PYTHON, ()), (SHELL, ("--unsafe",)), (SHELL, ())])
@pytest.mark.parametrize("fault, row", [("oom", "MEM-01"), ("sigkill", "KILL-01")])
def test_a_kill_for_want_of_memory_is_told_from_a_plain_one(offduty, runs, unsafe, fault, row):
    """The supervisor of the drill finds the count that the kernel would have raised: the row about memory wins, and only then."""
    one = drilled(offduty, runs, "--fault", fault, *unsafe)
    assert (one["verdict"]["row"], one["passed"], "memory" in one["what"]) == (row, True, fault == "oom"), one["said"]
