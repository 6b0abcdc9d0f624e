"""The world that the production outbox, incidents and store live in: jobs that break, receivers that hang, machines that die.

`Life` says how long and how hard. What really happened is kept beside it (`sent`, `deeds`), for the oracle.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sim_engine import START, Actor, Engine, SimClock

from offduty.alerts.alert import Alert
from offduty.alerts.delivery import Attempt, DeliveryError, Receipt
from offduty.alerts.outbox import Limits, Sender, Setting
from offduty.alerts.owed import UNFINISHED
from offduty.clock import rfc3339
from offduty.errors import StoreError
from offduty.stores.memory import MemoryStore
from offduty.stores.sqlite import open_store

HOUR = 3600.0
DROPS_SECOND = Random(7)  # for one of the mutants
CHANNELS = ("chat", "mail", "pager")
CAUSES = ("FEED-01", "DB-01")


@dataclass(frozen=True)
class Life:
    """How the simulated world is. Rates are events an hour. `people`: see `sim_people`; without them, nothing happens but runs.

    `bustle`: how many times as often as usual people do something, and storms come.
    """

    hours: float = 48.0
    seed: int = 1
    store: str = "memory"
    jobs: int = 3
    faults: float = 1.0
    senders: int = 2
    poll: float = 300.0
    people: bool = True
    bustle: float = 1.0


@dataclass(frozen=True)
class Deed:
    """One change that the store has committed, or should have: what was asked of it, at which wall and which true time."""

    kind: str
    wall: float
    true: float
    what: tuple[Any, ...]


@dataclass
class Sent:
    """One message as a receiver took it, and what its sender came to know. `asked`: when it was begun; `wall`: what clocks showed then."""

    channel: str
    key: str
    event: str
    status: str
    incident: str | None
    members: tuple[tuple[str, ...], ...]
    job: str
    run: str
    began: float
    taken: float
    claimed: float = 0.0
    asked: float = 0.0
    wall: float = 0.0
    marked: float | None = None
    ended: float | None = None


@dataclass
class World:
    """Everything there is. `faults`: how many were injected, by kind."""

    life: Life
    engine: Engine = field(init=False)
    sent: list[Sent] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = Engine(self.life.seed)
        self.clock = SimClock(self.engine)
        self.folder = tempfile.mkdtemp(prefix="offduty-sim-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.memory = MemoryStore(self.clock)
        self.spool: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        self.away_until = 0.0
        self.receivers = {name: Receiver(self, name) for name in CHANNELS}
        self.actors: dict[str, Actor] = {}
        self.step_next, self.stale_next = 0.0, False
        self.steps: list[float] = []  # when the clock was set
        self.runs_taken = 0
        self.claimed: dict[str, float] = {}
        self.latest: dict[str, Sent] = {}
        self.quiet = self.resting = False
        self.quiet_since = 0.0  # wall
        self.lives = 0

    def close(self) -> None:
        """Nothing is left behind."""
        for actor in list(self.actors.values()):
            actor.kill()
        self.engine.run(self.engine.now)
        shutil.rmtree(self.folder, ignore_errors=True)

    def count(self, kind: str) -> None:
        """A fault was injected."""
        self.faults[kind] = self.faults.get(kind, 0) + 1
        self.engine.trace(f"fault {kind}")

    def note(self, kind: str, *what: Any) -> None:
        """Something is on record now, or would be if production were right."""
        self.deeds.append(Deed(kind, self.clock.wall(), self.engine.now, what))

    def set_clock(self, by: float) -> None:
        """The wall clock is set."""
        self.engine.wall_offset += by
        self.steps.append(self.engine.now)

    def open(self, actor: Actor) -> Any:
        """The store as a process sees it."""
        clock = SimClock(self.engine, actor)
        if self.life.store == "memory":
            return Doors(self, actor, self.memory)
        store = open_store(f"{self.folder}/offduty.sqlite3", clock=clock, timeout=0.0, rng=self.engine.random.random)
        store.open().execute("PRAGMA synchronous = OFF")  # nobody pulls the plug of a simulation
        return Doors(self, actor, store)

    def step_within_send(self, actor: Actor) -> None:
        """A clock that is set while a message is on its way, and another sender that looks right then."""
        if self.step_next:
            self.set_clock(self.step_next)
            self.step_next = 0.0
            self.engine.trace("the clock is set")
            for other in self.actors.values():
                other.nudge()
            actor.sleep(5.0)

    def sleep_over_a_failure(self, receiver: Receiver, actor: Actor) -> None:
        """SIGSTOP right after an attempt failed; meanwhile the receiver is well again, and another sender takes over."""
        if self.stale_next:
            self.stale_next = False
            receiver.down_until = receiver.hangs_until = receiver.busy_until = receiver.forgets_until = 0.0
            self.engine.trace(f"{actor.name} stopped after a failure")
            self.engine.at(self.engine.now + 100, lambda: [other.nudge() for other in self.actors.values()] and None)
            actor.sleep(200.0)

    # Processes

    def start(self, name: str, work: Any) -> None:
        """Start a process, and start it again whenever it has died."""

        def life(actor: Actor) -> None:
            try:
                work(actor)
            finally:
                self.engine.at(self.engine.now + 60, lambda: self.start(name, work))  # what systemd does

        self.lives += 1
        self.actors[name] = Actor(self.engine, f"{name}#{self.lives}", life)


class Doors:
    """Every store operation of a process goes through here: it may die before or after it, and the store may be away."""

    def __init__(self, world: World, actor: Actor, target: Any) -> None:
        self._world, self._actor, self._target = world, actor, target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name == "alerts":
            return Doors(self._world, self._actor, found)
        return lambda *args, **kwargs: self._through(name, found, args, kwargs)

    def _through(self, name: str, call: Any, args: Any, kwargs: Any) -> Any:
        world, actor = self._world, self._actor
        actor.burn()
        if world.engine.now < world.away_until:
            raise StoreError("E607", "the store is away")
        answer = call(*args, **kwargs)
        if name == "claim":
            world.claimed[actor.name] = world.engine.now
        if name == "delivered" and answer and actor.name in world.latest:
            world.latest[actor.name].marked = world.engine.now
        if name == "delivered":
            world.engine.trace(f"{actor.name} {name} {args[0].number} {answer}")
        if name == "put_run":
            world.runs_taken += 1
            world.note("run", args[0], kwargs["tell"])
        if name in ("tick", "act", "silence", "end_silence", "happen"):
            world.note(name, *args)
        actor.burn()
        if not world.quiet and world.engine.random.random() < 0.0005 * world.life.faults:
            world.count("commit of unknown outcome")
            raise StoreError("E600", "the answer was lost")  # F74
        return answer


class Receiver:
    """A service that messages go to: up, down, slow, forgetful, or strict."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.down_until = self.hangs_until = self.busy_until = self.forgets_until = 0.0

    def answer(self, actor: Actor, alert: Alert, attempt: Attempt, asked: float) -> Receipt:
        """One exchange; `asked`: when its sender began with it."""
        engine = self.world.engine
        began = engine.now
        actor.sleep(0.05 + engine.random.random() * 0.4)
        if engine.now < self.down_until:
            raise DeliveryError("connection refused")
        if engine.now < self.busy_until:
            raise DeliveryError("429", retry_after=engine.random.choice((0.0, 30.0, 1e9, -5.0)))
        if engine.now < self.hangs_until:
            return self._hang(actor, alert, attempt, (asked, began))
        sent = self._take(alert, (asked, began), actor)
        if engine.now < self.forgets_until and engine.random.random() < 0.7:
            sent.ended = engine.now
            raise DeliveryError("connection reset", ambiguous=True)
        self.world.step_within_send(actor)
        actor.sleep(0.05)
        return Receipt(id=alert.key)

    def _hang(self, actor: Actor, alert: Alert, attempt: Attempt, since: tuple[float, float]) -> Receipt:
        """Accepts, and answers nothing: it may have read the message."""
        sent = self._take(alert, since, actor) if self.world.engine.random.random() < 0.3 else None
        actor.sleep(attempt.seconds)
        if sent:
            sent.ended = self.world.engine.now
        raise DeliveryError("no answer within the deadline", ambiguous=True)

    def _take(self, alert: Alert, since: tuple[float, float], actor: Actor) -> Sent:
        engine, (asked, began) = self.world.engine, since
        members = tuple(tuple(item.split("|")) for item in alert.items)
        sent = Sent(self.name, alert.key, alert.event, alert.status, alert.incident, members, alert.job, alert.run, began, engine.now)
        sent.claimed, sent.asked, sent.wall = self.world.claimed.get(actor.name, 0.0), asked, self.world.clock.wall()
        self.world.sent.append(sent)
        self.world.latest[actor.name] = sent
        engine.trace(f"{self.name} took {alert.event} {alert.job} {alert.key} from {actor.name}")
        return sent


class Line:
    """The channel that a sender has to a receiver."""

    def __init__(self, receiver: Receiver, actor: Actor) -> None:
        self.receiver, self.actor = receiver, actor

    def send(self, alert: Alert, attempt: Attempt) -> Receipt:
        """One attempt, by the actor."""
        asked = self.receiver.world.engine.now
        self.actor.burn()
        try:
            return self.receiver.answer(self.actor, alert, attempt, asked)
        except DeliveryError:
            self.receiver.world.sleep_over_a_failure(self.receiver, self.actor)
            raise
        finally:
            self.actor.burn()


def compose(row: Any, members: Any) -> Alert:
    """A message that says, for the oracle, exactly what it tells of."""
    return Alert(
        key=row.key, event=row.event, job=row.job, title=row.event, at=row.at, status=row.status, incident=row.incident or None,
        run=row.run, items=tuple(_item(it) for it in members or [row]),
    )  # fmt: skip


def _item(row: Any) -> str:
    return "|".join((row.key, row.event, row.job, row.run, row.status, row.incident, str(row.facts.get("key", ""))))


def sender_process(world: World, name: str) -> Any:
    """A process with a worker for each channel: here they take turns in one thread each."""

    def work(actor: Actor) -> None:
        clock = SimClock(world.engine, actor)
        store = world.open(actor).alerts

        def pause(seconds: float) -> bool:
            actor.sleep(seconds)
            return False

        limits = Limits(poll=world.life.poll)
        setting = Setting(compose, clock, world.engine.random.random, actor.name, world.engine.boot, pause, CHANNELS, limits)
        channel = name.split("-")[1]
        sender = Sender(channel, Line(world.receivers[channel], actor), store, setting, pages=channel == "pager")
        while True:
            try:
                wait = sender.step()
            except StoreError:
                wait = 5.0
            actor.sleep(wait, idle=True)

    return work


def keeper_process(world: World) -> Any:
    """What time brings to incidents."""

    def work(actor: Actor) -> None:
        store = world.open(actor).alerts
        while True:
            try:
                if not world.resting:
                    store.tick(SimClock(world.engine).wall())
            except StoreError:
                pass
            actor.sleep(120.0)

    return work


def ingest_process(world: World) -> Any:
    """Takes the spool in, in the order in which the runs began; a file goes only when the store has it."""

    def work(actor: Actor) -> None:
        store = world.open(actor)
        while True:
            try:
                for run_id in sorted(world.spool):
                    take(world, store, actor, run_id)
            except StoreError:
                pass
            actor.sleep(60.0)

    return work


def take(world: World, store: Any, actor: Actor, run_id: str) -> None:
    """One file of the spool. One that has no end yet stays."""
    record, tell = world.spool[run_id][-1]
    known = store.put_run(record, tell=tell)
    if known != "same":
        world.engine.trace(f"taken {run_id} {record['outcome']} {known}")
    actor.burn()
    if record["outcome"] != "running":
        del world.spool[run_id]


def tell_of(job: str, cause: str) -> dict[str, Any]:
    """The plan of a job: everybody hears of failures, the pager only of those of some jobs, good runs go to the digest of the mail."""
    everybody = [{"channel": "chat", "urgency": "now"}, {"channel": "mail", "urgency": "now"}]
    if job.endswith(("0", "2")):
        everybody.append({"channel": "pager", "urgency": "now"})
    owed: dict[str, Any] = dict.fromkeys(("failed", "recovered"), everybody)
    owed["succeeded"] = [{"channel": "mail", "urgency": "digest"}, {"channel": "chat", "urgency": "quiet"}]
    return {"job": job, "team": "ds", "cause": cause, "owed": owed, "policy": {"settle_s": 0, "after_failures": 1 + job.endswith("1")}}


class Jobs:
    """Jobs that run about every hour; each run succeeds or fails, and what fails tends to go on failing."""

    def __init__(self, world: World, tell: Any = tell_of) -> None:
        self.world, self.tell = world, tell
        self.bad: dict[str, str] = {}
        for number in range(world.life.jobs):
            self.plan(f"job-{number}")

    def plan(self, job: str) -> None:
        """The next run of a job."""
        engine = self.world.engine
        engine.at(engine.now + 600 + engine.random.random() * 2 * HOUR, lambda: self.begin(job))

    def begin(self, job: str) -> None:
        """A run starts: first line of its spool file."""
        engine, world = self.world.engine, self.world
        if world.quiet:
            return
        number = world.runs_taken * 1000 + engine.random.randrange(1000)
        run_id = f"{int(engine.now * 1000):08x}-0000-7000-8000-{number:012x}"
        record = a_record(job, run_id, engine.now, world.clock.wall())
        world.spool[run_id] = [(record, self.tell(job, ""))]
        engine.at(engine.now + 5 + engine.random.random() * 300, lambda: self.end(job, record))

    def end(self, job: str, record: dict[str, Any]) -> None:
        """It ends: second line. A run that ended while the clock was set back ends when it began."""
        engine, world = self.world.engine, self.world
        if engine.random.random() < (0.35 if self.bad.get(job) else 0.12):
            self.bad[job] = "" if self.bad.get(job) else engine.random.choice(CAUSES)
        cause = self.bad.get(job, "")
        ended = {
            **record,
            "outcome": "failed" if cause else "succeeded",
            "ended_at": max(rfc3339(engine.now + START), record["started_at"]),
        }
        world.spool[record["id"]] = [(ended, self.tell(job, cause))]
        engine.trace(f"{job} {record['id']} {ended['outcome']} {cause}")
        self.plan(job)


def a_record(job: str, run_id: str, now: float, wall: float) -> dict[str, Any]:
    """A run's record. Times are true: what a job's own clock does to its record is not what is simulated here."""
    return {
        "id": run_id, "root_id": run_id, "job": job, "trigger": "scheduled", "attempt": 1, "attempts": 1, "outcome": "running",
        "exit_code": None, "exit_source": None, "signal": None, "started_at": rfc3339(now + START), "ended_at": None, "duration_s": None,
        "log": "", "host": "h", "user": "u", "pid": 1, "boot_id": "", "pid_started": 1, "command": ["x"], "cwd": "/", "summary": None,
    }  # fmt: skip


class Trouble:
    """Faults, at random times: each kind about so often in an hour."""

    RATES = (
        ("crash", 0.30), ("fuse", 0.40), ("outage", 0.08), ("hang", 0.08), ("busy", 0.05), ("forget", 0.10), ("away", 0.08),
        ("step", 0.06), ("stop", 0.20), ("reboot", 0.01), ("long_outage", 0.004),
    )  # fmt: skip

    def __init__(self, world: World) -> None:
        self.world = world
        for kind, rate in self.RATES:
            self.plan(kind, rate)

    def plan(self, kind: str, rate: float) -> None:
        """The next one of its kind."""
        engine = self.world.engine
        engine.at(engine.now + engine.random.expovariate(rate * self.world.life.faults) * HOUR, lambda: self.strike(kind, rate))

    def strike(self, kind: str, rate: float) -> None:
        """Now."""
        if self.world.quiet:
            return
        self.world.count(kind)
        getattr(self, kind)(self.world.engine.random)
        self.plan(kind, rate)

    def _victim(self, random: Any) -> Actor:
        return self.world.actors[random.choice(sorted(self.world.actors))]

    def crash(self, random: Any) -> None:
        """SIGKILL at any moment."""
        self._victim(random).kill()

    def fuse(self, random: Any) -> None:
        """SIGKILL right before or after one of its next store operations or sends."""
        self._victim(random).fuse = random.randrange(1, 12)

    def _receiver(self, random: Any) -> Receiver:
        return self.world.receivers[random.choice(CHANNELS)]

    def outage(self, random: Any) -> None:
        """A receiver refuses connections for up to four hours."""
        self._receiver(random).down_until = self.world.engine.now + random.random() * 4 * HOUR

    def long_outage(self, random: Any) -> None:
        """A receiver is gone for days: longer than anybody waits."""
        self._receiver(random).down_until = self.world.engine.now + 24 * HOUR + random.random() * 80 * HOUR

    def hang(self, random: Any) -> None:
        """A receiver accepts, and never answers."""
        self._receiver(random).hangs_until = self.world.engine.now + random.random() * HOUR

    def busy(self, random: Any) -> None:
        """429, with a Retry-After of any kind."""
        self._receiver(random).busy_until = self.world.engine.now + random.random() * HOUR

    def forget(self, random: Any) -> None:
        """Takes the message; the answer is lost."""
        self._receiver(random).forgets_until = self.world.engine.now + random.random() * 2 * HOUR

    def away(self, random: Any) -> None:
        """The store cannot be reached."""
        self.world.away_until = self.world.engine.now + random.random() * 0.5 * HOUR

    def step(self, random: Any) -> None:
        """The wall clock is set."""
        by = random.choice((-25 * HOUR, -HOUR, -60.0, 60.0, HOUR, 25 * HOUR))
        if random.random() < 0.5:
            self.world.step_next = by
            return
        self.world.set_clock(by)
        self.world.engine.at(self.world.engine.now + random.random() * 3 * HOUR, lambda: self._step_back(by))

    def _step_back(self, by: float) -> None:
        self.world.set_clock(-by)
        self.world.engine.trace("the clock is right again")

    def stop(self, random: Any) -> None:
        """SIGSTOP, for longer than a lease."""
        victim = self._victim(random)
        if random.random() < 0.3:
            self.world.stale_next = True
        elif random.random() < 0.5:
            victim.drowsy = random.randrange(1, 12)
        else:
            victim.stopped_until = self.world.engine.now + 10 + random.random() * 600

    def reboot(self, random: Any) -> None:
        """Everything dies at once; the monotonic clock begins anew."""
        engine = self.world.engine
        for name in sorted(self.world.actors):
            self.world.actors[name].kill()
        engine.booted_at = engine.now - 1 - random.random() * 60
        engine.boot = f"boot-{engine.now:.0f}"


def live(life: Life, *, lines: list[str] | None = None) -> World:
    """Play `life`, then let everything settle without faults. The caller closes the world."""
    world = World(life)
    world.engine.lines = lines
    processes = {f"s{n}-{channel}": sender_process(world, f"s{n}-{channel}") for n in range(life.senders) for channel in CHANNELS}
    processes |= {"keeper": keeper_process(world), "ingest": ingest_process(world)}
    for name, work in processes.items():
        world.start(name, work)
    if life.people:
        import sim_people

        Jobs(world, sim_people.tell_of)
        sim_people.People(world)
    else:
        Jobs(world)
    Trouble(world)
    try:
        world.engine.run(life.hours * HOUR)
        settle(world)
    except BaseException:
        world.close()
        raise
    return world


def settle(world: World) -> None:
    """No new faults and no new runs; what is owed has to arrive, or be given up, within days."""
    engine = world.engine
    world.quiet, world.away_until, world.step_next = True, 0.0, 0.0
    world.quiet_since = world.clock.wall()
    world.stale_next = False
    engine.trace("quiet")
    for actor in world.actors.values():
        actor.stopped_until, actor.fuse, actor.drowsy = 0.0, 0, 0
    for receiver in world.receivers.values():
        receiver.down_until = receiver.hangs_until = receiver.busy_until = receiver.forgets_until = 0.0
    until = engine.now + 100 * HOUR
    while engine.now < until and (unfinished(world) or world.spool):
        engine.run(engine.now + HOUR)
    world.resting = True  # nothing new is owed from here on
    engine.run(engine.now + HOUR)


def unfinished(world: World) -> bool:
    """Is there anything to be sent that was owed before it became quiet, or whose time has come? Reminders in digests go on for ever."""
    store = final_store(world).alerts
    if not any(store.counts().get(state) for state in UNFINISHED):
        return False
    since = world.quiet_since
    return any(row.not_before <= world.clock.wall() or row.at <= since for row in store.alerts(states=UNFINISHED, limit=10**6))


def final_store(world: World) -> Any:
    """The store, without doors."""
    if world.life.store == "memory":
        return world.memory
    return open_store(f"{world.folder}/offduty.sqlite3", clock=world.clock)
