"""What every kind of channel does, whatever it speaks. A new line in CHANNELS is tested here without writing a test."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import time
import traceback
from urllib.parse import unquote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.channels import CHANNELS, kind
from offduty.alerts.delivery import Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route
from offduty.alerts.options import Arguments, Headers, Line, Mailbox, Mailboxes, SigningKey, Timeout, Token, Url
from offduty.drills.proxy import BLACK_HOLE, REPLY_LOST, RESET, Fault, Proxy
from offduty.drills.receiver import Receiver, reply
from offduty.settings.channels import build, option_types, required
from offduty.settings.convert import BAD
from offduty.settings.schema import Channel

CANARY = "hunter2canary"
KINDS = sorted(CHANNELS)
HTTP_KINDS = [name for name in KINDS if issubclass(kind(name), Route)]
ANSWERS = [b"ok", b'{"ok": true, "channel": "C1", "ts": "1.2"}', b'{"status": "success", "dedup_key": "k"}', b"1", b""]
TELL = "import sys, urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:%d/', sys.stdin.buffer.read()), timeout=5).read()"
FAILED = Alert(
    key="run-1:failed:ops", event="failed", job="forecast", title="FAILED forecast: KeyError: 'region'", at=1_795_413_751.0,
    severity="error", status="firing", incident="inc-1", outcome="failed", run="01932f6c-0000-7000-8000-00007f3a91c2",
    because="sales.csv lost the column “region”", steps=("Ask Data Platform.", "Run it again."), team="data-platform", host="etl-3",
    log="/var/log/forecast.log", link="https://offduty.example/runs/7f3a91c2",
)  # fmt: skip


@pytest.fixture(scope="session")
def topic(aws_port):
    """A topic at moto, and its address."""
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
        sns = boto3.client("sns", region_name="eu-west-1", endpoint_url=f"http://127.0.0.1:{aws_port}")
        yield aws_port, sns.create_topic(Name="alerts")["TopicArn"]


def by_type(wanted, port):
    """A value for an option, from its type alone: what a new kind of channel is tried with."""
    if wanted is Url:
        return Url(f"http://127.0.0.1:{port}/{CANARY}")
    values = {Token: CANARY, Line: "word", Mailbox: "jobs@example.com", Mailboxes: ["ops@example.com"], Headers: {}}
    return wanted.read(values[wanted])


def special(name, port):
    """What the types do not tell."""
    return {
        "slack-bot": {"endpoint": Url(f"http://127.0.0.1:{port}")},
        "pagerduty": {"endpoint": Url(f"http://127.0.0.1:{port}")},
        "webhook": {"secret": SigningKey("whsec_" + "a" * 40)},
        "email": {"host": "127.0.0.1", "port": port, "tls": "none"},
        "sns": {"endpoint": Url(f"http://127.0.0.1:{port}"), "topic": Line("arn:aws:sns:eu-west-1:123456789012:alerts")},
        "command": {"command": Arguments([sys.executable, "-c", TELL % port])},
        "apprise": {"url": Token(f"json://127.0.0.1:{port}/{CANARY}"), "timeout": Timeout(60)},  # it loads 130 services first
    }.get(name, {})


def make(name, port):
    """A ready channel whose service is at `port`."""
    types, given = option_types(name), special(name, port)
    options = {key: by_type(types[key], port) for key in required(name) if key not in given} | given
    if "allow" in types:
        options["allow"] = Allowed(["127.0.0.1"])
    return kind(name)(**options)


@pytest.fixture
def service(request, mails):
    """{kind: port} of a service that works."""

    def port(name):
        if name == "email":
            return mails.port
        if name == "sns":
            return request.getfixturevalue("topic")[0]
        receiver = request.getfixturevalue("receiver")
        return receiver.port

    return port


@pytest.fixture
def receiver():
    """A service that answers as told."""
    with Receiver() as started:
        yield started


@pytest.fixture(autouse=True)
def _aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)


def failure(channel, alert=FAILED, **attempt):
    """The DeliveryError of one attempt."""
    with pytest.raises(DeliveryError) as caught:
        channel.send(alert, Attempt(**{"seconds": 60.0, **attempt}))
    return caught.value


def taken(channel, receiver):
    """The receipt, with one of the answers that services give when they took a message."""
    for answer in ANSWERS:
        receiver.answer = reply(200, answer)
        try:
            return channel.send(FAILED, Attempt(seconds=60))
        except DeliveryError:
            receiver.requests.clear()
    return pytest.fail("none of the good answers is taken for one")


@pytest.mark.parametrize("name", KINDS)
def test_a_message_that_is_taken_gives_a_receipt(name, service, receiver, topic):
    """Nothing raised, nothing secret kept."""
    channel = make(name, service(name))
    if name == "sns":
        channel = dataclasses.replace(channel, topic=Line(topic[1]))
    receipt = taken(channel, receiver)
    assert isinstance(receipt, Receipt)
    assert CANARY not in repr(receipt)


@pytest.mark.parametrize("name", KINDS)
def test_options_come_from_a_table_by_reference(name, tmp_path):
    """T04: what is secret is read from a variable each time; a wrong key is named with its nearest; what is missing is named."""
    table = {
        key: value.reveal() if hasattr(value, "reveal") else value for key, value in vars(make(name, 9)).items() if key in required(name)
    }
    options = {key: list(value) if isinstance(value, Arguments | Mailboxes) else value for key, value in table.items()}
    environ = {"SECRET": str(options[required(name)[0]])}
    options["allow"] = ["127.0.0.1"]
    if name == "email":
        options["tls"] = "starttls"
    if "allow" not in option_types(name):
        del options["allow"]
    by_reference = options | ({} if name in ("command",) else {required(name)[0]: {"env": "SECRET"}})
    found: list = []
    assert build("c", Channel(kind=name, options=by_reference), environ, found.append) is not BAD, found
    build("c", Channel(kind=name, options={**options, "timeuot": 3}), environ, found.append)
    build("c", Channel(kind=name, options={}), environ, found.append)
    assert "did you mean timeout?" in {mistake.fix for mistake in found}
    assert {f"{key} is missing" for key in required(name)} <= {mistake.what for mistake in found}


def everything_that_hangs_on(error):
    """The error's text, its arguments and fields, and its whole chain."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error.args), repr(vars(error)), "".join(traceback.format_exception_only(error))]
        error = error.__context__ or error.__cause__
    return "\n".join(texts)


FAULTS = [(name, fault) for name in KINDS for fault in ("refused", "reset", "garbage", "500") if name in HTTP_KINDS or fault != "garbage"]


@pytest.mark.parametrize("name, fault", FAULTS)
def test_no_error_shows_a_secret(name, fault, receiver):
    """INV-12, T04: neither its text nor what a logger finds that walks `__context__`; the channel's own repr neither."""
    receiver.answer = {"500": reply(500, CANARY.encode()), "garbage": lambda request: [CANARY.encode() + b"\r\n\r\n"]}.get(
        fault, reply(500)
    )
    with Proxy(receiver.port, down=RESET if fault == "reset" else Fault()) as proxy:
        channel = make(name, 1 if fault == "refused" else proxy.port)
        assert CANARY not in everything_that_hangs_on(failure(channel, seconds=1.5)) + repr(channel)


@pytest.mark.parametrize("name", KINDS)
def test_what_never_answers_ends_in_time(name, service):
    """F36, T13: the service takes the connection and is silent; the attempt ends when it was told to, and nobody knows if it arrived."""
    with Proxy(service(name), down=BLACK_HOLE) as proxy:
        channel, began = make(name, proxy.port), time.monotonic()
        error = failure(channel, seconds=0.6)
        assert time.monotonic() - began < 2
        assert not error.permanent and not error.broken


@pytest.mark.parametrize("name", KINDS)
def test_a_refused_connection_is_worth_trying_again(name):
    """F38: nothing listens there now."""
    error = failure(make(name, 1), seconds=5)
    assert (error.permanent, error.broken) == (False, False)


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize("fault", [RESET, REPLY_LOST, Fault(cut_after=9)])
def test_a_lost_reply_is_ambiguous(name, fault, receiver):
    """F43, INV-7: the service has it, and its answer was cut; so another attempt may make a duplicate, and that is said."""
    with Proxy(receiver.port, down=fault) as proxy:
        error = failure(make(name, proxy.port), seconds=5)
    assert (error.ambiguous, error.permanent, len(receiver.requests)) == (True, False, 1)


@pytest.mark.parametrize("name", HTTP_KINDS)
def test_every_attempt_sends_the_same(name, receiver):
    """F43: what a receiver folds duplicates by does not change; but for the time of a signature, nothing does."""
    channel = make(name, receiver.port)
    taken(channel, receiver)
    channel.send(FAILED)
    first, second = receiver.requests[-2:]
    assert first.body == second.body
    assert first.headers.get("webhook-id") == second.headers.get("webhook-id")


STATUSES = {
    400: {"permanent": True, "minimal": True}, 413: {"permanent": True, "minimal": True}, 422: {"permanent": True, "minimal": True},
    401: {"broken": True}, 403: {"broken": True}, 404: {"broken": True}, 410: {"broken": True, "gone": True}, 302: {"broken": True},
    418: {"permanent": True, "minimal": True}, 429: {}, 503: {}, 500: {"ambiguous": True}, 502: {"ambiguous": True}, 599: {},
}  # fmt: skip


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_says_whether_trying_again_helps(name, status, receiver):
    """F38, F40, F41, F42: give up, come back later, send less, or call the channel broken. A redirect is not followed (T12)."""
    receiver.answer = reply(status, b"no", location=f"{receiver.url}/elsewhere")
    error = failure(make(name, receiver.port))
    bits = {bit: getattr(error, bit) for bit in ("permanent", "minimal", "broken", "gone", "ambiguous")}
    assert {bit for bit, is_set in bits.items() if is_set} == set(STATUSES[status])
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("name", HTTP_KINDS)
def test_the_minimal_form_is_shorter_and_refused_for_good(name, receiver):
    """F41: one attempt with less; after that, never again."""
    receiver.answer = reply(400, b"invalid_payload")
    alert = dataclasses.replace(FAILED, because="because " * 500, lines=("line",) * 50)
    channel = make(name, receiver.port)
    assert failure(channel, alert).minimal
    error = failure(channel, alert, minimal=True)
    assert (error.permanent, error.minimal) == (True, False)
    assert len(receiver.requests[1].body) < len(receiver.requests[0].body)
    assert b"FAILED forecast" in receiver.requests[1].body


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize(
    "value, wait",
    [("3", 3), ("99999999", 3600), ("-5", 1), ("0", 1), (None, None), ("soon", None), ("Mon, 23 Nov 2099 06:00:00 GMT", 3600)],
)
def test_retry_after_is_obeyed_within_reason(name, value, wait, receiver):
    """F39: seconds or a date, clamped to 1 s and 1 h; nonsense is as none."""
    receiver.answer = reply(429, b"", **({} if value is None else {"retry_after": value}))
    assert failure(make(name, receiver.port)).retry_after == wait


HTML = b"<!DOCTYPE html><html><body>Please log in"
HOSTILE = {
    "a web page that says 200": reply(200, HTML, content_type="text/html"),
    "a web page that does not say so": reply(200, b"\xef\xbb\xbf  " + HTML),
    "no status line": lambda request: [b"hello\r\n\r\n"],
    "a status that is none": lambda request: [b"HTTP/1.1 abc OK\r\n\r\n"],
    "nothing": lambda request: [],
    "a header without end": lambda request: (b"HTTP/1.1 200 OK\r\nX: " if n == 0 else b"x" * 65536 for n in range(20)),
    "a thousand headers": lambda request: [b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000, b"\r\n"],
    "an answer of 100 for ever": lambda request: (b"HTTP/1.1 100 Continue\r\n\r\n" for _ in range(10_000_000)),
    "early hints": lambda request: [b"HTTP/1.1 103 Early Hints\r\n\r\n"],
}


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_answer_is_a_failure_and_nothing_else(name, what, receiver):
    """B8, F40, T13: no answer of a receiver raises anything but DeliveryError, and none of these counts as delivered."""
    receiver.answer = HOSTILE[what]
    error = failure(make(name, receiver.port), seconds=0.8)
    assert not error.permanent


ENDLESS = {
    "infinite body": lambda request: (b"HTTP/1.1 200 OK\r\n\r\n" if n == 0 else b"x" * 65536 for n in range(100_000)),
    "a body that is too short": lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"],
    "compressed": reply(200, b"\x1f\x8b\x08\x00" + b"\x00" * 100, content_encoding="gzip"),
    "a cookie": reply(200, b"OK", set_cookie="a=b"),
    "204 with a body": reply(204, b"ok"),
    "JSON that is none": reply(200, b"{" * 60_000),
    "a list": reply(200, b"[1]"),
    "an unknown charset": reply(200, b"ok", content_type="text/plain; charset=klingon"),
}


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize("what", ENDLESS)
def test_an_odd_answer_is_read_within_bounds(name, what, receiver):
    """B8, T13: at most 64 KiB are read, nothing is unpacked; taken or not, it ends soon, and with a receipt or a DeliveryError."""
    receiver.answer = ENDLESS[what]
    began = time.monotonic()
    with contextlib.suppress(DeliveryError):
        make(name, receiver.port).send(FAILED, Attempt(seconds=5))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("name", HTTP_KINDS)
def test_an_answer_of_a_byte_at_a_time_does_not_get_around_the_deadline(name, receiver):
    """B8: each byte is in time for a socket's time limit, the whole is not."""
    receiver.answer = lambda request: (time.sleep(0.1) or b"HTTP/1.1 200 OK\r\n"[n % 17 : n % 17 + 1] for n in range(100))
    began = time.monotonic()
    failure(make(name, receiver.port), seconds=0.5)
    assert time.monotonic() - began < 1.5


WEEKLY = Alert(
    key="weekly-1", event="weekly", job="", title="The week of Lab: 16 runs, 2 ended badly", at=1_795_413_751.0, team="Lab",
    what="2026-11-16 to 2026-11-23 · jobs 3", steps=("feed is broken (LAB-01): offduty incidents",),
    items=("feed: 14 good, 2 bad; watched", "not proven: chat arrives: it was never proven"),
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_week_can_be_read_in_every_channel(name, receiver, mails):
    """What it is about, each line of it and the one thing to do arrive; it opens no incident and wakes nobody."""
    channel = make(name, mails.port if name == "email" else receiver.port)
    for answer in ANSWERS[: 1 if name == "email" else None]:
        receiver.answer = reply(200, answer)
        with contextlib.suppress(DeliveryError):
            channel.send(WEEKLY)
    said = (mails.taken[0][1] if name == "email" else receiver.requests[-1].body).decode("utf-8", "replace")
    said = unquote_plus(said) if name == "sns" else said
    for text in ("The week of Lab: 16 runs, 2 ended badly", "feed: 14 good, 2 bad; watched", "feed is broken (LAB-01)", "not proven: chat"):
        assert text in said, (text, said)
    assert name != "pagerduty" or ("event_action" not in said and receiver.requests[-1].path.endswith("/v2/change/enqueue"))


NASTY = ["<!channel>", "<https://evil.example|Approve>", "```", "[x](https://evil.example)", "\r\nBcc: x@y.z", "\ud800", "a\x00b"]
texts = st.text(max_size=200) | st.sampled_from(NASTY)
alerts = st.builds(
    Alert,
    key=st.text(min_size=1, max_size=80),
    event=st.sampled_from(["failed", "recovered", "digest", "missed", "test", "started", "acknowledged", "weekly"]),
    job=texts, title=texts, at=st.floats(0, 4e9), status=st.sampled_from(["firing", "resolved", "info"]), incident=st.none() | texts,
    because=texts, what=texts, where=texts, steps=st.lists(texts, max_size=5).map(tuple), team=texts, contact=texts, log=texts, link=texts,
    lines=st.lists(texts, max_size=30).map(tuple), items=st.lists(texts, max_size=30).map(tuple), host=texts, run=texts, code=texts,
    severity=st.sampled_from(["debug", "warning", "error", "critical"]), drill=st.booleans(), duration_s=st.none() | st.floats(0, 1e6),
)  # fmt: skip


@pytest.mark.parametrize("name", HTTP_KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(alert=alerts)
def test_any_alert_can_be_sent(name, receiver, alert):
    """F49: whatever stands in its fields, it leaves as JSON in UTF-8, and is never refused by ourselves."""
    receiver.answer = reply(200, b'{"ok": true, "status": "success"}')
    with contextlib.suppress(DeliveryError):  # this answer is not that of every service
        make(name, receiver.port).send(alert)
    json.loads(receiver.requests.pop().body.decode("utf-8"))
