"""Delivering what is owed: claim by lease, send, mark; per channel a worker of its own, so that none waits for another.

1. Claim: rows that are due become this sender's, for `lease` seconds, with the number of the attempt.
2. Rows that belong together (a storm, a digest) are folded into one new row, and that is claimed like any other.
3. Send: one attempt by the channel, with a deadline. Nothing is written while it lasts.
4. Mark: delivered, tried again later, or dead and told elsewhere. Only who still has the lease can mark.

A crash before 3 costs a wait, one after 3 and before 4 a copy, and that copy has a recorded reason (`ambiguous`). Nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from offduty import failpoints
from offduty.alerts.alert import Alert
from offduty.alerts.attempts import FIRST_DELAY, LONGEST_DELAY, Lease, Rng, lease_of
from offduty.alerts.books import Claimant
from offduty.alerts.delivery import DEADLINE, Attempt, Channel, DeliveryError, Receipt
from offduty.alerts.grouping import MOST_MEMBERS, batch
from offduty.alerts.owed import Owed
from offduty.errors import OffdutyError, StoreError

if TYPE_CHECKING:
    from offduty.clock import Clock

Compose = Callable[[Owed, Sequence[Owed]], Alert]
"""From a row, and the rows that it tells of if it is a digest, to the message. Called when it is sent."""

SHORTEST_WAIT = 0.01  # seconds: less than a clock tells apart would be no wait at all
TIME_TO_MARK = 0.25  # seconds kept of a budget: what came of the last attempt is written down, or its lease would have to run out first
TRIPS_AFTER = 3  # failures in a row: then the channel is left alone for a while


@dataclass(frozen=True)
class Limits:
    """`lease`: seconds a claim holds; more than an attempt, at most `deadline` seconds, and its `marking`. `rate`: messages a second and
    channel. `poll`: seconds between two looks. `claims`: rows at once. `away`: seconds between two tries while the store is away.
    """

    lease: float = 90.0
    deadline: float = DEADLINE
    marking: float = 2.0
    rate: float = 1.0
    poll: float = 5.0
    claims: int = MOST_MEMBERS
    away: float = 1.0

    def __post_init__(self) -> None:
        if self.lease <= self.deadline + self.marking:
            raise ValueError("a lease has to outlast an attempt and its marking, or nothing is ever sent")


class Deliveries(Protocol):
    """What a sender needs of a store: `offduty.stores.alerts.Alerts` has it."""

    def is_due(self, channel: str, who: Claimant) -> bool: ...

    def next_due(self, channel: str) -> float | None: ...

    def claim(self, channel: str, who: Claimant, limit: int, others: Sequence[str] = (), *, pages: bool = False) -> list[Owed]: ...

    def fold(self, leases: Sequence[Lease], group: Owed) -> Owed | None: ...

    def members(self, group: str) -> list[Owed]: ...

    def thread(self, row: Owed) -> str: ...

    def delivered(self, lease: Lease, receipt: Receipt, now: float) -> bool: ...

    def failed(self, lease: Lease, error: DeliveryError, now: float, rng: Rng, others: Sequence[str] = ()) -> bool: ...

    def release(self, lease: Lease) -> bool: ...

    def tick(self, now: float) -> int: ...

    def give_up_on_strangers(self, known: Sequence[str], now: float) -> int: ...

    def waiting_channels(self) -> list[str]: ...


@dataclass(frozen=True)
class Setting:
    """What all senders of a process share. `owner`: a name that no other process ever has; `boot`: of this machine's boot.

    `pause(seconds)`: wait, and say whether to stop. `others`: names of all channels that could tell of a failure of one. `budget`: the
    monotonic time by which everything has to be over, None for never.
    """

    compose: Compose
    clock: Clock
    rng: Rng
    owner: str
    boot: str
    pause: Callable[[float], bool]
    others: Sequence[str] = ()
    limits: Limits = Limits()
    budget: float | None = None


class Sender:
    """Delivers for one channel, one message at a time."""

    def __init__(self, name: str, channel: Channel, store: Deliveries, setting: Setting, *, pages: bool = False) -> None:
        self.name, self.channel, self.store, self.setting, self.pages = name, channel, store, setting, pages
        self.sent = self.refused = 0
        self._clock, self._limits = setting.clock, setting.limits
        self._free_at = self._shut_until = self._held_until = 0.0  # monotonic
        self._failures = 0

    def step(self) -> float:
        """One round; seconds until another is worth it. Raises StoreError if the store is away: then nothing is held."""
        shut = self._shut_until - self._clock.monotonic()
        if shut > 0:
            return min(max(shut, SHORTEST_WAIT), self._limits.poll)
        who = self._who()
        if not self.store.is_due(self.name, who):
            return self._until_due()
        rows = self.store.claim(self.name, who, self._limits.claims, self.setting.others, pages=self.pages)
        failpoints.hit("outbox.after_claim")
        self._held_until = who.monotonic + self._limits.lease
        self._all(self._folded(rows))
        return 0.0

    def _who(self) -> Claimant:
        return Claimant(self.setting.owner, self.setting.boot, self._clock.wall(), self._clock.monotonic(), self._limits.lease)

    def _until_due(self) -> float:
        due = self.store.next_due(self.name)
        ahead = self._limits.poll if due is None else due - self._clock.wall()
        return min(max(ahead, SHORTEST_WAIT), self._limits.poll) if ahead > 0 else self._limits.poll

    def _folded(self, rows: Sequence[Owed]) -> list[Owed]:
        """What goes out by itself. What goes together is owed as one row from now on, and comes with a later claim."""
        sorted_out = batch(rows, self._clock.wall(), pages=self.pages)
        for group, members in sorted_out.groups:
            self.store.fold([lease_of(row) for row in members], group)
            failpoints.hit("outbox.after_fold")
        return list(sorted_out.alone)

    def _all(self, rows: list[Owed]) -> None:
        """Send one after another; what there is no time for any more goes back unsent."""
        while rows and not self._must_stop() and self._is_open():
            self._one(rows.pop(0))
        for row in rows:
            self.store.release(lease_of(row))

    def _is_open(self) -> bool:
        return self._shut_until <= self._clock.monotonic()

    def _must_stop(self) -> bool:
        """Wait until the channel may be used again; False if there is time for one more message then, and it is still ours."""
        wait = max(0.0, self._free_at - self._clock.monotonic())
        after = self._clock.monotonic() + wait
        over = self.setting.budget is not None and after >= self.setting.budget
        if over or not self._is_ours(after):
            return True
        return self.setting.pause(wait)

    def _is_ours(self, moment: float) -> bool:
        """Would an attempt that begins at this monotonic time be over, and marked, within the lease?"""
        return moment + self._limits.deadline + self._limits.marking <= self._held_until

    def _one(self, row: Owed) -> None:
        """One message: compose, send, mark."""
        alert = self._composed(row)
        attempt = Attempt(row.minimal, row.refused, self.store.thread(row), self._seconds())
        failpoints.hit("outbox.before_send")
        if not self._is_ours(self._clock.monotonic()):  # composing took long, or we were stopped: another may have it by now
            return
        self._free_at = self._clock.monotonic() + 1 / self._limits.rate
        try:
            receipt = self.channel.send(alert, attempt)
        except DeliveryError as error:
            self._did_not_arrive(row, error)
        except Exception as error:  # noqa: BLE001 - a channel of anybody's: one that breaks must not break the others
            self._did_not_arrive(row, DeliveryError(f"the channel broke: {type(error).__name__}", ambiguous=True))
        else:
            failpoints.hit("outbox.before_mark")
            self._failures, self.sent = 0, self.sent + 1
            self._mark(lambda: self.store.delivered(lease_of(row), receipt, self._clock.wall()))
            failpoints.hit("outbox.after_mark")

    def _seconds(self) -> float:
        if self.setting.budget is None:
            return self._limits.deadline
        return max(0.1, min(self._limits.deadline, self.setting.budget - self._clock.monotonic()))

    def _composed(self, row: Owed) -> Alert:
        """A message that cannot be composed goes out all the same, with what is certain (F49)."""
        try:
            members = self.store.members(row.key) if row.event == "digest" else []
            alert = self.setting.compose(row, members)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a broken template or table must not keep back the news
            alert = bare(row, f"{type(error).__name__} while it was composed")
        storm = row.facts.get("storm")
        return replace(alert, incident=storm) if isinstance(storm, str) else alert

    def _did_not_arrive(self, row: Owed, error: DeliveryError) -> None:
        self.refused += 1
        if not (error.permanent or error.minimal) or error.broken:
            self._failures += 1
            if self._failures >= TRIPS_AFTER or error.broken:
                wait = min(FIRST_DELAY * 2 ** min(self._failures - 1, 20), LONGEST_DELAY)
                self._shut_until = self._clock.monotonic() + wait
        setting = self.setting
        self._mark(lambda: self.store.failed(lease_of(row), error, self._clock.wall(), setting.rng, setting.others))

    def _mark(self, mark: Callable[[], bool]) -> None:
        """While the lease lasts, a store that is away is waited for: what is not marked is sent again."""
        while True:
            try:
                mark()
                return
            except StoreError:
                if self._clock.monotonic() + self._limits.away >= self._held_until or self.setting.pause(self._limits.away):
                    raise


def bare(row: Owed, problem: str) -> Alert:
    """The message with nothing but what the row says."""
    what = f"{row.event} {row.facts.get('count', '')}".strip()
    return Alert(
        key=row.key, event=row.event, job=row.job, title=f"{row.job or 'several jobs'}: {what}", at=row.at, status=row.status,
        incident=row.incident or None, run=row.run, team=row.team, severity="error" if row.status == "firing" else "info",
        what=str(row.facts.get("cause", "")), because=f"This message is incomplete: {problem}.",
    )  # fmt: skip


@dataclass(frozen=True)
class Delivered:
    """What a call came to: messages that arrived, attempts that did not, and channels for which something still waits."""

    sent: int
    refused: int
    left: tuple[str, ...]


class Outbox:
    """All channels of a process. `open_store()` gives each thread a store of its own; `pages`: channels that wake people up."""

    def __init__(
        self,
        open_store: Callable[[], Deliveries],
        channels: Mapping[str, Channel],
        compose: Compose,
        *,
        clock: Clock,
        rng: Rng,
        owner: str,
        boot: str,
        pages: Collection[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self._open_store, self._channels, self._pages = open_store, dict(channels), frozenset(pages)
        self._stop, self._clock = Event(), clock
        self._limits = limits or Limits()
        self._setting = Setting(compose, clock, rng, owner, boot, self._stop.wait, tuple(channels), self._limits)

    def deliver(self, seconds: float) -> Delivered:
        """Everything that is due, for at most `seconds`; then it returns, even if a receiver does not."""
        until = self._clock.monotonic() + seconds
        store = self._open_store()
        store.tick(self._clock.wall())
        names = [name for name in store.waiting_channels() if name in self._channels]
        senders: list[Sender] = []
        budget = until - min(TIME_TO_MARK, seconds / 4)
        threads = [self._thread(name, senders, replace(self._setting, budget=budget), until) for name in names]
        for thread in threads:
            thread.join(max(0.0, until - self._clock.monotonic()))
        return Delivered(sum(it.sent for it in senders), sum(it.refused for it in senders), tuple(store.waiting_channels()))

    def serve(self) -> None:
        """Until `stop`. What is being sent then is finished and marked, which takes a deadline at most; the rest goes back."""
        store = self._open_store()
        senders: list[Sender] = []
        threads = [self._thread(name, senders, self._setting, None) for name in self._channels]
        while not self._stop.is_set():
            self._wait_if_away(lambda: self._look_around(store))
            self._stop.wait(self._limits.poll)
        for thread in threads:
            thread.join(self._limits.deadline + self._limits.marking)

    def stop(self) -> None:
        """Begin no message any more. May be called from a signal handler or another thread."""
        self._stop.set()

    def _look_around(self, store: Deliveries) -> float:
        store.tick(self._clock.wall())
        store.give_up_on_strangers(tuple(self._channels), self._clock.wall())
        return 0.0

    def _wait_if_away(self, work: Callable[[], float]) -> float:
        try:
            return work()
        except OffdutyError:  # the store is away: what is owed is on disk, and will be there when it is back
            return self._limits.poll

    def _thread(self, name: str, senders: list[Sender], setting: Setting, until: float | None) -> Thread:
        thread = Thread(target=self._work, args=(name, senders, setting, until), name=f"send to {name}", daemon=True)
        thread.start()
        return thread

    def _work(self, name: str, senders: list[Sender], setting: Setting, until: float | None) -> None:
        """Until told to stop; with `until`, also when nothing is due before then."""
        sender = Sender(name, self._channels[name], self._open_store(), setting, pages=name in self._pages)
        senders.append(sender)
        while not self._stop.is_set():
            wait = self._wait_if_away(sender.step)
            if until is not None and self._clock.monotonic() + max(wait, 0.001) >= until:
                return
            if until is not None and wait >= self._limits.poll:
                return
            self._stop.wait(wait)
