"""Drills of one job: its configuration and store in; what was rehearsed, and how it went, out.

1. Rehearse the job with nothing broken: it has to end well in the sandbox, and shows what it touches.
2. Hold the table against that, and plan which failures to bring about.
3. Bring each about, in a folder and a store of its own, and compare with what was promised.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from offduty.clock import Clock
from offduty.drills.compare import Message, Observed, compare, never
from offduty.drills.coverage import Coverage, cover, spots_of
from offduty.drills.faults import FAULTS
from offduty.drills.plan import Planned, plan, plan_outside
from offduty.drills.scratch import Scratch
from offduty.drills.spoil import STALE
from offduty.drills.store import Rehearsed
from offduty.drills.synthetic import COLUMN, ENDS, SHELL, age_of, column_of, whole_case
from offduty.drills.turn import still_to_do
from offduty.errors import CannotDrill, OffdutyError, quoted
from offduty.runs.alive import supervisor_alive
from offduty.runs.attempts import PROBE_PATH
from offduty.stores.memory import MemoryStore
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store
from offduty.transactions import transaction
from offduty.transactions.transaction import Transaction
from offduty.wiring.absences import rehearse_absence
from offduty.wiring.coverage import judge_of, places_of, sources
from offduty.wiring.enclosing import SEEN, Enclosed, can_enclose, enclosing, trials
from offduty.wiring.explain import case_of_run
from offduty.wiring.telling import Composer, tell_of
from offduty.wiring.triage import TOO_LATE, Duty, duty_of, is_judged

if TYPE_CHECKING:
    from offduty.alerts.alert import Alert
    from offduty.alerts.owed import Owed
    from offduty.runs.store import Record, Store
    from offduty.settings.load import Settings

PAST = 10
"""Good runs that a drill compares with, as any run does."""
LIMIT = 600.0
PYTHONS = ("python", "pypy")
SIGNAL_AFTER = 0.5
IS_HELD = "import sys; m = sys.modules.get('offduty_probe.start'); print('held' if m and m.ledger and m.ledger.drill else 'free')"


@dataclass(frozen=True)
class Options:
    """`allow`: globs of what may be written; `run`: programs that may be started; `unsafe`: also a job that cannot be held back.
    `limit`: seconds that one rehearsal may take."""

    row: str = ""
    fault: str = ""
    everything: bool = False
    allow: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    unsafe: bool = False
    limit: float = LIMIT
    config: str | None = None


@dataclass(frozen=True)
class Ran:
    """One run in the sandbox."""

    record: Record
    ledger: list[Transaction]
    notes: list[dict[str, Any]]
    log: str
    outside: list[Transaction] = field(default_factory=list)


@dataclass(frozen=True)
class Receipt:
    """What became of a message. `seconds` None: it failed; `code`: by which it is confirmed, if it was sent for real."""

    seconds: float | None
    code: str = ""

    @property
    def failed(self) -> bool:
        """Whether the channel did not take it."""
        return self.seconds is None


class Driller:
    """Drills of the job `name`. `send`: sends an alert for real, and returns its code (`--for-real`)."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        store: Store,
        options: Options,
        clock: Clock,
        send: Callable[[str, Alert], str] | None = None,
    ) -> None:
        self.settings, self.name, self.store, self.options, self.clock, self.send = settings, name, store, options, clock, send
        self.duty: Duty = duty_of(settings, places=True)
        self.launch: Mapping[str, Any] = settings.launch(name)
        self.can_enter = enters(self.launch)
        self.enclosed = None if self.can_enter or options.unsafe else self._enclosed()

    def _enclosed(self) -> Enclosed:
        """The kernel holds a job back that the probe cannot enter. Raises CannotDrill E820 where it does not let us."""
        found = Enclosed(self.settings, self.name, self.options.allow, self.options.limit)
        if why := can_enclose():
            reason = f"the probe cannot enter it, and the kernel does not hold it back here: {why}"
            fix = "--unsafe kills it on purpose all the same"
            raise CannotDrill("E820", f"{quoted(self.name)} cannot be drilled safely", why=reason, fix=fix)
        return found

    def plan(self) -> tuple[Coverage, list[Planned]]:
        """What is to be rehearsed, by what the job touches when nothing is broken. Raises CannotDrill E821 if it does not end well then."""
        ran = self.rehearse(None)
        outcome = ran.record.get("outcome")
        if outcome not in ("succeeded", "warned"):
            why = str((ran.record.get("summary") or {}).get("what") or outcome)
            fix = self._opening([str(one["target"]) for one in ran.notes if one["did"] == "refused"])
            raise CannotDrill("E821", f"{quoted(self.name)} fails in the sandbox with nothing broken", why=why, fix=fix)
        coverage = self._coverage(ran)
        options = self.options
        rows = [row.name for row in self.duty.table.rows]
        planned = plan(coverage, rows, row=options.row, fault=options.fault, everything=options.everything)
        if self.enclosed is not None:
            planned = plan_outside(
                coverage,
                planned,
                trials((one.spot for one in coverage.answers), is_big=self.enclosed.is_big, everything=options.everything),
                row=options.row,
                fault=options.fault,
            )
        return coverage, planned

    def _opening(self, refused: Sequence[str]) -> str:
        """What would let the job end well in the sandbox."""
        if refused:
            opens = "--allow-writes" if self.enclosed is not None else "--allow-writes or --allow-run"
            return f"the sandbox refused {refused[0]}: {opens} opens it"
        more = "; servers that it talks to have to be named in `[drill] through`" if self.enclosed is not None else ""
        return f"see that a run of it ends well{more}"

    def results(self, done: Sequence[Rehearsed] = ()) -> Iterator[Rehearsed]:
        """What is planned, drilled one by one; then the rows that had to win by something and did not. Raises as `plan`.

        `done`: what was drilled before, and is left out.
        """
        found = list(done)
        for planned in still_to_do(self.plan()[1], done):
            found.append(self.drill(planned))
            yield found[-1]
            if self.enclosed is not None and self.options.row and found[-1].row == self.options.row:
                return
        if self.enclosed is not None and not self.options.fault:
            reached = {one.row for one in found}
            rows = [self.options.row] if self.options.row else [row.name for row in self.duty.table.rows]
            yield from (never(self.name, self.clock.wall(), row) for row in rows if row not in reached)

    def _coverage(self, ran: Ran) -> Coverage:
        folder = str(self.launch["cwd"])
        base, places = places_of(folder, sources(self.store, self.name, folder), self.launch["notebook"])
        spots = spots_of(places, ran.ledger, self.duty.dependencies, folder, base)
        seen = spots_of([], ran.outside, self.duty.dependencies, folder, base)
        spots = [*spots, *(replace(one, via=SHELL) for one in seen)]
        return cover(self.name, spots, [row.name for row in self.duty.table.rows], judge_of(self.duty, self.name))

    def drill(self, planned: Planned) -> Rehearsed:
        """Bring one failure about, and compare."""
        now = self.clock.wall()
        if not planned.fault:
            return never(self.name, now, planned.row)
        if FAULTS[planned.fault].by == "watcher":
            return compare(self.name, now, planned, self._absent(planned))
        ran = self.rehearse(planned)
        verdict = (ran.record.get("summary") or {}).get("verdict")
        messages = self._messages(ran.record, verdict)
        if self.enclosed is not None and not planned.row and (verdict or {}).get("source") == "table":
            planned = replace(planned, row=str((verdict or {}).get("row") or ""))  # only trying could show it
        return compare(self.name, now, planned, self._observed(ran.record, verdict, messages, ran.notes, ran.log))

    def _observed(
        self, record: Mapping[str, Any], verdict: Mapping[str, Any] | None, messages: Sequence[Message],
        notes: Sequence[Mapping[str, Any]] = (), log: str = "", outcome: str = "",
    ) -> Observed:  # fmt: skip
        team = str((verdict or {}).get("team") or self.settings.job(self.name).owner or "")
        contact = self.duty.teams.get(team, "")
        return Observed(record, log, notes, messages, bool(self.settings.channels), team, contact, outcome)

    def _absent(self, planned: Planned) -> Observed:
        """What the watcher would find, and who would be told: it is played, and nothing of the job is run."""
        event, sent = planned.fault, {}

        def send(channel: str, alert: Alert) -> None:
            sent[channel, alert.key] = self._sent(channel, alert, 0.0)

        found = rehearse_absence(event, self.settings, self.name, self.duty, self.store, self.clock.wall(), send)
        verdict = self.duty.verdict(whole_case(event, self.name)).as_json()
        messages = [
            Message(
                one.channel, one.row.team, self.duty.teams.get(one.row.team, ""), one.row.urgency, f"DRILL: {one.alert.title}",
                None if sent[one.channel, one.alert.key].failed else one.after, sent[one.channel, one.alert.key].code,
            )
            for one in found.sent
        ]  # fmt: skip
        observed = self._observed({"summary": {"verdict": verdict}}, verdict, messages, outcome=event)
        return replace(observed, noticed=found.noticed, unnoticed=found.why)

    def _messages(self, record: Record, verdict: Mapping[str, Any] | None) -> list[Message]:
        """What would go out for such a run, into nothing: by a store in memory, as if it were the job's first failure."""
        if not self.settings.channels:
            return []
        outcome = str(record["outcome"])
        tell = tell_of(self.settings, self.name, self.duty, verdict=verdict, outcome=outcome, final=True)
        tell["policy"] = {**tell["policy"], "after_failures": 1}
        store: Any = MemoryStore()
        store.put_run({**record, "trigger": "manual"}, tell=tell)
        composer = Composer(lambda: store, self.settings)
        return [self._message(row, composer(row, ())) for row in store.alerts.alerts(job=self.name, limit=100) if row.state == "waiting"]

    def _message(self, row: Owed, alert: Alert) -> Message:
        sent = self._sent(row.channel, alert, max(0.0, row.not_before - row.at))
        title = f"DRILL: {alert.title}"
        return Message(row.channel, row.team, self.duty.teams.get(row.team, ""), row.urgency, title, sent.seconds, sent.code)

    def _sent(self, channel: str, alert: Alert, seconds: float) -> Receipt:
        """A message of a drill, sent for real if that was asked for. `seconds`: what it would have taken otherwise."""
        if self.send is None:
            return Receipt(seconds)
        began = self.clock.monotonic()
        try:
            code = self.send(channel, replace(alert, drill=True))
        except Exception:  # noqa: BLE001 - a channel that fails is a result of the drill
            return Receipt(None)
        return Receipt(self.clock.monotonic() - began if code else seconds, code)

    def rehearse(self, planned: Planned | None) -> Ran:
        """Run the job in the sandbox, with a failure or without. Raises CannotDrill E822 if it cannot be run there at all."""
        with Scratch() as scratch, nullcontext() if self.enclosed is None else self.enclosed.gate(scratch, planned):
            self._bring_past(scratch)
            held = self.enclosed is not None
            environ = scratch.environ({"fault": self._fault(planned), "allow": self.options.allow, "run": self.options.run, "held": held})
            if self.enclosed is not None:
                environ |= self.enclosed.environ(planned)
            self._run(scratch, environ, planned)
            with_store = open_store(f"{scratch.path}/state/offduty.sqlite3", clock=self.clock)
            try:
                replay(f"{scratch.path}/state/spool", with_store, alive=supervisor_alive, clock=self.clock)
                found = [run for run in with_store.runs(self.name, limit=5) if run["trigger"] == "drill"]
                if not found:
                    raise CannotDrill("E822", f"{quoted(self.name)} could not be run in the sandbox", why="it left no record")
                ledger = [transaction.from_json(entry) for entry in with_store.ledger(found[0]["id"])]
                notes = scratch.notes()
                outside = self.enclosed.seen(notes, ledger) if self.enclosed is not None else []
                told = [one for one in notes if one["did"] not in SEEN]
                return Ran(self._judged(with_store, found[0]), ledger, told, _text_of(found[0].get("log")), outside)
            finally:
                with_store.close()

    def _judged(self, store: Store, run: Record) -> Record:
        """A run command has a second for triage, which on a busy machine may be too short: a drill has as long as it takes."""
        summary = run.get("summary") or {}
        if (summary.get("verdict") or {}).get("title", TOO_LATE) != TOO_LATE or not is_judged(run["outcome"]):
            return run
        verdict = self.duty.verdict(case_of_run(store, run, self.duty)).as_json()
        return {**run, "summary": {**summary, "verdict": verdict}}

    def _bring_past(self, scratch: Scratch) -> None:
        """The last good runs, so that the run is compared as it would be in earnest; what they owed stays where it is."""
        try:
            runs = self.store.good_runs(self.name, PAST)
        except OffdutyError:
            return
        copy = open_store(f"{scratch.path}/state/offduty.sqlite3", clock=self.clock)
        try:
            for run in reversed(runs):
                entries, store = self.store.ledger(run["id"]), self.store
                copy.put_run(run, entries, fingerprint=store.fingerprint(run["id"]), checks=store.checks(run["id"]))
        finally:
            copy.close()

    def _fault(self, planned: Planned | None) -> dict[str, Any] | None:
        if planned is None or (not self.can_enter and (self.enclosed is None or planned.spot.via == SHELL or not planned.spot.op)):
            return None
        spot = planned.spot
        column = column_of(spot)
        return {
            "name": planned.fault, "op": spot.op or "*", "target": spot.target or "*", "age": age_of(spot) or STALE,
            "column": "" if column == COLUMN else column,
        }  # fmt: skip

    def _run(self, scratch: Scratch, environ: dict[str, str], planned: Planned | None) -> None:
        number = ENDS.get(planned.fault, 0) if planned is not None and not self.can_enter and self.enclosed is None else 0
        spec = {
            "parent": os.getpid(), "start": self.settings.start, "config": self.options.config, "job": self.name,
            "environ": environ, "state": f"{scratch.path}/state", "logs": f"{scratch.path}/logs", "limit": self.options.limit,
            "signal": number, "after": SIGNAL_AFTER, "oom": planned is not None and planned.fault == "oom",
            "enclosure": enclosing(self.enclosed.spec(scratch, planned)) if self.enclosed is not None else [],
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "offduty.wiring.drillrun", json.dumps(spec)]
        try:
            subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self.options.limit + 60, env={**os.environ}, check=False
            )
        except subprocess.TimeoutExpired:
            return


def enters(launch: Mapping[str, Any]) -> bool:
    """Whether the probe is in the job from its start, and holds it back: its Python is asked, before anything of the job is run."""
    python = [sys.executable, "-P"] if launch["notebook"] else interpreter(launch)
    if not python:
        return False
    with Scratch() as scratch:
        ours = {**scratch.environ({"fault": None}), "OFFDUTY_EVENTS": f"{scratch.path}/events", "OFFDUTY_TOKEN": "-"}
        env = {**os.environ, **ours, "PYTHONPATH": PROBE_PATH}
        try:
            done = subprocess.run(
                [*python, "-c", IS_HELD], cwd=launch["cwd"], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.stdout.strip().endswith(b"held")


def interpreter(launch: Mapping[str, Any]) -> list[str]:
    """The Python that runs the job, with its options: the command's program, or what the first line of its script names; or nothing."""
    if not launch["command"]:
        return []
    program = str(launch["command"][0])
    if program.rpartition("/")[2].startswith(PYTHONS):
        return [program, *_own_options(launch["command"][1:])]
    words = _first_line(launch, program).removeprefix("#!").split()
    if words and words[0].endswith("/env"):
        words = [word for word in words[1:] if word != "-S"]
    return words if words and words[0].rpartition("/")[2].startswith(PYTHONS) else []


def _own_options(words: Sequence[str]) -> Iterator[str]:
    """The options of Python itself, before its script."""
    for word in words:
        if not word.startswith("-") or word in ("-", "-c", "-m"):
            return
        if word not in ("-X", "-W", "-u", "-i") and not word.startswith("--"):
            yield word


def _first_line(launch: Mapping[str, Any], program: str) -> str:
    import shutil

    found = os.path.join(launch["cwd"], program) if "/" in program else shutil.which(program) or ""
    try:
        with open(found, "rb") as file:
            first = file.readline(200)
    except OSError:
        return ""
    return first.decode("utf-8", "replace") if first.startswith(b"#!") else ""


def _text_of(path: object) -> str:
    try:
        with open(str(path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
