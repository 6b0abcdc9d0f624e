"""What the look-back commands stand on: the store, up to date, and the jobs that are configured; either may be absent."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from offduty import places as places_module
from offduty.cli.show import note
from offduty.clock import Clock
from offduty.errors import OffdutyError, StoreError
from offduty.places import Places
from offduty.runs.store import Record, Store

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.watch.schedule import Schedule


@dataclass(frozen=True)
class Planned:
    """When a configured job is to run: by a `schedule`, which is made when somebody asks, or `every` so many seconds, or by hand."""

    schedule: Callable[[], Schedule | None] = lambda: None
    every: float | None = None

    def next_due(self, last_start: float | None, now: float) -> float | None:
        """The next moment it should start (seconds since 1970); one in the past if it is late. None if nothing says so."""
        if self.every:
            return last_start + self.every if last_start is not None else None
        try:
            schedule = self.schedule()
        except OffdutyError:  # a calendar that cannot be read: `offduty check` tells
            return None
        return schedule.after(now) if schedule is not None else None


@dataclass(frozen=True)
class Reach:
    """An open store, the jobs that are configured by name, and where everything lies."""

    store: Store
    planned: Mapping[str, Planned]
    places: Places
    clock: Clock

    def refresh(self, run_id: str) -> Record:
        """A run as it is now, also if its end has only just come to the spool, or will never come. Raises NotThere, StoreError."""
        _take_in(self.store, self.places, self.clock)
        return self.store.run(run_id)


@contextmanager
def open_for_reading(args: argparse.Namespace, clock: Clock, *, make: bool = False) -> Iterator[Reach]:
    """The store with every spool file taken in; what people should know about it is noted on stderr. Raises StoreError.

    Where nothing ever ran nothing is made either: the store is an empty one in memory, unless there is something to `make` it for.
    """
    settings = load_settings(args)
    places = settings.places() if settings else places_module.find(os.environ)
    store = _open(places, clock, make=make)
    try:
        for text in (*_take_in_or_say(store, places, clock, settings), *store.notes()):
            note(args, text)
        yield Reach(store, planned_jobs(settings), places, clock)
    finally:
        store.close()


def _open(places: Places, clock: Clock, *, make: bool) -> Store:
    if not make and not os.path.lexists(places.store) and not os.path.lexists(places.spool):
        from offduty.stores.memory import MemoryStore

        return MemoryStore()
    from offduty.stores.sqlite import open_store

    return open_store(places.store, clock=clock)


def _take_in_or_say(store: Store, places: Places, clock: Clock, settings: Settings | None) -> list[str]:
    """Take the spool in. If that fails, what is in the store can be looked at all the same: the reason, as a note."""
    try:
        return _take_in(store, places, clock, settings)
    except StoreError as error:
        return [f"runs that wait in {places.spool} are not shown: {error}"]


def _take_in(store: Store, places: Places, clock: Clock, settings: Settings | None = None) -> list[str]:
    from offduty.runs.alive import supervisor_alive
    from offduty.stores.replay import replay
    from offduty.wiring.retain import forget_events

    done = replay(places.spool, store, alive=supervisor_alive, clock=clock, judge=lambda run: _judge(run, places, settings))
    forget_events(store, done.lost, places.logs)
    return [f"{done.damaged} damaged files of the spool were set aside in {places.spool}/damaged"] if done.damaged else []


def _judge(run: Mapping[str, Any], places: Places, settings: Settings | None) -> Mapping[str, Any]:
    """What triage says of a run that was found lost; what that takes is imported only then."""
    from offduty.wiring.triage import Duty, duty_of
    from offduty.wiring.verdicts import judge_lost

    return judge_lost(lambda: duty_of(settings) if settings else Duty(), places.logs)(dict(run))


def load_settings(args: argparse.Namespace) -> Settings | None:
    """The configuration, or None with a note if it cannot be used: looking back has to work all the same."""
    from offduty.settings.load import load

    try:
        return load(os.getcwd(), os.environ, config=args.config)
    except OffdutyError as error:
        if args.config is not None:
            raise
        note(args, f"the configuration is left out: {error}; `offduty check` tells everything")
    except OSError as error:
        note(args, f"the configuration is left out: the working folder cannot be used: {error.strerror}")
    return None


def planned_jobs(settings: Settings | None) -> dict[str, Planned]:
    """The jobs of the configuration by name; one that is broken is known by its name only."""
    if settings is None:
        return {}
    good = {name: Planned(partial(_schedule_of, settings, name), job.every) for name, job in settings.jobs.items()}
    return {**{name: Planned() for name in settings.broken}, **good}


def _schedule_of(settings: Settings, name: str) -> Schedule | None:
    from offduty.wiring.schedules import schedule_of

    return schedule_of(settings, name)


def job_names(args: argparse.Namespace) -> list[str]:
    """All jobs, for completion: never an error, because it would appear in the middle of what somebody types."""
    args = argparse.Namespace(**{**vars(args), "quiet": True})
    try:
        with open_for_reading(args, Clock()) as reach:
            return sorted({*reach.store.jobs(), *reach.planned})
    except OffdutyError:
        return []
