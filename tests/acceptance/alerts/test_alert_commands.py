"""incidents, alerts, silence, deliver, and what status, runs show and doctor say of them, after real runs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from offduty.drills.receiver import reply

PAGER = """
[team.ds]
channels = ["pager"]
[channel.pager]
kind        = "pagerduty"
routing_key = { env = "PAGER_KEY" }
endpoint    = "http://127.0.0.1:PORT"
allow       = ["127.0.0.1"]
"""
NO_CHANNELS = "[team.ds]\ncontact = '#ds'\n[team.dp]\ncontact = '#dp'\n"
EMPTY = {
    "alerts": "nobody has been told anything yet\n",
    "alerts --undelivered": "nothing is owed to anybody\n",
    "incidents": "no incident is open\n",
    "incidents --all": "there was never an incident\n",
    "silence": "",
}
REFUSED = {
    "incidents show 00ff": ("E513", 66),
    "incidents ack 00ff": ("E513", 66),
    "alerts show 00ff": ("E513", 66),
    "alerts retry 00ff": ("E513", 66),
    "alerts retry": ("E111", 2),
    "alerts confirm AAAAAA": ("E515", 66),
    "alerts test nobody": ("E516", 66),
    "alerts test": ("E111", 2),
    "silence feed": ("E111", 2),
    "silence feed --for 31d": ("E102", 2),
    "silence --end 00ff": ("E513", 66),
    "incidents snooze 00ff --for 31d": ("E102", 2),
}


@pytest.mark.parametrize("words", EMPTY)
def test_where_nothing_happened_the_answer_says_so(house, words):
    """No empty table, no error, and nothing is made."""
    assert house.say(*words.split()) == EMPTY[words]
    assert not house.state.exists()


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_there_is_said_in_one_line(house, words):
    """With its code, and for programs as a document."""
    code, status = REFUSED[words]
    done = house(*words.split(), "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (status, code), done.stderr
    assert done.stderr.startswith(f"offduty: {code} ") and done.stderr.count("\n") == 1


def test_without_any_channel_a_broken_job_is_an_incident(house):
    """It is counted, and over with a good run; nobody is owed a word of it."""
    house.configure(teams=NO_CHANNELS, hooks=())
    house.fails()
    house.fails()
    (incident,) = house.json("incidents")["incidents"]
    assert (incident["job"], incident["failures"]) == ("feed", 2)
    house.succeeds()
    assert house.say("incidents") == "no incident is open\n" and house.say("alerts") == EMPTY["alerts"]


def test_an_incident_from_ack_to_resolve(house):
    """Who is at it, what is known, no reminders for a while, over: each is on record, and those who were told hear of it."""
    house.fails()
    (incident,) = house.json("incidents")["incidents"]
    part = incident["id"][:6]
    house.say("incidents", "ack", part, "--by", "ada")
    house.say("incidents", "note", part, "the file comes at 10", "--by", "ada")
    house.say("incidents", "snooze", part, "--for", "4h", "--by", "ada")
    house.say("incidents", "resolve", part, "--by", "bob")
    house.say("deliver")
    shown = house.say("incidents", "show", part)
    assert "acked" in shown and "the file comes at 10" in shown and "resolved" in shown
    after = house.json("incidents", "show", part)["incident"]
    assert (after["state"], after["acked_by"], after["resolved_by"]) == ("resolved", "ada", "bob")
    assert [message["event"] for message in house.heard("dp")] == ["failed", "acknowledged", "recovered"]
    assert "resolved by bob" in house.heard("dp")[-1]["title"]
    assert house.say("incidents") == "no incident is open\n"
    assert "FEED-02" in house.say("incidents", "--all")


def test_pagerduty_from_trigger_to_resolve(house):
    """Three events of one dedup key: the failure, whoever is at it, the good run."""
    house.receiver.answer = reply(202, b'{"status": "success", "dedup_key": "k"}')
    house.env["PAGER_KEY"] = "0" * 32
    house.configure(teams=PAGER.replace("PORT", str(house.receiver.port)) + '[team.dp]\nchannels = ["pager"]\n', hooks=())
    house.fails()
    house.fails()
    house.say("incidents", "ack", house.json("incidents")["incidents"][0]["id"], "--by", "ada")
    house.say("deliver")
    house.succeeds()
    house.say("deliver")
    events = [json.loads(request.body) for request in house.receiver.requests if request.path == "/v2/enqueue"]
    assert [event["event_action"] for event in events] == ["trigger", "acknowledge", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1


def test_a_silence_keeps_back_and_ends_loudly(house):
    """It is announced; failures in it are kept back; what is still bad at its end is told (T33, F48)."""
    house.fails()
    house.succeeds()
    house.say("silence", "fe*", "--for", "2h", "--reason", "the warehouse is moved", "--by", "ada")
    (silence,) = house.json("silence")["silences"]
    assert (silence["job"], silence["by"], silence["reason"]) == ("fe*", "ada", "the warehouse is moved")
    house.fails()
    assert house.alerts(state="silenced", channel="dp")
    house.say("silence", "--end", silence["id"][-8:])
    house.say("deliver")
    told = [message["title"] for message in house.heard("dp")]
    assert told[0].startswith("FAILED feed") and told[1].startswith("RECOVERED feed")
    assert told[-1] == "STILL BROKEN feed"
    assert house.json("silence")["silences"] == []
    announced = {row["channel"] for row in house.alerts(event="silenced") if row["status"] == "info"}
    assert announced == {"dp", "ds"}, "whom the last run's plan tells of failures, and who was told of them before"


def test_alerts_are_listed_shown_dropped_and_retried(house):
    """What was refused for good is dead, and can be sent again once the reason is gone."""
    house.receiver.answer = reply(503, b"")
    house.fails()
    (row,) = house.alerts(channel="dp")
    shown = house.say("alerts", "show", row["key"][:8])
    assert "503" in shown and "FAILED feed: The sales feed changed shape" in shown
    assert house.json("alerts", "show", row["key"])["alert"]["state"] == "waiting"
    house.say("alerts", "drop", row["key"][:8], "--why", "sent by hand", "--by", "ada")
    (row,) = house.alerts(channel="dp")
    assert (row["state"], row["error"]) == ("dropped", "dropped by ada: sent by hand")
    house.receiver.answer = reply(200, b"ok")
    house.say("alerts", "retry", row["key"][:8])
    assert house.json("deliver") == {"schema": "offduty.deliver/1", "sent": 1, "refused": 0, "left": ["ds"]}
    assert [row["state"] for row in house.alerts(channel="dp")] == ["delivered"]


def test_a_refused_alert_is_dead_and_seen_everywhere(house):
    """Another channel is told, and status and doctor show it (F41, INV-6)."""
    refuse, ok = reply(400, b"invalid"), reply(200, b"ok")
    house.receiver.answer = lambda request: (refuse if request.path == "/dp" else ok)(request)
    house.fails()
    (row,) = house.alerts(channel="dp", event="failed")
    house.say("alerts", "retry", row["key"])
    house("deliver")
    (row,) = house.alerts(channel="dp", event="failed")
    assert row["state"] == "dead"
    assert "1 alert was given up and never arrived: offduty alerts --undelivered" in house.say("status")
    assert house.json("status")["alerts"]["dead"] == 1
    doctor = house("doctor")
    assert doctor.returncode == 1 and "they never arrived" in doctor.stdout
    house.say("deliver")
    assert [message["event"] for message in house.heard("ds", 1)] == ["undelivered"]


def test_a_channel_is_proven_by_whoever_saw_the_message(house):
    """Sent, confirmed by its code as somebody types it, remembered: doctor knows who and when."""
    house.configure(hooks=("ds", "dp"))
    assert "nobody has seen a message of it arrive" in house("doctor").stdout
    tried = house.json("alerts", "test", "--all")["channels"]
    assert [one["arrived"] for one in tried] == [True, True]
    code = {one["channel"]: one["code"] for one in tried}
    assert code["ds"] in house.heard("ds", 1)[0].get("code", "") and house.heard("ds")[0]["event"] == "test"
    assert "nobody has confirmed that the test arrived" in house("doctor").stdout
    house.say("alerts", "confirm", f" {code['ds'].lower()} ", "--by", "ada")
    facts = {fact["what"]: fact for fact in json.loads(house("doctor", "--json").stdout)["facts"] if fact["part"] == "channels"}
    assert facts["ds"]["care"] == "" and "by ada" in facts["ds"]["value"]
    assert facts["dp"]["care"] != ""


def test_a_test_that_is_refused_says_why(house):
    """One attempt, now; exit status 1."""
    house.receiver.answer = reply(404, b"no such hook")
    done = house("alerts", "test", "ds", "--json")
    assert done.returncode == 1
    (tried,) = json.loads(done.stdout)["channels"]
    assert not tried["arrived"] and "404" in tried["detail"]


def test_status_and_runs_show_tell_of_it(house):
    """What is broken, and who was told of a run, as of now."""
    said = house.fails()
    status = house.say("status")
    assert "feed, FEED-02: 1 bad run, nobody is at it" in status
    assert house.json("status")["incidents"][0]["cause"] == "FEED-02"
    shown = house.say("runs", "show", "feed")
    assert "told        failed: dp by dp" in shown and "(delivered)" in shown and "(delivered)" in said
    assert {row["channel"]: row["state"] for row in house.json("runs", "show", "feed")["told"]} == {"dp": "delivered", "ds": "waiting"}


def on_a_terminal(house, width, *words):
    """What a command shows on a terminal that is so wide."""
    ours, theirs = pty.openpty()
    env = {**house.env, "COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm"}
    done = subprocess.Popen([sys.executable, "-m", "offduty", *words], cwd=house.folder, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # the other end is closed
        pass
    done.wait(20)
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120])
def test_tables_keep_to_the_width_of_the_terminal(house, width):
    """No line of a table is wrapped by the terminal."""
    house.fails()
    for words in (("alerts",), ("incidents",)):
        said = on_a_terminal(house, width, *words)
        assert said.count("\n") >= 2
        assert max(map(len, said.splitlines())) <= width, said
