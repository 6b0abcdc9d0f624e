"""Other programs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = []
NAMES = "subprocess.run subprocess.call subprocess.Popen.__init__ subprocess.Popen.wait subprocess.Popen.poll".split()


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def _popen(folder: Path) -> Any:
    with subprocess.Popen(["/bin/echo", "CANARY"], stdout=subprocess.PIPE) as process:
        return process.communicate(), process.returncode


GOOD = [
    ("process.spawn", "echo", lambda folder: subprocess.run(["echo", "CANARY"], capture_output=True, check=True).stdout),
    ("process.spawn", "sh", lambda folder: subprocess.run("A=CANARY true", shell=True, check=False).returncode),
    ("process.spawn", "echo", lambda folder: subprocess.check_output(["echo", "CANARY"], text=True)),
    ("process.spawn", "false", lambda folder: subprocess.call("false")),
    ("process.spawn", "/bin/echo", _popen),
]
BAD = [
    lambda folder: subprocess.run(["missing-program", "CANARY"], check=False),
    lambda folder: subprocess.run(["sh", "-c", "exit 3", "CANARY"], check=True),
    lambda folder: subprocess.call(["sh", "-c", "exec sleep 9", "CANARY"], timeout=0.01),
    lambda folder: subprocess.Popen(["echo", "CANARY"], cwd=folder / "missing"),
]
