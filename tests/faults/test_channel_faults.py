"""Networks, certificates and mail servers that misbehave, met by one attempt of a channel: what arrives, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import socket
import ssl
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.channels.apprise import Apprise
from offduty.alerts.channels.command import Command
from offduty.alerts.channels.email import Email
from offduty.alerts.channels.slack import Slack
from offduty.alerts.channels.sns import Sns
from offduty.alerts.delivery import Attempt, DeliveryError
from offduty.alerts.options import Arguments, FilePath, Line, Mailbox, Mailboxes, Port, Proxy, Timeout, Token, Url
from offduty.alerts.smtp import tag
from offduty.drills.proxy import BLACK_HOLE, Fault
from offduty.drills.proxy import Proxy as Network
from offduty.drills.receiver import Receiver, reply

FAILED = Alert(key="k", event="failed", job="forecast", title="FAILED forecast", at=1_795_413_751.0, incident="i")
ALL = ["a@example.com", "b@example.com", "c@example.com"]
LOCAL = Allowed(["127.0.0.1", "localhost"])


@pytest.fixture
def receiver():
    """A service that answers as told."""
    with Receiver() as started:
        yield started


def slack(url, **options):
    """A channel to `url`."""
    return Slack(url=Url(url), allow=options.pop("allow", LOCAL), **options)


def failure(channel, **attempt):
    """The DeliveryError of one attempt."""
    with pytest.raises(DeliveryError) as caught:
        channel.send(FAILED, Attempt(**attempt))
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("fault", [Fault(latency=0.3), Fault(bandwidth=2000), Fault(slow_close=0.5)])
def test_a_slow_network_only_takes_longer(fault, receiver):
    """F38: latency, little bandwidth, a close that comes late; the message arrives once."""
    with Network(receiver.port, down=fault) as network:
        assert slack(f"http://127.0.0.1:{network.port}/x").send(FAILED).detail == "ok"
    assert len(receiver.requests) == 1


def test_a_request_that_never_arrives_whole_is_not_delivered(receiver):
    """F38: cut in its middle; the service got nothing, and the attempt says that nobody knows."""
    with Network(receiver.port, up=Fault(cut_after=100, reset=True)) as network:
        error = failure(slack(f"http://127.0.0.1:{network.port}/x"), seconds=5)
    assert (error.ambiguous, receiver.requests) == (True, [])


def test_other_connections_are_not_delayed_by_one_that_hangs(receiver):
    """F36: a channel that hangs costs its own time alone; it leaves no socket open."""
    before = len(os.listdir("/proc/self/fd"))
    with Network(receiver.port, up=BLACK_HOLE) as network:
        failure(slack(f"http://127.0.0.1:{network.port}/x"), seconds=0.3)
        assert slack(f"{receiver.url}/x").send(FAILED).detail == "ok"
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def names(*answers):
    """A resolver that answers one after the other, as a hostile DNS server does; `asked` counts."""
    asked = []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[min(len(asked), len(answers)) - 1]]

    return getaddrinfo, asked


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"]])
def test_a_name_that_leads_inside_is_refused(monkeypatch, receiver, addresses):
    """T12: every address is looked at, before any is connected to."""
    getaddrinfo, _ = names(addresses)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    error = failure(slack(f"https://hooks.example.com:{receiver.port}/x", allow=Allowed()))
    assert (error.broken, error.ambiguous, receiver.requests) == (True, False, [])


def test_a_name_is_looked_up_once(monkeypatch, receiver):
    """T12: a server that answers differently the second time (rebinding) is not asked a second time."""
    getaddrinfo, asked = names(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    slack(f"http://hooks.test:{receiver.port}/x", allow=Allowed(["hooks.test"])).send(FAILED)
    assert asked == ["hooks.test"]
    assert receiver.requests[0].headers["host"] == f"hooks.test:{receiver.port}"


def test_a_redirect_is_not_followed(receiver):
    """T12: not to another address of ours, and the channel is called broken."""
    receiver.answer = reply(307, location=f"{receiver.url}/other")
    assert failure(slack(f"{receiver.url}/x")).broken
    assert [request.path for request in receiver.requests] == ["/x"]


def test_the_environment_names_no_proxy_unless_asked(monkeypatch, receiver):
    """T12: a variable left behind sends no secret elsewhere; `environment` takes it, with its password."""
    with Receiver(reply(407)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://u:p@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        slack(f"{receiver.url}/x").send(FAILED)
        assert proxy.requests == []
        failure(slack(f"{receiver.url}/x", proxy=Proxy("environment")), seconds=5)
        assert (proxy.requests[0].method, proxy.requests[0].headers["proxy-authorization"]) == ("CONNECT", "Basic dTpw")


@pytest.fixture
def sns(monkeypatch):
    """Makes a channel to SNS at an address, with credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    topic = Line("arn:aws:sns:eu-west-1:123456789012:alerts")
    return lambda url=None, **options: Sns(topic=topic, endpoint=Url(url) if url else None, **{"allow": LOCAL, **options})


PUBLISHED = b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>"


def test_sns_connects_to_what_was_looked_at(sns, monkeypatch, receiver):
    """T12: one look-up, as for every other channel: a name that leads inside is refused, and one is not asked twice."""
    receiver.answer = reply(200, PUBLISHED, content_type="text/xml")
    getaddrinfo, asked = names(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    refused = failure(sns(f"https://sns.example.com:{receiver.port}/", allow=Allowed()))
    assert (refused.broken, refused.ambiguous, asked, receiver.requests) == (True, False, ["sns.example.com"], [])
    asked.clear()
    assert sns(f"http://sns.test:{receiver.port}/", allow=Allowed(["sns.test"])).send(FAILED).id == "m-1"
    assert asked == ["sns.test"] and len(receiver.requests) == 1


def test_sns_goes_where_the_configuration_says(sns, monkeypatch, receiver):
    """T12: neither a proxy nor an endpoint that is left behind in the environment gets what is signed."""
    with Receiver(reply(200, PUBLISHED)) as other:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", other.url)
        monkeypatch.setenv("HTTPS_PROXY", other.url)
        monkeypatch.setattr(socket, "getaddrinfo", names(["127.0.0.1"])[0])
        error = failure(sns(), seconds=3)
        assert not error.broken, "AWS's own name may lead to an endpoint of one's own network"
        assert other.requests == []


def apprise(url, *allow):
    """A channel by Apprise, with time for a busy machine to load it."""
    pytest.importorskip("apprise")
    return Apprise(url=Token(url), allow=Allowed(allow), timeout=Timeout(60))


@pytest.mark.parametrize("url", ["json://127.0.0.1:%d/x", "json://localhost:%d/x", "rsyslog://127.0.0.1:%d"])
def test_apprise_reaches_no_internal_address_unasked(url, receiver):
    """T12: whichever service it is, the address that it connects to is looked at; the channel is called broken."""
    error = failure(apprise(url % receiver.port), seconds=60)
    assert (error.broken, receiver.requests) == (True, []) and "internal address" in error.what


def test_apprise_reaches_what_is_allowed_by_name_or_network(receiver, monkeypatch):
    """T12: and no proxy that the environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for allow in ("localhost", "127.0.0.0/8"):
        apprise(f"json://localhost:{receiver.port}/x", allow).send(FAILED, Attempt(seconds=60))
    assert len(receiver.requests) == 2


def test_apprise_is_not_led_inside_by_a_redirect(receiver):
    """T12: its services follow redirects; the address that one leads to is looked at too."""
    receiver.answer = reply(307, location=f"http://127.0.0.2:{receiver.port}/metadata")
    assert failure(apprise(f"json://127.0.0.1:{receiver.port}/x", "127.0.0.1"), seconds=60).broken
    assert [request.path for request in receiver.requests] == ["/x"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Makes certificates: (server context, file to trust)."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def make(host="localhost", days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        now = datetime.datetime.now(datetime.UTC)
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        built = built.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=9))
        built = built.not_valid_after(now + datetime.timedelta(days=days))
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        folder = tmp_path_factory.mktemp("tls")
        (folder / "cert.pem").write_bytes(pem)
        (folder / "key.pem").write_bytes(secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        return context, FilePath(folder / "cert.pem")

    return make


def test_a_certificate_that_is_right_is_asked_for_by_name(certificate):
    """T12: connected by address, and still the right SNI and the right certificate."""
    context, trusted = certificate()
    asked = []
    context.sni_callback = lambda connection, name, of: asked.append(name)
    with Receiver(tls=context) as receiver:
        assert slack(f"https://localhost:{receiver.port}/x", ca=trusted).send(FAILED).detail == "ok"
    assert asked == ["localhost"]


@pytest.mark.parametrize(
    "host, days, trust, what",
    [("localhost", -1, True, "expired"), ("other.example", 1, True, "another host"), ("localhost", 1, False, "not trusted")],
)
def test_a_certificate_that_is_wrong_stops_the_message(certificate, host, days, trust, what):
    """F38: expired, for another host, of nobody we trust: nothing is sent, and later it may be mended."""
    context, trusted = certificate(host, days)
    with Receiver(tls=context) as receiver:
        error = failure(slack(f"https://localhost:{receiver.port}/x", ca=trusted if trust else None), seconds=5)
        assert what in str(error)
        assert (error.permanent, error.broken, error.ambiguous, receiver.requests) == (False, False, False, [])


def mail_to(port, **options):
    """A channel to three people."""
    given = {"tls": "none", "to": Mailboxes.read(ALL), **options}
    return Email(host=Line(given.pop("host", "127.0.0.1")), port=Port(port), sender=Mailbox("jobs@example.com"), allow=LOCAL, **given)


@pytest.mark.parametrize("code, permanent", [(550, True), (450, False)])
def test_a_refused_recipient_keeps_it_from_no_other(mails, code, permanent):
    """F51: the others get it now; only the refused one is owed another attempt, and gets the same message."""
    mails.refuse = {"b@example.com": code}
    channel = mail_to(mails.port)
    error = failure(channel)
    assert (error.permanent, error.refused, mails.taken[0][0]) == (permanent, (tag("b@example.com"),), ["a@example.com", "c@example.com"])
    mails.refuse = {}
    receipt = channel.send(FAILED, Attempt(only=error.refused))
    assert mails.taken[1][0] == ["b@example.com"]
    assert mails.taken[0][1] == mails.taken[1][1]
    assert receipt.id.encode() in mails.taken[1][1]


def test_when_all_are_refused_nothing_is_sent(mails):
    """F51."""
    mails.refuse = dict.fromkeys(ALL, 550)
    error = failure(mail_to(mails.port))
    assert (error.permanent, len(error.refused), mails.taken) == (True, 3, [])


def test_a_server_that_drops_after_the_message_leaves_it_open(mails):
    """F51, F43: it may have been taken; the next attempt carries the same Message-ID, by which it is folded."""
    mails.drop = True
    channel = mail_to(mails.port)
    assert failure(channel).ambiguous
    mails.drop = False
    channel.send(FAILED)
    assert mails.taken[0][1] == mails.taken[1][1]


def test_greylisting_is_no_refusal(mails):
    """F51: 451 means come again."""
    mails.greylist = True
    error = failure(mail_to(mails.port))
    assert (error.permanent, error.ambiguous, error.broken) == (False, False, False)


def test_without_starttls_nothing_is_sent(mails):
    """F51, B8: neither password nor message leaves in the open."""
    error = failure(mail_to(mails.port, tls="starttls", user=Line("u"), password=Token("hunter2")))
    assert error.broken
    assert "STARTTLS" in str(error)
    assert (mails.taken, mails.logins) == ([], [])


@contextlib.contextmanager
def smtp_server(handler, context, **options):
    """aiosmtpd with TLS from the first byte, or with what `options` say; its own Controller does not trust our certificate."""
    from aiosmtpd.smtp import SMTP

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    speaking = []

    def made():
        speaking.append(SMTP(handler, loop=loop, **options))
        return speaking[-1]

    async def end(server):
        server.close()
        for one in speaking:
            if one.transport is not None:
                one.transport.abort()
        await asyncio.sleep(0.05)

    server = asyncio.run_coroutine_threadsafe(loop.create_server(made, "127.0.0.1", 0, ssl=context), loop).result(5)
    yield server.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(end(server), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("right", [True, False])
def test_mail_by_tls_logs_in_and_checks_the_certificate(certificate, mails, implicit, right):
    """F51, F38: STARTTLS or TLS from the first byte; a wrong password breaks the channel, a certificate of nobody stops it."""
    from aiosmtpd.smtp import AuthResult

    context, trusted = certificate()

    def authenticator(server, session, envelope, kind, data):
        return AuthResult(success=data.password == b"right", handled=False)

    options = {"authenticator": authenticator, "auth_require_tls": not implicit, "tls_context": None if implicit else context}
    with smtp_server(mails, context if implicit else None, **options) as port:
        wanted = {"host": "localhost", "tls": "tls" if implicit else "starttls", "ca": trusted, "user": Line("u")}
        channel = mail_to(port, password=Token("right" if right else "wrong"), **wanted)
        if right:
            assert channel.send(FAILED).detail == "taken for 3 recipients"
            assert "not trusted" in str(failure(mail_to(port, password=Token("right"), **(wanted | {"ca": None}))))
        else:
            assert failure(channel).broken


def test_a_command_that_takes_too_long_is_killed_with_its_children(tmp_path):
    """T13, T28: nothing it started outlives the attempt."""
    body = "import os, sys, time; os.fork(); open(sys.argv[1] + str(os.getpid()), 'w').close(); time.sleep(60)"
    channel = Command(command=Arguments([sys.executable, "-c", body, f"{tmp_path}/"]))
    assert failure(channel, seconds=0.5).ambiguous
    time.sleep(0.05)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}") and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]] == []


@pytest.mark.parametrize(
    "status, bits",
    [(1, ()), (75, ()), (64, ("permanent", "minimal")), (65, ("permanent", "minimal")), (78, ("broken",)), (127, ("broken",))],
)
def test_a_command_s_exit_status_is_its_answer(status, bits):
    """What the page says of them."""
    error = failure(Command(command=Arguments(["sh", "-c", f"exit {status}"])))
    assert tuple(bit for bit in ("permanent", "minimal", "broken") if getattr(error, bit)) == bits


def test_a_command_that_is_not_there_breaks_the_channel():
    """F42: and its text names no path."""
    error = failure(Command(command=Arguments(["/no/such/hunter2"])))
    assert (error.broken, "hunter2" in str(error)) == (True, False)
