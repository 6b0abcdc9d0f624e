"""The people a run concerns: its plan goes with its record, and what is then owed is delivered, within the time a run command has."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from offduty.alerts.delivery import DeliveryError
from offduty.alerts.outbox import Limits
from offduty.errors import OffdutyError
from offduty.wiring.channels import ready
from offduty.wiring.telling import outbox, promise_of, tell_of, titles_of, told

if TYPE_CHECKING:
    from offduty.clock import Clock
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore
    from offduty.wiring.triage import Duty

WHILE_IT_RUNS = 10.0
"""Seconds for telling that a job has started, beside the job."""


class Notices:
    """What one configured job's runs owe to whom. `open_store`: a store of the calling thread's own."""

    def __init__(self, settings: Settings, job: str, duty: Duty, open_store: Callable[[], SqliteStore], clock: Clock) -> None:
        self._settings, self._job, self._duty = settings, job, duty
        self._open_store, self._clock = open_store, clock

    def plan(self, *, verdict: Mapping[str, Any] | None = None, outcome: str = "", final: bool | None = None) -> dict[str, Any] | None:
        """The `tell` of a run; None if there is no channel to tell anybody by, and no failure that an incident would keep."""
        if not self._settings.channels and outcome in ("", "succeeded"):
            return None
        return tell_of(self._settings, self._job, self._duty, verdict=verdict, outcome=outcome, final=final)

    def watch(self, store: SqliteStore, tell: Mapping[str, Any] | None) -> None:
        """Have the job's promise watched from now on."""
        promise = promise_of(self._settings, self._job, tell or {})
        if promise.schedule() is not None or promise.max_duration is not None or promise.outputs:
            store.watch.promise(promise, self._settings.files[-1] if self._settings.files else "", self._clock.wall())

    def warm(self) -> None:
        """Load what delivering takes, and look whether the channels can be built; what is wrong with one is found out when it sends."""
        import offduty.alerts.exchange  # noqa: F401

        for name in self._settings.channels:
            with suppress(DeliveryError):
                ready(self._settings, name)

    def deliver_beside(self, run_id: str) -> None:
        """Deliver what is owed already, in a thread: the job goes on meanwhile, and may end before it."""
        if self._open_store().alerts.waiting_channels():
            Thread(target=self._quietly, args=(run_id, WHILE_IT_RUNS), name="tell", daemon=True).start()

    def deliver(self, store: SqliteStore, run_id: str, seconds: float) -> list[str]:
        """Deliver what is owed, for at most so long; who was told of this run, or will be, in words."""
        if store.alerts.waiting_channels():  # what earlier runs could not deliver, too
            self._outbox(run_id, seconds).deliver(seconds)
        return told(store, run_id, self._job, titles_of(self._settings))

    def _quietly(self, run_id: str, seconds: float) -> None:
        try:
            self._outbox(run_id, seconds).deliver(seconds)
        except OffdutyError:
            pass  # it is owed in the store, and the end of the run tries again

    def _outbox(self, run_id: str, seconds: float) -> Any:
        limits = Limits(deadline=min(seconds, Limits().deadline))
        return outbox(self._open_store, self._settings, self._clock, owner=f"run-{run_id}-{os.getpid()}", limits=limits)
