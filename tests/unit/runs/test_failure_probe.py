"""From a real Python process with the real probe to the failure: what is printed and what is recorded must tell the same story."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import offduty_probe
from offduty.runs.failure import find_failure
from offduty.transactions.events import read_events

JOBS = {
    "exception": ("def go():\n    return {}['region']\n\n\ngo()\n", ("exception", "KeyError", "'region'", "job.py:2 in go")),
    "library frames": ("import json\njson.loads('{')\n", ("exception", "json.decoder.JSONDecodeError", None, "job.py:2")),
    "sys.exit with a message": (
        "import sys\n\n\ndef go():\n    sys.exit('no data for today')\n\n\ngo()\n",
        ("exit", "SystemExit", "no data for today", "job.py:5 in go"),
    ),
    "logged, then a bare sys.exit": (
        "import logging, sys\ntry:\n    open('/nowhere/x')\nexcept OSError:\n    logging.exception('no sales')\n    sys.exit(1)\n",
        ("exit", "FileNotFoundError", "[Errno 2] No such file or directory: '/nowhere/x'", "job.py:3"),
    ),
    "in a worker": (
        (
            "import multiprocessing\n\n\ndef work(i):\n    return 10 // i\n\n\nif __name__ == '__main__':\n"
            "    with multiprocessing.Pool(2) as pool:\n        pool.map(work, [2, 1, 0])\n"
        ),
        ("exception", "ZeroDivisionError", None, "job.py:5 in work"),
    ),
    "a thread's first": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\nraise KeyError('main')\n",
        ("exception", "KeyError", "'main'", "job.py:5"),
    ),
    "group": (
        "raise ExceptionGroup('2 feeds', [ValueError('feed 1 empty'), OSError('feed 2 gone')])\n",
        ("exception", "ValueError", "feed 1 empty", "job.py:1"),
    ),
    "cause": (
        "try:\n    open('/nowhere/x')\nexcept OSError as e:\n    raise RuntimeError('no features') from e\n",
        ("exception", "FileNotFoundError", "[Errno 2] No such file or directory: '/nowhere/x'", "job.py:2"),
    ),
}


@pytest.mark.parametrize("name", JOBS)
def test_the_probe_and_the_output_tell_the_same(name, tmp_path):
    """The record is the better evidence; where there is none (`python -I`), the output must do."""
    script, expected = JOBS[name]
    (tmp_path / "job.py").write_text(script)
    events = tmp_path / "events.jsonl"
    probe = os.path.join(os.path.dirname(offduty_probe.__file__), "path")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": probe, "OFFDUTY_EVENTS": str(events), "OFFDUTY_TOKEN": "t0ken"}
    done = subprocess.run([sys.executable, tmp_path / "job.py"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path, env=env)
    seen = read_events(str(events), "t0ken")
    assert (seen.protocol_errors, seen.unknown, seen.dropped) == (0, 0, 0)
    found = find_failure(outcome="failed", exit_code=done.returncode, events=seen.events, tail=done.stdout, cwd=str(tmp_path))
    assert found.source == "probe"
    assert (
        tuple(a if b is not None else b for a, b in zip((found.kind, found.type, found.message, found.where), expected, strict=True))
        == expected
    )
    if name not in ("sys.exit with a message", "logged, then a bare sys.exit"):
        printed = find_failure(outcome="failed", exit_code=done.returncode, tail=done.stdout, cwd=str(tmp_path))
        assert (printed.type, printed.message, printed.where) == (found.type, found.message, found.where)
