"""A house with two teams, a job that can go well or wrong, and a receiver that both teams listen to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offduty.drills.receiver import Receiver

PATIENCE = 40.0  # seconds: the machine may be busy
OFFDUTY = [sys.executable, "-m", "offduty"]
TEAMS = """
[team.ds]
title    = "Data Science"
contact  = "#ds"
channels = ["ds"]

[team.dp]
title    = "Data Platform"
contact  = "#dp, ext. 4411"
channels = ["dp"]
"""
CHANNEL = """
[channel.{name}]
kind  = "webhook"
url   = {{ env = "HOOK_{upper}" }}
allow = ["127.0.0.1"]
"""
ROW = """
[[triage]]
id    = "FEED-02"
title = "The sales feed changed shape"
team  = "dp"
steps = ["Ask the provider which columns moved.", "Run again."]
when  = { log = "feed" }
"""


class House:
    """A folder with a configuration, its state, and what arrived where."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.folder, self.receiver = folder, receiver
        self.state = folder / "state"
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        ours = {"HOME": str(folder), "OFFDUTY_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(folder / "xdg")}
        hooks = {f"HOOK_{name.upper()}": f"{receiver.url}/{name}" for name in ("ds", "dp", "ops")}
        patient = {"OFFDUTY_TESTING": "1", "OFFDUTY_END_SECONDS": "30"}  # two seconds are not enough where eight others compute
        self.env = {**kept, **ours, **hooks, **patient, "TZ": "UTC", "PYTHONUTF8": "1"}

    def configure(
        self, job: str = "", *, name: str = "feed", more: str = "", teams: str = TEAMS, hooks: tuple[str, ...] = ("ds", "dp")
    ) -> None:
        """A job of data science that does what the file `do` says, and the channels of both teams."""
        channels = "".join(CHANNEL.format(name=hook, upper=hook.upper()) for hook in hooks)
        text = f'[job.{name}]\ncommand = ["sh", "do"]\nowner = "ds"\n{job}\n{teams}{channels}{ROW}{more}'
        (self.folder / "offduty.toml").write_text(text)

    def does(self, script: str) -> None:
        """What the job does from now on."""
        (self.folder / "do").write_text(script)

    def __call__(self, *words: str, **options) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            [*OFFDUTY, *words],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            **options,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A command that goes on."""
        return subprocess.Popen(
            [*OFFDUTY, *words],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fails(self, words: str = "the feed has 7 columns", name: str = "feed") -> str:
        """A run that fails, and what it says on the screen."""
        self.does(f"echo '{words}' >&2; exit 3\n")
        done = self("run", name)
        assert done.returncode == 3, done.stderr
        return done.stderr

    def succeeds(self, name: str = "feed") -> str:
        """A run that goes well."""
        self.does("true\n")
        done = self("run", name)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def say(self, *words: str) -> str:
        """What a command that succeeds prints."""
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: str):
        """The document with which a command answers."""
        return json.loads(self.say(*words, "--json"))

    def alerts(self, **wanted: str) -> list[dict]:
        """The rows of the outbox, oldest first, that are as `wanted`."""
        rows = reversed(self.json("alerts", "--limit", "100")["alerts"])
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    def heard(self, name: str, count: int = 0) -> list[dict]:
        """What a channel was told, in order: the `data` of its messages; waits a moment for `count` of them."""
        until = time.monotonic() + PATIENCE
        while len(found := [it for it in self.receiver.requests if it.path == f"/{name}"]) < count and time.monotonic() < until:
            time.sleep(0.01)
        return [json.loads(it.body)["data"] for it in found]


@pytest.fixture
def house(tmp_path):
    """Nothing has run here yet."""
    with Receiver() as receiver:
        made = House(tmp_path, receiver)
        made.configure()
        yield made
