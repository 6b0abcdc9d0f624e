"""What an attempt to deliver comes to, in the books: claimed, folded, delivered, tried again later, or given up where others hear of it.

Every change after a claim says which row, whose, and which attempt (fencing): a sender that was away longer than its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from offduty.alerts.books import Books, Claimant
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.keys import digest_of
from offduty.alerts.owed import UNREADABLE, Health, Owed
from offduty.alerts.plan import DAY, read_plan

FIRST_DELAY, LONGEST_DELAY = 5.0, 900.0  # seconds
SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER = 1.0, 3600.0
GIVE_UP_AFTER = 3 * DAY  # of failing
MOST_ATTEMPTS = 300  # what fits into three days of trying; for a message that fails while others do not
BREAKS_AFTER = 3  # refusals of the channel itself
STRANGE_FOR = DAY  # a row for a channel nobody knows waits so long for somebody who does
LONGEST_ERROR = 500  # characters
AT_ONCE = 500
NOTICES = ("undelivered", "channel_broken")

Rng = Callable[[], float]


@dataclass(frozen=True)
class Lease:
    """What a sender holds: a row, in its own name, for one attempt."""

    number: int
    owner: str
    attempt: int


def lease_of(row: Owed) -> Lease:
    """The lease with which a claimed row came."""
    return Lease(row.number, row.owner, row.attempts)


def claim(books: Books, channel: str, who: Claimant, limit: int, others: Sequence[str], *, pages: bool) -> list[Owed]:
    """What is to be sent now. Rows that make no sense are dealt with here, so they come once and hold up nobody (F50)."""
    rows = books.claim(channel, who, limit)
    return [ready for row in rows if (ready := _sensible(books, row, who.wall, others, pages)) is not None]


def _sensible(books: Books, row: Owed, now: float, others: Sequence[str], pages: bool) -> Owed | None:
    if row.state == "dead":
        _give_up(books, replace(row, error="the row cannot be read"), now, others)
        return None
    if row.event == "digest" or row.status == "info":
        return row
    if row.status == "firing":
        return _within_storm(books, row) if pages else row
    begun = _arrived(books, row)
    if not begun:
        books.put(replace(row, state="dropped", error="its beginning never arrived there", done_at=now))
        return None
    return _end_within_storm(books, row, begun, now) if pages else row


def _arrived(books: Books, row: Owed) -> list[Owed]:
    """The bad news of the row's incident that its channel has taken."""
    return [it for it in books.of_chain(row.chain, row.channel) if it.status == "firing" and it.state == "delivered"]


def _is_of_storm(row: Owed) -> bool:
    """Was it told within the page that stands for many?"""
    return bool(row.group) or isinstance(row.facts.get("storm"), str)


def _within_storm(books: Books, row: Owed) -> Owed | None:
    """More of an incident that a page for many stands for is told there: a page of its own would be one that its end does not close."""
    storm = books.health(row.channel).storm
    if not storm or "storm" in row.facts:
        return row
    begun = _arrived(books, row)
    if not begun or not all(_is_of_storm(it) for it in begun):
        return row
    books.put(replace(row, state="waiting", attempts=row.attempts - 1, facts={**row.facts, "storm": storm}))
    return None


def _end_within_storm(books: Books, row: Owed, begun: Sequence[Owed], now: float) -> Owed | None:
    """Where one page stood for many incidents, only the end of the last one ends it."""
    health = books.health(row.channel)
    if "storm" in row.facts or not health.storm or not all(_is_of_storm(it) for it in begun):
        return row
    left = health.storm_open - 1
    storm = health.storm
    books.put_health(replace(health, storm=storm if left > 0 else "", storm_open=max(0, left)))
    if left > 0:
        books.put(replace(row, state="delivered", group=storm, receipt="within the page that stands for many", done_at=now))
        return None
    last = replace(row, facts={**row.facts, "storm": storm})
    books.put(replace(last, state="waiting"))
    return None


def fold(books: Books, leases: Sequence[Lease], group: Owed) -> Owed | None:
    """One message instead of many: the rows become members of `group`, which is owed from now on in their place, all or none."""
    rows = [row for it in leases if (row := books.leased(it.number, it.owner, it.attempt)) is not None]
    if len(rows) != len(leases):
        return None
    for row in rows:
        books.put(replace(row, state="folded", group=group.key))
    if group.status == "firing":
        group = _in_storm(books, group, rows)
    books.add([replace(group, down=min(row.down for row in rows))])
    return group


def _in_storm(books: Books, group: Owed, rows: Sequence[Owed]) -> Owed:
    """All pages of one storm are one incident there. Where each has a page already, a further one would have no end."""
    health = books.health(group.channel)
    storm = health.storm or f"storm-{group.key[:16]}"
    news = len({row.incident for row in rows if not _told_before(books, row)})
    if not news and not health.storm:
        return replace(group, status="info")
    books.put_health(replace(health, storm=storm, storm_open=health.storm_open + news))
    return replace(group, incident=storm, chain=storm)


def _told_before(books: Books, row: Owed) -> bool:
    before = [it for it in books.of_chain(row.chain, row.channel) if it.number < row.number and it.status == "firing"]
    return any(it.state in ("delivered", "folded") for it in before)


def delivered(books: Books, lease: Lease, receipt: Receipt, now: float) -> bool:
    """A receiver took it. False if the lease was lost meanwhile: then somebody else has it, and what we know counts for nothing."""
    row = books.leased(lease.number, lease.owner, lease.attempt)
    if row is None:
        return False
    books.put(replace(row, state="delivered", receipt=receipt.detail, thread=receipt.thread, error="", done_at=now))
    if row.event == "digest":
        books.end_members(row.key, "delivered", now)
    health = books.health(row.channel)
    books.put_health(replace(health, failing_since=None, refusals=0, broken_at=None, error="", delivered_at=now))
    return True


def release(books: Books, lease: Lease) -> bool:
    """Give back what was never sent: at once due again, and no attempt."""
    row = books.leased(lease.number, lease.owner, lease.attempt)
    if row is not None:
        books.put(replace(row, state="waiting", attempts=row.attempts - 1))
    return row is not None


def failed(books: Books, lease: Lease, error: DeliveryError, now: float, rng: Rng, others: Sequence[str]) -> bool:
    """It did not arrive, or nobody knows. `others`: channels that could tell of it, should this be the end. False: as in `delivered`."""
    row = books.leased(lease.number, lease.owner, lease.attempt)
    if row is None:
        return False
    text = str(error)[:LONGEST_ERROR]
    row = replace(row, error=text, ambiguous=row.ambiguous + error.ambiguous, refused=error.refused or row.refused)
    health = _worse(books, row, error, now, others)
    if _is_hopeless(row, error, health):
        _give_up(books, row, now, others)
    else:
        _try_again(books, row, error, now, rng)
    _give_up_with_channel(books, health, now, others)
    return True


def _worse(books: Books, row: Owed, error: DeliveryError, now: float, others: Sequence[str]) -> Health:
    """An answer to this message alone says nothing about the channel. Time of failing is added up in steps of a day at most (INV-10)."""
    health = books.health(row.channel)
    if (error.permanent or error.minimal) and not error.broken:
        return health
    step = 0.0 if health.failing_since is None else min(max(0.0, now - health.failing_since), DAY)
    refusals = health.refusals + 1 if error.broken else 0
    breaks = health.broken_at is None and (error.gone or refusals >= BREAKS_AFTER)
    health = replace(
        health,
        down=health.down + step,
        failing_since=now,
        refusals=refusals,
        error=row.error,
        broken_at=now if breaks else health.broken_at,
    )
    books.put_health(health)
    if breaks:
        _tell_elsewhere(books, row, "channel_broken", digest_of("broken", row.channel, str(row.number), str(row.attempts)), now, others)
    return health


def _is_hopeless(row: Owed, error: DeliveryError, health: Health) -> bool:
    if error.minimal and not row.minimal:
        return False
    if (error.permanent or error.minimal) and not error.broken:
        return True
    return row.attempts >= MOST_ATTEMPTS or health.down - row.down >= GIVE_UP_AFTER


def _try_again(books: Books, row: Owed, error: DeliveryError, now: float, rng: Rng) -> None:
    wait = delay(row.attempts, error.retry_after, rng)
    if error.minimal:
        row, wait = replace(row, minimal=True), SHORTEST_RETRY_AFTER
    books.put(replace(row, state="waiting", not_before=now + wait, within=wait))


def delay(attempts: int, retry_after: float | None, rng: Rng) -> float:
    """Seconds until the next attempt: what the receiver asked for, within bounds, else twice as long each time, with jitter (F38, F39)."""
    if retry_after is not None and retry_after == retry_after:
        return min(max(SHORTEST_RETRY_AFTER, retry_after), LONGEST_RETRY_AFTER)
    return float(min(FIRST_DELAY * 2 ** min(attempts - 1, 20) * (0.75 + rng() / 2), LONGEST_DELAY))


def _give_up(books: Books, row: Owed, now: float, others: Sequence[str]) -> None:
    """Dead, and another channel is owed that fact, in one (INV-6). What is told of by notices has no notice of its own."""
    books.put(replace(row, state="dead", done_at=now))
    if row.event == "digest":
        _shrink_storm(books, row)
        books.end_members(row.key, "dead", now)
    if row.event not in NOTICES:
        _tell_elsewhere(books, row, "undelivered", digest_of("undelivered", row.key), now, others)


def _shrink_storm(books: Books, group: Owed) -> None:
    """A page that never arrived has nothing to end."""
    health = books.health(group.channel)
    if group.status == "firing" and group.incident == health.storm:
        left = health.storm_open - len({row.incident for row in books.members(group.key) if not _told_before(books, row)})
        books.put_health(replace(health, storm=health.storm if left > 0 else "", storm_open=max(0, left)))


def _give_up_with_channel(books: Books, health: Health, now: float, others: Sequence[str]) -> None:
    """What waited behind the failing head of the queue has waited as long."""
    if health.down >= GIVE_UP_AFTER:
        for row in books.waiting_longer(health.name, health.down - GIVE_UP_AFTER)[:AT_ONCE]:
            _give_up(books, replace(row, error=f"{health.name} took nothing for three days"), now, others)


def give_up_on_strangers(books: Books, known: Sequence[str], now: float) -> int:
    """Rows for channels that nobody has configured (any more), for a day: how many (F50)."""
    rows = books.strangers(known, now - STRANGE_FOR)[:AT_ONCE] if known else []
    for row in rows:
        _give_up(books, replace(row, error="no channel of this name is configured"), now, known)
    return len(rows)


def _tell_elsewhere(books: Books, row: Owed, event: str, key: str, now: float, others: Sequence[str]) -> None:
    """To one channel that is not broken: what the plan names for this, then those of the job, then any."""
    plan = read_plan(books.plan(row.job))
    of_job = [to.channel for event_of in plan.owed.values() for to in event_of]
    known = [name for name in (*plan.policy.fallback, *of_job, *others) if name != row.channel and name in others]
    name = next((name for name in known if books.health(name).broken_at is None), None)
    if name is not None:
        kept = {} if row.facts == UNREADABLE else row.facts
        facts = {"channel": row.channel, "event": row.event, "key": row.key, "error": row.error, "attempts": row.attempts, **kept}
        notice = Owed(
            key=digest_of(key, name), chain=key, job=row.job, event="undelivered" if event == "undelivered" else "channel_broken",
            channel=name, team=row.team, incident=row.incident, run=row.run, at=now, not_before=now, facts=facts,
            down=books.health(name).down,
        )  # fmt: skip
        books.add([notice])
