"""What happens around a run besides running it: its beginning, chores, and its end. Loaded when the job is already running."""

from __future__ import annotations

import os

from offduty.clock import short_id
from offduty.runs import closing
from offduty.runs.attempts import log_folders
from offduty.runs.record import shown
from offduty.runs.spool import Spool
from offduty.runs.supervise import Guard
from offduty.wiring import concern, keeping, saying, screen, summing
from offduty.wiring.account import EXPLAINED, Account
from offduty.wiring.deadline import Deadline
from offduty.wiring.means import Means

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from offduty.runs.attempts import Attempt, World
    from offduty.runs.job import Job
    from offduty.runs.record import Record
    from offduty.secrets import Redactor

PLANNED, GATHERED, TOLD = 0.4, 0.7, 1.0  # shares of the end's time (Deadline); `account`, `explaining`, `keeping`, `concern` have others
SHORTEST_SECRET = 6  # characters: offduty.secrets masks nothing shorter


class Keeper:
    """Keeps the books of the runs of one command."""

    def __init__(self, world: World, options: Mapping[str, Any]) -> None:
        self._world, self._means = world, Means(world, options)
        self._account: Account | None = None

    def redactor(self, job: Job) -> Redactor | None:
        """What masks the job's secrets in its log; None if the job wants none."""
        return self._means.redactor(job)

    def _account_of(self, attempt: Attempt) -> Account:
        if self._account is None or self._account.attempt is not attempt:
            self._account = Account(attempt, self._means)
        return self._account

    # Its beginning

    def started(self, attempt: Attempt) -> None:
        """The job runs: head of the log, first record."""
        attempt.guard("record command", self._redact_record, attempt.record, attempt.job)
        for line in saying.head(attempt):
            attempt.log.own(line)
        attempt.guard("spool", keeping.spool, self._account_of(attempt), "started")
        attempt.guard("remember configuration", self._remember, attempt.job)

    def _redact_record(self, record: Record, job: Job) -> None:
        """Arguments may hold secrets; short ones cannot, and a run of such a command need not wait for the redactor to be loaded.

        Until this is done, and if it fails, the record names the program alone.
        """
        command = [shown(word) for word in job.command]
        redactor = self.redactor(job) if any(len(word) >= SHORTEST_SECRET for word in command[1:]) else None
        record["command"] = redactor.argv(command) if redactor else command

    def _remember(self, job: Job) -> None:
        """What had to be parsed to start this job, for the next time."""
        if job.remember is not None:
            try:
                job.remember(self._world.environ)
            except OSError:
                pass  # then it is parsed again
            job.remember = None

    def skipped(self, job: Job, record: Record, holder: str) -> None:
        """The run did not start because another one is going on."""
        record["summary"] = {**keeping.NO_SUMMARY, "what": f"run {short_id(holder)} is still going"}
        Guard()("record command", self._redact_record, record, job)
        try:
            Spool(self._world.places.spool, record["id"]).append("ended", record, durable=True)
        except OSError:
            pass
        if not self._means.options.get("quiet"):
            screen.say(f"E901 skipped: {job.name} is running already: run {short_id(holder)}; wait for it, or use --overlap queue")

    # While it runs

    def chores(self, attempt: Attempt) -> list[tuple[str, Callable[[], object]]]:
        """Work that can be done while the job runs, in pieces of a few milliseconds."""
        from offduty.wiring.chores import chores_of

        return chores_of(self._account_of(attempt))

    # Its end

    def ended(self, attempt: Attempt) -> None:
        """The job has ended: summary into the log and onto the screen, last record."""
        account, guard, log = self._account_of(attempt), attempt.guard, attempt.log
        if attempt.refusal is not None:  # the record of a job that never started was not begun
            guard("record command", self._redact_record, attempt.record, attempt.job)
        deadline = account.deadline = Deadline(self._world.clock, attempt.ended.ended)
        guard("join log", log.join)
        guard("find log", self._find_log, attempt)
        account.tell = deadline.within(PLANNED, guard, "whom to tell", concern.at_end, account)
        guard("spool exit", keeping.spool_exit, account)
        made = deadline.within(EXPLAINED, guard, "summary", summing.summarise, account)
        *block, last = made if isinstance(made, list) else summing.minimal(account)
        for line in block:  # all but its last line, so that whatever happens while people are told, the log has it
            log.own(line)
        kept = self._keep(account)
        told = deadline.within(TOLD, guard, "tell", concern.lines, account)
        untold = [closing.line("told", concern.NOT_TOLD)] if attempt.job.tells else []
        ending = [*(told if isinstance(told, list) else untold), last]
        for line in ending:
            log.own(line)
        guard("internal errors", saying.keep_problems, account)
        guard("screen", saying.show, account, [*block, *ending], kept)
        if kept:
            guard("events", _forget_events, attempt)
        guard("last beat", account.end_beat)

    @staticmethod
    def _keep(account: Account) -> bool:
        """The end of the run into the spool, and from there into the store; whether it is kept."""
        deadline, guard = account.deadline, account.attempt.guard
        parts = deadline.within(GATHERED, guard, "gather", keeping.parts, account)
        kept = guard("spool", keeping.spool, account, "ended", parts or {"tell": account.tell})
        if not deadline.within(keeping.STORED, guard, "store", keeping.store, account) and kept:
            guard("spool", keeping.sync, account)
        return bool(kept)

    def _find_log(self, attempt: Attempt) -> None:
        """If somebody removed the log while the job ran, write it again where logs go by default."""
        log = attempt.log
        if log.is_gone():
            attempt.notes.append(f"the log was removed while the job ran: {log.path}")
            log.move_to_first(log_folders(attempt.job, self._world))
        attempt.record["log"] = log.path


def _forget_events(attempt: Attempt) -> None:
    """What the probe wrote is in the record now, with the secrets masked; its own file is not masked and goes."""
    if attempt.events and os.path.lexists(attempt.events):
        os.unlink(attempt.events)
