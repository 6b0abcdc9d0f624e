"""A fleet under virtual time: jobs with schedules, hosts whose clocks are off, supervisors and watchers that die, a machine that sleeps.

The watcher, its rules, the taking-in of the spool and the SQLite store are production's. A watcher may die, or another may take its turn,
between any two of its store operations. What really happened is kept beside it (`Truth`), for the oracle.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from typing import Any

from fleet_kinds import BEGINNINGS, HOUR, KINDS, MAX_AGE
from sim_engine import Engine

from offduty.alerts.incident import NEVER_RAN
from offduty.clock import Clock, rfc3339
from offduty.errors import StoreError
from offduty.runs.spool import Spool
from offduty.stores.replay import replay, take
from offduty.stores.sqlite import open_store
from offduty.testing import a_run
from offduty.watch.promise import Output, Promise
from offduty.watch.watcher import NEVER, Watcher

DAY = 86_400.0
TICK = 30.0
RESTART = 60.0  # seconds until systemd has started a watcher that died again
TELL = {"team": "ds", "owed": {event: [{"channel": "chat"}] for event in ("missed", "lost", "overdue", "stale", "stuck", "recovered")}}
SKEWS = (0.0, 0.0, 0.0, -DAY, -40 * 60.0, 40 * 60.0, DAY)


class Killed(BaseException):
    """SIGKILL: nothing in production catches it."""


@dataclass(frozen=True)
class Fleet:
    """How the simulated world is; `faults`: how many times as many as usual; `kind`: the one that all jobs are of, None: each in turn."""

    hours: float = 48.0
    seed: int = 1
    jobs: int = 40
    watchers: int = 2
    faults: float = 1.0
    kind: int | None = None


@dataclass
class Life:
    """One run as it really was, in true time. `ended`: how, with `at`; "" while it runs."""

    job: str
    began: float
    host: str
    ended: str = ""
    at: float = math.inf


@dataclass(frozen=True)
class Said:
    """What a watcher told beside missed slots: `what` it is about (a run's id, a job, another watcher), by both clocks."""

    event: str
    what: str
    key: str
    at: float
    wall: float


@dataclass
class Truth:
    """What happened. Moments of `starts` are what the clock of the watchers' machine showed.

    `lived`: stretches of wall time that went by, at these `offsets` from true time; `impaired`: stretches of true time in which nobody
    could look, or the store was away.
    """

    starts: dict[str, list[float]] = field(default_factory=dict)
    told: list[tuple[str, float, float, float]] = field(default_factory=list)  # job, slot, true time, wall time
    killed: dict[str, float] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    lost: dict[str, float] = field(default_factory=dict)
    false_lost: list[str] = field(default_factory=list)
    lived: list[list[float]] = field(default_factory=list)
    looked: dict[int, tuple[float, float]] = field(default_factory=dict)  # of these, by number: the first and the last look
    impaired: list[tuple[float, float]] = field(default_factory=list)
    offsets: set[float] = field(default_factory=set)
    runs: dict[str, Life] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    never: dict[tuple[str, float], bool] = field(default_factory=dict)  # (job, slot): told as one that never ran at all
    wrote: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # of outputs: true time, wall time
    beats: dict[str, list[float]] = field(default_factory=dict)  # of watchers
    left: dict[str, list[list[float]]] = field(default_factory=dict)  # stretches of wall time in which nobody was to watch a job
    unwatched: dict[str, list[list[float]]] = field(default_factory=dict)  # the same in true time
    steps: list[float] = field(default_factory=list)  # when the clock was set, or the machine slept


class FleetClock(Clock):
    """The clocks of the machine that the store and the watchers are on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def wall(self) -> float:
        return self._world.wall()

    def monotonic(self) -> float:
        engine = self._world.engine
        return engine.now - engine.booted_at - self._world.slept

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing may wait within a tick")


class World:
    """Everything there is."""

    def __init__(self, fleet: Fleet, lines: list[str] | None = None) -> None:
        self.fleet, self.truth = fleet, Truth()
        self.engine = Engine(fleet.seed)
        self.engine.lines = lines
        self.random = self.engine.random
        self.engine.wall_offset = self.begins = BEGINNINGS[fleet.seed % len(BEGINNINGS)]
        self.slept = 0.0
        self.asleep_until = self.away_until = self.off_until = 0.0
        self.clock = FleetClock(self)
        self.folder = tempfile.mkdtemp(prefix="offduty-fleet-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.store = open_store(f"{self.folder}/offduty.sqlite3", clock=self.clock, timeout=0.0, rng=self.random.random)
        self.store.open().execute("PRAGMA synchronous = OFF")  # nobody pulls the plug of a simulation
        self.alive: dict[str, str] = {}  # run: boot
        self.quiet = False
        self.faults: dict[str, int] = {}
        self.truth.lived.append([self.wall(), self.wall()])
        self.truth.offsets.add(self.begins)
        self.watchers = [Post(self, f"w{number}") for number in range(fleet.watchers)]
        self.jobs = [Job(self, number) for number in range(fleet.jobs)]

    def close(self) -> None:
        """Nothing is left behind."""
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wall(self) -> float:
        """What the clock on the wall shows."""
        return self.engine.now + self.engine.wall_offset

    def count(self, kind: str) -> None:
        """A fault."""
        self.faults[kind] = self.faults.get(kind, 0) + 1
        self.engine.trace(f"fault {kind}")

    def is_down(self) -> bool:
        """The machine sleeps, or is off."""
        return self.engine.now < max(self.asleep_until, self.off_until)

    def set_wall(self, by: float) -> None:
        """Set the clock: one stretch of wall time ends, another begins."""
        self.truth.lived[-1][1] = self.wall()
        self.truth.steps.append(self.engine.now)
        self.engine.wall_offset += by
        self.truth.offsets.add(self.engine.wall_offset)
        self.truth.lived.append([self.wall(), self.wall()])

    def supervisor_alive(self, run: Any) -> bool | None:
        """What the kernel says. Sometimes the run ends right as it is asked (F63)."""
        run_id = run["id"]
        if run["host"] != "home":
            return None
        if run_id in self.alive and not self.quiet and self.random.random() < 0.002:
            self.end(run)
        return run_id in self.alive

    def end(self, record: Any, outcome: str = "succeeded") -> bool:
        """The run ends by itself: its last words, then it is gone. False if it was gone already."""
        if self.alive.pop(record["id"], None) is None and record["host"] == "home":
            return False
        life = self.truth.runs[record["id"]]
        if life.ended:
            return False
        life.ended, life.at = outcome, self.engine.now
        ended = {
            **record,
            "outcome": outcome,
            "exit_code": 0 if outcome == "succeeded" else 1,
            "exit_source": "child",
            "ended_at": max(record["started_at"], rfc3339(self.wall())),
            "duration_s": self.engine.now - life.began,
        }
        Spool(f"{self.folder}/spool", record["id"]).append("ended", ended, durable=False)
        self.truth.finished.add(record["id"])
        return True

    def killed(self, run_id: str) -> None:
        """Its supervisor is gone without a word."""
        life = self.truth.runs[run_id]
        life.ended, life.at = "killed", self.engine.now
        self.truth.killed[run_id] = self.engine.now

    def take_in(self) -> None:
        """Production's."""
        done = replay(f"{self.folder}/spool", Doors(self, self.store), alive=self.supervisor_alive, clock=self.clock)
        for run_id in done.lost:
            self.truth.lost.setdefault(run_id, self.engine.now)
            if run_id not in self.truth.killed:
                self.truth.false_lost.append(run_id)


class Post:
    """A watcher and systemd, which starts it again."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.watcher: Watcher | None = None
        self.busy = False
        self.stopped_until = 0.0
        self.due(world.random.random() * TICK)

    def due(self, seconds: float) -> None:
        """The next tick."""
        self.world.engine.at(self.world.engine.now + seconds, self.tick)

    def tick(self) -> None:
        """Whenever the machine is up."""
        if not self.world.is_down() and self.world.engine.now >= self.stopped_until and not self.busy:
            self.look()
        self.due(TICK)

    def look(self) -> None:
        """One tick of production's watcher, which may end at any of its store operations."""
        world, self.busy = self.world, True
        doors = Doors(world, world.store, self)
        if self.watcher is None:
            boot = world.engine.boot
            tell = {**TELL, "job": NEVER}
            self.watcher = Watcher(doors, world.take_in, world.clock, me=self.name, host="home", boot=boot, tell=tell)
        try:
            self.watcher.tick()
        except Killed:
            world.engine.trace(f"{self.name} killed")
            world.truth.impaired.append((world.engine.now, world.engine.now + RESTART))
            self.kill(RESTART)
        except StoreError:
            pass
        finally:
            self.busy = False

    def kill(self, seconds: float) -> None:
        """It is gone, for so long."""
        self.watcher = None
        self.stopped_until = max(self.stopped_until, self.world.engine.now + seconds)


class Doors:
    """The store as a watcher sees it."""

    def __init__(self, world: World, target: Any, post: Post | None = None) -> None:
        self._world, self._target, self._post = world, target, post

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name in ("alerts", "watch"):
            return Doors(self._world, found, self._post)
        return lambda *args, **kwargs: self._through(name, found, args, kwargs)

    def _through(self, name: str, call: Any, args: Any, kwargs: Any) -> Any:
        world = self._world
        if world.engine.now < world.away_until:
            raise StoreError("E607", "the store is away")
        self._between()
        answer = call(*args, **kwargs)
        if name == "happen" and answer:
            self._told(args[0])
        elif name == "beat":
            world.truth.beats.setdefault(args[0].id, []).append(world.engine.now)
            first, _ = world.truth.looked.get(len(world.truth.lived) - 1, (world.wall(), 0.0))
            world.truth.looked[len(world.truth.lived) - 1] = (first, world.wall())
        self._between()
        return answer

    def _told(self, happening: Any) -> None:
        truth, engine, wall = self._world.truth, self._world.engine, self._world.wall()
        if happening.event == "missed":
            truth.told.append((happening.job, happening.at, engine.now, wall))
            truth.never[happening.job, happening.at] = happening.cause == NEVER_RAN
        else:
            what = happening.key.split(":")[1] if happening.event == "stuck" else happening.run or happening.job
            truth.said.append(Said(happening.event, what, happening.key, engine.now, wall))
        engine.trace(f"{happening.event} {happening.job} {rfc3339(happening.at)}")

    def _between(self) -> None:
        """Here the process may die, or another watcher have its turn."""
        world, chance = self._world, self._world.random.random()
        if world.quiet or self._post is None:
            return
        if chance < 0.0002 * world.fleet.faults:
            world.count("killed within a tick")
            raise Killed
        if chance > 1 - 0.002:
            other = world.watchers[int(world.random.random() * len(world.watchers))]
            if not other.busy and world.engine.now >= other.stopped_until:
                other.look()


class Job:
    """A job, what starts it, and its runs. `starter_dead_until`: its scheduler is broken, or forgotten."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.name = world, f"job-{number:02}"
        self.kind = KINDS[number % len(KINDS) if world.fleet.kind is None else world.fleet.kind]
        self.output = f"{world.folder}/{self.name}.csv"
        outputs = (Output(f"{world.folder}/{self.name}*.csv", MAX_AGE),) if self.kind.writes else ()
        self.promise = Promise(self.name, tell={**TELL, "job": self.name}, outputs=outputs, **self.kind.promise)
        self.skew = SKEWS[number % len(SKEWS)]
        self.dead_until = 0.0
        self.last: float | None = None
        self.slot: float | None = None
        self.begins = world.wall()
        world.truth.starts[self.name] = []
        world.truth.left[self.name] = []
        self.write()
        world.store.watch.promise(self.promise, "", world.wall())
        self.plan()

    def plan(self) -> None:
        """What cron does: it looks at the clock every minute."""
        engine = self.world.engine
        self.asked = self.world.wall()
        engine.at(engine.now + 60, self.minute)

    def minute(self) -> None:
        """Start what came due since the last minute; a clock that was set is followed, as cron does beyond three hours."""
        now, asked = self.world.wall(), self.asked
        if self.world.is_down() or not 0 < now - asked <= 90:
            self.slot = None
        elif (slot := self._next(asked)) is not None and slot <= now:
            self.slot = None
            if self.kind.starts and self.world.engine.now >= self.dead_until and not self.world.quiet:
                self.world.engine.at(self.world.engine.now + self.world.random.random() * 40, self.start)
        self.plan()

    def _next(self, asked: float) -> float | None:
        """The next slot; what a cron line says is only asked for when that is over."""
        if self.promise.every:
            last = self.last if self.last is not None else self.begins
            return self.promise.schedule(last).after(last)  # type: ignore[union-attr]
        if self.slot is None:
            self.slot = self.promise.schedule().after(asked)  # type: ignore[union-attr]
        return self.slot

    def start(self, root: str = "") -> None:
        """A run, for minutes at most unless it hangs; now and then its supervisor is killed. Those of other hosts are not ours to kill.

        `root`: the run that failed, and is tried again.
        """
        world, random = self.world, self.world.random
        if world.is_down() or world.quiet:
            return
        now, host = world.wall(), "home" if not self.skew else "elsewhere"
        run = a_run(self.name, "running", at=now + self.skew, id=new_id_of(world, now), host=host, boot_id=world.engine.boot)
        run |= {"root_id": root or run["id"], "attempt": 2 if root else 1, "trigger": "retry" if root else "scheduled"}
        if not root:
            self.last = now
            world.truth.starts[self.name].append(now)
        world.truth.runs[run["id"]] = Life(self.name, world.engine.now, host)
        world.engine.trace(f"start {self.name} {run['id']}")
        Spool(f"{world.folder}/spool", run["id"]).append("started", run, durable=False, tell=dict(self.promise.tell))
        if host == "home":
            world.alive[run["id"]] = world.engine.boot
        if random.random() < 0.7 and world.engine.now >= world.away_until:
            take(f"{world.folder}/spool", run["id"], world.store, alive=lambda _: True, clock=world.clock)
        outcome, lasts = self._fate(root)
        if host == "home" and random.random() < 0.05 * world.fleet.faults:
            world.engine.at(world.engine.now + lasts * random.random(), lambda: self.killed(run["id"]))
        world.engine.at(world.engine.now + lasts, lambda: self.end(run, outcome))

    def _fate(self, root: str) -> tuple[str, float]:
        """How a run will end, if nothing happens to it, and after how many seconds."""
        random, kind, faults = self.world.random, self.kind, min(self.world.fleet.faults, 2.0)
        lasts = 1 + random.random() ** 3 * kind.longest
        if random.random() < kind.hangs * faults:
            return "timed_out", HOUR * (0.25 + random.random())
        return ("failed" if not root and random.random() < kind.fails * faults else "succeeded"), lasts

    def end(self, run: Any, outcome: str) -> None:
        """What a run leaves behind, and what follows."""
        world = self.world
        if not world.end(run, outcome):
            return
        if outcome == "succeeded" and world.random.random() < 0.9:
            self.write()
        if outcome == "failed":
            world.engine.at(world.engine.now + 60 + world.random.random() * 900, lambda: self.start(run["id"]))

    def write(self) -> None:
        """The output, as old as the clock of the machine says; a broken job does not write it."""
        world = self.world
        if self.kind.writes:
            with open(self.output, "wb"):
                pass
            os.utime(self.output, (world.wall(), world.wall()))
            world.truth.wrote.setdefault(self.name, []).append((world.engine.now, world.wall()))

    def killed(self, run_id: str) -> None:
        """SIGKILL of its supervisor."""
        if self.world.alive.pop(run_id, None) is not None:
            self.world.killed(run_id)

    def leave(self, seconds: float) -> None:
        """It is taken out of the configuration for so long."""
        world = self.world
        if world.store.watch.forget(self.name):
            world.truth.left[self.name].append([world.wall(), math.inf])
            world.truth.unwatched.setdefault(self.name, []).append([world.engine.now, math.inf])
            world.engine.at(world.engine.now + seconds, self.come_back)

    def come_back(self) -> None:
        """As it was promised before, from now on."""
        self.world.store.watch.promise(self.promise, "", self.world.wall())
        self.world.truth.left[self.name][-1][1] = self.world.wall()
        self.world.truth.unwatched[self.name][-1][1] = self.world.engine.now


def new_id_of(world: World, wall: float) -> str:
    """As production makes them, with the simulation's chance."""
    time = f"{int(wall * 1000):012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-{int(world.random.random() * 16**12):012x}"


class Trouble:
    """Faults at random times, so many an hour."""

    RATES = (
        ("scheduler", 0.5), ("crash", 0.3), ("stop", 0.2), ("both", 0.03), ("away", 0.08), ("step", 0.04), ("wrong", 0.015),
        ("suspend", 0.03), ("reboot", 0.04), ("by_hand", 0.5), ("removed", 0.1),
    )  # fmt: skip

    def __init__(self, world: World) -> None:
        self.world = world
        for kind, rate in self.RATES if world.fleet.faults else ():
            self.plan(kind, rate)

    def plan(self, kind: str, rate: float) -> None:
        """The next one of its kind."""
        engine = self.world.engine
        engine.at(engine.now + engine.random.expovariate(rate * self.world.fleet.faults) * HOUR, lambda: self.strike(kind, rate))

    def strike(self, kind: str, rate: float) -> None:
        """Now, unless the machine is down anyway."""
        if self.world.quiet:
            return
        if not self.world.is_down():
            self.world.count(kind)
            getattr(self, kind)(self.world.random)
        self.plan(kind, rate)

    def _impaired(self, seconds: float) -> None:
        self.world.truth.impaired.append((self.world.engine.now, self.world.engine.now + seconds))

    def scheduler(self, random: Any) -> None:
        """Nothing starts a job for some hours, and nobody knows."""
        job = random.choice(self.world.jobs)
        job.dead_until = self.world.engine.now + random.random() * 5 * HOUR

    def removed(self, random: Any) -> None:
        """Somebody takes a job out of the configuration, and puts it back hours later."""
        jobs = [it for it in self.world.jobs if not it.promise.outputs and not it.promise.max_duration]
        if jobs:
            random.choice(jobs).leave(random.random() * 4 * HOUR)

    def by_hand(self, random: Any) -> None:
        """Somebody starts a job at any time."""
        random.choice(self.world.jobs).start()

    def crash(self, random: Any) -> None:
        """A watcher is killed, and started again."""
        random.choice(self.world.watchers).kill(RESTART)
        self._impaired(RESTART)

    def stop(self, random: Any) -> None:
        """A watcher stands still for minutes; it goes on with what it remembers."""
        seconds = 60 + random.random() * 1200
        random.choice(self.world.watchers).stopped_until = self.world.engine.now + seconds
        self._impaired(seconds)

    def both(self, random: Any) -> None:
        """Nobody watches for hours (F61)."""
        seconds = random.random() * 12 * HOUR
        for post in self.world.watchers:
            post.kill(seconds)
        self._impaired(seconds)

    def away(self, random: Any) -> None:
        """The store cannot be reached."""
        seconds = random.random() * 0.5 * HOUR
        self.world.away_until = self.world.engine.now + seconds
        self._impaired(seconds)

    def step(self, random: Any) -> None:
        """The clock on the wall is set."""
        self.world.set_wall(random.choice((-25 * HOUR, -HOUR, -90.0, -20.0, 20.0, 90.0, HOUR, 25 * HOUR)))

    def wrong(self, random: Any) -> None:
        """It is weeks ahead for some minutes."""
        by = random.choice((30 * DAY, 400 * DAY))
        self.world.set_wall(by)
        self.world.engine.at(self.world.engine.now + 60 + random.random() * 900, lambda: self.world.set_wall(-by))

    def suspend(self, random: Any) -> None:
        """The machine sleeps: the clock on the wall goes on, the monotonic one does not."""
        world, seconds = self.world, random.random() * 8 * HOUR
        self._impaired(seconds)
        world.truth.steps += [world.engine.now, world.engine.now + seconds]
        world.truth.lived[-1][1] = world.wall()
        world.asleep_until = world.engine.now + seconds
        world.engine.at(world.asleep_until, lambda: self._awake(seconds))

    def _awake(self, seconds: float) -> None:
        self.world.slept += seconds
        self.world.truth.lived.append([self.world.wall(), self.world.wall()])

    def reboot(self, random: Any) -> None:
        """Everything dies; the machine is off for minutes."""
        world, seconds = self.world, 30 + random.random() * 900
        self._impaired(seconds + RESTART)
        for run_id in sorted(world.alive):
            world.killed(run_id)
        world.alive.clear()
        for post in world.watchers:
            post.kill(seconds)
        world.off_until = world.engine.now + seconds
        world.engine.booted_at, world.slept = world.off_until - 1, 0.0
        world.engine.boot = f"boot-{world.engine.now:.0f}"


def live(fleet: Fleet, lines: list[str] | None = None) -> World:
    """Play it, then let everything settle for an hour without faults. The caller closes the world."""
    world = World(fleet, lines)
    Trouble(world)
    world.engine.run(fleet.hours * HOUR)
    world.quiet = True
    world.away_until = 0.0
    world.engine.run(max(world.engine.now, world.asleep_until, world.off_until) + 12 * HOUR if world.is_down() else world.engine.now)
    for post in world.watchers:
        post.stopped_until = 0.0
    world.truth.lived[-1][1] = world.wall()
    world.engine.run(world.engine.now + 5 * TICK)
    return world
