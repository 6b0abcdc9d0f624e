"""What explains the end of a run: doubts about a good one, comparison with good runs, triage; as far as there is time, and a store."""

from __future__ import annotations

from offduty.clock import short_id
from offduty.runs.logfile import ERR, OUT
from offduty.wiring.account import EXPLAINED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from offduty.runs.attempts import Attempt
    from offduty.runs.failure import Failure
    from offduty.transactions.change import Change
    from offduty.transactions.silent import Past
    from offduty.wiring.account import Account
    from offduty.wiring.compare import Compared
    from offduty.wiring.evidence import Evidence

JUDGED = 0.5  # share of the end's time in which triage may judge
LEFT_OUT = {"good runs": "not compared with good runs", "comparison": "not compared with good runs", "triage": "not judged by triage"}


def doubts(account: Account, evidence: Evidence | None, *, with_past: bool) -> list[str]:
    """Notes on what went wrong in a run that ended well, which is `warned` then. `evidence`: None where the probe saw nothing."""
    from offduty.wiring import quality

    def read() -> list[Past]:
        return quality.good_runs(account.past, ledgers=evidence is not None)

    past = _if_time(account, "good runs", read) if with_past else []
    return quality.doubts(account.attempt, evidence, account.expected if evidence else None, past if isinstance(past, list) else [])


def be_strict(attempt: Attempt, notes: list[str]) -> Failure | None:
    """The failure that `strict` makes of a warning."""
    if not attempt.job.strict:
        return None
    from offduty.runs.failure import Failure
    from offduty.wiring import quality

    why = quality.be_strict(attempt, notes)
    return Failure("exit", message=f"strict: {why}") if why else None


def failure_of(attempt: Attempt, evidence: Evidence) -> Failure | None:
    """What went wrong, as far as the events and the output tell."""
    from offduty.runs.failure import find_failure

    record = attempt.record
    return find_failure(
        outcome=record["outcome"], exit_code=record["exit_code"], signal=record["signal"], events=evidence.events, cwd=record["cwd"],
        timed_out_after=attempt.job.stop_at, not_started=str(attempt.refusal) if attempt.refusal else None,
        tail=job_bytes(attempt.log.last_words), oom=bool(was_oom(attempt)),
    )  # fmt: skip


def compared(account: Account, evidence: Evidence) -> Compared | None:
    """This run beside good ones; not where it went as it should, for then nobody asks."""
    from offduty.wiring.compare import Compared

    outcome = account.attempt.record["outcome"]
    made = _if_time(account, "comparison", _compare, account, evidence) if outcome != "succeeded" else None
    return made if isinstance(made, Compared) else None


def _compare(account: Account, evidence: Evidence) -> Compared:
    """This run beside the good ones before it, also those that no store has taken in yet."""
    from offduty.errors import StoreError
    from offduty.wiring.compare import Compared, of_good_run, usual_runs

    record = account.attempt.record
    try:
        if account.means.store.take_waiting():
            account.look_again()
    except StoreError as error:
        account.remarks.append(f"not compared with runs that wait in the spool: {error}")
    usual = usual_runs(account.past)
    return Compared(record, usual, evidence, account.origin.fingerprint(evidence, of_good_run(usual, record)))


def in_words(attempt: Attempt, compared: Compared | None, failure: Failure | None) -> dict[str, Any]:
    """`because`, `changed` and `changes`; nothing where it could not be compared."""
    made = attempt.guard("explanation", compared.in_words, failure) if compared is not None else None
    return made if isinstance(made, dict) else {}


def read_table(account: Account) -> None:
    """The triage table as it is while the job runs: what is edited later is for the next run."""
    attempt = account.attempt
    account.means.triage.read(attempt.job.start or attempt.record["cwd"], account.settings)


def triaged(account: Account, evidence: Evidence, failure: Failure | None, changes: Sequence[Change]) -> dict[str, Any]:
    """What explains the run, and whose it is, for its summary; nothing for a run that went well, and for a fault of ours."""
    made = _if_time(account, "triage", _judge, account, evidence, failure, changes)
    return made if isinstance(made, dict) else {}


def _judge(account: Account, evidence: Evidence, failure: Failure | None, changes: Sequence[Change]) -> dict[str, Any]:
    from offduty.wiring.triage import case_of, is_judged, lines_of

    attempt, triage = account.attempt, account.means.triage
    record = attempt.record
    if not is_judged(record["outcome"]):
        return {}
    start = attempt.job.start or record["cwd"]
    case = case_of(
        record, failure, lines_of(job_bytes(attempt.log.last_words)), transactions=evidence.ledger.entries,
        checks=[one.as_json() for one in evidence.checks.entries], changes=changes, oom=was_oom(attempt),
        dependencies=triage.duty(start, account.settings).dependencies,
    )  # fmt: skip
    return triage.end(case, start, short_id(record["id"]), account.deadline.left(JUDGED))


def count_oom_kills(attempt: Attempt) -> None:
    """Before the job can have been killed."""
    from offduty.runs import oom

    attempt.oom_before = oom.kills()


def was_oom(attempt: Attempt) -> bool | None:
    """Whether the machine counted a kill for want of memory meanwhile; None if that could not be seen."""
    from offduty.runs import oom

    after = oom.kills()
    return None if attempt.oom_before is None or after is None else after > attempt.oom_before


def job_bytes(stamped: bytes) -> bytes:
    """The job's own bytes in the last lines of a log, without the column; the first line may be torn and is left out."""
    job = []
    for line in stamped.partition(b"\n")[2].split(b"\n") if len(stamped) > 1 << 17 else stamped.split(b"\n"):
        if line[13:14] in (OUT, ERR):
            job.append(line[15:] if line[14:15] == b"~" else line[15:] + b"\n")
    return b"".join(job)


def _if_time(account: Account, what: str, function: Callable[..., object], *args: object) -> object:
    """A part of the explanation, None if it failed. Where there is no time for it any more, or the store is away, that is said."""
    if account.deadline.left(EXPLAINED):
        return account.attempt.guard(what, _unless_store_is_away, account, what, function, *args)
    _leave_out(account, what, "there was no time for it when the run ended")
    return None


def _unless_store_is_away(account: Account, what: str, function: Callable[..., object], *args: object) -> object:
    from offduty.errors import StoreError

    try:
        return function(*args)
    except StoreError as error:
        _leave_out(account, what, str(error))
        return None


def _leave_out(account: Account, what: str, why: str) -> None:
    remark = f"{LEFT_OUT[what]}: {why}"
    if remark not in account.remarks:
        account.remarks.append(remark)
