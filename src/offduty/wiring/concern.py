"""Whom a run concerns: planned while the job runs, decided at its end, and delivered within the time that is left."""

from __future__ import annotations

from offduty.runs import closing
from offduty.runs.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from offduty.wiring.account import Account

DELIVERED = 0.95  # share of the end's time in which people may be told
MOST_TOLD = 20  # lines of the summary about who was told
NOT_TOLD = "there was no time to say who was told; what is owed goes out with the next run, or by `offduty deliver`"
NOT_TAKEN_IN = "nobody yet: the store is away; what is owed goes out once it has this run"


def plan(account: Account) -> None:
    """While the job runs: whom its end, or its absence, will concern, should this process never get to say so. Raises StoreError."""
    notices, attempt, means = account.notices, account.attempt, account.means
    if notices is None:
        return
    tell = notices.plan()
    notices.watch(means.store.opened(), tell)
    if tell is not None:
        Spool(means.world.places.spool, attempt.record["id"]).append("started", attempt.record, durable=False, tell=tell)
        means.store.take(attempt.record["id"], attempt.job)
        notices.deliver_beside(attempt.record["id"])


def warm(account: Account) -> None:
    """What telling people will take: they should not wait for it."""
    if account.attempt.job.tells and (notices := account.notices) is not None:
        notices.warm()


def at_end(account: Account) -> dict[str, Any] | None:
    """Whom this end concerns, by its verdict. A failure opens an incident also where no channel could tell anybody of it."""
    attempt = account.attempt
    notices = account.notices if attempt.job.tells or attempt.record["outcome"] != "succeeded" else None
    verdict = (attempt.record["summary"] or {}).get("verdict")
    final = attempt.retry_in is None
    return notices.plan(verdict=verdict, outcome=attempt.record["outcome"], final=final) if notices is not None else None


def lines(account: Account) -> list[str]:
    """Deliver what is owed while there is time; the summary's lines about it. What is left waits in the outbox."""
    deadline = account.deadline
    notices = account.notices if account.attempt.job.tells else None
    if notices is None:
        return []
    if not account.is_taken_in:
        return [closing.line("told", NOT_TAKEN_IN)] if account.tell else []
    store = account.means.store.opened(deadline.left())
    told = notices.deliver(store, account.attempt.record["id"], max(0.1, deadline.left(DELIVERED)))
    from offduty.runs.summary import wrapped

    return [line for number, entry in enumerate(told[:MOST_TOLD]) for line in wrapped("" if number else "told", entry, closing.WIDTH)]
