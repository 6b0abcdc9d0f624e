"""Verdicts on what nobody was there to judge: a run that was found lost, and what did not happen at all (missed, overdue, stale, stuck)."""

from __future__ import annotations

import os
import stat
from collections import deque
from typing import TYPE_CHECKING, Any

from offduty.clock import short_id
from offduty.triage.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from offduty.runs.store import Record
    from offduty.triage.verdict import Verdict
    from offduty.wiring.triage import Duty

LOG_BYTES = 256 << 10  # of a lost run's log, its end: what was said last
OUTCOMES = {"stale": "stale_output"}
KINDS = {
    "missed": ("infra_evicted", "platform"), "lost": ("infra_evicted", "platform"), "stuck": ("infra_evicted", "platform"),
    "overdue": ("job_timeout", "data_scientist"), "stale": ("input_missing", "data_scientist"),
}  # fmt: skip
"""The catalogue's category and kind of owner of each absence, for who has no time to read the catalogue."""


def of_event(event: str, job: str, duty: Duty) -> Verdict:
    """What the first row of one's own, or the catalogue, says of an absence (`missed`, `overdue`, `lost`, `stale`, `stuck`)."""
    return duty.verdict(Case(outcome=OUTCOMES.get(event, event), job=job))


def whose(event: str, job: str, duty: Duty) -> Verdict:
    """The same as far as it says whose an absence is, without reading the catalogue: every run plans whom to tell."""
    from offduty.triage.verdict import Verdict

    category, owner = KINDS[event]
    return duty.verdict(Case(outcome=OUTCOMES.get(event, event), job=job), Verdict(category, owner, source="catalogue"))


def of_lost(run: Mapping[str, Any], duty: Duty, logs: str) -> Verdict:
    """What it says of a run that was found lost: by the end of its log, if that lies where logs lie."""
    from offduty.runs.failure import Failure  # like the rest only where something was lost

    lines = tuple(_last_lines(run, logs))
    case = Case(outcome="lost", failure=Failure("lost"), lines=lines, job=str(run["job"]), cwd=str(run["cwd"]))
    return duty.verdict(case)


def judge_lost(duty: Callable[[], Duty], logs: str) -> Callable[[Record], Mapping[str, Any]]:
    """What the summary of a run that is found lost says by triage: `triage`, `do`, `verdict`. `duty` is asked when there is one."""
    known: deque[Duty] = deque(maxlen=1)

    def judge(run: Record) -> Mapping[str, Any]:
        from offduty.wiring.triage import line

        try:
            if not known:
                known.append(duty())
            verdict = of_lost(run, known[0], logs)
        except Exception as error:  # noqa: BLE001 - that it is lost has to be recorded, whatever is wrong with what explains it
            return {"notes": [f"it was not explained: {type(error).__name__}: {error}"]}
        return {"triage": line(verdict, short_id(run["id"]), known[0]), "do": list(verdict.steps), "verdict": verdict.as_json()}

    return judge


def _last_lines(run: Mapping[str, Any], logs: str) -> list[str]:
    """A record is data, and data does not choose what is read: the log must be a plain file in the folder of its job."""
    from offduty.triage.inputs import of_bytes

    folder, _, name = str(run["log"] or "").rpartition("/")
    if not name or folder != f"{logs}/{run['job']}":
        return []
    try:
        fd = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return []
            head = file.readline(LOG_BYTES)  # tells that offduty wrote it
            begin = file.seek(max(status.st_size - LOG_BYTES, len(head)))
            end = file.read(LOG_BYTES)
    except OSError:
        return []
    return of_bytes(name, head + (end if begin == len(head) else end[end.find(b"\n") + 1 :])).text.split("\n")
