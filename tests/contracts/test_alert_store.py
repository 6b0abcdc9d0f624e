"""What every store's alerts promise, seen through a sender: recording channels, a clock that is told the time, real rules between them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from offduty.alerts.attempts import lease_of
from offduty.alerts.books import Claimant
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.grouping import MOST_MEMBERS
from offduty.alerts.incident import Happening, acknowledge, resolve
from offduty.alerts.outbox import Limits, Sender, Setting, bare
from offduty.alerts.owed import Silence
from offduty.errors import NotThere, StoreError
from offduty.stores.memory import MemoryStore
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, FakeClock, a_run

HOUR, DAY = 3600.0, 86_400.0


class Recording:
    """A channel that keeps what it was sent; `fails` gives the error of an attempt, None for none."""

    def __init__(self, clock):
        self.clock, self.sent, self.attempts, self.fails = clock, [], [], lambda alert, attempt: None

    def send(self, alert, attempt):
        """One attempt."""
        self.attempts.append((self.clock.monotonic(), alert, attempt))
        if error := self.fails(alert, attempt):
            raise error
        self.sent.append(alert)
        return Receipt(id=alert.key, thread=f"thread-{len(self.sent)}")


class Desk:
    """A store, three channels (`pager` wakes people), and a sender for each."""

    def __init__(self, store, clock, compose):
        self.store, self.alerts, self.clock = store, store.alerts, clock
        self.channels = {name: Recording(clock) for name in ("chat", "mail", "pager")}
        setting = Setting(compose, clock, lambda: 0.5, "me", "boot", self.pause, tuple(self.channels), Limits(poll=30.0))
        self.senders = {
            name: Sender(name, channel, store.alerts, setting, pages=name == "pager") for name, channel in self.channels.items()
        }

    def pause(self, seconds):
        """Waiting takes no time."""
        self.clock.sleep(seconds)
        return False

    def run(self, job="forecast", outcome="failed", *, to=("chat",), at=None, cause="FEED-01", urgency="now", **policy):
        """A run of `job` ends now; its plan tells the channels `to`."""
        hear = [{"channel": name, "urgency": urgency} for name in to]
        owed = {"failed": hear, "recovered": hear}
        tell = {"job": job, "team": "ds", "cause": cause, "owed": owed, "policy": {"settle_s": 0, **policy}}
        return self.store.put_run(a_run(job, outcome, at=self.clock.wall() - 12 if at is None else at), tell=tell)

    def work(self, seconds=60.0, *only):
        """Let so much time pass for the senders."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.alerts.tick(self.clock.wall())
            waits = [self.senders[name].step() for name in only or self.senders]
            if min(waits) > 0:
                self.clock.sleep(min(*waits, end - self.clock.monotonic() + 0.001))

    def events(self, name="chat"):
        """What a channel was sent."""
        return [alert.event for alert in self.channels[name].sent]


def members_in_items(row, members):
    """A message that names what it tells of."""
    from dataclasses import replace

    return replace(bare(row, ""), items=tuple(f"{it.job} {it.event}" for it in members))


@pytest.fixture(params=["memory", "sqlite"])
def desk(request, tmp_path):
    """A desk over each store."""
    clock = FakeClock()
    store = MemoryStore(clock) if request.param == "memory" else open_store(str(tmp_path / "offduty.sqlite3"), clock=clock)
    if request.param == "sqlite":
        store.open().execute("PRAGMA synchronous = OFF")  # what a power cut does is tried elsewhere
    yield Desk(store, clock, members_in_items)
    store.close()


def test_a_failure_is_owed_once_however_often_it_is_taken_in(desk):
    """INV-5: the transaction that takes the run owes its alerts; a replay owes nothing."""
    run = a_run(outcome="failed")
    tell = {"job": "forecast", "cause": "X", "owed": {"failed": [{"channel": "chat"}, {"channel": "mail", "urgency": "quiet"}]}}
    assert [desk.store.put_run(run, tell=tell) for _ in range(3)] == ["added", "same", "same"]
    desk.work()
    assert desk.events() == ["failed"] and desk.events("mail") == []
    assert [it.failures for it in desk.alerts.incidents()] == [1]


def test_a_job_without_a_plan_has_no_incident(desk):
    """`offduty run -- false`, with no configuration: nobody is told, nothing piles up."""
    desk.store.put_run(a_run(outcome="failed"))
    assert desk.alerts.incidents() == [] and desk.alerts.counts() == {}


def test_lost_is_told_by_whoever_marks_it(desk):
    """F07: the plan came with the start of the run; the claim `running -> lost` owes what it says, once."""
    run = a_run(outcome="running")
    desk.store.put_run(run, tell={"job": "forecast", "owed": {"lost": [{"channel": "chat"}]}})
    ends = {"ended_at": "2026-11-23T07:00:00.000Z", "summary": {"what": "lost"}}
    assert [desk.store.mark_lost(run["id"], **ends) for _ in range(2)] == [True, False]
    desk.work()
    assert desk.events() == ["lost"]


def test_the_end_never_overtakes_its_beginning(desk):
    """INV-8: while `failed` cannot be delivered, `recovered` waits, on that channel alone."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("503") if desk.clock.monotonic() < 2000 else None
    desk.run(to=("chat", "mail"))
    desk.clock.advance(60)
    desk.run(outcome="succeeded", to=("chat", "mail"))
    desk.work(300)
    assert desk.events("mail") == ["failed", "recovered"] and desk.events() == []
    desk.work(3 * HOUR)
    assert desk.events() == ["failed", "recovered"]


def test_an_end_without_a_beginning_is_not_sent(desk):
    """INV-8: if `failed` was given up on a channel, its `recovered` is dropped there, and says why."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("400", permanent=True) if alert.event == "failed" else None
    desk.run(to=("chat", "mail"))
    desk.work()
    desk.run(outcome="succeeded", to=("chat", "mail"))
    desk.work()
    assert desk.events() == []
    assert desk.alerts.alerts(states=["dropped"])[0].error == "its beginning never arrived there"


def test_what_is_given_up_is_told_elsewhere(desk):
    """F38, F41, INV-6: refused for good: dead, and another channel says so in the same breath."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("400 invalid_payload", permanent=True)
    desk.run(to=("chat", "mail"))
    desk.work()
    assert desk.events("mail") == ["failed", "undelivered"]
    assert desk.alerts.counts()["dead"] == 1 and len(desk.channels["chat"].attempts) == 1


def test_a_message_refused_for_its_form_is_tried_once_more_in_the_smallest(desk):
    """F40, F41: one retry with the minimal form, then dead; never an endless loop."""
    desk.channels["chat"].fails = lambda alert, attempt: None if attempt.minimal else DeliveryError("413", minimal=True)
    desk.run()
    desk.work()
    assert desk.events() == ["failed"] and [it[2].minimal for it in desk.channels["chat"].attempts] == [False, True]
    desk.channels["mail"].fails = lambda alert, attempt: DeliveryError("413", minimal=True)
    desk.run("other", to=("mail",))
    desk.work()
    assert len(desk.channels["mail"].attempts) == 2 and desk.alerts.counts()["dead"] == 1


def test_three_days_of_failing_are_enough(desk):
    """F38, F42: back-off up to 15 minutes for 72 h, then dead and told; what waited behind goes with it."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("503")
    desk.run(to=("chat", "mail"))
    desk.run("other", to=("chat",))
    desk.work(71 * HOUR)
    assert "dead" not in desk.alerts.counts()
    desk.work(3 * HOUR)
    assert desk.alerts.counts()["dead"] == 2
    assert Counter(desk.events("mail")) == {"failed": 1, "undelivered": 2}
    times = [at for at, *_ in desk.channels["chat"].attempts]
    assert max(b - a for a, b in zip(times, times[1:], strict=False)) < 2 * 915


@pytest.mark.parametrize("forward", [DAY, 30 * DAY, 4000 * DAY])
def test_a_clock_set_forward_gives_nothing_up(desk, forward):
    """F55, INV-10: three days of failing are counted in steps of a day at most, so a jump to 2038 is one of them."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("503")
    desk.run()
    desk.work(600)
    desk.clock.set_wall(desk.clock.wall() + forward)
    desk.work(600)
    assert "dead" not in desk.alerts.counts()
    desk.channels["chat"].fails = lambda alert, attempt: None
    desk.work(HOUR)
    assert desk.events() == ["failed"]


def test_a_clock_set_back_delays_by_no_more_than_was_planned(desk):
    """F54: a retry further ahead than it was planned is due."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("503")
    desk.run()
    desk.work(600)
    desk.clock.set_wall(desk.clock.wall() - DAY)
    desk.channels["chat"].fails = lambda alert, attempt: None
    desk.work(915)
    assert desk.events() == ["failed"]


@pytest.mark.parametrize("gone, tries", [(True, 1), (False, 3)])
def test_a_channel_that_is_refused_is_broken_and_said_to_be(desk, gone, tries):
    """F42: after one 410, or three 401s; told by another channel once; the message stays, and goes out when it is well again."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("410", broken=True, gone=gone, permanent=True)
    desk.run(to=("chat", "mail"))
    while len(desk.channels["chat"].attempts) < tries:
        desk.work(5)
    desk.work(HOUR)
    assert desk.events("mail") == ["failed", "channel_broken"]
    assert [it.broken_at is not None for it in desk.alerts.channels() if it.name == "chat"] == [True]
    desk.channels["chat"].fails = lambda alert, attempt: None
    desk.work(HOUR)
    assert desk.events() == ["failed"] and desk.alerts.channels()[0].broken_at is None


def test_in_a_storm_each_is_named_at_one_message_a_second(desk):
    """F47, INV-11: a storm (here 1 000 jobs): every incident is named, no channel gets more than a message a second, one page."""
    for n in range(1000):
        desk.run(f"job-{n}", to=("chat", "pager"))
    began = desk.clock.monotonic()
    desk.work(100.0)
    for name in ("chat", "pager"):
        sent = desk.channels[name].sent
        named = {item.split()[0] for alert in sent for item in alert.items}
        times = [at for at, *_ in desk.channels[name].attempts]
        assert len(named) == 1000 and len(sent) == 1000 // MOST_MEMBERS
        assert all(b - a >= 0.999 for a, b in zip(times, times[1:], strict=False)) and times[-1] - began < 300
    assert len({alert.incident for alert in desk.channels["pager"].sent}) == 1


def test_the_page_for_many_ends_with_the_last_of_them(desk):
    """F47, INV-8: one grouped incident is resolved once, when all that it stands for is over."""
    for n in range(8):
        desk.run(f"job-{n}", to=("pager",))
    desk.work()
    for n in range(8):
        desk.run(f"job-{n}", "succeeded", to=("pager",))
        desk.work()
        assert [alert.status for alert in desk.channels["pager"].sent] == ["firing"] + ["resolved"] * (n == 7)
    assert len({alert.incident for alert in desk.channels["pager"].sent}) == 1


def test_more_of_what_a_page_stands_for_is_told_there(desk):
    """F47, INV-8: a reminder of one of many opens no page of its own, which would stay open when the last of them has ended."""
    for n in range(8):
        desk.run(f"job-{n}", to=("pager",), remind_s=HOUR if n == 0 else None)
    desk.work(2 * HOUR)
    for n in range(8):
        desk.run(f"job-{n}", "succeeded", to=("pager",))
        desk.work()
    sent = desk.channels["pager"].sent
    assert [alert.status for alert in sent] == ["firing", "firing", "resolved"] and len({alert.incident for alert in sent}) == 1
    assert desk.alerts.channels()[0].storm == ""


def test_many_reminders_open_no_page_that_nothing_ends(desk):
    """F47, INV-8: each of them was told by itself, and has a page of its own, which its end closes."""
    jobs = [f"job-{n}" for n in range(6)]
    for job in jobs:
        desk.run(job, to=("pager",), remind_s=HOUR)
        desk.work(2)
    desk.clock.sleep(2 * HOUR)
    desk.work()
    for job in jobs:
        desk.run(job, "succeeded", to=("pager",))
    desk.work()
    last = {alert.incident: alert.status for alert in desk.channels["pager"].sent if alert.status != "info"}
    assert list(last.values()) == ["resolved"] * 6 and desk.events("pager").count("digest") == 1


def test_old_news_is_one_digest(desk):
    """F77: a restored backup, or a spool of long ago: everything is named, in one message."""
    for n in range(20):
        desk.run(f"job-{n}", at=MONDAY - 3 * DAY)
    desk.work()
    (alert,) = desk.channels["chat"].sent
    assert alert.event == "digest" and len(alert.items) == 20


def test_after_a_day_away_everything_comes_grouped(desk):
    """F37: all channels dead for 24 h; then every incident is named within 15 minutes of recovery."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("503")
    for n in range(30):
        desk.run(f"job-{n}")
    desk.work(25 * HOUR)
    desk.channels["chat"].fails = lambda alert, attempt: None
    desk.work(1000)
    named = {item.split()[0] for alert in desk.channels["chat"].sent for item in alert.items or (alert.job,)}
    assert len(named) == 30 and len(desk.channels["chat"].sent) < 10


def test_a_digest_waits_for_its_time_and_is_one_message(desk):
    """What is `digest` is told together, at 09:00 of the job's zone."""
    for n in range(3):
        desk.run(f"job-{n}", urgency="digest", digest_at=["09:00"])
    desk.work(2 * HOUR)
    assert desk.events() == []
    desk.work(1.1 * HOUR)
    assert desk.events() == ["digest"] and len(desk.channels["chat"].sent[0].items) == 3


def test_quiet_hours_hold_back_until_they_end(desk):
    """It is 06:00: quiet until 07:00."""
    desk.run(quiet_hours=[["22:00", "07:00"]])
    desk.work(0.9 * HOUR)
    assert desk.events() == []
    desk.work(0.2 * HOUR)
    assert desk.events() == ["failed"]


def test_an_old_reading_of_the_clock_makes_nothing_due(desk):
    """F46, F54: a sender that was stopped between the clock and its claim does not take what was planned meanwhile for a clock set back."""
    who = Claimant("me", "boot", desk.clock.wall(), desk.clock.monotonic(), 90.0)
    desk.clock.sleep(300)
    desk.run(quiet_hours=[["22:00", "07:00"]])
    assert not desk.alerts.is_due("chat", who) and desk.alerts.claim("chat", who, 10) == []


def test_a_silence_keeps_back_and_says_so_at_its_end(desk):
    """F48b, T33: announced when it is set; what it kept back is on record; at its end, what is still bad is told once, with the number."""
    desk.run("forecast", "succeeded", to=("chat",))
    desk.alerts.silence(Silence("s1", "fore*", desk.clock.wall(), desk.clock.wall() + HOUR, "ada", "moving the disks"), desk.clock.wall())
    desk.work()
    assert desk.events() == ["silenced"]
    desk.run()
    desk.run("other")
    desk.work(600)
    assert desk.events() == ["silenced", "failed"] and desk.channels["chat"].sent[1].job == "other"
    assert [row.job for row in desk.alerts.alerts(states=["silenced"])] == ["forecast"]
    desk.work(HOUR)
    assert desk.events() == ["silenced", "failed", "silenced"] and desk.channels["chat"].sent[2].status == "firing"
    desk.run(outcome="succeeded")
    desk.work()
    assert desk.events()[-1] == "recovered"


@pytest.mark.parametrize("ends, heard", [((1, 3), 3), ((3, 1), 3), ((2, 2), 2)])
def test_of_two_silences_the_last_one_speaks(desk, ends, heard):
    """F48b: one that ends within another says nothing yet, and two that end together do not say the same twice."""
    desk.run("forecast", "succeeded", to=())
    now = desk.clock.wall()
    for number, hours in enumerate(ends):
        desk.alerts.silence(Silence(f"s{number}", "*", now, now + hours * HOUR), now)
    desk.run()
    desk.work(heard * HOUR - 60)
    assert desk.events() == []
    desk.work(DAY)
    assert desk.events() == ["silenced"]


def test_the_end_of_a_silence_waits_for_the_end_of_quiet_hours(desk):
    """F48b: maintenance that ends at five in the morning wakes nobody."""
    now = desk.clock.wall()
    desk.alerts.silence(Silence("s1", "*", now, now + 600), now)
    desk.run(quiet_hours=[["22:00", "07:00"]])
    desk.work(0.9 * HOUR)
    assert desk.events() == []
    desk.work(0.2 * HOUR)
    assert desk.events() == ["silenced"]


def test_who_was_told_of_failures_lately_hears_of_a_silence(desk):
    """T33: after a good run a plan names the owner alone, and yet it is those who were told before that a silence keeps things from."""
    desk.run(to=("mail",))
    desk.run(outcome="succeeded", to=("chat",))
    desk.run("other", to=("pager",))
    desk.work()
    desk.alerts.silence(Silence("s1", "fore*", desk.clock.wall(), desk.clock.wall() + HOUR), desk.clock.wall())
    desk.work()
    assert [desk.events(name)[-1:] for name in ("chat", "mail", "pager")] == [["silenced"], ["silenced"], ["failed"]]


def test_what_was_over_within_a_silence_is_not_told(desk):
    """F48b: began and ended unseen: nobody hears its end without its beginning (INV-8)."""
    desk.alerts.silence(Silence("s1", "*", desk.clock.wall(), desk.clock.wall() + HOUR), desk.clock.wall())
    desk.run()
    desk.run(outcome="succeeded")
    desk.work(2 * HOUR)
    assert desk.events() == [] and desk.alerts.silences() == []


def test_the_same_slot_is_missed_once(desk):
    """INV-9: however many watchers say so, and after a restart."""
    tell = {"job": "forecast", "owed": {"missed": [{"channel": "chat"}]}}
    missed = Happening("missed:forecast:2026-11-23T06:00", "forecast", "missed", desk.clock.wall())
    assert [desk.alerts.happen(missed, desk.clock.wall(), tell) for _ in range(3)] == [True, False, False]
    desk.work()
    assert desk.events() == ["missed"]


def test_only_who_holds_the_lease_can_mark(desk):
    """F46: fencing by owner and attempt."""
    desk.run()
    early, late = (Claimant(owner, "boot", MONDAY, monotonic, 90) for owner, monotonic in (("a", 1000), ("b", 1091)))
    (first,) = desk.alerts.claim("chat", early, 10)
    assert desk.alerts.claim("chat", Claimant("b", "boot", MONDAY + DAY, 1080, 90), 10) == [], (
        "F55: no wall clock ends a lease of this boot"
    )
    (second,) = desk.alerts.claim("chat", late, 10)
    assert (second.attempts, second.ambiguous) == (2, 1)
    assert not desk.alerts.delivered(lease_of(first), Receipt(), MONDAY)
    assert not desk.alerts.failed(lease_of(first), DeliveryError("x"), MONDAY, lambda: 0.5)
    assert not desk.alerts.release(lease_of(first))
    assert desk.alerts.delivered(lease_of(second), Receipt(), MONDAY)


@pytest.mark.parametrize("wall, ready", [(MONDAY + 80, False), (MONDAY + 90, True), (MONDAY - 60, False), (MONDAY - 1000, True)])
def test_a_lease_of_another_boot_ends_by_the_wall_clock_within_its_bound(desk, wall, ready):
    """INV-7, F08, F54: its monotonic time means nothing here; a clock that is a minute behind takes nothing from who has it."""
    desk.run()
    assert desk.alerts.claim("chat", Claimant("a", "boot", MONDAY, 5000, 90), 10)
    who = Claimant("b", "next boot", wall, 10, 90)
    assert desk.alerts.is_due("chat", who) == bool(desk.alerts.claim("chat", who, 10)) == ready


def test_messages_of_one_incident_share_a_thread(desk):
    """Where the first one went, the later ones belong."""
    desk.run()
    desk.work()
    desk.run(outcome="succeeded")
    desk.work()
    assert [it[2].thread for it in desk.channels["chat"].attempts] == ["", "thread-1"]


def test_a_message_that_cannot_be_composed_goes_out_bare(desk, monkeypatch):
    """F49: a broken template keeps back no news; it says which part failed."""

    def broken(row, members):
        raise ZeroDivisionError

    sender = desk.senders["chat"]
    sender.setting = Setting(broken, desk.clock, lambda: 0.5, "me", "boot", desk.pause)
    desk.run()
    desk.work()
    assert "ZeroDivisionError" in desk.channels["chat"].sent[0].because


def test_a_channel_that_breaks_is_a_failed_attempt(desk):
    """T13: whatever a channel raises, the sender lives, and does not know whether it arrived."""
    desk.channels["chat"].fails = lambda alert, attempt: ValueError("bug") if len(desk.channels["chat"].attempts) == 1 else None
    desk.run()
    desk.work()
    assert desk.events() == ["failed"] and desk.alerts.alerts()[0].ambiguous == 1


def test_rows_for_a_channel_nobody_knows_are_given_up_after_a_day(desk):
    """F50: and told by one that is known."""
    desk.run(to=("chat", "carrier-pigeon"))
    known = tuple(desk.channels)
    assert desk.alerts.give_up_on_strangers(known, desk.clock.wall()) == 0
    desk.clock.advance(DAY + 1)
    assert desk.alerts.give_up_on_strangers(known, desk.clock.wall()) == 1
    desk.work()
    assert "undelivered" in desk.events() or any("undelivered" in item for alert in desk.channels["chat"].sent for item in alert.items)


def test_people_find_acknowledge_and_resolve(desk):
    """By the beginning of its id; E513 for none, and what they did is kept."""
    desk.run()
    (incident,) = desk.alerts.incidents("forecast")
    now = desk.clock.wall()
    assert desk.alerts.act(incident.id[:6], lambda it: acknowledge(it, "ada", now), now).acked_by == "ada"
    assert desk.alerts.act(incident.id, lambda it: resolve(it, "ada", now), now).state == "resolved"
    assert desk.alerts.incidents() == [] and len(desk.alerts.incidents(everything=True)) == 1
    with pytest.raises(NotThere) as caught:
        desk.alerts.incident("zzzz")
    assert caught.value.code == "E513"


def test_people_retry_and_drop(desk):
    """A dead letter may be sent again; one that waits may be dropped, and says why."""
    desk.channels["chat"].fails = lambda alert, attempt: DeliveryError("400", permanent=True)
    desk.run()
    desk.work()
    desk.channels["chat"].fails = lambda alert, attempt: None
    (row,) = desk.alerts.alerts(states=["dead"])
    assert desk.alerts.retry(row.key, desk.clock.wall()) and not desk.alerts.drop("0" * 32, "", 0)
    desk.work()
    assert desk.events() == ["failed"]
    desk.run("other")
    (waiting,) = desk.alerts.alerts(states=["waiting"])
    assert desk.alerts.drop(waiting.key, "not needed", desk.clock.wall())
    assert desk.alerts.alert(waiting.key[:8]).error == "not needed"


def test_a_run_that_is_owed_a_message_stays(desk):
    """F78: retention takes it when the message has gone."""
    desk.run()
    (run,) = desk.store.runs()
    assert desk.store.delete_runs([run["id"]]) == 0
    desk.work()
    assert desk.store.delete_runs([run["id"]]) == 1


def test_what_is_done_with_is_forgotten(desk):
    """INV-11: rows and incidents do not pile up for ever; those of an open incident stay."""
    desk.run()
    desk.run("open")
    desk.work()
    desk.run(outcome="succeeded")
    desk.work()
    assert desk.alerts.forget(desk.clock.wall() + 1) == 2
    assert [it.job for it in desk.alerts.incidents(everything=True)] == ["open"]


def test_a_transaction_that_breaks_leaves_nothing(desk, monkeypatch):
    """INV-5: an error half-way leaves neither run nor incident nor row."""
    from offduty.alerts import owing

    monkeypatch.setattr(owing, "_row", lambda *args: 1 / 0)
    with pytest.raises((ZeroDivisionError, StoreError)):
        desk.run()
    assert desk.store.runs() == [] and desk.alerts.incidents() == [] and desk.alerts.counts() == {}


def test_no_secret_and_no_address_is_kept(desk):
    """T04: a row names its channel, and holds facts."""
    desk.run()
    (row,) = desk.alerts.alerts()
    assert row.channel == "chat" and "http" not in json.dumps(dict(row.facts))


def test_the_end_is_told_although_the_plan_names_nobody_any_more(desk):
    """INV-8: a good run's plan is its owner's, and the owner may have no channel; the row's team was told that it was bad."""
    desk.run()
    desk.work()
    desk.clock.advance(HOUR)
    tell = {"job": "forecast", "team": "ds", "cause": "", "owed": {}, "policy": {}}
    desk.store.put_run(a_run("forecast", at=desk.clock.wall() - 12), tell=tell)
    desk.work()
    assert desk.events() == ["failed", "recovered"]
    assert desk.alerts.incidents() == []
