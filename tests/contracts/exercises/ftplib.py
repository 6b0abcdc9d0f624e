"""FTP."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = []
SERVERS = ["ftp_port"]
NAMES = "ftplib.FTP.connect ftplib.FTP.login ftplib.FTP.retrbinary ftplib.FTP.storbinary ftplib.FTP.nlst ftplib.FTP.delete".split()
ftp_port = 0


def prepare(folder: Path) -> None:
    """A file that is put there."""
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", ftp_port, timeout=5)
        ftp.login("user", "CANARY")
        ftp.storbinary("STOR feed.csv", io.BytesIO(b"CANARY"))


def _connect(folder: Path) -> None:
    with ftplib.FTP() as ftp:
        ftp.connect("127.0.0.1", ftp_port, timeout=5)


def _with(use: Callable[[ftplib.FTP], Any]) -> Any:
    """A call that connects, logs in, and does something."""

    def call(folder: Path) -> Any:
        with ftplib.FTP() as ftp:
            ftp.connect("127.0.0.1", ftp_port, timeout=5)
            ftp.login("user", "CANARY")
            return use(ftp)

    return call


def _read(ftp: ftplib.FTP) -> bytes:
    into = io.BytesIO()
    ftp.retrbinary("RETR feed.csv", into.write)
    return into.getvalue()


FIRST = "file.transfer file.transfer file.transfer"  # connect, login, and what it is about
GOOD = [
    ("file.transfer", "/", _connect),
    (FIRST, "/feed.csv", _with(_read)),
    (FIRST, "/other.csv", _with(lambda ftp: ftp.storbinary("STOR other.csv", io.BytesIO(b"CANARY")))),
    (FIRST, "/", _with(lambda ftp: ftp.nlst()[:0])),
    (FIRST, "/feed.csv", _with(lambda ftp: ftp.rename("feed.csv", "feed.csv"))),
]
BAD = [
    _with(lambda ftp: ftp.retrbinary("RETR missing.csv", print)),
    _with(lambda ftp: ftp.delete("missing.csv")),
    lambda folder: ftplib.FTP("127.0.0.1", timeout=5),  # port 21: nobody is there
    lambda folder: ftplib.FTP().connect("127.0.0.1", 1, timeout=5),
]
