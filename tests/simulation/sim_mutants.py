"""The protocol with one mistake each: what the oracle has to see. Each is a list of (owner, attribute, replacement)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sim_world

from offduty.alerts import attempts, grouping, incident, outbox, owing
from offduty.alerts.attempts import lease_of
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.incident import Announced, Incident, Step
from offduty.alerts.owed import Owed
from offduty.stores.alerts_memory import MemoryBooks
from offduty.stores.memory import MemoryStore

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


def mark_before_send() -> list[Patch]:
    """At most once: what the best-known open systems do."""
    right = outbox.Sender._one

    def wrong(self: Any, row: Owed) -> None:
        self.store.delivered(lease_of(row), Receipt(), self._clock.wall())
        right(self, row)

    return [(outbox.Sender, "_one", wrong)]


def rows_in_a_second_transaction() -> list[Patch]:
    """The incident is committed, and then its rows: what happens in between loses them."""
    right = MemoryStore._tell

    def tell(self: Any, run: Any, tell: Any, before: Any) -> None:
        if sim_world.DROPS_SECOND.random() < 0.05:  # the process dies between the two
            kept = self._books.add
            self._books.add = lambda rows: len(list(rows))
            right(self, run, tell, before)
            self._books.add = kept
        else:
            right(self, run, tell, before)

    return [(MemoryStore, "_tell", tell)]


def no_fencing() -> list[Patch]:
    """Whoever comes back from a long sleep marks what another has by now."""

    def leased(self: Any, number: int, owner: str, attempt: int) -> Owed | None:
        return self._rows.get(number)

    return [(MemoryBooks, "leased", leased)]


def trusts_the_wall_clock_for_leases() -> list[Patch]:
    """A clock that is set forward lets every lease lapse."""

    def has_lapsed(self: Any, number: int, who: Any) -> bool:
        return bool(self._leases[number][1] <= who.wall)

    return [(MemoryBooks, "_has_lapsed", has_lapsed)]


def leases_for_ever() -> list[Patch]:
    """What a dead sender had is never sent."""
    return [(MemoryBooks, "_has_lapsed", lambda self, number, who: False)]


def leases_for_a_moment() -> list[Patch]:
    """A lease shorter than a send."""
    return [(MemoryBooks, "_has_lapsed", lambda self, number, who: True)]


def doubt_counts_as_delivered() -> list[Patch]:
    """No answer is taken for a good one."""
    right = outbox.Sender._did_not_arrive

    def wrong(self: Any, row: Owed, error: DeliveryError) -> None:
        if error.ambiguous:
            self.store.delivered(lease_of(row), Receipt(), self._clock.wall())
        else:
            right(self, row, error)

    return [(outbox.Sender, "_did_not_arrive", wrong)]


def gives_up_silently() -> list[Patch]:
    """After five attempts a row is dead, and nobody hears of it."""
    return [
        (attempts, "_is_hopeless", lambda row, error, health: row.attempts >= 5),
        (attempts, "_tell_elsewhere", lambda *args: None),
    ]


def no_order() -> list[Patch]:
    """A row does not wait for those before it in its chain."""

    def is_due(self: Any, row: Owed, who: Any) -> bool:
        if row.state == "waiting":
            return row.not_before <= who.wall or row.not_before - who.wall > row.within + 900
        return bool(self._has_lapsed(row.number, who))

    return [(MemoryBooks, "_is_due", is_due), (attempts, "_sensible", lambda books, row, *rest: row)]


def repeats_are_announced() -> list[Patch]:
    """Every failure is news."""

    def open_incidents(self: Any, job: str) -> list[Incident]:
        return []

    return [(MemoryBooks, "open_incidents", open_incidents)]


def random_keys() -> list[Patch]:
    """A second taking-in of the same spool file owes everything again."""
    count = iter(range(10**9))
    right = owing._row
    kept = MemoryStore.put_run

    def row(*args: Any) -> Owed:
        return replace(right(*args), key=f"{next(count):032x}")

    def put_run(self: Any, record: Any, transactions: Any = (), **parts: Any) -> Any:
        """… since nothing else remembers that the run was taken."""
        stored = self._runs.get(record["id"])
        if stored is not None and stored["outcome"] == record["outcome"] != "running":
            self._tell(stored, parts.get("tell"), "running")
        return kept(self, record, transactions, **parts)

    return [(owing, "_row", row), (MemoryStore, "put_run", put_run)]


def spool_goes_before_the_commit() -> list[Patch]:
    """The file is deleted, and then the store is told."""

    def take(world: Any, store: Any, actor: Any, run_id: str) -> None:
        record, tell = world.spool[run_id][-1]
        if record["outcome"] != "running":
            del world.spool[run_id]
            world.note("run", record, tell)
        store.put_run(record, tell=tell)

    return [(sim_world, "take", take)]


def a_group_is_marked_alone() -> list[Patch]:
    """The rows that a digest tells of stay folded, and block what comes after them."""
    return [(MemoryBooks, "end_members", lambda self, group, state, now: None)]


def folds_and_sends_both() -> list[Patch]:
    """The members of a digest go out by themselves as well."""
    right = grouping.batch

    def wrong(rows: Any, now: float, *, pages: bool) -> Any:
        found = right(rows, now, pages=pages)
        return replace(found, alone=tuple(rows))

    return [(outbox, "batch", wrong)]


def retries_forget() -> list[Patch]:
    """After a failure the row is not put back."""

    def wrong(books: Any, row: Owed, error: Any, now: float, rng: Any) -> None:
        books.put(replace(row, state="dropped"))

    return [(attempts, "_try_again", wrong)]


# What people and time do


def one_reminder_is_enough() -> list[Patch]:
    """After its first reminder an incident is forgotten."""
    right = incident.time_passed

    def wrong(found: Incident, policy: Any, now: float) -> Step:
        step = right(found, policy, now)
        forgotten = tuple(replace(it, due=None) if it.reminders else it for it in step.changed)
        return replace(step, changed=forgotten)

    return [(owing, "time_passed", wrong)]


def reminders_without_back_off() -> list[Patch]:
    """As often on the third day as in the first hour."""
    right = incident._plan_next
    return [(incident, "_plan_next", lambda found, policy, now: right(found, replace(policy, remind_factor=1.0), now))]


def reminds_whoever_is_at_it() -> list[Patch]:
    """An acknowledgement is announced, and changes nothing."""
    right = incident.acknowledge

    def wrong(found: Incident, by: str, now: float) -> Step:
        step = right(found, by, now)
        return replace(step, changed=tuple(replace(it, acked_at=None, due=found.due) for it in step.changed))

    return [(incident, "acknowledge", wrong)]


def escalates_over_people() -> list[Patch]:
    """It escalates although somebody acknowledged: when he did, the count-down is left as it was."""
    right = incident.time_passed

    def wrong(found: Incident, policy: Any, now: float) -> Step:
        return right(replace(found, acked_at=None), policy, now) if not found.escalated and policy.escalate_s else right(found, policy, now)

    def may(found: Incident, policy: Any) -> bool:
        return policy.escalate_s is not None and not found.escalated

    kept = incident.acknowledge

    def acknowledge(found: Incident, by: str, now: float) -> Step:
        step = kept(found, by, now)
        return replace(step, changed=tuple(replace(it, due=found.due) for it in step.changed))

    return [(owing, "time_passed", wrong), (incident, "_may_escalate", may), (incident, "acknowledge", acknowledge)]


def a_snooze_ends_escalation() -> list[Patch]:
    """What was found in production: where nothing reminds, an incident that was snoozed never escalated."""
    right = incident.time_passed

    def wrong(found: Incident, policy: Any, now: float) -> Step:
        step = right(found, policy, now)
        return step if step.announced or policy.remind_s else Step((replace(found, due=None),))

    return [(owing, "time_passed", wrong)]


def flapping_puts_escalation_off() -> list[Patch]:
    """What was found in production: time that passed before a good run, or a snooze, did not count."""
    kept = incident.time_passed

    def time_passed(found: Incident, policy: Any, now: float) -> Step:
        counted = replace(found, escalate_in=max(0.0, found.escalate_in - found.due_in)) if found.snoozed_until is None else found
        return kept(counted, policy, now)

    return [(incident, "_counted", lambda found, now: found), (owing, "time_passed", time_passed)]


def a_snooze_is_not_heeded() -> list[Patch]:
    """It goes on reminding."""
    right = incident.snooze

    def wrong(found: Incident, by: str, seconds: float, now: float) -> Step:
        step = right(found, by, seconds, now)
        return replace(step, changed=tuple(replace(it, due=found.due, due_in=found.due_in, snoozed_until=None) for it in step.changed))

    return [(incident, "snooze", wrong)]


def a_silence_ends_in_silence() -> list[Patch]:
    """What is still bad when it ends is told to nobody."""
    return [(owing, "_end_silence", lambda books, it, now: books.put_silence(replace(it, ended=True)))]


def silences_are_set_in_silence() -> list[Patch]:
    """Nobody hears that nothing will be heard."""
    return [(owing, "silence", lambda books, wanted, now, plans: books.put_silence(wanted))]


def a_silence_swallows_the_end() -> list[Patch]:
    """What was told before the silence is never closed."""
    right = owing._owe

    def wrong(books: Any, announced: Announced, rows: Any, silenced: bool) -> None:
        if not (silenced and announced.event == "recovered"):
            right(books, announced, rows, silenced)

    return [(owing, "_owe", wrong)]


def a_window_begins_at_once() -> list[Patch]:
    """Maintenance that is announced for tonight silences the afternoon."""
    return [(owing, "_is_active", lambda it, now: not it.ended and now < it.until)]


def a_silence_for_all() -> list[Patch]:
    """A silence of one job is one of every job."""
    return [(owing, "matches", lambda silences, job, now: any(owing._is_active(it, now) for it in silences))]


def each_silence_speaks() -> list[Patch]:
    """What was found in production: a silence that ended spoke into another, and two that ended said the same."""
    right = owing._say_still_bad

    def wrong(books: Any, *rest: Any) -> None:
        books.silences = list
        right(books, *rest)
        del books.silences

    return [(owing, "_last_heard", lambda books, found, channel: 0), (owing, "_say_still_bad", wrong)]


def no_quiet_hours() -> list[Patch]:
    """What is urgent goes out at night, and digests at once."""
    return [(owing, "not_before", lambda urgency, policy, now: now)]


def believes_a_clock_that_was_set_back() -> list[Patch]:
    """What was planned before waits for the day that it was planned for."""
    return [(Incident, "is_due", lambda self, now: self.due is not None and self.due <= now)]


def one_failure_is_enough() -> list[Patch]:
    """Nobody waits for the second failure in a row."""
    right = incident._open_if_enough
    return [(incident, "_open_if_enough", lambda found, policy, now: right(found, replace(policy, after_failures=1), now))]


def failures_are_never_forgotten() -> list[Patch]:
    """Two failures with a good run between them are two in a row."""
    right = incident._one_well
    return [(incident, "_one_well", lambda it, *rest: Step() if it.state == "pending" else right(it, *rest))]


def well_again_at_once() -> list[Patch]:
    """The first good run is the end of it."""
    right = incident._one_well
    return [(incident, "_one_well", lambda it, happening, policy, now: right(it, happening, replace(policy, settle_s=0.0), now))]


def recovered_is_told_to_all() -> list[Patch]:
    """The end goes to those whom the plan names, whether or not they heard of the beginning."""
    right = owing._audience

    def wrong(announced: Announced, plan: Any, step: Step) -> Any:
        return plan.of("recovered") if announced.event == "recovered" else right(announced, plan, step)

    return [(owing, "_audience", wrong)]


def the_first_end_closes_the_storm() -> list[Patch]:
    """A page that stands for many is closed as soon as one of them is well."""
    right = attempts._end_within_storm

    def wrong(books: Any, row: Owed, begun: Any, now: float) -> Owed | None:
        health = books.health(row.channel)
        if health.storm:
            books.put_health(replace(health, storm_open=1))
        return right(books, row, begun, now)

    return [(attempts, "_end_within_storm", wrong)]


def the_storm_never_ends() -> list[Patch]:
    """What was found in production: an incident within a storm got a page of its own as well, and its end closed that one alone."""
    return [(attempts, "_within_storm", lambda books, row: row), (attempts, "_is_of_storm", lambda row: bool(row.group))]


MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    found.__name__: found
    for found in (
        mark_before_send, rows_in_a_second_transaction, no_fencing, trusts_the_wall_clock_for_leases, leases_for_ever, leases_for_a_moment,
        doubt_counts_as_delivered, gives_up_silently, no_order, repeats_are_announced, random_keys, spool_goes_before_the_commit,
        a_group_is_marked_alone, folds_and_sends_both, retries_forget,
        one_reminder_is_enough, reminders_without_back_off, reminds_whoever_is_at_it, escalates_over_people, a_snooze_ends_escalation,
        flapping_puts_escalation_off, a_snooze_is_not_heeded, a_silence_ends_in_silence, silences_are_set_in_silence,
        a_silence_swallows_the_end, a_window_begins_at_once, a_silence_for_all, each_silence_speaks, believes_a_clock_that_was_set_back,
        no_quiet_hours, one_failure_is_enough, failures_are_never_forgotten, well_again_at_once, recovered_is_told_to_all,
        the_first_end_closes_the_storm, the_storm_never_ends,
    )
}  # fmt: skip
