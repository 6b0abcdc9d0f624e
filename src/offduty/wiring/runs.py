"""What happens around a run besides running it: header, record, summary, store, retention. Loaded when the job is already running."""

from __future__ import annotations

import gc
import os

from offduty import places as default_places
from offduty.clock import rfc3339, short_id
from offduty.durations import spoken
from offduty.runs import closing
from offduty.runs.attempts import log_folders
from offduty.runs.logfile import ERR, OUT
from offduty.runs.record import has_died, shown
from offduty.runs.spool import Spool
from offduty.runs.supervise import REPEAT, Guard
from offduty.version import VERSION
from offduty.wiring import screen, warm
from offduty.wiring.deadline import Deadline
from offduty.wiring.probed import has_events, probe_notes
from offduty.wiring.storing import SHORTEST_WAIT, StoreAtHand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from offduty.runs.attempts import Attempt, World
    from offduty.runs.beat import Beat
    from offduty.runs.failure import Failure
    from offduty.runs.job import Job
    from offduty.runs.record import Record
    from offduty.secrets import Redactor
    from offduty.settings.load import Settings
    from offduty.transactions.change import Change
    from offduty.transactions.check import Check
    from offduty.transactions.silent import Past
    from offduty.transactions.transaction import Transaction
    from offduty.wiring.compare import Compared
    from offduty.wiring.evidence import Evidence
    from offduty.wiring.notices import Notices
    from offduty.wiring.origin import Origin
    from offduty.wiring.past import GoodRuns
    from offduty.wiring.quality import Expected
    from offduty.wiring.triage import Triage

MOST_TOLD = 20  # lines of the summary about who was told
PLANNED, JUDGED, EXPLAINED, GATHERED, STORED, DELIVERED, TOLD = 0.4, 0.5, 0.6, 0.7, 0.85, 0.95, 1.0  # shares of the end's time (Deadline)
SHORTEST_SECRET = 6  # characters: offduty.secrets masks nothing shorter
NOT_TOLD = "there was no time to say who was told; what is owed goes out with the next run, or by `offduty deliver`"
NOT_TAKEN_IN = "nobody yet: the store is away; what is owed goes out once it has this run"
NOT_FINISHED = "offduty was killed after the job had ended: nothing more is known about this run"
LEFT_OUT = {"good runs": "not compared with good runs", "comparison": "not compared with good runs", "triage": "not judged by triage"}
NO_SUMMARY: dict[str, object] = {
    "what": None, "where": None, "because": None, "triage": None, "do": [], "changed": None, "checks": None, "metrics": None, "told": None,
    "notes": [], "warnings": [], "failure": None, "verdict": None, "changes": [],
}  # fmt: skip


class Keeper:
    """Keeps the books of the runs of one command."""

    def __init__(self, world: World, options: Mapping[str, Any]) -> None:
        self.world, self.options = world, options
        self._redactor: Redactor | None = None
        self._store = StoreAtHand(world)
        self._evidence: tuple[Attempt, Evidence] | None = None
        self._expected: Expected | None = None
        self._origin: tuple[Attempt, Origin] | None = None
        self._held_triage: Triage | None = None
        self._held_notices: tuple[Attempt, Notices] | None = None
        self._settings: tuple[Attempt, Settings | None] | None = None
        self._past: tuple[Attempt, GoodRuns] | None = None
        self._deadline = Deadline(world.clock, 0.0)
        self._remarks: list[str] = []
        self._tell_of_end: dict[str, Any] | None = None
        self._beat: tuple[Attempt, Beat] | None = None
        self._is_taken_in = False

    def redactor(self, job: Job) -> Redactor | None:
        """What masks the job's secrets in its log; None if the job wants none."""
        if not job.redact:
            return None
        if self._redactor is None:
            from offduty.secrets.redactor import Redactor

            self._redactor = Redactor({**self.world.environ, **job.env}, names=job.secrets)
        return self._redactor

    def started(self, attempt: Attempt) -> None:
        """The job runs: head of the log, first record."""
        attempt.guard("record command", self._redact_record, attempt.record, attempt.job)
        record, log = attempt.record, attempt.log
        log.own(
            f"offduty {VERSION}  job {record['job']}  run {short_id(record['id'])}  {record['trigger']} {record['started_at'][11:16]}"
            f"  host {closing.escaped(record['host'])}  {record['started_at'][:10]} (times UTC)"
        )
        log.own(f"command  {closing.escaped(' '.join(map(shell_word, record['command'])))}     cwd {closing.escaped(record['cwd'])}")
        attempt.guard("spool", self._spool, attempt, "started")
        attempt.guard("remember configuration", self._remember, attempt.job)

    def _remember(self, job: Job) -> None:
        """What had to be parsed to start this job, for the next time."""
        if job.remember is not None:
            try:
                job.remember(self.world.environ)
            except OSError:
                pass  # then it is parsed again
            job.remember = None

    def chores(self, attempt: Attempt) -> list[tuple[str, Callable[[], object]]]:
        """Work that can be done while the job runs, in pieces of a few milliseconds."""
        job = attempt.job
        table = [*warm.imports("warm triage", warm.TRIAGE), ("triage table", lambda: self._read_table(attempt))]
        return [
            ("count oom kills", lambda: self._count_oom_kills(attempt)),
            ("look at the configuration", lambda: self._note_degraded(attempt)),
            *warm.imports("warm comparison", warm.EVERY_END),
            ("what it is made of", lambda: self._origin_of(attempt).code),
            ("warm store", lambda: self._if_store_is_there(self._store.warm)),
            *(table if job.configured else ()),
            ("whom to tell", lambda: self._if_store_is_there(self._plan, attempt)),
            ("begin store", lambda: self._if_store_is_there(self._store.begin, attempt.record["id"], attempt.guard)),
            *warm.imports("warm summary", warm.TOLD_END),
            ("retention", lambda: self._if_store_is_there(self._store.retain, job)),
            *(() if job.configured else table),
            *warm.imports("warm explanation", warm.TOLD_OF if job.tells else ()),
            ("warm the end", lambda: self._warm_end(attempt)),
            ("garbage collection", _collect_garbage),
            ("follow events", lambda: self._follow_events(attempt)),
        ]

    def ended(self, attempt: Attempt) -> None:
        """The job has ended: summary into the log and onto the screen, last record."""
        guard, log = attempt.guard, attempt.log
        if attempt.refusal is not None:  # the record of a job that never started was not begun
            guard("record command", self._redact_record, attempt.record, attempt.job)
        deadline = self._deadline = Deadline(self.world.clock, attempt.ended.ended)
        self._remarks, self._is_taken_in = [], False
        guard("join log", log.join)
        guard("find log", self._find_log, attempt)
        self._tell_of_end = deadline.within(PLANNED, guard, "whom to tell", self._tell_at_end, attempt)
        guard("spool exit", self._spool_exit, attempt)
        made = deadline.within(EXPLAINED, guard, "summary", self._summarise, attempt)
        *block, last = made if isinstance(made, list) else self._minimal(attempt)
        for line in block:  # all but its last line, so that whatever happens while people are told, the log has it
            log.own(line)
        parts = deadline.within(GATHERED, guard, "gather", self._parts, attempt)
        kept = guard("spool", self._spool, attempt, "ended", parts or {"tell": self._tell_of_end})
        if not deadline.within(STORED, guard, "store", self._store_at_end, attempt) and kept:
            guard("spool", self._sync, attempt)
        told = deadline.within(TOLD, guard, "tell", self._tell, attempt)
        untold = [closing.line("told", NOT_TOLD)] if attempt.job.tells else []
        ending = [*(told if isinstance(told, list) else untold), last]
        for line in ending:
            log.own(line)
        guard("internal errors", self._keep_problems, attempt)
        guard("screen", self._show, attempt, [*block, *ending], bool(kept))
        if kept:
            guard("events", self._forget_events, attempt)
        if self._beat is not None and self._beat[0] is attempt:
            guard("last beat", self._beat[1].end)

    def skipped(self, job: Job, record: Record, holder: str) -> None:
        """The run did not start because another one is going on."""
        record["summary"] = {**NO_SUMMARY, "what": f"run {short_id(holder)} is still going"}
        Guard()("record command", self._redact_record, record, job)
        try:
            Spool(self.world.places.spool, record["id"]).append("ended", record, durable=True)
        except OSError:
            pass
        if not self.options.get("quiet"):
            screen.say(f"E901 skipped: {job.name} is running already: run {short_id(holder)}; wait for it, or use --overlap queue")

    def _redact_record(self, record: Record, job: Job) -> None:
        """Arguments may hold secrets; short ones cannot, and a run of such a command need not wait for the redactor to be loaded.

        Until this is done, and if it fails, the record names the program alone.
        """
        command = [shown(word) for word in job.command]
        redactor = self.redactor(job) if any(len(word) >= SHORTEST_SECRET for word in command[1:]) else None
        record["command"] = redactor.argv(command) if redactor else command

    def _spool(self, attempt: Attempt, kind: str, parts: Mapping[str, Any] | None = None) -> bool:
        """Write the record; the end of a run is on the disk when this returns, unless the store is at hand, which will take it there."""
        spool = Spool(self.world.places.spool, attempt.record["id"])
        spool.append(kind, attempt.record, durable=kind == "ended" and not self._store.is_warm, **(parts or {}))
        return True

    def _spool_exit(self, attempt: Attempt) -> None:
        """How the job ended, before the first thing that takes time: should this process be killed in the midst of it, that is known."""
        known = {**attempt.record, "summary": {**NO_SUMMARY, "notes": [NOT_FINISHED]}}
        try:
            Spool(self.world.places.spool, attempt.record["id"]).append("exited", known, durable=False, tell=self._tell_of_end)
        except OSError:
            pass  # nothing is lost yet: what comes at the end may still find its place

    def _sync(self, attempt: Attempt) -> None:
        """The store did not take the end of the run: the spool keeps it, on the disk."""
        if self._store.is_warm:
            try:
                Spool(self.world.places.spool, attempt.record["id"]).sync()
            except FileNotFoundError:
                pass  # somebody else has taken it in

    def _parts(self, attempt: Attempt) -> dict[str, object]:
        """What goes with the record of a run that has ended, where there is any of it."""
        evidence = self._evidence[1] if self._evidence is not None and self._evidence[0] is attempt else None
        if evidence is None:
            known = self._is_looked_at(attempt)
            return {
                "fingerprint": attempt.guard("fingerprint", self._made_of, attempt, None) if known else None,
                "tell": attempt.guard("whom to tell", self._tell_at_end, attempt) or self._tell_of_end,
            }
        from offduty.wiring.findings import spooled_ledger

        checks = [one.as_json() for one in evidence.checks.entries]
        return {
            "transactions": spooled_ledger(evidence.ledger.entries), "checks": checks, "metrics": evidence.metrics.entries,
            "fingerprint": attempt.guard("fingerprint", self._made_of, attempt, evidence),
            "tell": attempt.guard("whom to tell", self._tell_at_end, attempt) or self._tell_of_end,
        }  # fmt: skip

    @staticmethod
    def _count_oom_kills(attempt: Attempt) -> None:
        from offduty.runs import oom

        attempt.oom_before = oom.kills()

    def _note_degraded(self, attempt: Attempt) -> None:
        """A configured job runs although other parts of its configuration are broken; that is said in its summary."""
        settings = self._settings_of(attempt)
        if settings is not None and (wrong := [*settings.degraded, *settings.warnings]):
            more = f" (and {len(wrong) - 1} more: offduty check)" if len(wrong) > 1 else ""
            attempt.notes.append(f"configuration: {wrong[0].as_error()}{more}")

    def _settings_of(self, attempt: Attempt) -> Settings | None:
        """What is configured, read once an attempt for all who ask; None where nothing is, and where it cannot be used."""
        if self._settings is None or self._settings[0] is not attempt:
            self._settings = (attempt, self._load(attempt) if attempt.job.configured else None)
        return self._settings[1]

    def _load(self, attempt: Attempt) -> Settings | None:
        from offduty.errors import OffdutyError
        from offduty.settings.load import load

        try:
            return load(attempt.job.start, self.world.environ, config=self.options.get("config"))
        except OffdutyError as error:  # somebody is editing it: the run goes on without
            attempt.notes.append(f"configuration: {error}")
            return None

    def _notices(self, attempt: Attempt) -> Notices | None:
        """Who is told of this job's runs; None for a command that nobody configured."""
        if self._held_notices is None or self._held_notices[0] is not attempt:
            settings = self._settings_of(attempt)
            if settings is None or attempt.job.name not in settings.jobs:
                return None
            from offduty.wiring.notices import Notices

            duty = self._triage().duty(attempt.job.start, settings)
            self._held_notices = (attempt, Notices(settings, attempt.job.name, duty, self._store.another, self.world.clock))
        return self._held_notices[1]

    def _plan(self, attempt: Attempt) -> None:
        """While the job runs: whom its end, or its absence, will concern, should this process never get to say so."""
        notices = self._notices(attempt)
        if notices is None:
            return
        tell = notices.plan()
        notices.watch(self._store.opened(), tell)
        if tell is not None:
            Spool(self.world.places.spool, attempt.record["id"]).append("started", attempt.record, durable=False, tell=tell)
            self._store.take(attempt.record["id"], attempt.job)
            notices.deliver_beside(attempt.record["id"])

    def _warm_end(self, attempt: Attempt) -> None:
        """What telling people will take: they should not wait for it."""
        if attempt.job.tells and (notices := self._notices(attempt)) is not None:
            notices.warm()

    def _tell_at_end(self, attempt: Attempt) -> dict[str, Any] | None:
        """Whom this end concerns, by its verdict. A failure opens an incident also where no channel could tell anybody of it."""
        notices = self._notices(attempt) if attempt.job.tells or attempt.record["outcome"] != "succeeded" else None
        verdict = (attempt.record["summary"] or {}).get("verdict")
        final = attempt.retry_in is None
        return notices.plan(verdict=verdict, outcome=attempt.record["outcome"], final=final) if notices is not None else None

    def _tell(self, attempt: Attempt) -> list[str]:
        """Deliver what is owed while there is time; the summary's lines about it. What is left waits in the outbox."""
        notices = self._notices(attempt) if attempt.job.tells else None
        if notices is None:
            return []
        if not self._is_taken_in:
            return [closing.line("told", NOT_TAKEN_IN)] if self._tell_of_end else []
        told = notices.deliver(self._store.opened(self._deadline.left()), attempt.record["id"], max(0.1, self._deadline.left(DELIVERED)))
        from offduty.runs.summary import wrapped

        return [line for number, entry in enumerate(told[:MOST_TOLD]) for line in wrapped("" if number else "told", entry, closing.WIDTH)]

    def _store_at_end(self, attempt: Attempt) -> bool:
        """Whether the store has the end of the run; one that people are told of should be there when they are."""
        wait = max(SHORTEST_WAIT, self._deadline.left(STORED) - SHORTEST_WAIT)  # over before the alarm
        if attempt.job.tells:
            self._if_store_is_there(self._store.warm, wait)
        self._is_taken_in = self._store.take(attempt.record["id"], attempt.job, wait)
        return self._is_taken_in

    def _find_log(self, attempt: Attempt) -> None:
        """If somebody removed the log while the job ran, write it again where logs go by default."""
        log = attempt.log
        if log.is_gone():
            attempt.notes.append(f"the log was removed while the job ran: {log.path}")
            log.move_to_first(log_folders(attempt.job, self.world))
        attempt.record["log"] = log.path

    def _summarise(self, attempt: Attempt) -> list[str]:
        """The closing block, and the `summary` of the record. A success with nothing to tell imports nothing for it."""
        notes = self._notes(attempt)
        record = attempt.record
        if record["outcome"] == "succeeded" and not has_events(attempt):
            notes = [*self._doubts(attempt, None), *notes]
            if record["outcome"] == "succeeded":
                notes += self._said_of_ourselves(attempt)
                record["summary"] = {**NO_SUMMARY, "notes": notes}
                return closing.success(record, notes)
        from offduty.runs import summary
        from offduty.transactions.check import metrics_in_words
        from offduty.transactions.ledger import struck

        evidence = self._evidence_of(attempt)
        for one in evidence.rest():
            self._log_seen(attempt, one)
        attempt.guard("code", self._tell_origin, attempt)
        if has_events(attempt):
            notes = [*self._doubts(attempt, evidence), *notes]
        notes += probe_notes(attempt, evidence.events)
        if left_out := evidence.ledger.left_out:
            notes.append(f"{closing.grouped(left_out)} transactions were too many to be kept, and were left out")
        strict = self._be_strict(attempt, notes)
        failure = strict or self._find_failure(attempt, evidence)
        compared = self._compared(attempt, evidence)
        explained = self._explained(attempt, compared, None if strict else failure)
        where = None
        if failure is not None and strict is None:
            before = compared.usual.last_size if compared else None
            where = struck(evidence.ledger.entries, failure.links, died=has_died(record), before=before, cwd=record["cwd"])
        triage = self._triaged(attempt, evidence, failure, explained.get("changes", ()))
        notes += [*triage.pop("notes", ()), *self._said_of_ourselves(attempt)]
        problems = [event for event in evidence.events if event["kind"] == "problem"]
        folded = summary.fold(
            failure, problems, warnings=evidence.warnings, notes=notes, where=where,
            **triage, **explained, protocol_errors=evidence.protocol_errors, dropped=evidence.dropped, checks=evidence.checks.in_words(),
            metrics=metrics_in_words(evidence.metrics.entries, self._expected.good_enough if self._expected else {}),
        )  # fmt: skip
        record["summary"] = folded.as_json()
        return summary.render(folded, record, limit_s=attempt.job.max_duration)

    def _made_of(self, attempt: Attempt, evidence: Evidence | None) -> dict[str, Any]:
        return self._origin_of(attempt).fingerprint(evidence)

    def _origin_of(self, attempt: Attempt) -> Origin:
        if self._origin is None or self._origin[0] is not attempt:
            from offduty.wiring.origin import Origin

            self._origin = (attempt, Origin(attempt, self.world.environ))
        return self._origin[1]

    def _is_looked_at(self, attempt: Attempt) -> bool:
        return self._origin is not None and self._origin[0] is attempt and self._origin[1].is_looked_at

    def _tell_origin(self, attempt: Attempt) -> None:
        """Code and Python into the log, once, when both are known."""
        made_of = self._origin_of(attempt)
        if not made_of.told and (line := made_of.line(self._evidence_of(attempt))):
            attempt.log.own(closing.escaped(line))
        made_of.told = True

    def _compared(self, attempt: Attempt, evidence: Evidence) -> Compared | None:
        """This run beside good ones; not where it went as it should, for then nobody asks."""
        from offduty.wiring.compare import Compared

        made = self._if_time(attempt, "comparison", self._compare, attempt, evidence) if attempt.record["outcome"] != "succeeded" else None
        return made if isinstance(made, Compared) else None

    @staticmethod
    def _explained(attempt: Attempt, compared: Compared | None, failure: Failure | None) -> dict[str, Any]:
        """`because`, `changed` and `changes`; nothing where it could not be compared."""
        made = attempt.guard("explanation", compared.in_words, failure) if compared is not None else None
        return made if isinstance(made, dict) else {}

    def _compare(self, attempt: Attempt, evidence: Evidence) -> Compared:
        """This run beside the good ones before it, also those that no store has taken in yet."""
        from offduty.errors import StoreError
        from offduty.wiring.compare import Compared, of_good_run, usual_runs

        try:
            if self._store.take_waiting():
                self._past = None  # there may be more good runs now
        except StoreError as error:
            self._remarks.append(f"not compared with runs that wait in the spool: {error}")
        usual = usual_runs(self._good_runs(attempt))
        fingerprint = self._origin_of(attempt).fingerprint(evidence, of_good_run(usual, attempt.record))
        return Compared(attempt.record, usual, evidence, fingerprint)

    def _good_runs(self, attempt: Attempt) -> GoodRuns:
        """The good runs before this one, read once for all who compare."""
        if self._past is None or self._past[0] is not attempt:
            from offduty.wiring.past import READING_TIME, GoodRuns

            seconds = min(READING_TIME, self._deadline.left(EXPLAINED) / 2)
            self._past = (attempt, GoodRuns(self._store.opened(), attempt.record, self.world.clock, seconds))
        return self._past[1]

    def _read_table(self, attempt: Attempt) -> None:
        """The triage table as it is while the job runs: what is edited later is for the next run."""
        self._triage().read(attempt.job.start or attempt.record["cwd"], self._settings_of(attempt))

    def _triage(self) -> Triage:
        if self._held_triage is None:
            from offduty.wiring.triage import Triage

            self._held_triage = Triage(self.world.environ, self.options.get("config"))
        return self._held_triage

    def _triaged(self, attempt: Attempt, evidence: Evidence, failure: Failure | None, changes: Sequence[Change]) -> dict[str, Any]:
        """What explains the run, and whose it is, for its summary; nothing for a run that went well, and for a fault of ours."""
        made = self._if_time(attempt, "triage", self._judge, attempt, evidence, failure, changes)
        return made if isinstance(made, dict) else {}

    def _judge(self, attempt: Attempt, evidence: Evidence, failure: Failure | None, changes: Sequence[Change]) -> dict[str, Any]:
        from offduty.wiring.triage import case_of, is_judged, lines_of

        record, triage = attempt.record, self._triage()
        if not is_judged(record["outcome"]):
            return {}
        start = attempt.job.start or record["cwd"]
        case = case_of(
            record, failure, lines_of(job_bytes(attempt.log.last_words)), transactions=evidence.ledger.entries,
            checks=[one.as_json() for one in evidence.checks.entries], changes=changes, oom=self._was_oom(attempt),
            dependencies=triage.duty(start, self._settings_of(attempt)).dependencies,
        )  # fmt: skip
        return triage.end(case, start, short_id(record["id"]), self._deadline.left(JUDGED))

    def _doubts(self, attempt: Attempt, evidence: Evidence | None) -> list[str]:
        """Notes on what went wrong in a run that ended well, which is `warned` then. `evidence`: None where the probe saw nothing."""
        is_cheap = self._store.is_warm or attempt.job.configured
        if attempt.record["outcome"] not in ("succeeded", "warned") or not (evidence or is_cheap):
            return []
        from offduty.wiring import quality

        def read() -> list[Past]:
            return quality.good_runs(self._good_runs(attempt), ledgers=evidence is not None)

        past = self._if_time(attempt, "good runs", read) if is_cheap else []
        return quality.doubts(attempt, evidence, self._expected if evidence else None, past if isinstance(past, list) else [])

    @staticmethod
    def _be_strict(attempt: Attempt, notes: list[str]) -> Failure | None:
        """The failure that `strict` makes of a warning."""
        if not attempt.job.strict:
            return None
        from offduty.runs.failure import Failure
        from offduty.wiring.quality import be_strict

        why = be_strict(attempt, notes)
        return Failure("exit", message=f"strict: {why}") if why else None

    def _find_failure(self, attempt: Attempt, evidence: Evidence) -> Failure | None:
        from offduty.runs.failure import find_failure

        record = attempt.record
        return find_failure(
            outcome=record["outcome"], exit_code=record["exit_code"], signal=record["signal"], events=evidence.events, cwd=record["cwd"],
            timed_out_after=attempt.job.stop_at, not_started=str(attempt.refusal) if attempt.refusal else None,
            tail=job_bytes(attempt.log.last_words), oom=bool(self._was_oom(attempt)),
        )  # fmt: skip

    def _evidence_of(self, attempt: Attempt) -> Evidence:
        if self._evidence is None or self._evidence[0] is not attempt:
            from offduty.wiring.evidence import Evidence

            redactor = self.redactor(attempt.job)
            mask = redactor.text if redactor else None
            cwd = attempt.record["cwd"]
            attempt.guard("expectations", self._expect, attempt)
            evidence = Evidence(attempt.events, attempt.token, mask, cwd, own_only=bool(attempt.job.notebook), expect=self._expected_of)
            self._evidence = (attempt, evidence)
        return self._evidence[1]

    def _expect(self, attempt: Attempt) -> None:
        """Read what the configuration expects of this job's runs."""
        self._expected, job = None, attempt.job
        if job.configured:
            from offduty.wiring.quality import Expected

            self._expected = Expected(job.name, self._settings_of(attempt), attempt.record["cwd"])

    def _expected_of(self, one: Transaction) -> list[Check]:
        return self._expected.of(one) if self._expected is not None else []

    def _follow_events(self, attempt: Attempt) -> str:
        """Bring what the probe has seen into the log while the job runs, and show that this process lives."""
        attempt.guard("beat", self._beat_of(attempt).beat)
        if os.path.exists(attempt.events):
            for one in self._evidence_of(attempt).poll():
                self._log_seen(attempt, one)
            if self._is_looked_at(attempt):
                attempt.guard("code", self._tell_origin, attempt)
        return REPEAT

    def _beat_of(self, attempt: Attempt) -> Beat:
        if self._beat is None or self._beat[0] is not attempt:
            from offduty.runs.beat import Beat

            self._beat = (attempt, Beat(self.world.places.beats, attempt.record["id"], self.world.clock))
        return self._beat[1]

    @staticmethod
    def _log_seen(attempt: Attempt, one: Transaction | Check) -> None:
        """A line for a transaction or a check, with the time at which it ended."""
        from offduty.transactions import check, transaction

        if isinstance(one, check.Check):
            attempt.log.own(closing.escaped(check.log_line(one)), at=one.at)
        else:
            attempt.log.own(closing.escaped(transaction.log_line(one, attempt.record["cwd"])), at=one.at + (one.took_s or 0.0))

    def _minimal(self, attempt: Attempt) -> list[str]:
        """The block when making the real one failed."""
        record, told = attempt.record, ["the summary could not be made"]
        for find in (self._notes, self._said_of_ourselves):
            found = attempt.guard("notes", find, attempt)
            told += found if isinstance(found, list) else []
        record["summary"] = record["summary"] or {**NO_SUMMARY, "notes": told}
        lines = [closing.line("note", note) for note in told]
        return [closing.header(), closing.outcome_line(record), *lines, closing.line("log", record["log"] or "none")]

    def _notes(self, attempt: Attempt) -> list[str]:
        """What people should know besides how it ended."""
        log, ended = attempt.log, attempt.ended
        notes = list(attempt.notes)
        if ended.vanished:
            notes.append("the process ended inside the block (killed, crashed, or os._exit): how is not known")
        if ended.leftovers:
            what = "ended" if attempt.job.kill_leftovers else "left"
            shown = ", ".join(ended.leftovers[:5]) + (", …" if len(ended.leftovers) > 5 else "")
            notes.append(f"{len(ended.leftovers)} processes {what}: {shown}")
        if log.lost:
            notes.append(f"log incomplete: {closing.grouped(log.lost)} bytes not stored ({log.trouble})")
        elif log.trouble:
            notes.append(f"log: {log.trouble}")
        if log.dropped:
            notes.append(f"{closing.grouped(log.dropped)} bytes were left out of the middle of the log, to keep it within its size")
        copy = attempt.log.path.removesuffix(".log") + ".ipynb"
        if attempt.job.notebook and os.path.exists(copy):
            notes.append(f"the executed notebook: {copy}")
        if attempt.retry_in is not None:
            notes.append(f"next attempt in {spoken(attempt.retry_in)}")
        if self._redactor is not None:
            notes.extend(self._redactor.notes)
        return notes

    def _said_of_ourselves(self, attempt: Attempt) -> list[str]:
        """What offduty left out, and where it had a problem of its own; the last notes of all."""
        problems = [(one.partition(":")[0], self._clean(attempt.job, _last_line(one))) for one in attempt.guard.problems[:3]]
        return self._remarks + [f"offduty had a problem of its own in '{what}': {line}" for what, line in problems]

    def _if_time(self, attempt: Attempt, what: str, function: Callable[..., object], *args: object) -> object:
        """A part of the explanation, None if it failed. Where there is no time for it any more, or the store is away, that is said."""
        if self._deadline.left(EXPLAINED):
            return attempt.guard(what, self._unless_store_is_away, what, function, *args)
        self._leave_out(what, "there was no time for it when the run ended")
        return None

    def _unless_store_is_away(self, what: str, function: Callable[..., object], *args: object) -> object:
        from offduty.errors import StoreError

        try:
            return function(*args)
        except StoreError as error:
            self._leave_out(what, str(error))
            return None

    @staticmethod
    def _if_store_is_there(function: Callable[..., object], *args: object) -> None:
        """While the job runs: what cannot be done now is done at its end, or by whoever opens the store next."""
        from offduty.errors import StoreError

        try:
            function(*args)
        except StoreError:
            pass

    def _leave_out(self, what: str, why: str) -> None:
        remark = f"{LEFT_OUT[what]}: {why}"
        if remark not in self._remarks:
            self._remarks.append(remark)

    @staticmethod
    def _was_oom(attempt: Attempt) -> bool | None:
        """Whether the machine counted a kill for want of memory meanwhile; None if that could not be seen."""
        from offduty.runs import oom

        after = oom.kills()
        return None if attempt.oom_before is None or after is None else after > attempt.oom_before

    @staticmethod
    def _forget_events(attempt: Attempt) -> None:
        """What the probe wrote is in the record now, with the secrets masked; its own file is not masked and goes."""
        if attempt.events and os.path.lexists(attempt.events):
            os.unlink(attempt.events)

    def _keep_problems(self, attempt: Attempt) -> None:
        """Each distinct mistake of ours into a file of its own, with its traceback."""
        if not attempt.guard.problems:
            return
        from zlib import crc32

        folder = f"{self.world.places.state}/internal-errors"
        default_places.make_private(folder)
        for problem in attempt.guard.problems:
            problem = self._clean(attempt.job, problem)
            of_this_run = short_id(attempt.record["id"])  # in paths that the text names: without it, the same mistake is the same file
            path = (
                f"{folder}/{crc32(problem.replace(attempt.record['id'], '').replace(of_this_run, '').encode('utf-8', 'replace')):08x}.txt"
            )
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"offduty {VERSION}, run {attempt.record['id']}, {rfc3339(self.world.clock.wall())}\n{problem}")

    def _clean(self, job: Job, text: str) -> str:
        """`text`, of a mistake of ours, without secrets; where they cannot be masked, only what it was about."""
        try:
            redactor = self.redactor(job)
        except Exception:  # noqa: BLE001 - that may have been the mistake
            return text.partition(":")[0]
        return redactor.text(text) if redactor else text

    def _show(self, attempt: Attempt, block: list[str], kept: bool) -> None:
        """The block on the screen; why the job never started, and that a run left no record, are said in any case."""
        if not kept:
            screen.say(
                f"E615 this run leaves no record: {self.world.places.spool} cannot be written; make it writable, or set OFFDUTY_STATE_DIR"
            )
        if not attempt.log.path and not self.options.get("quiet"):
            screen.say(f"E616 this run leaves no log: {attempt.log.trouble}; make the folder writable, or set OFFDUTY_LOGS_DIR")
        if attempt.refusal is not None and not os.isatty(2) and self.options.get("summary") != "always":
            screen.say(str(attempt.refusal))
        elif screen.is_wanted(self.options, attempt.record["outcome"]):
            screen.show(block, colour=screen.has_colour(self.world.environ, self.options.get("color", "auto")))


def shell_word(word: str) -> str:
    """`word` as one would type it."""
    plain = word and all(c.isalnum() or c in "@%+=:,./-_~*" for c in word)
    return word if plain else "'" + word.replace("'", "'\\''") + "'"


def job_bytes(stamped: bytes) -> bytes:
    """The job's own bytes in the last lines of a log, without the column; the first line may be torn and is left out."""
    job = []
    for line in stamped.partition(b"\n")[2].split(b"\n") if len(stamped) > 1 << 17 else stamped.split(b"\n"):
        if line[13:14] in (OUT, ERR):
            job.append(line[15:] if line[14:15] == b"~" else line[15:] + b"\n")
    return b"".join(job)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _collect_garbage() -> None:
    """From now on; what is there by now stays for good, and need never be looked through."""
    gc.freeze()
    gc.enable()
