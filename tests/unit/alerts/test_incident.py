"""What happens to incidents: opened once, counted, reminded of, escalated, well again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.incident import Happening, Step, acknowledge, advance, note, resolve, snooze, time_passed
from offduty.alerts.plan import Policy

AT_ONCE = Policy(settle_s=0)
HOUR, DAY = 3600.0, 86_400.0


def happened(event, at=0.0, **fields):
    """Something that happened to the job `forecast`."""
    return Happening(key=f"{event}{at}", job="forecast", event=event, at=at, run=f"run-{at}", outcome=event, **fields)


class Life:
    """One job's incidents over time, and what was announced."""

    def __init__(self, policy):
        self.policy, self.incidents, self.told = policy, {}, []

    def add(self, step: Step, at):
        """Take a step."""
        self.incidents.update((it.id, it) for it in step.changed)
        self.told += [(at, it.event) for it in step.announced]

    def happens(self, event, at=0.0, **fields):
        """A happening, at once known."""
        self.add(advance(self.open(), happened(event, at, **fields), self.policy, at), at)

    def passes(self, until, every=60.0, since=0.0):
        """Time, looked at every minute."""
        now = since
        while now < until:
            now += every
            for it in self.open():
                if it.is_due(now):
                    self.add(time_passed(it, self.policy, now), now)

    def open(self):
        """Those that are not over."""
        return [it for it in self.incidents.values() if it.state != "resolved"]

    def events(self, *but):
        """What was announced, in order."""
        return [event for _, event in self.told if event not in but]


def test_a_repeat_is_counted_and_not_announced():
    """Ten failures are one incident and one message; its end says how many there were."""
    life = Life(AT_ONCE)
    for n in range(10):
        life.happens("failed", n * DAY)
    life.happens("succeeded", 10 * DAY)
    (incident,) = life.incidents.values()
    assert life.events() == ["failed", "recovered", "succeeded"]
    assert (incident.failures, incident.state, incident.opened_at, incident.resolved_at) == (10, "resolved", 0.0, 10 * DAY)


def test_each_cause_is_an_incident_of_its_own():
    """Another cause is news; one good run ends both."""
    life = Life(AT_ONCE)
    life.happens("failed", 0, cause="FEED-01")
    life.happens("failed", DAY, cause="DB-01")
    life.happens("warned", 2 * DAY)
    assert life.events() == ["failed", "failed", "recovered", "recovered", "warned"]


def test_after_so_many_failures_in_a_row():
    """Before the n-th nobody is told, not of the end either; `missed` is never waited for."""
    life = Life(replace(AT_ONCE, after_failures=3))
    for event in ("failed", "failed", "succeeded", "failed", "failed"):
        life.happens(event, len(life.told) + len(life.incidents))
    assert life.events("succeeded") == []
    life.happens("failed", 50.0)
    assert life.events("succeeded") == ["failed"]
    life.happens("missed", 60.0)
    assert life.events("succeeded") == ["failed", "missed"]


def test_only_the_last_attempt_counts():
    """An attempt that will be tried again is no failure."""
    life = Life(AT_ONCE)
    life.happens("failed", 0, final=False)
    assert not life.incidents
    life.happens("failed", 60)
    assert life.events() == ["failed"]


def test_a_job_that_flaps_is_told_of_once_with_updates_and_once_more():
    """F48a: fail, ok, every minute for two hours: one `failed`, updates at most every 15 minutes, one `recovered`."""
    life = Life(Policy())
    for minute in range(120):
        life.happens(("failed", "succeeded")[minute % 2], minute * 60.0)
        life.passes(minute * 60.0 + 30, every=30, since=minute * 60.0)
    life.passes(3 * HOUR, since=2 * HOUR)
    assert life.events("succeeded", "reminder") == ["failed", "recovered"]
    updates = [at for at, event in life.told if event == "reminder"]
    assert len(updates) == 7 and all(b - a >= 900 for a, b in zip(updates, updates[1:], strict=False))


def test_a_person_who_ran_it_well_has_ended_it():
    """Nobody who has mended it wants to wait 15 minutes for the word."""
    life = Life(Policy())
    life.happens("failed", 0)
    life.happens("succeeded", 60, by_hand=True)
    assert life.events("succeeded") == ["failed", "recovered"]


def test_reminders_grow_apart():
    """After one hour, then two, four, eight, then every ten."""
    life = Life(Policy(remind_s=HOUR, remind_max_s=10 * HOUR))
    life.happens("failed", 0)
    life.passes(36 * HOUR)
    assert [at / HOUR for at, event in life.told if event == "reminder"] == [1, 3, 7, 15, 25, 35]


def test_who_acknowledges_has_no_reminders_and_no_escalation():
    """The others hear that somebody is at it; after that only its end is told."""
    life = Life(Policy(settle_s=0, remind_s=HOUR, escalate_s=HOUR))
    life.happens("failed", 0)
    life.add(acknowledge(life.open()[0], "ada", 60), 60)
    life.passes(2 * DAY)
    life.happens("succeeded", 2 * DAY)
    assert life.events("succeeded") == ["failed", "acknowledged", "recovered"]
    assert next(iter(life.incidents.values())).acked_by == "ada"


def test_it_escalates_once_when_nobody_acknowledges():
    """At its time, however many reminders there were before."""
    life = Life(Policy(remind_s=600, escalate_s=HOUR))
    life.happens("failed", 0)
    life.passes(DAY)
    assert [at for at, event in life.told if event == "escalated"] == [HOUR]


def test_snoozed_is_asleep_for_a_while():
    """No reminder until then; and nobody can snooze for more than 30 days (T33)."""
    life = Life(Policy(remind_s=HOUR))
    life.happens("failed", 0)
    life.add(snooze(life.open()[0], "ada", 8 * HOUR, 0), 0)
    life.passes(9 * HOUR)
    assert [at / HOUR for at, event in life.told if event == "reminder"] == [8]
    assert snooze(life.open()[0], "ada", 1e12, 0).changed[0].snoozed_until == 30 * DAY
    assert snooze(life.open()[0], "ada", 4 * HOUR, 0).changed[0].notes[-1][2] == "snoozed for 4 h"


def test_a_snooze_puts_escalation_off_and_does_not_end_it():
    """What was slept away does not count, what passed before does; also where nothing reminds."""
    life = Life(Policy(escalate_s=3 * HOUR))
    life.happens("failed", 0)
    life.add(snooze(life.open()[0], "ada", 5 * HOUR, HOUR), HOUR)
    life.passes(DAY, since=HOUR)
    assert [at / HOUR for at, event in life.told if event == "escalated"] == [8]


def test_a_job_that_flaps_escalates_all_the_same():
    """It was never well for long enough: nobody was told that it is over, so the patience with who should have acknowledged goes on."""
    life = Life(Policy(settle_s=2 * HOUR, escalate_s=3 * HOUR))
    for number in range(12):
        life.happens(("failed", "succeeded")[number % 2], number * HOUR / 2)
        life.passes((number + 1) * HOUR / 2, since=number * HOUR / 2)
    assert [round(at / HOUR, 1) for at, event in life.told if event == "escalated"] == [3]


def test_a_person_may_say_that_it_is_over():
    """Resolved by hand is told as any end is, once, and says by whom."""
    life = Life(AT_ONCE)
    life.happens("failed", 0)
    life.add(note(life.open()[0], "ada", "the feed is late", 1), 1)
    life.add(resolve(life.open()[0], "ada", 2), 2)
    (incident,) = life.incidents.values()
    assert life.events() == ["failed", "recovered"] and incident.resolved_by == "ada"
    assert [text for _, _, text in incident.notes] == ["the feed is late", "resolved"]
    assert resolve(incident, "ada", 3) == Step()


@pytest.mark.parametrize("end, then", [("succeeded", ["recovered", "succeeded"]), ("failed", ["recovered", "failed"])])
def test_a_lost_run_that_turns_up_is_not_lost_any_more(end, then):
    """F22: `lost` once, `recovered` once, and the truth."""
    life = Life(AT_ONCE)
    life.add(advance([], replace(happened("lost"), cause="lost", run="r"), AT_ONCE, 0), 0)
    life.add(advance(life.open(), replace(happened(end, 60), run="r", corrects=True), AT_ONCE, 60), 60)
    assert life.events() == ["lost", *then]


def test_a_failure_that_was_overtaken_opens_nothing():
    """An old spool file: it failed, and has been well since; said once, and nothing stays open."""
    life = Life(AT_ONCE)
    life.happens("failed", 0, superseded=True)
    assert life.events() == ["failed"] and not life.open()


def test_an_old_success_says_nothing_about_a_newer_failure():
    """Taken in late, it ends nothing."""
    life = Life(AT_ONCE)
    life.happens("failed", DAY)
    life.happens("succeeded", 0)
    assert life.events("succeeded") == ["failed"] and life.open()


@pytest.mark.parametrize("back", [HOUR, DAY, 365 * DAY])
def test_a_clock_that_is_set_back_delays_nothing_for_long(back):
    """F54, INV-10: a moment further ahead than it was planned is due."""
    life = Life(Policy(remind_s=HOUR))
    life.happens("failed", 1e9)
    assert life.open()[0].is_due(1e9 - back)


EVENTS = st.sampled_from(["failed", "succeeded", "missed", "lost", "overdue", "warned"])


@given(
    st.lists(st.tuples(EVENTS, st.sampled_from(["", "A", "B"]), st.floats(0, 2000)), max_size=40),
    st.integers(1, 3),
    st.sampled_from([0.0, 900.0]),
)
def test_every_end_has_a_beginning(happenings, after, settle):
    """INV-8 before routing: per incident `recovered` comes at most once, after its beginning, whatever happens in whatever order."""
    policy = Policy(after_failures=after, settle_s=settle, remind_s=700, escalate_s=500)
    incidents, told, now = {}, {}, 0.0
    for n, (event, cause, wait) in enumerate(happenings):
        now += wait
        steps = [time_passed(it, policy, now) for it in incidents.values() if it.is_due(now)]
        for step in steps:
            incidents.update((it.id, it) for it in step.changed)
        still = [it for it in incidents.values() if it.state != "resolved"]
        steps.append(advance(still, Happening(f"k{n}", "j", event, now, f"r{n}", event, cause), policy, now))
        for step in steps:
            incidents.update((it.id, it) for it in step.changed)
            for it in step.announced:
                told.setdefault(it.incident.id if it.incident else "", []).append(it.event)
    for name, events in told.items():
        if name:
            assert events[0] in ("failed", "missed", "lost", "overdue") and events.count("recovered") <= 1
            assert "recovered" not in events[:-1]


def test_what_a_drill_found_ends_with_the_next_drill_that_goes_well():
    """A good run ends what is broken, and not that; a good drill ends that, and nothing else. Told once, whoever waits or snoozes."""
    life = Life(replace(AT_ONCE, remind_s=HOUR, escalate_s=HOUR))
    life.happens("failed", 0, cause="FEED-01")
    life.happens("drill_failed", 1, cause="drill")
    life.happens("succeeded", 2)
    life.happens("drill_failed", DAY, cause="drill")
    (drill,) = life.open()
    life.add(snooze(drill, "ada", HOUR, DAY), DAY)
    life.passes(4 * DAY, since=DAY)
    life.happens("failed", 5 * DAY, cause="DB-01")
    life.happens("drill_passed", 5 * DAY + 1)
    assert [it.cause for it in life.open()] == ["DB-01"]
    assert life.events("reminder", "escalated") == [
        "failed",
        "drill_failed",
        "recovered",
        "succeeded",
        "failed",
        "recovered",
        "drill_passed",
    ]
    assert [at for at, event in life.told if event in ("reminder", "escalated")] == []
