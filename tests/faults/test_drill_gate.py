"""The gate on the network of an enclosed job: reading goes through, the rest does not, and it is a bad network on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from offduty.drills.gate import Gate, Rules, Server, server_of
from offduty.drills.receiver import Receiver, reply

PROXY = ("127.0.0.1", 3128)
GET = "import urllib.request as u; print(u.urlopen(URL, timeout=20).read().decode())"
POST = "import urllib.request as u; u.urlopen(URL, data=b'x', timeout=20)"
DELETE = "import http.client as h; c = h.HTTPConnection('127.0.0.1', 3128); c.request('DELETE', URL); assert c.getresponse().status < 400"
HANGS = "import urllib.request as u; u.urlopen(URL)"


@pytest.fixture
def inside(tmp_path):
    """Runs Python code in an enclosure with a gate: (status, output, what the gate told); and a service outside."""
    with Receiver(reply(200, b"seven")) as receiver:

        def run(code, rules, doors=(), hosts=""):
            told = []
            spec = {"scratch": str(tmp_path), "doors": [PROXY, *((one, server.port) for one, server in doors)], "gate": f"{tmp_path}/gate"}
            spec |= {"addresses": [one for one, _ in doors], "hosts": hosts}
            (tmp_path / "spec.json").write_text(json.dumps(spec))
            (tmp_path / "tmp").mkdir(exist_ok=True)
            (tmp_path / "gate").unlink(missing_ok=True)
            env = {
                "PATH": os.environ["PATH"],
                "http_proxy": f"http://{PROXY[0]}:{PROXY[1]}",
                "https_proxy": f"http://{PROXY[0]}:{PROXY[1]}",
            }
            names = f"URL, PORT = {receiver.url + '/a?b=c'!r}, {receiver.port}\n"
            command = [sys.executable, "-I", "-m", "offduty.drills.enclosure", f"{tmp_path}/spec.json", sys.executable, "-c", names + code]
            with Gate(f"{tmp_path}/gate", [None, *(server for _, server in doors)], rules, lambda *one: told.append(one)):
                done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
            if "cannot be made safe" in done.stderr:
                pytest.skip(f"the kernel gives no namespaces here: {done.stderr}")
            return done.returncode, done.stdout + done.stderr, told

        run.service = receiver
        yield run


def test_asking_goes_through(inside):
    """GET of plain HTTP arrives at the service, with the path as it was; the gate tells it with values masked (T: query values)."""
    status, said, told = inside(GET, Rules())
    assert (status, said.strip(), [one.path for one in inside.service.requests]) == (0, "seven", ["/a?b=c"])
    assert told == [("asked", "http.request", f"{inside.service.url}/a?b=***", "GET")]


@pytest.mark.parametrize("code", [POST, DELETE])
def test_what_may_change_something_never_arrives(inside, code):
    """POST and DELETE are answered by 403, and told."""
    status, said, told = inside(code, Rules())
    assert (status, inside.service.requests, [one[0] for one in told]) == (1, [], ["refused"]), said


def test_what_the_user_allows_arrives(inside):
    """`--allow-writes` with the address."""
    status, said, _ = inside(POST, Rules(allow=["http://127.0.0.1:*/*"]))
    assert (status, [(one.method, one.body) for one in inside.service.requests]) == (0, [("POST", b"x")]), said


def test_a_tunnel_is_refused_until_it_is_opened(inside):
    """Nobody sees what goes through one: 403, unless the server is named or allowed."""
    tunnel = (
        "import http.client as h; c = h.HTTPConnection('127.0.0.1', 3128, timeout=20); c.set_tunnel('127.0.0.1', PORT);"
        " c.request('GET', '/t'); print(c.getresponse().read())"
    )
    status, said, told = inside(tunnel, Rules())
    assert (status, [one[0] for one in told], inside.service.requests) == (1, ["refused"], []), said
    for rules in (Rules(servers=[Server("127.0.0.1", inside.service.port)]), Rules(allow=["tcp://127.0.0.1:*"])):
        assert inside(tunnel, rules)[0] == 0


def test_a_second_request_on_a_connection_is_looked_at_too(inside):
    """A POST behind a GET does not slip through: there is one request a connection."""
    code = (
        "import socket; s = socket.create_connection(('127.0.0.1', 3128), 20);"
        " s.sendall(b'GET %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' % URL.encode());"
        " s.recv(9999); s.sendall(b'POST %s HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\n\\r\\nx' % URL.encode());"
        " print(s.recv(9999))"
    )
    inside(code, Rules())
    assert [one.method for one in inside.service.requests] == ["GET"]


@pytest.mark.parametrize("fault, says", [
    ("status-401", "401"), ("status-403", "403"), ("status-404", "404"), ("status-429", "429"), ("status-500", "500"),
    ("garbage", "Please sign in"),
])  # fmt: skip
def test_it_answers_as_a_broken_service_does(inside, fault, says):
    """The service itself is not asked; the gate says that it struck (F: 401, 403, 404, 429, 500, garbage)."""
    status, said, told = inside(GET, Rules(fault=fault, op="http.request", target=f"{inside.service.url}/a?b=***"))
    assert says in said and (status == 0) == (fault == "garbage")
    assert ([one[0] for one in told], inside.service.requests) == (["struck"], [])


def test_only_what_is_to_be_struck_is(inside):
    """Another address of the same service is answered."""
    assert inside(GET, Rules(fault="status-500", op="http.request", target=f"{inside.service.url}/other"))[0] == 0


def test_a_call_with_a_time_limit_times_out(inside):
    """No answer comes; the job gives up by itself, long before the gate does (F: time-out)."""
    status, said, told = inside(GET.replace("timeout=20", "timeout=1"), Rules(fault="timeout", patience=60))
    assert (status, "timed out" in said.lower(), [one[0] for one in told]) == (1, True, ["struck"]), said


def test_a_call_without_a_time_limit_hangs(inside):
    """Seeded defect: after its patience the gate ends the call, and says that it hung."""
    status, _, told = inside(HANGS, Rules(fault="timeout", patience=1))
    assert (status, [one[0] for one in told]) == (1, ["hung", "struck"])


def test_a_server_that_is_named_is_reached_under_its_own_name(inside):
    """Not by a proxy: the name leads to a door, as everything is that the configuration names."""
    server = Server("localhost", inside.service.port)
    line = "import http.client as h; c = h.HTTPConnection('dw.example', PORT, timeout=20);"
    inside.service.answer = reply(200, b"named")
    status, said, told = inside(
        f"{line} c.request('GET', '/n'); print(c.getresponse().read())", Rules(), [("127.66.0.1", server)], "127.66.0.1 dw.example\n"
    )
    assert (status, "named" in said) == (0, True), said
    assert [one[0] for one in told] == ["asked"]


def test_a_database_is_reached_through_its_door(inside, mariadb_port):
    """MySQL, whose server speaks first."""
    pytest.importorskip("pymysql")
    code = f"import pymysql; b = pymysql.connect(host='shop.example', port={mariadb_port}, user='root', database='test'); print(b.ping())"
    status, said, told = inside(code, Rules(), [("127.66.0.1", Server("127.0.0.1", mariadb_port, "mysql"))], "127.66.0.1 shop.example\n")
    assert (status, told[0][:2]) == (0, ("asked", "db.connect")), said


@pytest.mark.parametrize("text, found", [
    ("dw.example:5432", Server("dw.example", 5432)), ("DW", Server("dw.example", 5432, "postgresql")),
    ("https://api.example/v1?key=x", Server("api.example", 443, "https")),
    ("postgresql+psycopg://u:p@h/db", Server("h", 5432, "postgresql")),
    ("mariadb://h/db", Server("h", 3306, "mysql")), ("10.1.2.3:25", Server("10.1.2.3", 25)), ("nothing", None), ("host:port", None),
    ("host:0", None), ("host:99999", None), ("[::1]:80", None), ("", None), ("odd://host", None),
])  # fmt: skip
def test_servers_are_named_as_people_name_them(text, found):
    """An address, a URL, a variable; what is none of them is none."""
    assert server_of(text, {"DW": "postgres://user:secret@dw.example/sales"}) == found
