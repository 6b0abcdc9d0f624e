"""Triage of runs: the table of the configuration, the case that a run's end makes, and its verdict in the summary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from offduty.errors import OffdutyError
from offduty.runs.failure import Failure
from offduty.transactions.change import Change
from offduty.transactions.dependency import Dependency, dependencies_of, from_settings
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.diagnose import diagnose
from offduty.triage.table import Table
from offduty.triage.tablefile import Stamp, stamp
from offduty.triage.verdict import UNKNOWN, Verdict, from_json
from offduty.wiring.bounded import TookTooLong, within

if TYPE_CHECKING:
    from offduty.settings.load import Settings

TIME = 1.0  # seconds for a verdict: the run command is gone two seconds after the job
JUDGED = ("failed", "warned", "timed_out", "terminated", "lost")
TITLE_CHARS = 160
TOO_LATE = "not explained in time"


@dataclass(frozen=True)
class Duty:
    """What a configuration says about whose a failure is. `teams`: how each is reached; `titles`: how each is called; `jobs`: their owners.

    `dependency_teams`: who runs each dependency. `stamps`: the files it was read from, as they were then.
    """

    table: Table = field(default_factory=Table)
    teams: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    dependency_teams: Mapping[str, str | None] = field(default_factory=dict)
    jobs: Mapping[str, str | None] = field(default_factory=dict)
    stamps: Mapping[str, Stamp | None] = field(default_factory=dict)

    def edited(self) -> str | None:
        """A file that is not as it was when it was read, if there is one."""
        return next((path for path, was in self.stamps.items() if stamp(path) != was), None)

    def verdict(self, case: Case, decided: Verdict | None = None) -> Verdict:
        """The verdict on a case. `decided`: the catalogue's, where it is known already."""
        return diagnose(
            case, self.table, self.teams, self.owners, self.dependency_teams, job_owner=self.jobs.get(case.job), decided=decided
        )  # fmt: skip


def duty_of(settings: Settings, *, places: bool = False) -> Duty:
    """What counts for triage in a configuration. `places`: with the line of each row."""
    from offduty.settings import triage

    stamps = {path: stamp(path) for path in triage.watched(settings)}  # before it is read: an edit in between is an edit
    return Duty(
        triage.table_of(settings, places=places),
        {name: team.contact for name, team in settings.teams.items()},
        {name: team.title for name, team in settings.teams.items() if team.title},
        settings.owners,
        tuple(from_settings(settings.dependencies)),
        {name: one.team for name, one in settings.dependencies.items()},
        {name: job.owner for name, job in settings.jobs.items()},
        stamps,
    )


def duty_here(start: str, environ: Mapping[str, str], config: str | None) -> Duty:
    """What counts for someone in the folder `start`; nothing where the configuration cannot be used."""
    from offduty.settings import files

    try:
        if not files.find(start, environ, config):
            return Duty()
        from offduty.settings.load import load

        return duty_of(load(start, environ, config=config))
    except OffdutyError:
        return Duty()


def case_of(
    record: Mapping[str, Any],
    failure: Failure | None,
    lines: Iterable[str],
    *,
    transactions: Sequence[Transaction] = (),
    checks: Iterable[Mapping[str, Any]] = (),
    changes: Iterable[Change] = (),
    oom: bool | None = None,
    dependencies: Sequence[Dependency] = (),
) -> Case:
    """The case of a run that has ended."""
    return Case(
        record["outcome"], record["exit_code"], record["signal"], failure, tuple(lines), tuple(transactions), tuple(checks), tuple(changes),
        dependencies_of(transactions, dependencies, record["cwd"]), oom, record["job"], record["cwd"],
    )  # fmt: skip


class Triage:
    """The triage of the runs of one command: the table as it was when the job started, or while it ran."""

    def __init__(self, environ: Mapping[str, str], config: str | None) -> None:
        self._environ, self._config = environ, config
        self._duty: Duty | None = None

    def read(self, start: str, settings: Settings | None = None) -> Duty:
        """Read the table for a job that runs in the folder `start`. `settings`: what is configured there, if that is known already."""
        self._duty = duty_of(settings) if settings is not None else duty_here(start, self._environ, self._config)
        self._duty.table.possible(b"")
        return self._duty

    def duty(self, start: str, settings: Settings | None = None) -> Duty:
        """What the configuration says, as it was read for this run."""
        return self._duty or self.read(start, settings)

    def end(self, case: Case, start: str, run: str, seconds: float = TIME) -> dict[str, Any]:
        """What a summary says by triage: `triage`, `do`, `verdict`, `notes`. Raises DidNotFinish for a fault of ours."""
        duty = self._duty or self.read(start)
        verdict = judge(duty, case, min(seconds, TIME))
        path = duty.edited()
        notes = [f"{os.path.basename(path)} was edited while the job ran: triage went by the table as it was"] if path else []
        if flaws := len(duty.table.flaws):
            notes.append(f"{flaws} mistake{'s' * (flaws > 1)} in the triage table, whose rows are left out: `offduty triage check`")
        if is_empty(verdict, case.outcome):
            return {"notes": notes}
        return {"triage": line(verdict, run, duty), "do": verdict.steps, "verdict": verdict.as_json(), "notes": notes}


def lines_of(output: bytes) -> list[str]:
    """The job's own last lines."""
    return output.decode("utf-8", "backslashreplace").split("\n")


def judge(duty: Duty, case: Case, seconds: float = TIME) -> Verdict:
    """The verdict on a run that has ended, within its time. A run that was only warned of and that nothing explains has an empty one.

    Raises DidNotFinish for a fault of ours.
    """
    try:
        return from_json(within(seconds, lambda: duty.verdict(case).as_json()))
    except TookTooLong as error:
        owner = duty.jobs.get(case.job)
        said = Verdict(team=owner, contact=duty.teams.get(owner or "", ""), evidence=(f"triage was {error}, and was left",))
        return replace(said, title=TOO_LATE)


def is_judged(outcome: str) -> bool:
    """Whether a run that ended so gets a verdict."""
    return outcome in JUDGED


def is_empty(verdict: Verdict, outcome: str) -> bool:
    """A warning that nothing explains is left as it is."""
    return outcome == "warned" and verdict.source == UNKNOWN


def line(verdict: Verdict, run: str, duty: Duty) -> str:
    """`FEED-02 “The sales feed changed shape”     team Data Platform · #data-platform, ext. 4411`: the summary's line."""
    said = _said(verdict, run)
    whose = duty.titles.get(verdict.team or "", verdict.team)
    reached = f" · {' '.join(verdict.contact.split())}" if verdict.contact else ""
    return f"{said}     team {whose}{reached}" if whose else said


def _said(verdict: Verdict, run: str) -> str:
    if verdict.title == TOO_LATE:
        return f"{TOO_LATE}; `offduty triage why {run}` takes as long as it takes"
    if verdict.source == UNKNOWN:
        return f"unknown: no row explains it; `offduty triage why {run}` shows the row to add"
    told = " ".join((verdict.title or verdict.cause).split())
    cause = " ".join(verdict.cause.split()) if verdict.title and verdict.title != verdict.cause else ""
    shown = f"“{told[:TITLE_CHARS]}{'…' * (len(told) > TITLE_CHARS)}”" if told else ""
    sure = "" if verdict.source == "table" else f" ({verdict.confidence} confidence)"
    return f"{verdict.row or verdict.category} {shown}{': ' + cause if cause else ''}{sure}".strip()
