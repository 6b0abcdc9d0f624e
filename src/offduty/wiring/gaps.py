"""The failures in the store that no row of one's own explains."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from offduty.runs.store import Record, Store
from offduty.triage.decide import decide
from offduty.triage.diagnose import diagnose
from offduty.triage.gaps import Unexplained, unexplained
from offduty.wiring.explain import case_of_run
from offduty.wiring.triage import Duty

FAILED = ("failed", "timed_out", "terminated", "lost")
MOST = 2000


def failed_runs(store: Store, job: str | None, since: str | None) -> list[Record]:
    """The newest failures, drills left out; at most `MOST`."""
    return [run for run in store.runs(job, outcomes=FAILED, since=since, limit=MOST) if run["trigger"] != "drill"]


def find(store: Store, runs: list[Record], duty: Duty, done: Callable[[], None] = lambda: None) -> Iterator[Unexplained]:
    """Those that no row explains, by the table as it is now. `done` is called after each run."""
    for run in runs:
        case = case_of_run(store, run, duty)
        owner = duty.jobs.get(case.job)
        decided = decide(case)
        verdict = diagnose(case, duty.table, duty.teams, duty.owners, duty.dependency_teams, job_owner=owner, decided=decided)
        if verdict.source != "table":
            yield unexplained(run["id"], run["job"], run["started_at"], case, verdict)
        done()
