"""The record of a run on its way to the disk: into the spool at each step, and at its end into the store, if that is at hand."""

from __future__ import annotations

from offduty.runs.spool import Spool
from offduty.wiring import concern
from offduty.wiring.means import if_store_is_there
from offduty.wiring.storing import SHORTEST_WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.wiring.account import Account
    from offduty.wiring.evidence import Evidence

STORED = 0.85  # share of the end's time in which the store may take the run
NOT_FINISHED = "offduty was killed after the job had ended: nothing more is known about this run"
NO_SUMMARY: dict[str, object] = {
    "what": None, "where": None, "because": None, "triage": None, "do": [], "changed": None, "checks": None, "metrics": None, "told": None,
    "notes": [], "warnings": [], "failure": None, "verdict": None, "changes": [],
}  # fmt: skip


def spool(account: Account, kind: str, parts: Mapping[str, Any] | None = None) -> bool:
    """Write the record; the end of a run is on the disk when this returns, unless the store is at hand, which will take it there."""
    durable = kind == "ended" and not account.means.store.is_warm
    _spool_of(account).append(kind, account.attempt.record, durable=durable, **(parts or {}))
    return True


def spool_exit(account: Account) -> None:
    """How the job ended, before the first thing that takes time: should this process be killed in the midst of it, that is known."""
    known = {**account.attempt.record, "summary": {**NO_SUMMARY, "notes": [NOT_FINISHED]}}
    try:
        _spool_of(account).append("exited", known, durable=False, tell=account.tell)
    except OSError:
        pass  # nothing is lost yet: what comes at the end may still find its place


def store(account: Account) -> bool:
    """Whether the store has the end of the run; one that people are told of should be there when they are."""
    wait = max(SHORTEST_WAIT, account.deadline.left(STORED) - SHORTEST_WAIT)  # over before the alarm
    attempt, at_hand = account.attempt, account.means.store
    if attempt.job.tells:
        if_store_is_there(at_hand.warm, wait)
    account.is_taken_in = at_hand.take(attempt.record["id"], attempt.job, wait)
    return account.is_taken_in


def sync(account: Account) -> None:
    """The store did not take the end of the run: the spool keeps it, on the disk."""
    if account.means.store.is_warm:
        try:
            _spool_of(account).sync()
        except FileNotFoundError:
            pass  # somebody else has taken it in


def parts(account: Account) -> dict[str, object]:
    """What goes with the record of a run that has ended, where there is any of it."""
    guard, evidence = account.attempt.guard, account.seen
    if evidence is None:
        made_of = guard("fingerprint", account.origin.fingerprint, None) if account.is_looked_at else None
        return {"fingerprint": made_of, "tell": guard("whom to tell", concern.at_end, account) or account.tell}
    from offduty.wiring.findings import spooled_ledger

    return {
        "transactions": spooled_ledger(evidence.ledger.entries), "checks": [one.as_json() for one in evidence.checks.entries],
        "metrics": evidence.metrics.entries, "fingerprint": guard("fingerprint", _made_of, account, evidence),
        "tell": guard("whom to tell", concern.at_end, account) or account.tell,
    }  # fmt: skip


def _made_of(account: Account, evidence: Evidence) -> dict[str, Any]:
    return account.origin.fingerprint(evidence)


def _spool_of(account: Account) -> Spool:
    return Spool(account.means.world.places.spool, account.attempt.record["id"])
