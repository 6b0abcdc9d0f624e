"""A watcher with all it needs: configuration in; promises registered, spool taken in, alerts delivered, heartbeat sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offduty.alerts.addresses import Allowed
from offduty.alerts.http import Route, post
from offduty.clock import Clock, boot_id
from offduty.errors import OffdutyError
from offduty.runs.alive import supervisor_alive
from offduty.secrets import Secret
from offduty.settings.launch import follow
from offduty.watch.beats import Listener
from offduty.watch.heartbeat import Heartbeat
from offduty.watch.watcher import NEVER, Ticked, Watcher
from offduty.wiring.telling import outbox, promise_of, rules_of, tell_of

if TYPE_CHECKING:
    from offduty.alerts.outbox import Outbox
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

TRIED = 3
"""Attempts after which an alert waits for its receiver, and not for its time."""
MOST_WAITING = 10_000


DAY = 86_400.0
KEEP_DRILLS = 400 * DAY
"""Seconds for which it is known what was rehearsed, and how that went."""
KEEP_TOLD = 90 * DAY
"""Seconds for which alerts that are done with, and incidents that are over, are kept."""


@dataclass(frozen=True)
class Registered:
    """What came of the configuration: jobs under watch, and sentences about those that cannot be."""

    watched: tuple[str, ...]
    problems: tuple[str, ...]


class Station:
    """One watcher of the store at `places.store`, for the jobs of `settings` and all others that the store knows."""

    def __init__(self, settings: Settings, clock: Clock, *, name: str) -> None:
        from offduty.stores.sqlite import open_store

        self.settings, self.clock, self.name = settings, clock, name
        self.places = settings.places()
        self._host = os.uname().nodename
        self.store: SqliteStore = open_store(self.places.store, clock=clock)
        self._listener = Listener(self.places.beats, clock, supervisor_alive)
        self._tidy_at = 0.0
        self.heartbeat = self._heartbeat()
        self.watcher = Watcher(
            self.store,
            self.take_in,
            clock,
            me=f"{self._host}/{name}",
            host=self._host,
            boot=boot_id(),
            tell=self._own_tell(),
            facts=self._facts,
        )

    def take_in(self) -> None:
        """The spool into the store; runs without a supervisor become lost."""
        from offduty.stores.replay import replay
        from offduty.wiring.retain import forget_events
        from offduty.wiring.triage import duty_of
        from offduty.wiring.verdicts import judge_lost

        judge = judge_lost(lambda: duty_of(self.settings), self.places.logs)
        done = replay(self.places.spool, self.store, alive=self._listener.alive, clock=self.clock, judge=judge)
        forget_events(self.store, done.lost, self.places.logs)
        for run_id in done.lost:
            self._listener.forget(run_id)

    def register(self) -> Registered:
        """Have what the configuration promises watched; jobs that left this file are not any more."""
        from offduty.wiring.triage import duty_of

        duty, source, now = duty_of(self.settings), self.settings.files[-1] if self.settings.files else "", self.clock.wall()
        watched, problems = [], []
        paused = {check.job for check in self.store.pings.checks() if check.status == "paused"}
        for name in [name for name in self.settings.jobs if name not in paused]:
            try:
                tell = tell_of(self.settings, name, duty) if self.settings.channels else {}
                promise = promise_of(self.settings, name, tell)
            except OffdutyError as error:  # that job alone is not watched (F64)
                problems.append(f"{name} is not watched: {error}")
                continue
            if tell:
                self.store.alerts.plan_first(name, tell)
            if promise.schedule() is not None or promise.max_duration is not None or promise.outputs:
                self.store.watch.promise(promise, source, now)
                watched.append(name)
        problems += [f"{name} is not watched: `offduty check` says what is wrong with it" for name in self.settings.broken]
        known = {*self.settings.jobs, *self.settings.broken}  # what was promised before somebody broke it still holds
        for gone in [one.job for one in self.store.watch.watched() if one.source == source and one.job not in known]:
            self.store.watch.forget(gone)
        return Registered(tuple(watched), tuple(problems))

    def use(self, settings: Settings) -> None:
        """Another configuration, from now on; `register` has what it promises watched."""
        heartbeat, self.settings = self.heartbeat, settings
        self.heartbeat = self._heartbeat()
        if heartbeat is not None and self.heartbeat is not None:
            self.heartbeat.last = heartbeat.last

    def tick(self) -> Ticked:
        """One look, and the heartbeat; once a day what was told long ago is forgotten (INV-11). Raises StoreError."""
        ticked = self.watcher.tick()
        if self.clock.monotonic() >= self._tidy_at:
            self.store.alerts.forget(self.clock.wall() - KEEP_TOLD)
            self.store.drills.forget(self.clock.wall() - KEEP_DRILLS)
            self._tidy_at = self.clock.monotonic() + DAY
        if self.heartbeat is not None:
            before = self._facts()
            self.heartbeat.beat(self.oldest_owed)
            if self._facts() != before:
                self.watcher.speak()
        return ticked

    def oldest_owed(self) -> float | None:
        """Since when the oldest alert that is due waits; one that was tried in vain waits since it came to be owed."""
        now = self.clock.wall()
        rows = self.store.alerts.alerts(states=("waiting", "leased"), limit=MOST_WAITING)
        tried = [row.at for row in rows if row.attempts >= TRIED and (row.urgency == "now" or row.event == "digest")]
        return min([*tried, *(row.not_before for row in rows if row.not_before <= now)], default=None)

    def outbox(self) -> Outbox:
        """What delivers for this watcher, with connections of its own."""
        return outbox(self.another, self.settings, self.clock, owner=f"watch-{self._host}-{self.name}-{os.getpid()}-{self.clock.wall()}")

    def _facts(self) -> dict[str, Any]:
        """What `offduty doctor` shows of this watcher."""
        if self.heartbeat is None:
            return {"pid": os.getpid()}
        return {"pid": os.getpid(), "heartbeat_at": self.heartbeat.last, "heartbeat_problem": self.heartbeat.problem}

    def another(self) -> SqliteStore:
        """The store, for another thread."""
        from offduty.stores.sqlite import open_store

        return open_store(self.places.store, clock=self.clock)

    def _own_tell(self) -> Mapping[str, Any] | None:
        """Whom a watcher that falls silent concerns."""
        team = self.settings.watch.team
        channels = self.settings.teams[team].channels if team in self.settings.teams else []
        policy = rules_of(self.settings, next(iter(self.settings.jobs))).policy if self.settings.jobs else {}
        owed = [{"channel": channel, "urgency": "now", "team": team} for channel in channels]
        return {"job": NEVER, "team": team, "owed": {"stuck": owed, "reminder": owed}, "policy": dict(policy)} if owed else None

    def _heartbeat(self) -> Heartbeat | None:
        watch, settings = self.settings.watch, self.settings
        value: Any = watch.heartbeat
        if value is None:
            return None

        def call() -> None:
            url = value if isinstance(value, str) else follow(value, settings.environ)
            answer = post(Secret(url), b"", {}, Route(allow=Allowed(watch.heartbeat_allow)))
            refused = answer.status >= 300
            if refused:
                from offduty.alerts.delivery import DeliveryError

                raise DeliveryError(f"the heartbeat was answered with {answer.status}")

        return Heartbeat(call, float(watch.heartbeat_every), self.clock)
