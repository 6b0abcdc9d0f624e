"""What runs alone do not bring: plans of every kind, people at their incidents, silences, absences, and storms of failures.

Chance here is its own, so that a life without people is the same life with or without this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from sim_engine import START, Actor, SimClock
from sim_world import CAUSES, CHANNELS, HOUR, World, a_record

from offduty.alerts import incident as incidents
from offduty.alerts.incident import Happening, Incident, Step
from offduty.alerts.owed import Silence
from offduty.clock import rfc3339
from offduty.errors import OffdutyError, StoreError

MASS = 8
"""Jobs that all fail at once: more than a channel gets one message each of."""
RATES = (("person", 0.5), ("silence", 0.15), ("window", 0.08), ("absence", 0.08), ("storm", 0.08))
POLICIES: dict[str, dict[str, Any]] = {
    "job-0": {"settle_s": 0, "remind_s": 2 * HOUR, "remind_max_s": 7 * HOUR, "escalate_s": 5 * HOUR},
    "job-1": {"settle_s": 0, "after_failures": 2, "escalate_s": 3 * HOUR},
    "job-2": {"settle_s": HOUR, "remind_s": 3 * HOUR, "remind_factor": 1.5, "escalate_s": 4 * HOUR, "quiet_hours": [["22:00", "07:00"]],
              "digest_at": ["09:00", "15:00"]},
}  # fmt: skip
OF_STORM = {"settle_s": 0, "remind_s": 1.5 * HOUR, "remind_max_s": 20 * HOUR}
AUDIENCES: dict[str, dict[str, str]] = {
    "job-0": {"chat": "now", "mail": "now", "pager": "now"},
    "job-1": {"chat": "now", "mail": "digest"},
    "job-2": {"chat": "now", "mail": "digest", "pager": "now"},
}
ESCALATED = {"job-0": {"mail": "now"}, "job-1": {"pager": "now", "chat": "now"}, "job-2": {"pager": "now"}}


def to(channels: dict[str, str]) -> list[dict[str, str]]:
    """Destinations, as a plan holds them."""
    return [{"channel": name, "urgency": urgency} for name, urgency in channels.items()]


def tell_of(job: str, cause: str) -> dict[str, Any]:
    """The plan of a job. Jobs of a storm have the pager and the chat."""
    everybody = to(AUDIENCES.get(job, {"chat": "now", "pager": "now"}))
    owed: dict[str, Any] = dict.fromkeys(("failed", "recovered", "missed"), everybody)
    owed["succeeded"] = to({"mail": "digest", "chat": "quiet"}) if job in AUDIENCES else []
    owed["escalated"] = to(ESCALATED.get(job, {}))
    if job == "job-2":
        owed["reminder"] = to({"chat": "now"})
    return {"job": job, "team": "ds", "cause": cause, "owed": owed, "policy": POLICIES.get(job, OF_STORM)}


@dataclass(frozen=True)
class Act:
    """What a person does to one incident: `kind` is `ack`, `snooze`, `note` or `resolve`."""

    kind: str
    about: Incident
    seconds: float
    now: float

    def __call__(self, found: Incident) -> Step:
        if self.kind == "ack":
            return incidents.acknowledge(found, "ada", self.now)
        if self.kind == "snooze":
            return incidents.snooze(found, "ada", self.seconds, self.now)
        return incidents.resolve(found, "ada", self.now) if self.kind == "resolve" else incidents.note(found, "ada", "seen", self.now)


class People:
    """Everything that happens beside the hourly runs, at random times. What needs the store is a process of its own, which may die."""

    def __init__(self, world: World) -> None:
        self.world, self.engine, self.random = world, world.engine, Random(1_000_003 + world.life.seed)
        self.count = 0
        for kind, rate in RATES:
            self.plan(kind, rate)

    def plan(self, kind: str, rate: float) -> None:
        """The next one of its kind."""
        often = rate * (self.world.life.bustle if kind in ("person", "storm") else 1.0)
        self.engine.at(self.engine.now + self.random.expovariate(often) * HOUR, lambda: self.happen(kind, rate))

    def happen(self, kind: str, rate: float) -> None:
        """Now."""
        if not self.world.quiet:
            getattr(self, kind)()
            self.plan(kind, rate)

    def by_somebody(self, what: Any) -> None:
        """A short-lived process, like a command that is typed: if it fails, nobody tries again."""
        self.count += 1

        def work(actor: Actor) -> None:
            try:
                what(self.world.open(actor).alerts, SimClock(self.engine).wall())
            except (StoreError, OffdutyError):
                self.engine.trace("it failed")

        name = f"somebody-{self.count}"
        actor = Actor(self.engine, name, work)
        actor.fuse = self.random.choice((0, 0, 0, 1, 2, 3, 4))

    def person(self) -> None:
        """Acknowledges, snoozes, notes or resolves an incident, mostly the newest."""
        kind = self.random.choice(("ack", "snooze", "snooze", "note", "resolve"))
        seconds, place = self.random.choice((0.5, 2.0, 8.0)) * HOUR, self.random.random()

        def what(alerts: Any, now: float) -> None:
            found = alerts.incidents()
            if found:
                about = found[int(place * place * len(found))]
                self.engine.trace(f"{kind} {about.job} {about.cause}")
                alerts.act(about.id, Act(kind, about, seconds, now), now)

        self.by_somebody(what)

    def silence(self) -> None:
        """A silence from now on; some are ended before their time."""
        self._silence(0.0, self.random.choice((0.5, 3.0, 12.0)) * HOUR)

    def window(self) -> None:
        """Maintenance that is announced hours before."""
        self._silence((0.5 + 5 * self.random.random()) * HOUR, self.random.choice((1.0, 4.0)) * HOUR)

    def _silence(self, ahead: float, lasts: float) -> None:
        name, jobs = f"silence-{self.count}", self.random.choice(("job-0", "job-1", "job-2", "job-*", "*"))
        self.engine.trace(f"{name} of {jobs} in {ahead:.0f} s for {lasts:.0f} s")

        def what(alerts: Any, now: float) -> None:
            alerts.silence(Silence(name, jobs, now + ahead, now + ahead + lasts, "ada", "maintenance"), now)

        self.by_somebody(what)
        if self.random.random() < 0.3:
            end = self.engine.now + ahead + lasts * self.random.random()
            self.engine.at(end, lambda: self.by_somebody(lambda alerts, now: alerts.end_silence(name, now)))

    def absence(self) -> None:
        """A run that did not come; two watchers see it, or one sees it twice."""
        job, at = self.random.choice(sorted(AUDIENCES)), self.engine.now + START - 60
        happening = Happening(f"missed:{job}:{at:.0f}", job, "missed", at, cause="missed")
        self.engine.trace(f"missed {job}")
        for _ in range(self.random.choice((1, 2))):
            self.by_somebody(lambda alerts, now: alerts.happen(happening, now, tell_of(job, "")))

    def storm(self) -> None:
        """What many jobs rely on is away; when it is back, each is well at its own time."""
        cause = self.random.choice(CAUSES)
        for number in range(MASS):
            job = f"mass-{number}"
            self.run(job, "failed", cause)
            well = self.engine.now + (0.2 + 3 * self.random.random()) * HOUR
            self.engine.at(well, lambda job=job: self.run(job, "succeeded", ""))

    def run(self, job: str, outcome: str, cause: str) -> None:
        """One run of a job of a storm, over at once. Some are started by hand, some will be tried again."""
        if self.world.quiet:
            return
        self.count += 1
        now = self.engine.now
        run_id = f"{int(now * 1000):08x}-0000-7000-9000-{self.count:012x}"
        ended = rfc3339(now + START)
        record = a_record(job, run_id, now, now) | {"outcome": outcome, "ended_at": ended}
        if self.random.random() < 0.2:
            record |= {"trigger": "manual"}
        tell = tell_of(job, cause)
        if self.random.random() < 0.1:
            tell |= {"final": False}
        self.world.spool[run_id] = [(record, tell)]
        self.engine.trace(f"{job} {run_id} {outcome} {cause}")


assert set(CHANNELS) >= {name for audience in AUDIENCES.values() for name in audience}
