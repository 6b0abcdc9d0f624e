"""Real servers for tests that need one: each is started once a session, on a free port of this machine, and stopped at its end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile("offduty", deadline=None)  # a busy machine is no mistake
hypothesis.settings.load_profile("offduty")

# Who started us in the background, or with nohup, has signals ignored; what the tests start would inherit that.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

NOBODY = 65534
PATIENCE = 20.0
PLACES_OF_POSTGRES = ("/usr/local/bin", "/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str, *places: str) -> str:
    """The path of a server's program; the test skips if it is not installed."""
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


def as_nobody() -> dict[str, Any]:
    """For `subprocess`: database servers refuse to run as root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def folder_of_nobody() -> Iterator[Callable[[str], Path]]:
    """Makes folders that a server started by `as_nobody` may write to."""
    made = []

    def make(name: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"offduty-{name}-"))
        made.append(folder)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        return folder

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path, says: str) -> None:
    """Until the server listens on `port`, and has written to its log what it `says` when it is ready."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            if says in log.read_text(errors="replace"):
                return
        except OSError:
            pass
        time.sleep(0.02)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def serving(command: list[str], port: int, log: Path, says: str = "", **options: Any) -> Iterator[int]:
    """Run a server until the generator is closed."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, **options) as server:
        try:
            wait_for(port, server, log, says)
            yield port
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


@pytest.fixture(scope="session")
def postgres_port(folder_of_nobody: Callable[[str], Path]) -> Iterator[int]:
    """PostgreSQL with a database `postgres` and a user `postgres` whom it trusts."""
    postgres = program("postgres", "postgresql", *reversed(PLACES_OF_POSTGRES))
    initdb = program("initdb", "postgresql", *reversed(PLACES_OF_POSTGRES))
    folder, port = folder_of_nobody("postgres"), free_port()
    options = {"cwd": folder, "env": {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ["PATH"]}, **as_nobody()}
    subprocess.run(
        [initdb, "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, capture_output=True, **options
    )
    command = [postgres, "-D", "data", "-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    yield from serving(command, port, folder / "log", "ready to accept connections", **options)


@pytest.fixture(scope="session")
def mariadb_port(folder_of_nobody: Callable[[str], Path]) -> Iterator[int]:
    """MariaDB with a database `test`, open to everybody."""
    mariadbd = program("mariadbd", "mariadb-server-core")
    install = program("mariadb-install-db", "mariadb-server-core")
    folder, port = folder_of_nobody("mariadb"), free_port()
    common = [f"--datadir={folder}/data", "--skip-log-bin", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"]
    options = {"cwd": folder, **as_nobody()}
    first = [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-name-resolve", *common]
    subprocess.run(first, check=True, capture_output=True, **options)
    command = [mariadbd, "--no-defaults", *common, "--skip-grant-tables", "--skip-networking=0", "--bind-address=127.0.0.1"]
    command += [f"--port={port}", f"--socket={folder}/socket", f"--pid-file={folder}/pid"]
    yield from serving(command, port, folder / "log", "ready for connections", **options)


@pytest.fixture(scope="session")
def redis_port(folder_of_nobody: Callable[[str], Path]) -> Iterator[int]:
    """Redis that keeps nothing."""
    server, folder, port = program("redis-server", "redis-server"), folder_of_nobody("redis"), free_port()
    yield from serving([server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], port, folder / "log", cwd=folder, **as_nobody())


class Faulty(BaseHTTPRequestHandler):
    """Answers by path: `/ok`, `/status/503`, `/redirect`, `/reset`, `/garbage`, `/slow`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""

    def answer(self) -> None:
        """As the path asks for."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = self.path.partition("?")[0].strip("/").split("/")
        if what[0] == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif what[0] == "garbage":
            self.wfile.write(b"\x00 this is no HTTP\r\n\r\n")
            self.close_connection = True
        elif what[0] == "redirect":
            self.reply(302, b"", Location="/ok")
        elif what[0] == "slow":
            time.sleep(1)
            self.reply(200, b"late")
        else:
            self.reply(int(what[1]) if what[0] == "status" else 200, b'{"answer": "hunter2"}')

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class QuietServer(ThreadingHTTPServer):
    """Connections that break are what these tests are about."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent."""


@pytest.fixture(scope="session")
def http_port() -> Iterator[int]:
    """A web server with faults: `Faulty`."""
    with QuietServer(("127.0.0.1", 0), Faulty) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def aws_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """AWS as moto plays it: S3, SQS, SNS."""
    pytest.importorskip("moto")
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    yield from serving([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, log)


@pytest.fixture(scope="session")
def smtp_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A mail server that takes everything and drops it."""
    pytest.importorskip("aiosmtpd")
    port, folder = free_port(), tmp_path_factory.mktemp("smtp")
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    yield from serving(command, port, folder / "log")


FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user("user", "CANARY", sys.argv[2], perm="elradfmw")
ThreadedFTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler).serve_forever()
"""


def knows(python: str, module: str) -> bool:
    """Whether this interpreter is there and has that module."""
    try:
        return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="session")
def ftp_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """An FTP server with one user."""
    python = next((one for one in (sys.executable, "/usr/bin/python3") if knows(one, "pyftpdlib")), None)
    if python is None:
        pytest.skip("no FTP server: Debian's package python3-pyftpdlib has one (on the index it is source only)")
    port, folder = free_port(), tmp_path_factory.mktemp("ftp")
    yield from serving([python, "-c", FTP, str(port), str(folder)], port, folder / "log")


class Mails:
    """What a mail server took, and how it shall behave: `refuse` {recipient: code}, `drop` the connection after the message, `greylist`."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[tuple[list[str], bytes]] = []
        self.refuse: dict[str, int] = {}
        self.drop = False
        self.greylist = False
        self.logins: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """As `refuse` says."""
        if address in self.refuse:
            return f"{self.refuse[address]} no"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep it, unless it is to come again later."""
        if self.greylist:
            return "451 come again later"
        self.taken.append((list(envelope.rcpt_tos), envelope.content))
        if self.drop:
            server.transport.abort()
        return "250 taken"


@pytest.fixture
def mails() -> Iterator[Mails]:
    """A mail server on `mails.port` without TLS."""
    pytest.importorskip("aiosmtpd")
    from aiosmtpd.controller import Controller

    handler = Mails()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=10)
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture(scope="session")
def ssh_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """paramiko's own server, with SFTP of a folder."""
    pytest.importorskip("paramiko")
    port, folder = free_port(), tmp_path_factory.mktemp("ssh")
    server = Path(__file__).parent / "servers" / "ssh.py"
    yield from serving([sys.executable, str(server), str(port), str(folder)], port, folder.with_name("ssh.log"))


@pytest.fixture(scope="session")
def mongo_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that speaks enough of MongoDB's protocol."""
    pytest.importorskip("bson")
    port, log = free_port(), tmp_path_factory.mktemp("mongo") / "log"
    yield from serving([sys.executable, str(Path(__file__).parent / "servers" / "mongo.py"), str(port)], port, log)


@pytest.fixture(scope="session")
def bigquery_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that answers queries as BigQuery does."""
    port, log = free_port(), tmp_path_factory.mktemp("bigquery") / "log"
    yield from serving([sys.executable, str(Path(__file__).parent / "servers" / "bigquery.py"), str(port)], port, log)


@pytest.fixture(scope="session")
def kafka_port() -> Iterator[int]:
    """Kafka as librdkafka plays it."""
    pytest.importorskip("confluent_kafka")
    command = [sys.executable, str(Path(__file__).parent / "servers" / "kafka.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()
