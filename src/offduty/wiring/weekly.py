"""Each team's week through the team's channels: owed when it is due, or by hand, and then delivered as all alerts are.

1. The rows are owed, under keys that name configuration, team and week for ever; what they say is put together then and goes with them.
2. The week is settled. A crash in between owes nothing twice, and of two watchers the second one finds the keys there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import TYPE_CHECKING, Any

from offduty.alerts.keys import digest_of as key_of
from offduty.alerts.owed import Owed
from offduty.clock import Clock, rfc3339
from offduty.errors import OffdutyError, StoreError
from offduty.handover.week import DAY, Week, first, owed, slot_before
from offduty.wiring.schedules import machine_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore


AGAIN = 300.0
"""Seconds until a digest that could not be put together is tried again."""


class Weekly:
    """What a watcher does for the digests of `settings`: a look costs one question; what is due is put together in a thread of its own."""

    def __init__(self, settings: Settings, clock: Clock, another: Callable[[], SqliteStore]) -> None:
        self._settings, self._clock, self._another = settings, clock, another
        self._thread: Thread | None = None
        self._lines: list[str] = []
        self._said: set[str] = set()
        self._not_before = 0.0

    def use(self, settings: Settings) -> None:
        """Another configuration, from now on."""
        self._settings = settings

    def look(self, store: SqliteStore) -> list[str]:
        """Begin what is due; what came of the last, in words. Raises StoreError."""
        lines, self._lines = self._lines, []
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and self._clock.monotonic() >= self._not_before and due(self._settings, store, self._clock.wall()):
            self._thread = Thread(target=self._work, name="digest", daemon=True)
            self._thread.start()
        return lines

    def _work(self) -> None:
        self._not_before = self._clock.monotonic() + AGAIN
        try:
            with closing(self._another()) as store:
                for line in tell_weeks(self._settings, store, self._clock.wall()):
                    if line not in self._said:
                        self._said.add(line)
                        self._lines.append(line)
        except StoreError as error:
            self._lines.append(f"digest  {error}")


def teams_to_tell(settings: Settings) -> list[str]:
    """Teams that have a channel, and want to read of their week."""
    if not settings.digest.send:
        return []
    return [name for name, team in settings.teams.items() if team.digest and channels_of(settings, name)]


def channels_of(settings: Settings, team: str) -> list[str]:
    """The team's channels that are configured, each once."""
    return [name for name in dict.fromkeys(settings.teams[team].channels) if name in settings.channels]


def due(settings: Settings, store: SqliteStore, now: float) -> dict[str, tuple[Week, float, float]]:
    """{team: (its last week, the slot that is due, since when it has to tell)}. Teams that are new are noted, and told a week later."""
    known, source = store.weeks.of(_source(settings)), _source(settings)
    found = {}
    for team in teams_to_tell(settings):
        if team not in known:
            store.weeks.put(first(source, team, _slot(settings, team, now + DAY), now))
            continue
        slot = _slot(settings, team, now)
        if (since := owed(known[team], slot, now)) is not None:
            found[team] = (known[team], slot, since)
    return found


def tell_weeks(settings: Settings, store: SqliteStore, now: float) -> Iterator[str]:
    """Owe every digest that is due, and settle its week; what was done, in words. Raises StoreError."""
    for team, (_, slot, since) in due(settings, store, now).items():
        try:
            said = facts_of(settings, team, store, now, since)
        except StoreError:
            raise
        except OffdutyError as error:  # the others are told all the same
            yield f"digest  {team}: it cannot be put together: {error}"
            continue
        rows = rows_of(settings, team, said, key=rfc3339(slot), now=now) if said.pop("anything") else []
        store.alerts.add(rows)
        store.weeks.put(Week(_source(settings), team, slot, now))
        yield f"digest  {team}: " + (f"owed to {', '.join(row.channel for row in rows)}" if rows else "nothing happened, nothing is sent")


def tell_now(settings: Settings, team: str, store: SqliteStore, now: float) -> Sequence[Owed]:
    """Owe the digest of the last seven days by hand, beside those that come by themselves. Raises StoreError."""
    said = facts_of(settings, team, store, now, now - 7 * DAY)
    del said["anything"]
    rows = rows_of(settings, team, said, key=f"by hand {now}", now=now)
    store.alerts.add(rows)
    return rows


def facts_of(settings: Settings, team: str, store: SqliteStore, now: float, since: float) -> dict[str, Any]:
    """What the message says; `anything`: whether there is anything to say."""
    from offduty.handover.digest import is_empty, message
    from offduty.wiring.digest import PROOF, span_of, title_of, unproven_of, weeks_of

    weeks = weeks_of(settings, team, store, now, since)
    said = message(title_of(settings, team), weeks, unproven_of(settings, team, store, now), span_of(since, now), PROOF)
    return {**said, "anything": not is_empty(weeks)}


def rows_of(settings: Settings, team: str, said: Mapping[str, Any], *, key: str, now: float) -> list[Owed]:
    """One for each channel of the team."""
    names = {channel: key_of("weekly", _source(settings), team, key, channel) for channel in channels_of(settings, team)}
    return [
        Owed(name, name, "", "weekly", channel, team=team, at=now, not_before=now, facts=dict(said)) for channel, name in names.items()
    ]  # fmt: skip


def _slot(settings: Settings, team: str, now: float) -> float:
    zone = settings.teams[team].timezone or settings.digest.timezone or settings.alerts.timezone or machine_zone()
    return slot_before(settings.digest.day, settings.digest.at, zone, now)


def _source(settings: Settings) -> str:
    """Two projects may share a store and call their teams the same."""
    return settings.files[-1] if settings.files else ""
