"""What was told is kept when the job is killed, whenever that is."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
JOB = """
import os, sys
sys.path.insert(0, sys.argv[1])
from offduty_probe.capture import ledger as ledgers
from offduty_probe.recorder import Recorder
ledgers.FEW = ledgers.MOST_IN_FULL = 10**9
ledger = ledgers.Ledger(Recorder("events", "token"))
number = 0
while True:
    number += 1
    transaction = ledger.transaction("db.query", "postgresql://dw/sales SELECT stores")
    os.write(1, b"begin %d\\n" % number)
    transaction.done(lambda: {"rows": number})
    os.write(1, b"transaction %d\\n" % number)
"""


@pytest.mark.parametrize("seed", range(8))
def test_what_was_told_before_a_kill_is_in_the_file(seed: int, tmp_path: Path) -> None:
    """F34: SIGKILL at a random moment: each event whose writing had returned is there, whole, and in order."""
    (tmp_path / "job.py").write_text(JOB)
    with (tmp_path / "said").open("wb") as said:
        job = subprocess.Popen([sys.executable, "job.py", str(SOURCE)], cwd=tmp_path, stdout=said)
        while not (tmp_path / "said").stat().st_size:
            time.sleep(0.002)
        time.sleep(random.Random(seed).uniform(0, 0.04))
        job.kill()
        job.wait()
    lines = (tmp_path / "events").read_bytes().split(b"\n")
    told = [f"{event['kind']} {event['n']}" for event in map(msgspec.json.decode, lines[:-1])]
    returned = (tmp_path / "said").read_text().splitlines()
    assert lines[-1] == b""
    assert told[: len(returned)] == returned
    assert len(told) - len(returned) <= 1
