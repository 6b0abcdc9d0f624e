"""One capture at work in this process, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from offduty_probe import guard
from offduty_probe.capture import load
from offduty_probe.capture.ledger import Ledger
from offduty_probe.recorder import Recorder

CANARY = "hunter2"  # stands for every value of the data: must be in no event


class Watch:
    """The captures that are installed, and what they have told."""

    def __init__(self, events: Path) -> None:
        self.events = events
        self.recorder = Recorder(str(events), "token")
        self.ledger = Ledger(self.recorder)
        self.undos: list[Callable[[], object]] = []
        guard.tell_problems_to(self.recorder.problem)

    def install(self, *captures: str) -> Watch:
        """Install captures by the names of their files."""
        self.undos += [load(capture)(self.ledger) for capture in captures]
        return self

    def uninstall(self) -> None:
        """Undo all, the last one first."""
        while self.undos:
            self.undos.pop()()

    def all(self) -> list[dict[str, Any]]:
        """All events so far; none of them holds the canary, and none is a problem of the probe."""
        self.recorder.flush()
        text = self.events.read_text() if self.events.exists() else ""
        assert CANARY not in text
        events = [json.loads(line) for line in text.splitlines()]
        assert [event["what"] for event in events if event["kind"] == "problem"] == []
        return events

    def told(self) -> list[dict[str, Any]]:
        """The `transaction` events since the last time; every one but a plain `open` or a folded one has had its `begin`."""
        events = self.all()
        self.events.unlink(missing_ok=True)
        self.recorder.aim(str(self.events), "token")
        return [event for event in events if event["kind"] == "transaction"]

    def lines(self) -> list[str]:
        """`told`, each as `op target`."""
        return [f"{event['op']} {event['target']}" for event in self.told()]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Nothing is installed yet."""
    watch = Watch(tmp_path / "events.jsonl")
    yield watch
    watch.uninstall()
    guard._tell = None
