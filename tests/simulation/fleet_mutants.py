"""The watcher with one mistake each: what the fleet's oracle has to see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from offduty.stores import replay, sqlite, watch_sqlite
from offduty.watch import looking, watcher
from offduty.watch.looking import Between

Patch = tuple[Any, str, Any]


@contextmanager
def applied(name: str) -> Iterator[None]:
    """Production, wrong in one way."""
    patches = MUTANTS[name]()
    before = [(owner, attribute, owner.__dict__[attribute]) for owner, attribute, _ in patches]
    for owner, attribute, wrong in patches:
        setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        for owner, attribute, right in before:
            setattr(owner, attribute, right)


def judges_by_the_clock_of_the_run() -> list[Patch]:
    """What another machine wrote down is taken for the truth (INV-10)."""
    return [(watcher, "seen_at", lambda started, last, now: started)]


def judges_hours_that_never_were() -> list[Patch]:
    """The clock is set ahead, and everything in between was missed."""
    right = watcher.settle
    return [(watcher, "settle", lambda *args, judge_from: right(*args))]


def trusts_the_wall_clock() -> list[Patch]:
    """Nobody compares it with the monotonic one."""
    return [(looking, "_step", lambda last, now: 0.0)]


def settles_before_it_tells() -> list[Patch]:
    """The slot is over, then the alert is owed: a crash in between loses it."""

    def wrong(self: Any, watched: Any, starts: Any, now: float, found: Any) -> bool:
        settled = watcher.settle(watched.promise, watched.slot, starts, now, judge_from=self._judge_from)
        if settled.slot == watched.slot:
            return False
        self._store.watch.advance(watched.job, watched.slot, settled.slot, watcher.due_at(watched.promise, settled.slot))
        for slot in settled.missed:
            self._store.alerts.happen(watcher.missed(watched.job, slot, starts, now), now)
        return True

    return [(watcher.Watcher, "_settle", wrong)]


def tells_without_a_key() -> list[Patch]:
    """Each time that it is found it is news (INV-9)."""
    right, count = watcher.missed, iter(range(10**9))

    def wrong(*args: Any, **more: Any) -> Any:
        happening = right(*args, **more)
        return replace(happening, key=f"{happening.key}:{next(count)}")

    return [(watcher, "missed", wrong)]


def forgets_starts_while_nobody_looked() -> list[Patch]:
    """A watcher that is started again looks at what starts from then on."""
    right = watcher.Watcher._go_on_from

    def wrong(self: Any, peers: Any) -> None:
        right(self, peers)
        self._seen = max((one.number for one in self._store.watch.started_after(self._seen, 10**6)), default=self._seen)

    return [(watcher.Watcher, "_go_on_from", wrong)]


def leaves_a_wrong_clock_behind() -> list[Patch]:
    """What was passed over while the clock was weeks ahead stays so when it is right again."""
    right = looking.between

    def wrong(*args: Any) -> Between:
        return replace(right(*args), reopen=None)

    return [(watcher, "between", wrong)]


def calls_lost_without_a_second_look() -> list[Patch]:
    """The end may have come to the spool since it was read (F63)."""

    def wrong(self: Any, run: Any) -> None:
        end = replay.lost(run, self.clock.wall())
        if self.store.mark_lost(run["id"], ended_at=end["ended_at"], summary=end["summary"]):
            self.done.lost.append(run["id"])

    return [(replay._Replay, "_without_end", wrong)]


def never_looks_at_what_is_running() -> list[Patch]:
    """Only what lies in the spool is judged."""
    return [(watcher.Watcher, "_settle_due", lambda self, now, found: None)]


def judges_a_tick_early() -> list[Patch]:
    """Grace is nearly over, so it is over."""
    right = watcher.settle
    return [
        (watcher, "settle", lambda promise, slot, starts, now, judge_from: right(promise, slot, starts, now + 120, judge_from=judge_from))
    ]


def loses_the_zone() -> list[Patch]:
    """A schedule of London is read as UTC: wrong for half of the year."""
    return [(watch_sqlite, "read_promise", _promised(zone="UTC"))]


def forgets_holidays() -> list[Patch]:
    """A job that is left out on a day is due on it all the same."""
    return [(watch_sqlite, "read_promise", _promised(except_on=()))]


def never_finds_overdue() -> list[Patch]:
    """What runs, runs."""
    return [(watcher.Watcher, "_find_overdue", lambda self, now, monotonic: [])]


def learns_nothing() -> list[Patch]:
    """Only what is promised can be overdue."""
    return [(watcher, "overdue_after", lambda promised, good: promised)]


def learns_too_soon() -> list[Patch]:
    """Twice the longest good run is too long, however short that is."""
    right = watcher.overdue_after
    return [(watcher, "overdue_after", lambda promised, good: right(promised, good) if promised or not good else 2 * max(good))]


def looks_at_the_oldest_file() -> list[Patch]:
    """An output is as old as it was when it was looked at first."""
    seen: dict[str, float | None] = {}
    right = watcher.newest
    return [(watcher, "newest", lambda output: seen.setdefault(output.path, right(output)))]


def never_looks_at_outputs() -> list[Patch]:
    """A job that ends well has done its work."""
    return [(watcher.Watcher, "_find_stale", lambda self, now: [])]


def counts_attempts() -> list[Patch]:
    """A further attempt keeps a slot of its own."""
    right = sqlite._start

    def wrong(db: Any, row: Any) -> None:
        right(db, (*row[: sqlite.ROOT], row[sqlite.ID], *row[sqlite.ROOT + 1 :]))

    return [(sqlite, "_start", wrong)]


def says_never_of_all() -> list[Patch]:
    """Whatever was missed never ran."""
    right = watcher.missed
    return [(watcher, "missed", lambda *args, never: right(*args, never=True))]


def hears_nobody() -> list[Patch]:
    """Another watcher's death is no concern of ours."""
    return [(watcher.Watcher, "_hear_others", lambda self, now, monotonic: [])]


def trusts_what_it_did_not_hear() -> list[Patch]:
    """A watcher that stood still holds its own silence against the others."""
    return [(watcher, "GAP", float("inf"))]


def watches_what_has_left() -> list[Patch]:
    """A job that is not in the configuration any more is missed for ever."""
    return [(watch_sqlite.SqliteWatch, "forget", lambda self, job: True)]


def _promised(**wrong: Any) -> Any:
    right = watch_sqlite.read_promise
    return lambda found: replace(right(found), **wrong)


MUTANTS = {
    mutant.__name__: mutant
    for mutant in (
        judges_by_the_clock_of_the_run, judges_hours_that_never_were, trusts_the_wall_clock, settles_before_it_tells, tells_without_a_key,
        forgets_starts_while_nobody_looked, leaves_a_wrong_clock_behind, calls_lost_without_a_second_look, never_looks_at_what_is_running,
        judges_a_tick_early, loses_the_zone, forgets_holidays, never_finds_overdue, learns_nothing, learns_too_soon,
        looks_at_the_oldest_file, never_looks_at_outputs, counts_attempts, says_never_of_all, hears_nobody, trusts_what_it_did_not_hear,
        watches_what_has_left,
    )
}  # fmt: skip
