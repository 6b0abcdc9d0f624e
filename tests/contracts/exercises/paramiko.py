"""SSH and SFTP by paramiko, against its own server."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARIES = ["paramiko"]
SERVERS = ["ssh_port"]
NAMES = """paramiko.SSHClient.connect paramiko.SSHClient.exec_command paramiko.SFTPClient.get paramiko.SFTPClient.put
 paramiko.SFTPClient.open paramiko.SFTPClient.listdir paramiko.SFTPClient.remove""".split()
ssh_port = 0


def prepare(folder: Path) -> None:
    """A file that is put there."""
    _sftp(lambda sftp: sftp.putfo(io.BytesIO(b"CANARY"), "/feed.csv"))(folder)


def _connection(port: int = 0, password: str = "CANARY") -> Any:
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    said = {"username": "CANARY", "password": password, "allow_agent": False, "look_for_keys": False, "timeout": 5}
    client.connect("127.0.0.1", port or ssh_port, **said)
    return client


def _connect(folder: Path) -> None:
    _connection().close()


def _start(folder: Path) -> Any:
    with _connection() as client:
        return client.exec_command("report --key CANARY")[1].channel.recv_exit_status()


def _sftp(use: Callable[[Any], Any]) -> Any:
    """A call that connects and does something with files."""

    def call(folder: Path) -> Any:
        with _connection() as client, client.open_sftp() as sftp:
            return use(sftp)

    return call


def _read(sftp: Any) -> bytes:
    into = io.BytesIO()
    sftp.getfo("feed.csv", into)
    return into.getvalue()


BOTH = "file.transfer file.transfer"
GOOD = [
    ("file.transfer", "", _connect),
    ("file.transfer process.spawn", " report", _start),
    (BOTH, "/feed.csv", _sftp(_read)),
    (BOTH, "/other.csv", _sftp(lambda sftp: sftp.putfo(io.BytesIO(b"CANARY"), "/other.csv").st_size)),
    (BOTH, "/", _sftp(lambda sftp: sorted(sftp.listdir("/")))),
    (BOTH, "/feed.csv", _sftp(lambda sftp: sftp.stat("feed.csv").st_size)),
]
BAD = [
    _sftp(lambda sftp: sftp.open("missing.csv")),
    _sftp(lambda sftp: sftp.remove("missing.csv")),
    lambda folder: _connection(password="CANARY wrong"),
    lambda folder: _connection(port=1),
]
