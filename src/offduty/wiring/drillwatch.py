"""A watcher's part in drills that come by themselves: it sees which are due, has one done in a process of its own, says what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from offduty.clock import Clock
from offduty.drills.turn import in_words, is_due
from offduty.errors import OffdutyError
from offduty.wiring.recurring import NOT_NOW, Said, said_of, why_not

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore

BACK_OFF = 60.0
"""Seconds after a drill that gave way, or was done by another watcher, before the next is begun; twice as long each time in a row."""
LONGEST_BACK_OFF = 900.0


class Drills:
    """Those of the jobs of `settings`, with the configuration file `config` if one was named. `back_off`: seconds."""

    def __init__(self, settings: Settings, clock: Clock, *, config: str | None, back_off: float = BACK_OFF) -> None:
        self._clock, self._config, self._back_off = clock, config, back_off
        self._process: subprocess.Popen[bytes] | None = None
        self._job = ""
        self._not_before = 0.0
        self._in_vain = 0
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """These jobs from now on."""
        self._settings, self._said = settings, dict(_recurring(settings, self._config))

    def look(self, store: SqliteStore) -> list[str]:
        """Start what is due, if nothing else is rehearsed; what came of the last one, in words. Raises StoreError."""
        lines = self._ended(store)
        if self._process is not None or not self._said or self._clock.monotonic() < self._not_before:
            return lines
        job = self._next(store)
        return [*lines, *([self._start(job)] if job else [])]

    def stop(self) -> None:
        """Break off what is being rehearsed: whoever watches next goes on with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _next(self, store: SqliteStore) -> str:
        """The job that has waited longest for its drills; "" if none is due, or none may be drilled now."""
        last, now = store.drills.last_turns(), self._clock.wall()
        due = [job for job, said in self._said.items() if is_due(last.get(job), said.every, now)]
        due.sort(key=lambda job: (last[job].ended_at or 0.0) if job in last else 0.0)
        return next((job for job in due if not why_not(self._said[job], job, store, now)), "")

    def _start(self, job: str) -> str:
        spec = json.dumps({"start": self._settings.start or os.getcwd(), "config": self._config, "job": job})
        command = [sys.executable, "-P", "-m", "offduty.wiring.recurring", spec]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            self._not_before = self._clock.monotonic() + self._back_off
            return f"the drills of {job} could not be started: {os.strerror(error.errno or 0).lower()}"
        self._job = job
        return f"drills  {job}: begun"

    def _ended(self, store: SqliteStore) -> list[str]:
        if self._process is None or (code := self._process.poll()) is None:
            return []
        self._process = None
        self._in_vain = 0 if code == 0 else self._in_vain + 1
        if code != 0:
            wait = self._back_off * 2 ** min(self._in_vain - 1, 20)
            self._not_before = self._clock.monotonic() + min(wait, LONGEST_BACK_OFF)
        last = store.drills.last_turns().get(self._job)
        if code not in (0, NOT_NOW):
            return [f"drills  {self._job}: broken off with exit status {code}"]
        return [f"drills  {self._job}: {in_words(last)}"] if last is not None else []


def _recurring(settings: Settings, config: str | None) -> Iterator[tuple[str, Said]]:
    """Jobs whose drills come by themselves; one that is broken is said elsewhere."""
    for name in settings.jobs:
        try:
            said = said_of(settings, name, config)
        except OffdutyError:
            continue
        if said.every > 0:
            yield name, said
