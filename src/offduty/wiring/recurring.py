"""The drills of one job that are due by themselves, in a process of their own, so that no watcher waits for them.

1. One such process at a time: it holds a lock that dies with it.
2. The turn is on record before anything is rehearsed, and each result as soon as it is there: whoever takes it up again leaves that out.
3. A thread looks whether the job runs, or is due soon. Then this process goes at once, and what it rehearses goes with it: the kernel ends
   each with its parent. The turn is gone on with later.
4. What the turn came to is owed first, under a key that names it for ever; then it is over. So it is told once, also after a crash.

python -m offduty.wiring.recurring SPEC     SPEC: JSON with start, config, job
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from offduty.alerts.incident import DRILL, Happening
from offduty.alerts.routing import route
from offduty.clock import Clock, rfc3339
from offduty.drills import turn as turns
from offduty.drills.store import Rehearsed, Turn
from offduty.durations import spoken
from offduty.errors import OffdutyError, StoreError
from offduty.runs.alive import supervisor_alive
from offduty.runs.lock import JobLock
from offduty.settings.load import load
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store
from offduty.watch.lateness import margins
from offduty.wiring.drilling import LIMIT, Driller, Options
from offduty.wiring.receipts import Receipts
from offduty.wiring.retain import forget_events
from offduty.wiring.schedules import machine_zone
from offduty.wiring.telling import rules_of, tell_of
from offduty.wiring.triage import duty_of

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

LONGEST = 3600.0
"""Seconds that a turn may take, if nothing else is said."""
LOOKS = 2.0
"""Seconds between two looks whether the job wants to run."""
NOT_NOW = 75
LOCK = "+drills"
"""No job can have this name."""
CANNOT_EVER = "E820"
"""A job that cannot be held back at all: that is shown, and nobody is told each month."""


@dataclass(frozen=True)
class Said:
    """What is configured about the drills of a job. Durations in seconds; `every` 0: never."""

    every: float = 0.0
    hours: str = ""
    zone: str = "UTC"
    longest: float = LONGEST
    for_real: bool = False
    options: Options = field(default_factory=Options)


def said_of(settings: Settings, name: str, config: str | None = None) -> Said:
    """The job's word, else the general one. Raises as `Settings.job` does."""
    job, general = settings.job(name), settings.drill

    def first(key: str, usual: Any) -> Any:
        return next((value for one in (job.drill, general) if (value := getattr(one, key)) is not None), usual)

    is_run = any((job.command, job.shell, job.notebook))
    options = Options(
        everything=bool(first("all", False)), allow=tuple(first("allow_writes", ())), run=tuple(first("allow_run", ())),
        limit=float(first("limit", LIMIT)), config=config,
    )  # fmt: skip
    return Said(
        float(first("every", 0.0)) if is_run else 0.0, str(first("hours", "")), job.timezone or machine_zone(),
        float(first("longest", LONGEST)), bool(first("for_real", False)), options,
    )  # fmt: skip


def why_not(said: Said, name: str, store: SqliteStore, now: float) -> str:
    """Why the drills of the job must not begin, or go on, now; "" if nothing speaks against it."""
    running = any(run["job"] == name for run in store.running())
    watched = next(iter(store.watch.watched(name)), None)
    slot, period = (watched.slot, 0.0) if watched else (None, 0.0)
    if watched and slot is not None:
        following = margins(watched.promise, slot)[2]
        period = following - slot if following is not None else turns.DAY
    return turns.wait_for(running=running, slot=slot, period=period, hours=said.hours, zone=said.zone, now=now)


def main(text: str) -> int:
    """Do the turn that is due; 0 when it is over, 75 if it is not to be done now."""
    spec: dict[str, Any] = json.loads(text)
    settings, clock = load(spec["start"], os.environ, config=spec["config"]), Clock()
    lock = JobLock(settings.places().locks, LOCK)
    if not lock.take(f"{os.getpid()}"):
        return NOT_NOW
    said = said_of(settings, spec["job"], spec["config"])
    with_store = open_store(settings.places().store, clock=clock)
    try:
        return NOT_NOW if begin(Doing(settings, spec["job"], said, with_store, clock)) is None else 0
    finally:
        with_store.close()


@dataclass(frozen=True)
class Doing:
    """What a turn is done with."""

    settings: Settings
    job: str
    said: Said
    store: SqliteStore
    clock: Clock


def begin(doing: Doing) -> Turn | None:
    """Take up the turn that is due, and do it. None if none is, or the job is in the way."""
    now = doing.clock.wall()
    last = next(reversed(doing.store.drills.turns(doing.job)), None)
    turn = turns.take_up(last, doing.job, doing.said.every, now)
    if turn is None or why_not(doing.said, doing.job, doing.store, now):
        return None
    turn = doing.store.drills.put_turn(turn)
    if turn.tries > turns.MOST_TRIES:
        why = f"it was broken off {turn.tries - 1} times" + (f", the last time because {turn.said}" if turn.said else "")
        done = results(doing, turn)
        return settle(doing, turns.could_not(turn, why, "", now, done), done)
    return do(doing, turn)


def do(doing: Doing, turn: Turn) -> Turn:
    """Rehearse what this turn has not rehearsed yet."""
    over = Event()
    watching = Thread(target=give_way, args=(doing, turn, over), name="give way", daemon=True)
    watching.start()
    try:
        settled = settle(doing, rehearse(doing, turn), results(doing, turn))
    finally:
        over.set()
    watching.join(LOOKS)
    return settled


def rehearse(doing: Doing, turn: Turn) -> Turn:
    """The turn, with what it came to."""
    try:
        sender = Receipts(doing.settings, doing.store, doing.clock, once=True) if doing.said.for_real else None
        driller = Driller(doing.settings, doing.job, doing.store, doing.said.options, doing.clock, sender)
        for found in driller.results(results(doing, turn)):
            keep(doing.store, found, turn)
    except StoreError:
        raise
    except OffdutyError as error:
        return turns.could_not(turn, f"{error.what}: {error.why}" if error.why else error.what, error.code, doing.clock.wall())
    return turns.ended(turn, results(doing, turn), doing.clock.wall())


def keep(store: SqliteStore, found: Rehearsed, turn: Turn) -> Rehearsed:
    """Remember a result, and which turn it belongs to."""
    found = replace(found, entry={**found.entry, "turn": turn.number})
    store.drills.rehearse([found])
    return found


def results(doing: Doing, turn: Turn) -> list[Rehearsed]:
    """What the turn has rehearsed."""
    return turns.of_turn(doing.store.drills.rehearsals(doing.job), turn)


def give_way(doing: Doing, turn: Turn, over: Event) -> None:
    """Look after the turn until it is `over`: this process ends if the job wants to run, if it takes too long, or if the look fails."""
    began = doing.clock.monotonic()
    try:
        with closing(open_store(doing.settings.places().store, clock=doing.clock)) as own:
            mine = replace(doing, store=own)
            while not over.wait(LOOKS) and not has_given_way(mine, turn, doing.clock.monotonic() - began):
                pass
    finally:
        if not over.is_set():
            os._exit(NOT_NOW)  # the kernel ends what we started, and the drill's folder is cleared behind us


def has_given_way(doing: Doing, turn: Turn, took: float) -> bool:
    """One look, `took` seconds after the beginning: whether the turn was put off, or given up. Not while the store is away."""
    try:
        if took > doing.said.longest:
            done = results(doing, turn)
            why = f"it took longer than {spoken(doing.said.longest)}"
            settle(doing, turns.could_not(turn, why, "", doing.clock.wall(), done), done)
            return True
        if why := in_the_way(doing):
            doing.store.drills.put_turn(replace(turn, said=why))
        return bool(why)
    except StoreError:
        return False


def in_the_way(doing: Doing) -> str:
    """Whether the job wants to run, as the newest of the spool has it."""
    places = doing.settings.places()
    done = replay(places.spool, doing.store, alive=supervisor_alive, clock=doing.clock)
    forget_events(doing.store, done.lost, places.logs)
    return why_not(replace(doing.said, hours=""), doing.job, doing.store, doing.clock.wall())


def by_hand(doing: Doing, began: float, done: Sequence[Rehearsed]) -> Turn:
    """Somebody has done a whole turn, and has seen what it came to: the next is due as if it had come by itself."""
    turn = turns.ended(Turn(doing.job, began, by="hand"), done, doing.clock.wall())
    return settle(doing, turn, done) if turn.outcome == "passed" else doing.store.drills.put_turn(turn)


def settle(doing: Doing, turn: Turn, done: Sequence[Rehearsed]) -> Turn:
    """Tell the owner, then end the turn."""
    happening = happening_of(turn, done)
    if happening is not None:
        doing.store.alerts.happen(happening, doing.clock.wall(), whom_to_tell(doing))
    return doing.store.drills.put_turn(turn)


def whom_to_tell(doing: Doing) -> dict[str, Any] | None:
    """As the configuration has it; None without channels. A triage table that is broken names nobody, but the owner hears of it."""
    if not doing.settings.channels:
        return None
    try:
        return tell_of(doing.settings, doing.job, duty_of(doing.settings))
    except OffdutyError:
        return route(rules_of(doing.settings, doing.job), {})


def happening_of(turn: Turn, done: Sequence[Rehearsed]) -> Happening | None:
    """What the owner is told of a turn that is over: nothing where it went well before, or where the job can never be drilled."""
    if turn.code == CANNOT_EVER or turn.ended_at is None:
        return None
    key = f"drill:{turn.job}:{rfc3339(turn.began_at)}"
    if turn.outcome == "passed":
        return Happening(key, turn.job, "drill_passed", turn.ended_at, outcome="passed", cause=DRILL)
    details = {"said": turn.said, "items": turns.what_is_wrong(done)}
    return Happening(key, turn.job, "drill_failed", turn.ended_at, outcome=turn.outcome, cause=DRILL, details=details)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
