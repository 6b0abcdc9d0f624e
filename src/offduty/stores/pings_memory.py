"""Checks and their pings in memory: the reference that says what every store does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from offduty.errors import NotThere
from offduty.watch.pings.check import Check, Heard, Key
from offduty.watch.pings.store import REMEMBERED, Answer, OpenPings
from offduty.watch.promise import Promise

if TYPE_CHECKING:
    from offduty.stores.memory import MemoryStore


class MemoryPings:
    """See `offduty.watch.pings.store.PingStore`, and `OpenPings`: it is both. All or nothing only for what is its own."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._checks: dict[str, Check] = {}
        self._keys: dict[str, Key] = {}
        self._heard: dict[str, list[Heard]] = {}

    def change(self, work: Callable[[OpenPings], Answer]) -> Answer:
        before = copy.deepcopy((self._checks, self._keys, self._heard))
        try:
            return work(self)
        except BaseException:
            self._checks, self._keys, self._heard = before
            raise

    def checks(self) -> list[Check]:
        return [self._checks[job] for job in sorted(self._checks)]

    def keys(self) -> list[Key]:
        return [self._keys[name] for name in sorted(self._keys)]

    def look(self, code: str = "", key: str = "", slug: str = "") -> list[Check]:
        if code:
            return [check for check in self._checks.values() if check.code == code]
        names = [one.name for one in self._keys.values() if one.secret == key]
        return [check for check in self.checks() if check.key in names and check.slug == slug]

    def heard(self, job: str) -> list[Heard]:
        return self._heard.get(job, [])[::-1]

    # Within a transaction

    def by_code(self, code: str) -> Check | None:
        return next(iter(self.look(code)), None)

    def by_slug(self, key: str, slug: str) -> list[Check]:
        return [check for check in self.checks() if (check.key, check.slug) == (key, slug)]

    def check(self, job: str) -> Check | None:
        return self._checks.get(job)

    def count(self, key: str) -> int:
        return sum(check.key == key for check in self._checks.values())

    def key(self, secret: str) -> Key | None:
        return next((key for key in self._keys.values() if key.secret == secret), None)

    def key_called(self, name: str) -> Key | None:
        return self._keys.get(name)

    def put(self, check: Check) -> None:
        self._checks[check.job] = check

    def update(self, check: Check) -> None:
        self._checks[check.job] = check

    def put_key(self, key: Key) -> None:
        self._keys[key.name] = key

    def remove(self, job: str) -> None:
        self._checks.pop(job, None)
        self._heard.pop(job, None)

    def hear(self, job: str, heard: Heard) -> None:
        self._heard[job] = [*self._heard.get(job, []), heard][-REMEMBERED:]

    def put_run(self, record: Mapping[str, Any], tell: Mapping[str, Any] | None, *, new: bool = False) -> None:
        self._store.put_run(record, tell=tell)

    def run(self, run_id: str) -> dict[str, Any] | None:
        try:
            return self._store.run(run_id)
        except NotThere:
            return None

    def has_runs(self, job: str) -> bool:
        return job in self._store.jobs()

    def promise(self, promise: Promise, source: str, now: float) -> None:
        self._store.watch.promise(promise, source, now)

    def forget(self, job: str) -> None:
        self._store.watch.forget(job)
