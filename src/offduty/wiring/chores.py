"""What is done while a job runs, when nobody waits for it: in pieces of a few milliseconds, first what any end needs."""

from __future__ import annotations

import gc

from offduty.wiring import concern, explaining, warm
from offduty.wiring.following import follow
from offduty.wiring.means import if_store_is_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.wiring.account import Account
    from offduty.wiring.warm import Chore


def chores_of(account: Account) -> list[Chore]:
    """What each is called, and what does it."""
    attempt, store = account.attempt, account.means.store
    job = attempt.job
    table = [*warm.imports("warm triage", warm.TRIAGE), ("triage table", lambda: explaining.read_table(account))]
    return [
        ("count oom kills", lambda: explaining.count_oom_kills(attempt)),
        ("look at the configuration", lambda: _note_degraded(account)),
        *warm.imports("warm comparison", warm.EVERY_END),
        ("what it is made of", lambda: account.origin.code),
        ("warm store", lambda: if_store_is_there(store.warm)),
        *(table if job.configured else ()),
        ("whom to tell", lambda: if_store_is_there(concern.plan, account)),
        ("begin store", lambda: if_store_is_there(store.begin, attempt.record["id"], attempt.guard)),
        *warm.imports("warm summary", warm.TOLD_END),
        ("retention", lambda: if_store_is_there(store.retain, job)),
        *(() if job.configured else table),
        *warm.imports("warm explanation", warm.TOLD_OF if job.tells else ()),
        ("warm the end", lambda: concern.warm(account)),
        ("garbage collection", _collect_garbage),
        ("follow events", lambda: follow(account)),
    ]


def _note_degraded(account: Account) -> None:
    """A configured job runs although other parts of its configuration are broken; that is said in its summary."""
    settings = account.settings
    if settings is not None and (wrong := [*settings.degraded, *settings.warnings]):
        more = f" (and {len(wrong) - 1} more: offduty check)" if len(wrong) > 1 else ""
        account.attempt.notes.append(f"configuration: {wrong[0].as_error()}{more}")


def _collect_garbage() -> None:
    """From now on; what is there by now stays for good, and need never be looked through."""
    gc.freeze()
    gc.enable()
