"""The closing block of a run and the `summary` of its record. A success with nothing to tell imports nothing for it."""

from __future__ import annotations

import os

from offduty.durations import spoken
from offduty.runs import closing
from offduty.wiring.keeping import NO_SUMMARY
from offduty.wiring.probed import has_events, probe_notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.runs.failure import Failure
    from offduty.wiring.account import Account
    from offduty.wiring.compare import Compared
    from offduty.wiring.evidence import Evidence


def summarise(account: Account) -> list[str]:
    """The lines of the block; the `summary` goes into the record."""
    notes, record = _notes(account), account.attempt.record
    if record["outcome"] == "succeeded" and not has_events(account.attempt) and not account.attempt.job.metrics:
        notes = [*_doubts(account, None), *notes]
        if record["outcome"] == "succeeded":
            notes += _said_of_ourselves(account)
            record["summary"] = {**NO_SUMMARY, "notes": notes}
            return closing.success(record, notes)
    return _full(account, notes)


def _full(account: Account, notes: list[str]) -> list[str]:
    """The block of a run that has something to tell."""
    from offduty.runs import summary
    from offduty.transactions.check import metrics_in_words
    from offduty.wiring import explaining

    attempt, evidence = account.attempt, _all_evidence(account)
    if has_events(attempt):
        notes = [*_doubts(account, evidence), *notes]
    notes += probe_notes(attempt, evidence.events)
    if left_out := evidence.ledger.left_out:
        notes.append(f"{closing.grouped(left_out)} transactions were too many to be kept, and were left out")
    strict = explaining.be_strict(attempt, notes)
    failure = strict or explaining.failure_of(attempt, evidence)
    compared = explaining.compared(account, evidence)
    explained = explaining.in_words(attempt, compared, None if strict else failure)
    where = _where(account, evidence, compared, failure) if failure is not None and strict is None else None
    triage = explaining.triaged(account, evidence, failure, explained.get("changes", ()))
    notes += [*triage.pop("notes", ()), *_said_of_ourselves(account)]
    problems = [event for event in evidence.events if event["kind"] == "problem"]
    folded = summary.fold(
        failure, problems, warnings=evidence.warnings, notes=notes, where=where,
        **triage, **explained, protocol_errors=evidence.protocol_errors, dropped=evidence.dropped, checks=evidence.checks.in_words(),
        metrics=metrics_in_words(evidence.metrics.entries, account.expected.good_enough if account.expected else {}),
    )  # fmt: skip
    attempt.record["summary"] = folded.as_json()
    return summary.render(folded, attempt.record, limit_s=attempt.job.max_duration)


def _all_evidence(account: Account) -> Evidence:
    """What the run said to its end; what is new of it goes into the log."""
    from offduty.wiring.following import log_seen, tell_origin

    for one in account.evidence.rest():
        log_seen(account.attempt, one)
    account.attempt.guard("code", tell_origin, account)
    account.attempt.guard("printed metrics", _read_printed, account)
    return account.evidence


def _read_printed(account: Account) -> None:
    """What the job printed of the metrics that its configuration names; what it reported by itself counts more."""
    attempt, metrics = account.attempt, account.evidence.metrics
    reported = {one["name"] for one in metrics.entries}
    if not (wanted := [name for name in attempt.job.metrics if name not in reported]):
        return
    from offduty.transactions.printed import printed
    from offduty.wiring.explaining import job_bytes

    text = job_bytes(attempt.log.last_words).decode(errors="replace")
    for one in printed(text.splitlines(), wanted):
        metrics.add(one)


def _where(account: Account, evidence: Evidence, compared: Compared | None, failure: Failure) -> str | None:
    """Where in its ledger the failure struck."""
    from offduty.runs.record import has_died
    from offduty.transactions.ledger import struck

    record = account.attempt.record
    before = compared.usual.last_size if compared else None
    return struck(evidence.ledger.entries, failure.links, died=has_died(record), before=before, cwd=record["cwd"])


def _doubts(account: Account, evidence: Evidence | None) -> list[str]:
    """What makes a good run a `warned` one. The good runs before it are asked for only where that costs nothing worth mentioning."""
    is_cheap = account.means.store.is_warm or account.attempt.job.configured
    if account.attempt.record["outcome"] not in ("succeeded", "warned") or not (evidence or is_cheap):
        return []
    from offduty.wiring.explaining import doubts

    return doubts(account, evidence, with_past=is_cheap)


def minimal(account: Account) -> list[str]:
    """The block when making the real one failed."""
    attempt, told = account.attempt, ["the summary could not be made"]
    for find in (_notes, _said_of_ourselves):
        found = attempt.guard("notes", find, account)
        told += found if isinstance(found, list) else []
    record = attempt.record
    record["summary"] = record["summary"] or {**NO_SUMMARY, "notes": told}
    lines = [closing.line("note", note) for note in told]
    return [closing.header(), closing.outcome_line(record), *lines, closing.line("log", record["log"] or "none")]


def _notes(account: Account) -> list[str]:
    """What people should know besides how it ended."""
    attempt, ended = account.attempt, account.attempt.ended
    notes = list(attempt.notes)
    if ended.vanished:
        notes.append("the process ended inside the block (killed, crashed, or os._exit): how is not known")
    if ended.leftovers:
        what = "ended" if attempt.job.kill_leftovers else "left"
        shown = ", ".join(ended.leftovers[:5]) + (", …" if len(ended.leftovers) > 5 else "")
        notes.append(f"{len(ended.leftovers)} processes {what}: {shown}")
    notes += _of_the_log(account)
    copy = attempt.log.path.removesuffix(".log") + ".ipynb"
    if attempt.job.notebook and os.path.exists(copy):
        notes.append(f"the executed notebook: {copy}")
    if attempt.retry_in is not None:
        notes.append(f"next attempt in {spoken(attempt.retry_in)}")
    if account.means.masking is not None:
        notes.extend(account.means.masking.notes)
    return notes


def _of_the_log(account: Account) -> list[str]:
    """What the log lacks."""
    log, notes = account.attempt.log, []
    if log.lost:
        notes.append(f"log incomplete: {closing.grouped(log.lost)} bytes not stored ({log.trouble})")
    elif log.trouble:
        notes.append(f"log: {log.trouble}")
    if log.dropped:
        notes.append(f"{closing.grouped(log.dropped)} bytes were left out of the middle of the log, to keep it within its size")
    return notes


def _said_of_ourselves(account: Account) -> list[str]:
    """What offduty left out, and where it had a problem of its own; the last notes of all."""
    attempt, clean = account.attempt, account.means.clean
    problems = [(one.partition(":")[0], clean(attempt.job, _last_line(one))) for one in attempt.guard.problems[:3]]
    return account.remarks + [_in_words(what, line) for what, line in problems]


def _in_words(what: str, line: str) -> str:
    if "OutOfTime: " in line:  # no mistake: a machine that is busy
        return f"'{what}' was {line.partition('OutOfTime: ')[2]}"
    return f"offduty had a problem of its own in '{what}': {line}"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
