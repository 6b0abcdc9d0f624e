"""Verdicts on what is over: a log from anywhere, and a run out of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from offduty.runs.failure import find_failure, from_json
from offduty.runs.store import Record, Store
from offduty.transactions import transaction
from offduty.transactions.change import Change
from offduty.transactions.dependency import dependency_of
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.decide import decide
from offduty.triage.diagnose import diagnose
from offduty.triage.evidence import case_of as case_of_log
from offduty.triage.inputs import Given, of_file
from offduty.triage.seen import Seen, target_in
from offduty.triage.verdict import Verdict
from offduty.wiring.triage import Duty, case_of

ENDED_WELL = ("succeeded", "skipped", "running")


def explain(given: Given, duty: Duty) -> Verdict:
    """The verdict on a log. The catalogue reads the log itself; rows see the exceptions in it, too."""
    case = with_failure(given)
    named = [Transaction(0, "", target) for message in Seen(case).messages if (target := target_in(message))]
    targets = {one.target: found.name for one in named if (found := dependency_of(one, duty.dependencies)) is not None}
    decided = decide(case_of_log(given.text, given.exit_code))
    return diagnose(case, duty.table, duty.teams, duty.owners, duty.dependency_teams, decided=decided, targets=targets)


def with_failure(given: Given) -> Case:
    """The case of a log, with the failure that it tells of."""
    case = replace(case_of_log(given.text, given.exit_code), outcome="failed" if given.outcome in ENDED_WELL else given.outcome)
    code = case.exit_code if case.exit_code is not None else 1
    failure = find_failure(outcome="failed", exit_code=code, signal=case.signal, tail=given.text.encode("utf-8", "replace"))
    return replace(case, failure=failure)


def answer(given: Given, verdict: Verdict) -> dict[str, Any]:
    """The verdict as `explain` prints it for programs."""
    keys = ("category", "owner_kind", "row", "cause", "steps", "team", "confidence", "evidence")
    told = verdict.as_json()
    return {"id": given.id, **{key: told[key] for key in keys}, **({"error": given.wrong} if given.wrong else {})}


def case_of_run(store: Store, run: Record, duty: Duty) -> Case:
    """The case of a run out of the store: its record, its ledger and checks, and what its log still has. Raises StoreError."""
    summary: dict[str, Any] = run["summary"] or {}
    failure = from_json(summary["failure"]) if summary.get("failure") else None
    changes = [Change(**{**one, "names": tuple(one["names"])}) for one in summary.get("changes") or ()]
    transactions = [transaction.from_json(entry) for entry in store.ledger(run["id"])]
    lines = _lines(run) or (list(failure.tail) if failure else [])
    return case_of(
        run, failure, lines, transactions=transactions, checks=store.checks(run["id"]), changes=changes, dependencies=duty.dependencies
    )


def _lines(run: Record) -> list[str]:
    """What the job printed, as far as its log is there."""
    from offduty.errors import NotThere

    try:
        return of_file(run["log"]).text.split("\n") if run["log"] else []
    except NotThere:
        return []
