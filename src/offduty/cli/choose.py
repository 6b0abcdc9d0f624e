"""From the words people type to jobs, runs and moments; what does not exist is named, with the nearest that does."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from datetime import datetime

from offduty import durations
from offduty.clock import rfc3339
from offduty.errors import NotThere, UsageError, quoted
from offduty.runs.store import Record, Store

EMPTY = "no runs yet; start one: offduty run -- python my_job.py"
MOST = 10_000


def known_job(name: str, known: Iterable[str]) -> str:
    """`name`, if there is such a job. Raises NotThere E506 with the nearest one."""
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]}?" if near else "`offduty status` lists the jobs" if names else EMPTY
    raise NotThere("E506", f"no job is called {quoted(name)}", fix=fix)


def run_of(store: Store, planned: Iterable[str], word: str | None) -> Record:
    """The run that is meant: the latest of all, the latest of a job, or the one with that id (a part of it). Raises NotThere.

    A run that was skipped printed nothing: it is taken only if there is no other. `planned`: the jobs that are configured.
    """
    jobs = store.jobs()
    if word is None and not jobs:
        raise NotThere("E506", "no runs yet", fix="start one: offduty run -- python my_job.py")
    if word is None or word in jobs:
        return _latest(store, word)
    if is_id(word):
        return store.run(word)
    raise NotThere("E506", f"{known_job(word, {*jobs, *planned})} has not run yet", fix=f"start it: offduty run {word}")


def _latest(store: Store, job: str | None) -> Record:
    ran = store.runs(job, outcomes=RAN, limit=1)
    return (ran or store.runs(job, limit=1))[0]


RAN = ("running", "succeeded", "warned", "failed", "timed_out", "terminated", "lost")


def is_id(word: str) -> bool:
    """Whether `word` could be (a part of) a run's id."""
    return len(word.replace("-", "")) >= 4 and all(c in "0123456789abcdef-" for c in word.lower())


def point_in_time(text: str, now: float) -> str:
    """The moment meant by `7d` (so long ago), `2026-11-20` or `2026-11-20T06:00` (local time), in RFC 3339. Raises UsageError E102."""
    try:
        if "-" in text:
            return rfc3339(datetime.fromisoformat(text).astimezone().timestamp())
        return rfc3339(now - durations.parse(text))
    except (ValueError, OverflowError):
        raise UsageError("E102", f"{quoted(text)} is not a time", fix="write a duration like 7d or 12h, or a day like 2026-11-20") from None


def count(text: str) -> int:
    """A whole number from 1 to 10,000, for --limit. Raises UsageError E112."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST:
        return int(text)
    raise UsageError("E112", f"{quoted(text)} is not a number from 1 to {MOST}")


def line_count(text: str) -> int:
    """A whole number from 0 on, for --tail. Raises UsageError E112."""
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    raise UsageError("E112", f"{quoted(text)} is not a number of lines")


def add_job_option(parser: argparse.ArgumentParser) -> None:
    """`--job NAME`: the way to a job whose name means something else on the command line."""
    parser.add_argument("--job", metavar="JOB", help="the job, if its name could be taken for something else")
