"""What people are told of real runs: the right team, once, with what to do; and nothing is lost where something is in the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from threading import Event

import pytest

from offduty.drills.receiver import Request, reply


def events(house, name):
    """What a channel was told, by event."""
    return [message["event"] for message in house.heard(name)]


def test_a_failure_goes_to_the_team_of_the_row(house):
    """What, why, whose, what to do, who else: the owner gets a copy in the digest, and the summary says who was told."""
    said = house.fails()
    (message,) = house.heard("dp", 1)
    assert message["title"] == "FAILED feed: The sales feed changed shape"
    assert message["what"] == "the feed has 7 columns"
    assert message["triage"].startswith("FEED-02")
    assert message["steps"] == ["Ask the provider which columns moved.", "Run again."]
    assert (message["team"], message["contact"]) == ("Data Platform", "#dp, ext. 4411")
    assert "Data Science by ds at 09:00 in the digest" in message["told"]
    assert house.heard("ds") == []
    assert "told        Data Platform by dp" in said and "(delivered)" in said
    assert "Data Science by ds at 09:00 in the digest" in said


def test_a_failure_that_nothing_explains_is_the_owners(house):
    """Its last lines are the best there is to say."""
    house.fails("boom")
    (message,) = house.heard("ds", 1)
    assert message["what"] == "boom" and message["team"] == "Data Science"
    assert house.heard("dp") == []


def test_a_repeat_is_counted_and_not_told_again(house):
    """One incident for one cause: the summary says why nobody was told."""
    house.fails()
    said = house.fails()
    assert events(house, "dp") == ["failed"]
    assert "nobody again: incident" in said and "2 bad runs since" in said
    (incident,) = house.json("incidents")["incidents"]
    assert (incident["failures"], incident["state"], incident["cause"]) == (2, "open", "FEED-02")


def test_another_cause_is_another_incident(house):
    """What breaks next is news, whatever is broken already."""
    house.fails()
    house.fails("boom")
    assert (events(house, "dp"), events(house, "ds")) == (["failed"], ["failed"])


def test_recovered_says_how_long_and_how_many(house):
    """To those who heard that it was bad, and after that (INV-8)."""
    house.fails()
    house.fails()
    house.succeeds()
    failed, recovered = house.heard("dp", 2)
    assert (failed["event"], recovered["event"], recovered["status"]) == ("failed", "recovered", "resolved")
    assert recovered["title"].startswith("RECOVERED feed: well again after ") and recovered["title"].endswith(" and 2 bad runs")
    assert recovered["incident"] == failed["incident"]


def test_started_and_succeeded_where_asked_for(house):
    """In this order, also for a job that is over before anybody could read its configuration."""
    house.configure('alerts = { started = "now", succeeded = "now" }')
    house.succeeds()
    house.say("deliver")  # a channel takes a message a second, and the run may have had no time for the second one
    assert [message["title"] for message in house.heard("ds", 2)] == ["STARTED feed", "SUCCEEDED feed"]


def test_started_is_told_while_the_job_runs(house):
    """Who asks for it wants to know now, and not at the end."""
    house.configure('alerts = { started = "now" }')
    house.does("sleep 10\n")
    run = house.start("run", "feed")
    (message,) = house.heard("ds", 1)
    assert message["event"] == "started" and run.poll() is None
    run.terminate()
    run.wait(20)


def test_good_news_is_told_to_nobody_who_did_not_ask(house):
    """Silence is the normal state of things."""
    house.succeeds()
    assert house.receiver.requests == [] and house.alerts() == []


def test_only_the_last_attempt_tells(house):
    """A retry that is still to come is no failure yet."""
    house.configure('retries = 2\nretry_delay = "10 ms"')
    house.fails()
    (message,) = house.heard("dp", 1)
    assert message["run"] == house.json("runs")["runs"][0]["id"]
    assert house.json("incidents")["incidents"][0]["failures"] == 1


def test_a_warning_waits_for_the_digest(house):
    """It is worth knowing, and not worth an interruption."""
    house.configure('min_duration = "10 s"')
    said = house.succeeds()
    (row,) = house.alerts()
    assert (row["event"], row["urgency"], row["state"]) == ("warned", "digest", "waiting")
    assert "at 09:00 in the digest" in said and house.receiver.requests == []


def test_quiet_hours_hold_back_what_is_now(house):
    """It waits for their end, and the summary says so."""
    house.configure('alerts = { quiet_hours = ["00:00-12:00", "12:00-00:00"] }')
    house.fails()
    (row,) = house.alerts(channel="dp")
    assert row["state"] == "waiting" and row["not_before"] > row["owed_at"]
    assert house.receiver.requests == []


def test_the_second_failure_in_a_row_is_told(house):
    """One alone is on record, and nobody's evening."""
    house.configure("alerts = { after_failures = 2 }")
    house.fails()
    assert house.alerts() == [] and house.json("incidents")["incidents"][0]["state"] == "pending"
    house.fails()
    (message,) = house.heard("dp", 1)
    assert message["event"] == "failed"


def delivered(house, name, event):
    """Deliver what is owed until a channel has heard of `event`, as the watcher does."""
    end = time.monotonic() + 40
    while event not in events(house, name):
        assert time.monotonic() < end, house.alerts()
        house.say("deliver")


def test_another_team_hears_when_nobody_acknowledges(house):
    """Escalation: once, and the end goes to it as well."""
    house.configure('alerts = { escalate_after = "1 s", escalate_to = "dp" }')
    house.fails("boom")
    delivered(house, "dp", "escalated")
    house.succeeds()
    delivered(house, "dp", "recovered")
    assert events(house, "dp") == ["escalated", "recovered"]


def test_reminders_end_when_somebody_acknowledges(house):
    """Until then they come; then the others hear who is at it, and that is all."""
    house.configure('alerts = { remind = "1 s" }')
    house.fails()
    delivered(house, "dp", "reminder")
    house.say("incidents", "ack", house.json("incidents")["incidents"][0]["id"], "--by", "ada")
    delivered(house, "dp", "acknowledged")
    told = len(house.alerts(event="reminder"))
    for _ in range(3):
        house.say("deliver")
    assert len(house.alerts(event="reminder")) == told


HANGS = 60.0  # seconds


def hung(release: Event):
    """A service that accepts, and never answers."""

    def answer(request: Request) -> Iterator[bytes]:
        release.wait(HANGS)
        yield from ()

    return answer


def test_a_service_that_never_answers_holds_up_nobody(house):
    """Gone long before the service gives up, with its exit code; what is owed waits, and is delivered once it can be (F36)."""
    release = Event()
    house.receiver.answer = hung(release)
    del house.env["OFFDUTY_END_SECONDS"]
    house.does("echo 'the feed' >&2; date +%s.%N > ended; exit 7\n")
    done = house("run", "feed")
    took = time.time() - float((house.folder / "ended").read_text())
    release.set()
    assert done.returncode == 7 and took < HANGS / 2
    house.receiver.answer = reply(200, b"ok")
    for row in house.json("deliver") and house.alerts(state="waiting", urgency="now"):
        house.say("alerts", "retry", row["key"])
    house.say("deliver")
    told = house.alerts(urgency="now")
    assert [row["state"] for row in told] == ["delivered"] and len({it["key"] for it in house.heard(told[0]["channel"], 1)}) == 1


def test_a_dead_service_does_not_hold_up_the_others(house):
    """Each channel has a worker of its own (F36): one is told while the other still hangs."""
    release = Event()
    silent, ok = hung(release), reply(200, b"ok")
    house.receiver.answer = lambda request: (silent if request.path == "/dp" else ok)(request)
    house.configure('alerts = { copy_owner = "now" }')
    house.does("echo 'the feed' >&2; exit 1\n")
    run = house.start("run", "feed")
    assert len(house.heard("ds", 1)) == 1 and not release.is_set()
    release.set()
    run.wait(40)


def test_the_next_run_delivers_what_waits(house):
    """No server, no cron: whoever comes by takes along what is due."""
    house.receiver.answer = reply(503, b"")
    house.fails()
    (row,) = house.alerts(channel="dp")
    assert row["state"] == "waiting" and "503" in row["error"]
    house.say("alerts", "retry", row["key"][:8])
    house.receiver.answer = reply(200, b"ok")
    house.fails()
    assert [row["state"] for row in house.alerts(channel="dp")] == ["delivered"]


def test_a_locked_store_loses_nothing(house):
    """The run ends with the job's status; the spool carries whom it concerns, and whoever takes it in owes the alert (F66, INV-5)."""
    house.succeeds()
    house.say("status")
    blocker = sqlite3.connect(house.state / "offduty.sqlite3", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    house.fails()
    assert house.receiver.requests == []
    blocker.execute("ROLLBACK")
    blocker.close()
    assert house.json("deliver")["sent"] == 1
    assert events(house, "dp") == ["failed"]


def test_a_supervisor_that_is_killed_is_told_of_by_the_next_command(house):
    """It could say nothing any more: its plan is in the spool or the store (F22)."""
    house.configure('alerts = { started = "now" }')
    house.does("sleep 30\n")
    run = house.start("run", "feed")
    house.heard("ds", 1)
    run.send_signal(signal.SIGKILL)
    run.wait()
    house.say("deliver")
    assert events(house, "ds") == ["started", "lost"]
    (incident,) = house.json("incidents")["incidents"]
    assert (incident["cause"], incident["event"]) == ("lost", "lost")


def test_a_channel_that_is_wrong_does_not_silence_the_others(house):
    """A variable that is not set breaks one channel; the run says so, and tells by the other."""
    teams = '[team.ds]\nchannels = ["broken", "ds"]\n[team.dp]\nchannels = ["dp"]\n'
    broken = '[channel.broken]\nkind = "slack"\nurl = { env = "NOBODY_SET_THIS" }\n'
    house.configure(teams=teams, more=broken)
    said = house.fails("boom")
    assert events(house, "ds") == ["failed"]
    assert "NOBODY_SET_THIS" in said


def test_a_channel_of_two_teams_is_told_once(house):
    """Two reasons to tell a channel are no reason to tell it twice."""
    teams = '[team.ds]\nchannels = ["ops"]\n[team.dp]\nchannels = ["ops"]\n'
    house.configure('alerts = { copy_owner = "now" }', teams=teams, hooks=("ops",))
    house.fails()
    house.say("deliver")
    assert events(house, "ops") == ["failed"]


def test_a_command_that_nobody_configured_tells_nobody(house):
    """`offduty run -- …` beside a configuration is nobody's job."""
    assert house("run", "--", "false").returncode == 1
    assert house.receiver.requests == [] and house.alerts() == []


@pytest.mark.parametrize("text", ["\x1b[31mred\x07", "<script>alert(1)</script>", "a" * 5000, "'; drop table alert; --"])
def test_what_a_job_prints_does_no_harm(house, text):
    """Whatever it is, the message arrives, and no control character is on the screen (T07, T08)."""
    (house.folder / "said").write_text(text)
    house.does("cat said >&2; exit 1\n")
    done = house("run", "feed")
    assert len(house.heard("ds", 1)) == 1
    assert "\x1b[31mred" not in done.stderr.partition("== summary")[2]


def test_a_full_stop_by_hand_is_told_as_terminated(house):
    """A person who stopped it knows; the others do not."""
    house.does("sleep 30\n")
    run = house.start("run", "feed")
    until = time.monotonic() + 10
    while not list(house.state.glob("spool/*")) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait(20) == 143
    house.say("deliver")
    (message,) = house.heard("ds", 1)
    assert message["title"].startswith("TERMINATED feed")
