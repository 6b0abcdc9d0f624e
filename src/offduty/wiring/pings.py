"""From pings to runs: each ping moves its check, begins or ends a run, keeps what was sent as its log, and owes whom that concerns.

What is slow (masking secrets, explaining a failure) is done before the store is asked for its lock; the rest in one transaction for many
pings, which is on the disk before any of them is answered (F82).
"""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from offduty.clock import Clock, file_stamp, new_id, rfc3339, short_id, wall_of
from offduty.errors import OffdutyError
from offduty.places import make_private
from offduty.runs import job as runs_job
from offduty.runs.failure import Failure, find_failure
from offduty.runs.job import is_name
from offduty.runs.logfile import OUT, OWN, column
from offduty.runs.lost import FAILURE as LOST_FAILURE
from offduty.runs.summary import fold, render
from offduty.secrets.redactor import Redactor
from offduty.settings.schema import Job, Log
from offduty.triage.verdict import Verdict
from offduty.watch.pings.address import Address
from offduty.watch.pings.check import GRACE, PERIOD, Check, Filters, Heard, Key, Open, Ping
from offduty.watch.pings.rules import Effect, judged, take
from offduty.watch.pings.store import OpenPings, PingStore
from offduty.watch.promise import Promise, read_promise
from offduty.wiring.keeping import NO_SUMMARY
from offduty.wiring.retain import retain
from offduty.wiring.telling import promise_of, tell_of
from offduty.wiring.triage import Duty, case_of, duty_of, line, lines_of

if TYPE_CHECKING:
    from offduty.runs.store import Record
    from offduty.settings.load import Settings

SOURCE = "pings"
"""The source of promises that no configuration file makes."""
MOST_CREATED = 1000
"""Checks that pings themselves may create below one key."""
LINE = 64 << 10
GIVEN_UP = "lost: it said that it started, and never how it ended"


@dataclass(frozen=True)
class Asked:
    """One request: the `address` that was called, and the `ping` that it brings."""

    address: Address
    ping: Ping


@dataclass(frozen=True)
class Answer:
    """What the client hears."""

    status: int
    body: str


OK, CREATED, UNKNOWN, AMBIGUOUS = Answer(200, "OK"), Answer(201, "Created"), Answer(404, "not found"), Answer(409, "ambiguous slug")
TOO_MANY = Answer(403, "this key has too many checks")


@dataclass(frozen=True)
class Read:
    """What was found out about a ping beforehand: its body with secrets masked, and what explains the failure it tells of."""

    asked: Asked
    text: bytes = b""
    failure: Failure | None = None
    verdict: Verdict | None = None


@dataclass
class Desk:
    """Takes pings in, for the jobs of `settings` and all others that the store knows. One thread at a time."""

    settings: Settings
    clock: Clock
    store: PingStore
    duty: Duty = field(init=False)
    _redactor: Redactor = field(init=False)
    _plans: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    _written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.duty = duty_of(self.settings)
        self._redactor = Redactor(self.settings.environ)
        places = self.settings.places()
        self._logs, self._path_of_store = places.logs, places.store
        self._source = self.settings.files[-1] if self.settings.files else SOURCE

    def answer(self, asked: Sequence[Asked]) -> list[Answer]:
        """Take in all of `asked`, or none. When this returns, what is answered with 200 or 201 is on the disk. Raises StoreError."""
        read = [self._read(one) for one in asked]
        self._written = []
        try:
            return self.store.change(lambda pings: [self._take(pings, one) for one in read])
        except BaseException:
            for path in self._written:
                _remove(path)
            raise

    def is_there(self) -> bool:
        """Whether the store's file is; a store that was taken away would be begun anew, and know nobody (F79)."""
        return os.path.exists(self._path_of_store)

    def sync(self) -> list[Check]:
        """Have a check for every job of the configuration with `ping = true`, and none called so for others. Raises StoreError."""
        names = [name for name, job in self.settings.jobs.items() if job.ping]
        known = {check.job: check for check in self.store.checks()}
        missing = [name for name in names if name not in known or not known[name].configured]
        left = [check for check in known.values() if check.configured and check.job not in self.settings.jobs]
        if missing or left:
            self.store.change(lambda pings: self._sync(pings, missing, left))
        return self.store.checks()

    def _sync(self, pings: OpenPings, missing: Sequence[str], left: Sequence[Check]) -> None:
        for name in missing:
            found = pings.check(name) or new_check(name, self.clock.wall())
            found = changed(found, configured=True)
            pings.put(found)
            self.watch(pings, found)
        for check in left:
            pings.put(changed(check, configured=False))

    def watch(self, pings: OpenPings, check: Check) -> None:
        """Have the check's promise watched, or, while it is paused, not."""
        if check.status == "paused":
            pings.forget(check.job)
            return
        tell = self._tell(check, "") or {}
        if check.job in self.settings.jobs:
            try:
                promise, source = promise_of(self.settings, check.job, tell), self._source
            except OffdutyError:  # that job alone is not watched, and `offduty watch` says so (F64)
                return
        else:
            promise, source = replace(read_promise({**check.promise, "job": check.job}), tell=tell), SOURCE
        if promise.schedule() is not None or promise.max_duration is not None:
            pings.promise(promise, source, self.clock.wall())

    # Before the transaction

    def _read(self, asked: Asked) -> Read:
        ping, address = asked.ping, asked.address
        text = self._redactor.redact(ping.body, final=True)[0] if ping.body else b""
        if not text and ping.action != "fail":
            return Read(asked)
        found = self.store.look(address.code, address.key, address.slug)
        if len(found) != 1 or judged(found[0], ping).action != "fail":
            return Read(asked, text)
        return self._explained(Read(asked, text), found[0])

    def _explained(self, read: Read, check: Check) -> Read:
        """With what the text says about why it failed: the body stands for the log."""
        status = read.asked.ping.exit_status or None
        failure = find_failure(outcome="failed", exit_code=status, tail=read.text)
        record = {"outcome": "failed", "exit_code": status, "signal": None, "job": check.job, "cwd": ""}
        case = case_of(record, failure, lines_of(read.text), dependencies=self.duty.dependencies)
        return replace(read, failure=failure, verdict=self._duty(check).verdict(case))

    def _duty(self, check: Check) -> Duty:
        owned = check.job in self.settings.jobs
        return self.duty if owned else replace(self.duty, jobs={**self.duty.jobs, check.job: self._team(check)})

    def _team(self, check: Check) -> str | None:
        return check.team or self.settings.ping.team

    # Within it

    def _take(self, pings: OpenPings, read: Read) -> Answer:
        check = self._find(pings, read.asked.address)
        if isinstance(check, Check):
            self._put(pings, check, read)
            return OK
        if check is not UNKNOWN or not read.asked.address.create:
            return check
        made = self._create(pings, read.asked.address)
        if isinstance(made, Answer):
            return made
        self._put(pings, made, read)
        return CREATED

    def _find(self, pings: OpenPings, address: Address) -> Check | Answer:
        if address.code:
            return pings.by_code(address.code) or UNKNOWN
        key = pings.key(address.key)
        found = pings.by_slug(key.name if key else address.key, address.slug)  # asked either way: it takes the same time (T15)
        return UNKNOWN if key is None or not found else found[0] if len(found) == 1 else AMBIGUOUS

    def _create(self, pings: OpenPings, address: Address) -> Check | Answer:
        """healthchecks' auto-provisioning: expected once a day, an hour late at most, told to the key's team."""
        key = pings.key(address.key)
        if key is None:
            return UNKNOWN
        if pings.count(key.name) >= MOST_CREATED:
            return TOO_MANY
        name = address.slug if is_name(address.slug) else f"ping{address.slug}"[:100]
        if pings.check(name) or pings.has_runs(name) or name in self.settings.jobs:
            name = f"{name[:91]}-{new_id(self.clock.wall())[-8:]}"
        promise = Promise(name, every=PERIOD, start_grace=GRACE, max_duration=GRACE).as_json()
        check = new_check(name, self.clock.wall(), slug=address.slug, key=key, promise=promise)
        pings.put(check)
        self.watch(pings, check)
        return check

    def _put(self, pings: OpenPings, check: Check, read: Read) -> None:
        ping = read.asked.ping
        effect = take(check, ping, new_id(ping.at))
        for gone in effect.given_up:
            self._give_up(pings, check, gone, ping)
        effect = self._with_run(pings, effect, read)
        pings.update(effect.check)
        about = effect.begins or effect.ends or effect.adds_to
        heard = Heard(
            effect.check.pings, ping.at, effect.ping.action, ping.exit_status, ping.rid, ping.method, ping.client, ping.agent,
            len(ping.body), about.run if about else "",
        )  # fmt: skip
        pings.hear(check.job, heard)
        if check.status == "paused" and effect.check.status != "paused":
            self.watch(pings, effect.check)

    def _with_run(self, pings: OpenPings, effect: Effect, read: Read) -> Effect:
        """The run that the ping begins, ends or adds to, in the store and in its log."""
        if effect.begins:
            return self._begin(pings, effect, effect.begins, read)
        if effect.ends:
            self._end(pings, effect, effect.ends, read)
        elif effect.adds_to and read.text:
            record = pings.run(effect.adds_to.run)
            if record is not None:
                self._log(record, _job_lines(read.text, effect.ping.at))
                pings.put_run(record, None)
        return effect

    def _begin(self, pings: OpenPings, effect: Effect, begun: Open, read: Read) -> Effect:
        record = _running(effect, begun)
        if read.text:
            self._log(record, _head(record) + _job_lines(read.text, effect.ping.at))
        pings.put_run(record, self._tell(effect.check, "running"), new=True)
        return effect

    def _end(self, pings: OpenPings, effect: Effect, ended: Open, read: Read) -> None:
        record = (None if effect.alone else pings.run(ended.run)) or _running(effect, ended)
        ping = effect.ping
        failed = ping.action == "fail"
        if failed and read.verdict is None:
            read = self._explained(read, effect.check)
        record |= {
            "outcome": "failed" if failed else "succeeded", "exit_code": ping.exit_status,
            "exit_source": None if ping.exit_status is None else "child", "ended_at": rfc3339(ping.at),
            "duration_s": None if effect.alone else max(0.0, ping.at - ended.at),
        }  # fmt: skip
        if not (read.text or failed or record["log"]):
            record["summary"] = {**NO_SUMMARY, "notes": _notes(ping)}
        else:
            said = self._summary(record, read if failed else Read(read.asked), ping)
            record["log"] = record["log"] or self._path(record)
            head = b"" if os.path.exists(record["log"]) else _head(record)
            self._log(record, head + _job_lines(read.text, ping.at) + _own("\n".join(render(said, record)), ping.at))
            record["summary"] = said.as_json()
        verdict = record["summary"]["verdict"]
        pings.put_run(record, self._tell(effect.check, record["outcome"], verdict), new=effect.alone)

    def _summary(self, record: Record, read: Read, ping: Ping) -> Any:
        notes = _notes(ping)
        if read.verdict is None:
            return fold(None, notes=notes)
        triage = line(read.verdict, short_id(record["id"]), self.duty)
        return fold(read.failure, notes=notes, triage=triage, do=read.verdict.steps, verdict=read.verdict.as_json())

    def _give_up(self, pings: OpenPings, check: Check, gone: Open, ping: Ping) -> None:
        record = pings.run(gone.run)
        if record is None or record["outcome"] != "running":
            return
        said = {**fold(None, notes=["another run has started since"]).as_json(), "what": GIVEN_UP, "failure": LOST_FAILURE}
        pings.put_run({**record, "outcome": "lost", "ended_at": rfc3339(ping.at), "summary": said}, self._tell(check, "lost"))

    def _tell(self, check: Check, outcome: str, verdict: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Whom it concerns; remembered for all that has no verdict. None where there is no channel, or the job's table is wrong."""
        if not self.settings.channels:
            return None
        key = (check.job, outcome)
        if verdict is None and key in self._plans:
            return self._plans[key]
        told = self._told(check, outcome, verdict)
        if verdict is None:
            if len(self._plans) > 10_000:
                self._plans.clear()
            self._plans[key] = told
        return told

    def _told(self, check: Check, outcome: str, verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
        settings = self.settings
        if check.job not in settings.jobs:
            owner: Any = self._team(check)
            settings = replace(settings, jobs={**settings.jobs, check.job: Job(name=check.job, owner=owner)})
        final = None if outcome in ("", "running") else True
        try:
            ended = "" if outcome == "running" else outcome
            return tell_of(settings, check.job, self._duty(check), verdict=verdict, outcome=ended, final=final)
        except OffdutyError:
            return None

    # The log

    def _path(self, record: Record) -> str:
        stamp = file_stamp(wall_of(record["started_at"]))
        return f"{self._logs}/{record['job']}/{stamp}-{short_id(record['id'])}.log"

    def _log(self, record: Record, data: bytes) -> None:
        """Append to the run's log. A disk that is full costs the log, not the ping: the record says so by having none."""
        path = record["log"] or self._path(record)
        try:
            make_private(os.path.dirname(path))
            if not os.path.exists(path):
                self._written.append(path)
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(fd, "ab") as file:
                file.write(data)
            record["log"] = path
        except OSError:
            record["log"] = ""


def tidy(settings: Settings, clock: Clock) -> int:
    """Retention of runs that ping, as `log` of their jobs says; how many went. Raises StoreError."""
    from offduty.stores.sqlite import open_store

    logs, gone = settings.places().logs, 0
    store = open_store(settings.places().store, clock=clock)
    try:
        for check in store.pings.checks():
            keep = settings.jobs[check.job].log if check.job in settings.jobs else Log()
            job = runs_job.Job(check.job, ["ping"], keep_s=float(keep.keep), keep_runs=int(keep.keep_runs), keep_bytes=int(keep.max_total))
            while went := retain(store, job, logs, clock):
                gone += went
    finally:
        store.close()
    return gone


def new_check(
    job: str, now: float, *, slug: str = "", key: Key | None = None, promise: dict[str, Any] | None = None,
    filters: Filters | None = None, manual_resume: bool = False,
) -> Check:  # fmt: skip
    """A check for `job` with an address of its own. `promise`: as `Promise.as_json`, for what no configuration says."""
    return Check(
        job, new_code(), slug or default_slug(job), key.name if key else "", key.team if key else "", created_at=now,
        promise=promise or {}, filters=filters or Filters(), manual_resume=manual_resume,
    )  # fmt: skip


def default_slug(job: str) -> str:
    """The slug of a job: its name, in the letters that slugs have."""
    return job.replace(".", "-")


def new_code() -> str:
    """A uuid of 122 random bits, as clients of healthchecks expect it."""
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


def new_key(name: str = "", team: str = "") -> Key:
    """A key with 144 random bits (T15)."""
    return Key(name, base64.urlsafe_b64encode(os.urandom(18)).decode(), team)


def _notes(ping: Ping) -> list[str]:
    return [f"told by a ping from {ping.client or 'somewhere'}" + (f" ({ping.agent})" if ping.agent else "")]


def _running(effect: Effect, begun: Open) -> Record:
    ping = effect.ping
    return {
        "id": begun.run, "root_id": begun.run, "job": effect.check.job, "trigger": "scheduled", "attempt": 1, "attempts": 1,
        "outcome": "running", "exit_code": None, "exit_source": None, "signal": None, "started_at": rfc3339(begun.at), "ended_at": None,
        "duration_s": None, "log": "", "host": ping.client or "?", "user": "", "pid": 0, "boot_id": "", "pid_started": 0,
        "command": ["ping"], "cwd": "", "summary": None,
    }  # fmt: skip


def _head(record: Record) -> bytes:
    text = f"pings of {record['job']}  run {short_id(record['id'])}  {record['started_at']}  from {record['host']}"
    return _own(text, wall_of(record["started_at"]))


def _own(text: str, at: float) -> bytes:
    prefix = column(at, OWN)
    return b"".join(prefix + one.encode("utf-8", "backslashreplace") + b"\n" for one in text.split("\n"))


def _job_lines(text: bytes, at: float) -> bytes:
    """What was sent, behind the column that it cannot forge; a last line without its end, and one that is too long, are marked."""
    whole, cut = column(at, OUT), column(at, OUT, b"~")
    *ended, last = text.split(b"\n")
    out = [row for body in ended for row in _rows(body, whole, cut)]
    return b"".join([*out, *(_rows(last, cut, cut) if last else [])])


def _rows(body: bytes, prefix: bytes, cut: bytes) -> list[bytes]:
    pieces = [body[start : start + LINE] for start in range(0, len(body), LINE)] or [b""]
    return [*(cut + piece + b"\n" for piece in pieces[:-1]), prefix + pieces[-1] + b"\n"]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
