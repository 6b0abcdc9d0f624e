"""What happens around a run besides running it: header, spool, summary, store, retention. Imported when the job is already running."""

from __future__ import annotations

import os

from offduty.runs.spool import Spool
from offduty.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

def make_redactor(world, options, job):
    return None

def run_started(world, options, attempt):
    record = attempt.record
    attempt.log.own(f"offduty {VERSION}  job {record['job']}  run {record['id'][-8:]}")
    Spool(world.places.spool, record["id"]).append("started", record, durable=False)

def chores(world, options, attempt):
    return []

def run_ended(world, options, attempt):
    attempt.log.own("== summary ==")
    attempt.log.own("outcome     " + attempt.record["outcome"])
    Spool(world.places.spool, attempt.record["id"]).append("ended", attempt.record, durable=True)
    for p in attempt.guard.problems: print(p)
