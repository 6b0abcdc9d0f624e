"""While a job runs: its events into the log as they come, what its code is, and a sign that its supervisor lives."""

from __future__ import annotations

import os

from offduty.runs import closing
from offduty.runs.supervise import REPEAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.runs.attempts import Attempt
    from offduty.transactions.check import Check
    from offduty.transactions.transaction import Transaction
    from offduty.wiring.account import Account


def follow(account: Account) -> str:
    """Bring what the probe has seen since the last time into the log. A chore, done again and again."""
    attempt = account.attempt
    attempt.guard("beat", account.beat.beat)
    if os.path.exists(attempt.events):
        for one in account.evidence.poll():
            log_seen(attempt, one)
        if account.is_looked_at:
            attempt.guard("code", tell_origin, account)
    return REPEAT


def log_seen(attempt: Attempt, one: Transaction | Check) -> None:
    """A line for a transaction or a check, with the time at which it ended."""
    from offduty.transactions import check, transaction

    if isinstance(one, check.Check):
        attempt.log.own(closing.escaped(check.log_line(one)), at=one.at)
    else:
        attempt.log.own(closing.escaped(transaction.log_line(one, attempt.record["cwd"])), at=one.at + (one.took_s or 0.0))


def tell_origin(account: Account) -> None:
    """Code and Python into the log, once, when both are known."""
    made_of = account.origin
    if not made_of.told and (line := made_of.line(account.evidence)):
        account.attempt.log.own(closing.escaped(line))
    made_of.told = True
