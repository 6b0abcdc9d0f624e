"""What letting go remembers, in memory: the reference that says what every store does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from offduty.clock import wall_of
from offduty.handover.request import Request
from offduty.handover.store import Acceptance, Measured, Past, Reading, Touch
from offduty.handover.version import version_of
from offduty.stores.record import GOOD

NOT_PAST = ("running", "skipped")


class MemoryHandover:
    """See `offduty.handover.store.HandoverStore`. `runs`: all records; `part(run id, name)`: what belongs to a run."""

    def __init__(self, runs: Callable[[], Iterable[Mapping[str, Any]]], part: Callable[[str, str], Any]) -> None:
        self._runs, self._part = runs, part
        self._acceptances: list[Acceptance] = []
        self._touches: list[Touch] = []
        self._requests: list[Request] = []
        self._readings: list[Reading] = []

    def accept(self, acceptances: Sequence[Acceptance]) -> None:
        self._acceptances += acceptances

    def acceptances(self, job: str) -> list[Acceptance]:
        return newest(one for one in self._acceptances if one.job == job)

    def touch(self, touch: Touch) -> None:
        self._touches.append(touch)

    def touches(self, job: str) -> list[Touch]:
        return sorted((one for one in self._touches if one.job == job), key=lambda one: one.at)

    def add_request(self, request: Request) -> int:
        self._requests.append(replace(request, number=len(self._requests) + 1))
        return len(self._requests)

    def put_request(self, request: Request) -> bool:
        found = 1 <= request.number <= len(self._requests)
        if found:
            self._requests[request.number - 1] = request
        return found

    def requests(self, job: str | None = None) -> list[Request]:
        return [one for one in self._requests if job in (None, one.job)]

    def read(self, reading: Reading) -> bool:
        last = next(iter(self.readings(reading.job)[::-1]), None)
        if last is not None and is_same(last, reading):
            return False
        self._readings.append(reading)
        return True

    def readings(self, job: str) -> list[Reading]:
        return [one for one in self._readings if one.job == job]

    def past(self, job: str, limit: int | None = None) -> list[Past]:
        ours = [run for run in self._runs() if run["job"] == job and run["outcome"] not in NOT_PAST and run["trigger"] != "drill"]
        ours.sort(key=lambda run: (run["started_at"], run["id"]))
        return [self._past(run) for run in ours[-limit if limit else 0 :]]

    def _past(self, run: Mapping[str, Any]) -> Past:
        code = (self._part(run["id"], "fingerprint") or {}).get("code") or {}
        version, label = version_of(code) if run["outcome"] in GOOD else ("", "")
        at = wall_of(run["started_at"])
        return Past(run["id"], run["root_id"], run["trigger"], run["outcome"], at, version, label)

    def measured(self, job: str) -> list[Measured]:
        metrics = [(run.id, one) for run in self.past(job) for one in self._part(run.id, "metrics") or []]
        return [(run, one["name"], one["value"], one.get("unit") or "") for run, one in metrics]


def newest(acceptances: Iterable[Acceptance]) -> list[Acceptance]:
    """Of each team and row the last."""
    last = {(one.team, one.row): one for one in acceptances}
    return [last[key] for key in sorted(last)]


def is_same(last: Reading, reading: Reading) -> bool:
    """Whether they differ in nothing but their time."""
    return replace(last, at=reading.at) == reading
