"""A whole run: the lock, the attempts and the waits between them. Each attempt is a run of its own, with its own record and log."""

from __future__ import annotations

import _signal
import os
import select

from offduty import places
from offduty.clock import rfc3339
from offduty.errors import OFFDUTY_FAILED, TRY_LATER, CannotStart
from offduty.runs import reserve, spawn
from offduty.runs.logfile import LogFile
from offduty.runs.record import begin, log_name, user_name
from offduty.runs.supervise import LONGEST_WAIT, Ended, Guard, Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from offduty.clock import Clock
    from offduty.places import Places
    from offduty.runs.job import Job
    from offduty.runs.lock import JobLock
    from offduty.runs.output import Redactor
    from offduty.runs.record import Record

RETRIED = ("failed", "timed_out")
QUEUE_LOOK = 0.5
PROBE_PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "offduty_probe", "path")


class Attempt:
    """Everything known about one attempt when it has ended: what the summary is made from.

    `refusal`: why it never started, or None; `events`: path of the probe's file; `token`: what its lines must carry;
    `retry_in`: seconds or None.
    """

    def __init__(self, job: Job, record: Record, log: LogFile, events: str, token: str, guard: Guard) -> None:
        self.job, self.record, self.log, self.events, self.token, self.guard = job, record, log, events, token, guard
        self.ended = Ended()
        self.refusal: CannotStart | None = None
        self.retry_in: float | None = None
        self.notes: list[str] = []
        self.oom_before: int | None = None


class World:
    """What a run needs from outside: clock, folders, environment, and the functions that `wiring` makes from the heavier parts.

    `only`: number and root id of the one attempt to make, where somebody else counts them.

    `redactor(job)` makes what takes secrets out of the log; `started(attempt)` and `ended(attempt)` are told; `chores(attempt)` gives work
    to do while the job runs; `skipped(job, record, holder)` is told of a run that did not start because another one is going on.
    """

    def __init__(self, clock: Clock, places: Places, environ: Mapping[str, str], closed: frozenset[int]) -> None:
        self.clock, self.places, self.environ, self.closed = clock, places, environ, closed
        self.supervisor: Callable[..., Supervisor] = Supervisor
        self.only: tuple[int, str] | None = None
        self.lock: JobLock | None = None
        self.redactor: Callable[[Job], Redactor | None] = lambda job: None
        self.started: Callable[[Attempt], None] = lambda attempt: None
        self.ended: Callable[[Attempt], None] = lambda attempt: None
        self.chores: Callable[[Attempt], list[tuple[str, Callable[[], object]]]] = lambda attempt: []
        self.skipped: Callable[[Job, Record, str], None] = lambda job, record, holder: None


def perform(job: Job, world: World) -> int:
    """Run `job` with its attempts; the exit status for offduty, which is the last attempt's own."""
    signals = spawn.Signals()
    spawn.become_subreaper()
    try:
        lock = take_turn(job, world, signals)
        if isinstance(lock, int):
            return lock
        try:
            world.lock = lock
            return _attempts(job, world, signals)
        finally:
            world.lock = None
            if lock is not None:
                lock.release()
    finally:
        signals.close()


def take_turn(job: Job, world: World, signals: spawn.Signals) -> JobLock | int | None:
    """The job's lock; None where overlap is allowed; or the exit status of a run that is skipped, or was told to stop while it queued."""
    if job.overlap == "allow":
        return None
    from offduty.runs.lock import JobLock

    try:
        lock = JobLock(world.places.locks, job.name)
    except OSError:  # no lock is to be had here at all: the job matters more
        return None
    record = begin(job, world.clock)
    while not lock.take(record["id"]):
        if job.overlap == "skip":
            holder = lock.holder()
            lock.release()
            record.update(outcome="skipped", exit_code=TRY_LATER, exit_source="offduty", ended_at=record["started_at"], duration_s=0.0)
            record["user"] = user_name()
            world.skipped(job, record, holder)
            return TRY_LATER
        if (number := wait(signals, QUEUE_LOOK, world.clock)) is not None:
            lock.release()
            return 128 + number
    return lock


def _attempts(job: Job, world: World, signals: spawn.Signals) -> int:
    if world.only is not None:
        return _attempt(job, world, signals, *world.only).ended.exit_code
    from_before = None
    if job.retries:
        from offduty.runs import retry

        from_before = retry.owed(world.places.retries, job, world.clock)
    number, root_id = (from_before.attempt, from_before.root_id) if from_before else (1, "")
    while True:
        attempt = _attempt(job, world, signals, number, root_id)
        root_id = attempt.record["root_id"]
        if attempt.retry_in is None:
            if job.retries:
                retry.settle(world.places.retries, job, root_id)
            return attempt.ended.exit_code
        if (told := wait(signals, attempt.retry_in, world.clock)) is not None:
            retry.settle(world.places.retries, job, root_id)
            return 128 + told
        number += 1


def _attempt(job: Job, world: World, signals: spawn.Signals, number: int, root_id: str) -> Attempt:
    guard = Guard()
    record = begin(job, world.clock, attempt=number, root_id=root_id)
    name = log_name(record, world.clock)
    if world.lock is not None:
        world.lock.name_holder(record["id"])
    log = LogFile(log_folders(job, world), f"{name}.log", world.clock, max_size=job.log_max_size)
    record["log"] = log.path
    events, token = (f"{log.folder}/{name}.events.jsonl", os.urandom(16).hex()) if log.path else ("", "")
    attempt = Attempt(job, record, log, events, token, guard)
    supervisor = world.supervisor(job, log, clock=world.clock, signals=signals, guard=guard)
    supervisor.make_redactor = lambda: world.redactor(job)
    began = world.clock.monotonic()
    try:
        supervisor.start(job.command, child_env(job, world.environ, attempt), world.closed)
    except CannotStart as refusal:
        _not_started(attempt, refusal)
    except OSError as error:
        _not_started(attempt, CannotStart("E801", "cannot start the job", status=OFFDUTY_FAILED, why=_errno_text(error)))
    else:
        _look_after(attempt, supervisor, world)
        began = attempt.ended.started
    record["user"] = record["user"] or user_name()
    _close_record(attempt, world.clock, began)
    if attempt.ended.outcome in RETRIED and number <= job.retries and attempt.refusal is None and world.only is None:
        attempt.retry_in = job.delay_before(number + 1)
        from offduty.runs import retry

        guard("retry", retry.owe, world.places.retries, job, record, world.clock)
    log.make_room = lambda: reserve.give_up(world.places.reserve)
    guard("ended", world.ended, attempt)
    if attempt.refusal is not None and any(problem.startswith("ended:") for problem in guard.problems):
        guard("say refusal", os.write, 2, f"offduty: {attempt.refusal}\n".encode("utf-8", "backslashreplace"))  # all else was refused, too
    guard("close log", log.close)
    if attempt.retry_in is not None:
        guard("between attempts", lambda: None)
    return attempt


def _look_after(attempt: Attempt, supervisor: Supervisor, world: World) -> None:
    """The job runs: tell of it, find work for the time that nothing needs us, and stay until it has ended."""
    guard, record = attempt.guard, attempt.record
    record["user"] = guard("user name", user_name) or ""  # not before: a directory service may be asked, over a network
    guard("started", world.started, attempt)
    supervisor.chores = [
        ("chores", lambda: _first(supervisor, world.chores(attempt))),
        ("reserve", lambda: reserve.make(world.places.reserve)),
    ]
    attempt.ended = supervisor.watch()
    attempt.notes += attempt.ended.notes


def _first(supervisor: Supervisor, chores: list[tuple[str, Callable[[], object]]]) -> None:
    """`chores` come before what else there is to be done. They are asked for when there is time for them: a short run has none."""
    supervisor.chores[:0] = chores


def log_folders(job: Job, world: World) -> Iterator[str]:
    """Where the log may be: the chosen folder, then the one that would be chosen if nothing were set but the user's own."""
    yield f"{world.places.logs}/{job.name}"
    usual = places.find({name: world.environ[name] for name in ("HOME", "XDG_STATE_HOME") if name in world.environ}).logs
    if usual != world.places.logs:
        yield f"{usual}/{job.name}"


def child_env(job: Job, environ: Mapping[str, str], attempt: Attempt) -> dict[str, str]:
    """The job's environment: ours, the job's own variables, and the five by which the probe knows where it is."""
    env = {**environ, **job.env}
    env.update(OFFDUTY_RUN_ID=attempt.record["id"], OFFDUTY_JOB=job.name, OFFDUTY_ATTEMPT=str(attempt.record["attempt"]))
    if attempt.events:
        env.update(OFFDUTY_EVENTS=attempt.events, OFFDUTY_TOKEN=attempt.token)
        before = env.get("PYTHONPATH")
        env["PYTHONPATH"] = f"{PROBE_PATH}:{before}" if before else PROBE_PATH
    return env


def _not_started(attempt: Attempt, refusal: CannotStart) -> None:
    attempt.refusal = refusal
    attempt.ended.exit_code = refusal.status
    attempt.ended.exit_source = "offduty"


def _close_record(attempt: Attempt, clock: Clock, began: float) -> None:
    """Outcome, exit status and times into the record. The duration comes from the monotonic clock: wall time may jump."""
    ended = attempt.ended
    duration = max(0.0, (ended.ended or clock.monotonic()) - began)
    job = attempt.job
    if ended.outcome == "succeeded" and job.min_duration is not None and duration < job.min_duration:
        ended.outcome = "warned"
        attempt.notes.append("too fast: it should take longer than its min_duration")
    if ended.overdue and ended.outcome != "timed_out":
        attempt.notes.append("overdue: it took longer than its max_duration")
    attempt.record.update(
        outcome=ended.outcome, exit_code=ended.exit_code, exit_source=ended.exit_source, signal=ended.signal,
        ended_at=rfc3339(clock.wall()), duration_s=round(duration, 3),
    )  # fmt: skip


def wait(signals: spawn.Signals, seconds: float, clock: Clock) -> int | None:
    """Wait, or until a signal asks us to go: its number. Orphans that the job left, and that end meanwhile, are reaped."""
    poll = select.poll()
    poll.register(signals.fd, select.POLLIN)
    until = clock.monotonic() + seconds
    while True:
        poll.poll(max(0, int(min(until - clock.monotonic(), LONGEST_WAIT) * 1000) + 1))
        for number in signals.read():
            if number in (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT):
                return number
        spawn.reap_orphans()
        if clock.monotonic() >= until:
            return None


def _errno_text(error: OSError) -> str:
    import errno

    return f"{errno.errorcode.get(error.errno or 0, '?')}, {(error.strerror or str(error)).lower()}"
