"""The pages in docs/how-to/alerts, each tried: its configuration is taken from the page, and its message arrives at a real server."""

from __future__ import annotations

import email
import email.policy
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from offduty.alerts.alert import Alert
from offduty.alerts.channels import CHANNELS
from offduty.alerts.channels.webhook import signature
from offduty.alerts.delivery import Attempt
from offduty.alerts.options import SigningKey
from offduty.drills.receiver import Receiver, reply
from offduty.settings.load import load
from offduty.wiring.channels import ready

PAGES = Path(__file__).resolve().parents[2] / "docs/how-to/alerts"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FAILED = Alert(
    key="k", event="failed", job="forecast", title="FAILED forecast", at=1_795_413_751.0, severity="error", status="firing", incident="i",
    because="the column is gone", steps=("Ask Data Platform.",),
)  # fmt: skip


def page_config(name):
    """The configuration that the page shows."""
    found = re.search(r"```toml\n(.*?)```", (PAGES / f"{name}.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def channel_of(name, folder, environ, *more):
    """The channel of the page, ready, with lines `more` for what a local server needs."""
    (folder / "offduty.toml").write_text(page_config(name) + "\n".join(more) + "\n")
    settings = load(str(folder), {"HOME": str(folder), "PATH": "/usr/bin:/bin", **environ})
    assert [mistake for mistake in settings.mistakes if mistake.code != "E206"] == []
    (channel,) = settings.channels
    return ready(settings, channel)


@pytest.fixture
def receiver():
    """A service that answers as told."""
    with Receiver() as started:
        yield started


LOCAL = 'allow = ["127.0.0.1"]'


def test_slack(tmp_path, receiver):
    """A webhook's message."""
    channel_of("slack", tmp_path, {"SLACK_DS": f"{receiver.url}/services/T/B/x"}, LOCAL).send(FAILED)
    assert receiver.requests[0].path == "/services/T/B/x"
    assert "FAILED forecast" in json.loads(receiver.requests[0].body)["text"]


def test_slack_bot(tmp_path, receiver):
    """The second message of an incident is a reply, and when it is over the first one is marked."""
    receiver.answer = reply(200, b'{"ok": true, "channel": "C9", "ts": "17.1"}')
    channel = channel_of("slack-bot", tmp_path, {"SLACK_BOT_TOKEN": "xoxb-1"}, LOCAL, f'endpoint = "{receiver.url}/api"')
    receipt = channel.send(FAILED)
    channel.send(replace(FAILED, event="recovered", status="resolved"), Attempt(thread=receipt.thread))
    posted, answered, marked = receiver.requests
    assert posted.headers["authorization"] == "Bearer xoxb-1"
    assert json.loads(posted.body)["channel"] == "C0123456789"
    assert json.loads(answered.body)["thread_ts"] == "17.1"
    assert (marked.path, json.loads(marked.body)["channel"], json.loads(marked.body)["ts"]) == ("/api/chat.update", "C9", "17.1")


def test_teams(tmp_path, receiver):
    """The URL is used verbatim, and 202 is taken for what it is."""
    receiver.answer = reply(202)
    target = "/workflows/a/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Frun&sv=1.0&sig=a-B_c%3D"
    (tmp_path / "teams.url").write_text(receiver.url + target + "\n")
    receipt = channel_of("teams", tmp_path, {}, LOCAL).send(FAILED)
    assert receiver.requests[0].path == target
    assert "does not say" in receipt.detail
    assert json.loads(receiver.requests[0].body)["attachments"][0]["content"]["type"] == "AdaptiveCard"


def test_email(tmp_path, mails):
    """Text and HTML, to both; here by a relay without TLS."""
    text = page_config("email")
    for line in ('host     = "smtp.example.com"', 'user     = "jobs@example.com"', 'password = { env = "SMTP_PASSWORD" }'):
        assert line in text
        text = text.replace(line, "")
    (tmp_path / "offduty.toml").write_text(f'{text}host = "127.0.0.1"\nport = {mails.port}\ntls = "none"\n{LOCAL}\n')
    settings = load(str(tmp_path), {"HOME": str(tmp_path)})
    assert settings.mistakes == []
    ready(settings, "mail-dp").send(FAILED)
    ((recipients, content),) = mails.taken
    assert recipients == ["data-platform@example.com", "on-call@example.com"]
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert mail["Subject"] == "FAILED forecast"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_mail_of_the_page_is_right_as_it_stands(tmp_path):
    """Its configuration loads without a finding."""
    assert channel_of("email", tmp_path, {"SMTP_PASSWORD": "x"}).host == "smtp.example.com"


def test_sns(tmp_path, aws_port, monkeypatch):
    """A queue that is subscribed to the topic gets the message."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    there = {"region_name": "eu-west-1", "endpoint_url": f"http://127.0.0.1:{aws_port}"}
    topic = boto3.client("sns", **there).create_topic(Name="alerts")["TopicArn"]
    queue = boto3.client("sqs", **there).create_queue(QueueName="q")["QueueUrl"]
    boto3.client("sns", **there).subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:q")
    assert f'"{topic}"' in page_config("sns")
    receipt = channel_of("sns", tmp_path, {}, f'endpoint = "http://127.0.0.1:{aws_port}"', LOCAL).send(FAILED)
    (message,) = boto3.client("sqs", **there).receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    body = json.loads(message["Body"])
    assert (body["MessageId"], body["Subject"]) == (receipt.id, "FAILED forecast")
    assert "because   the column is gone" in body["Message"]
    assert body["MessageAttributes"]["severity"]["Value"] == "error"


def test_sns_in_order(tmp_path, aws_port, monkeypatch):
    """A topic of the kind FIFO: an incident is one group, and a second copy of a message within five minutes is none."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    there = {"region_name": "eu-west-1", "endpoint_url": f"http://127.0.0.1:{aws_port}"}
    topic = boto3.client("sns", **there).create_topic(Name="alerts.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    queue = boto3.client("sqs", **there).create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    boto3.client("sns", **there).subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:q.fifo")
    channel = channel_of("sns", tmp_path, {}, f'endpoint = "http://127.0.0.1:{aws_port}"', LOCAL)
    channel = replace(channel, topic=type(channel.topic)(topic))
    for alert in (FAILED, FAILED, replace(FAILED, key="over", event="recovered", title="RECOVERED forecast", status="resolved")):
        channel.send(alert)
    found = boto3.client("sqs", **there).receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2, AttributeNames=["MessageGroupId"]
    )
    bodies = [json.loads(message["Body"]) for message in found["Messages"]]
    assert [body["Subject"] for body in bodies] == ["FAILED forecast", "RECOVERED forecast"]
    assert len({message["Attributes"]["MessageGroupId"] for message in found["Messages"]}) == 1


def test_pagerduty(tmp_path, receiver):
    """A failure triggers."""
    receiver.answer = reply(202, b'{"status": "success", "dedup_key": "offduty:i"}')
    receipt = channel_of("pagerduty", tmp_path, {"PAGERDUTY_KEY": "R" * 32}, LOCAL, f'endpoint = "{receiver.url}"').send(FAILED)
    body = json.loads(receiver.requests[0].body)
    assert (receiver.requests[0].path, body["event_action"], body["dedup_key"]) == ("/v2/enqueue", "trigger", "offduty:i")
    assert (body["routing_key"], receipt.id) == ("R" * 32, "offduty:i")


def test_webhook(tmp_path, receiver):
    """T14: the receiver computes the same signature from what it got; one changed bit, and it does not."""
    environ = {"HUB_URL": f"{receiver.url}/in", "HUB_SECRET": KEY, "HUB_TOKEN": "Bearer t"}
    channel_of("webhook", tmp_path, environ, LOCAL).send(FAILED)
    request = receiver.requests[0]
    at = int(request.headers["webhook-timestamp"])
    assert (
        request.headers["webhook-signature"]
        == signature(request.headers["webhook-id"], at, request.body, SigningKey(KEY))["webhook-signature"]
    )
    assert (
        request.headers["webhook-signature"]
        != signature(request.headers["webhook-id"], at, request.body[:-1] + b"x", SigningKey(KEY))["webhook-signature"]
    )
    assert (request.headers["authorization"], request.headers["content-type"]) == ("Bearer t", "application/cloudevents+json")
    assert json.loads(request.body)["type"] == "io.offduty.alert.failed.v1"


def test_the_signature_is_that_of_standard_webhooks():
    """T14: the vector of its specification."""
    made = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', SigningKey(KEY))
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_command(tmp_path):
    """T28: data on standard input, arguments as configured, a path relative to the file."""
    script = tmp_path / "page.py"
    said = "pathlib.Path(__file__).with_name('got').write_text(' '.join(sys.argv[1:]) + sys.stdin.read())"
    script.write_text(f"#!/usr/bin/env python3\nimport sys, pathlib\n{said}\n")
    script.chmod(0o700)
    channel_of("command", tmp_path, {}).send(FAILED)
    said = (tmp_path / "got").read_text()
    assert said.startswith('--team etl{"')
    assert json.loads(said[len("--team etl") :])["because"] == "the column is gone"


def test_apprise(tmp_path, receiver):
    """One of its services."""
    pytest.importorskip("apprise")
    channel_of("apprise", tmp_path, {"APPRISE_URL": f"json://127.0.0.1:{receiver.port}/x"}, LOCAL, 'timeout = "60 s"').send(
        FAILED, Attempt(seconds=60)
    )
    assert json.loads(receiver.requests[0].body)["title"] == "FAILED forecast"


def test_every_kind_has_a_page_and_every_page_a_test():
    """A new kind comes with both."""
    pages = {page.stem for page in PAGES.glob("*.md")} - {"index"}
    assert pages == set(CHANNELS)
    assert {f"test_{name.replace('-', '_')}" for name in pages} <= set(globals())
