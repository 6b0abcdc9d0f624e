"""`offduty watch` and `offduty run` as real processes: killed, rebooted, stopped, locked out, configured anew, in twos and threes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offduty.alerts.owed import Owed
from offduty.clock import Clock, new_id
from offduty.drills.receiver import Receiver, reply
from offduty.runs.alive import supervisor_alive
from offduty.runs.processes import look
from offduty.runs.spool import Spool
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store
from offduty.testing import a_run

TICK = 0.2
AT_ONCE = 10
NOTICED = 10.0  # seconds that a busy machine may need for what takes a tick

CHANNEL = '[team.ds]\nchannels = ["hook"]\n[channel.hook]\nkind = "webhook"\nurl = "{url}/alerts"\nallow = ["127.0.0.1"]\n'
SLEEPER = '[job.{job}]\ncommand = ["sleep", "{seconds}"]\nowner = "ds"\n'


class Place:
    """An `offduty.toml` in a folder of its own, with a receiver for what is told, and watchers."""

    def __init__(self, offduty, receiver):
        self.offduty, self.receiver = offduty, receiver
        self.config = offduty.home / "offduty.toml"

    def configure(self, text):
        """Write the configuration, with a channel to the receiver."""
        beside = self.config.with_suffix(".new")
        beside.write_text(text + CHANNEL.format(url=self.receiver.url))
        beside.replace(self.config)

    def command(self, *words):
        """The argument list of any command."""
        return [sys.executable, "-m", "offduty", *words]

    def once(self, *words):
        """`offduty watch --once --json`: what it found."""
        done = self.offduty.started_with(self.command("watch", "--once", "--json", *words))
        assert done.code == 0, done.err
        return json.loads(done.out)

    def watch(self, *words, env=None):
        """A service that watches by now. What it says goes to a file."""
        said = open(self.offduty.home / f"said-{len(self.offduty.started)}", "w+b")
        process = self.offduty.popen(self.command("watch", "--tick", f"{TICK}s", *words), stdout=said, stderr=said, env=env)
        said.close()
        process.said = Path(said.name)
        self.offduty.wait_for(lambda: b"watching" in process.said.read_bytes(), "it watches", NOTICED)
        return process

    def ask(self, sql, *values):
        """Rows of the store, as anybody may read them."""
        if not (self.offduty.state / "offduty.sqlite3").exists():
            return []  # nobody has made it yet
        database = sqlite3.connect(f"file:{self.offduty.state}/offduty.sqlite3?mode=ro", uri=True, timeout=5)
        try:
            return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def alerts(self, event):
        """Jobs that an alert of this kind is owed for, or was."""
        return sorted(job for (job,) in self.ask("SELECT job FROM outbox WHERE json_extract(entry, '$.event') = ?", event))

    def outcomes(self):
        """Outcome by job of the newest run of each."""
        return dict(self.ask("SELECT job, outcome FROM run ORDER BY id"))

    def wait(self, check, what):
        """Until it is so."""
        return self.offduty.wait_for(check, what, NOTICED)


@pytest.fixture
def place(untidy_offduty):
    """A folder, and nobody to watch it yet."""
    with Receiver() as receiver:
        yield Place(untidy_offduty, receiver)


def begun(place, job):
    """A run of `job` that the store knows of."""
    process = place.offduty.start(job)
    place.wait(
        lambda: place.offduty.records() and place.ask("SELECT 1 FROM run WHERE job = ? AND outcome = 'running'", job),
        "the run is on record",
    )
    return process


def test_fifty_kills_are_fifty_lost_runs_each_told_once(place):
    """F07, F10, INV-4: SIGKILL at 50 random moments; every run on record becomes lost within the bound, and one alert is owed for each."""
    seed = int(os.environ.get("OFFDUTY_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
    rng, jobs = random.Random(seed), [f"job-{number}" for number in range(50)]
    place.configure("".join(SLEEPER.format(job=job, seconds=60) for job in jobs))
    place.watch()
    for first in range(0, 50, 5):
        batch = [(place.offduty.start(job), time.monotonic() + rng.uniform(0.05, 1.2)) for job in jobs[first : first + 5]]
        for process, at in sorted(batch, key=lambda one: one[1]):
            time.sleep(max(0.0, at - time.monotonic()))
            process.kill()
            process.wait()
        place.wait(lambda: not place.ask("SELECT 1 FROM run WHERE outcome = 'running'"), f"nothing runs any more, seed {seed}")
    on_record = sorted(place.outcomes())
    assert len(on_record) >= 25 and set(place.outcomes().values()) == {"lost"}, f"OFFDUTY_SEED={seed}"
    place.wait(lambda: place.alerts("lost") == on_record, f"an alert each; OFFDUTY_SEED={seed}")
    time.sleep(5 * TICK)
    assert place.alerts("lost") == on_record, f"OFFDUTY_SEED={seed}"


def test_a_killed_run_is_noticed_within_a_tick(place):
    """F07: the watcher needs no silence to be sure: the kernel says that the process is gone."""
    place.configure(SLEEPER.format(job="forecast", seconds=60))
    place.watch()
    begun(place, "forecast").kill()
    killed = time.monotonic()
    place.wait(lambda: place.outcomes()["forecast"] == "lost", "lost")
    assert time.monotonic() - killed < 5 * TICK + 1.0


def test_a_run_of_another_boot_is_lost_at_the_first_look(place):
    """F08, F17: its process id is somebody's, even its own, but the machine went down in between."""
    place.configure(SLEEPER.format(job="forecast", seconds=60))
    code = "import offduty.clock as clock; clock.boot_id = lambda: 'the boot before'; from offduty.__main__ import main; main()"
    place.offduty.popen([sys.executable, "-c", code, "run", "forecast"])
    place.wait(lambda: place.offduty.records(), "a record")
    place.once()
    assert place.outcomes() == {"forecast": "lost"}


def test_another_process_with_the_same_number_is_not_taken_for_it(place):
    """F17: the number and the start time name a process together."""
    me = look(os.getpid())
    place.configure(SLEEPER.format(job="forecast", seconds=60))
    spool = str(place.offduty.state / "spool")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    for job, started in (("alive", me.started), ("reused", me.started - 1)):
        run = a_run(job, "running", host=os.uname().nodename, boot_id=boot, pid=os.getpid(), pid_started=started)
        Spool(spool, run["id"]).append("started", run, durable=False)
    place.once()
    assert place.outcomes() == {"alive": "running", "reused": "lost"}


def test_a_stopped_supervisor_is_not_lost(place):
    """F22: SIGSTOP for many ticks, then CONT: nothing is told, and its real end is what counts."""
    place.configure(SLEEPER.format(job="forecast", seconds=1))
    place.watch()
    process = begun(place, "forecast")
    process.send_signal(signal.SIGSTOP)
    time.sleep(10 * TICK)
    assert place.outcomes() == {"forecast": "running"}
    process.send_signal(signal.SIGCONT)
    assert process.wait(30) == 0
    place.wait(lambda: place.outcomes() == {"forecast": "succeeded"}, "its end")
    assert place.alerts("lost") == []


def race(folder, tries):
    """So many processes that write their end and are gone at once, while somebody looks as fast as it can; what they were called."""
    spool, boot, host = f"{folder}/spool", Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.uname().nodename
    store = open_store(f"{folder}/offduty.sqlite3")
    database = store.open()
    database.execute("PRAGMA synchronous = OFF")  # a thousand fsyncs are not what is tried here
    lost: list[str] = []
    for first in range(0, tries, AT_ONCE):
        children = {_forked(spool, host, boot, number) for number in range(first, min(first + AT_ONCE, tries))}
        while children:
            children -= {child for child in children if os.waitpid(child, os.WNOHANG) != (0, 0)}
            lost += replay(spool, store, alive=supervisor_alive, clock=Clock()).lost
    outcomes = {run["outcome"] for run in store.runs(limit=tries)}
    counted = len(store.runs(limit=tries + 1))
    store.close()
    return lost, outcomes, counted


def _forked(spool, host, boot, number):
    """A supervisor at its end."""
    if (child := os.fork()) == 0:
        try:
            _one_run(spool, host, boot, number)
        finally:
            os._exit(0)
    return child


def _one_run(spool, host, boot, number):
    """What a supervisor does last: start on record, end on record, gone."""
    pid = os.getpid()
    run = a_run("x", "running", host=host, boot_id=boot, pid=pid, pid_started=look(pid).started, id=new_id(1_795_413_600.0 + number))
    run["root_id"] = run["id"]
    file = Spool(spool, run["id"])
    file.append("started", run, durable=False)
    if number % 3:
        time.sleep(number % 7 / 2000)
    file.append("ended", a_run("x", id=run["id"], root_id=run["id"], started_at=run["started_at"]), durable=False)


def test_a_run_that_finished_is_never_called_lost(tmp_path):
    """F63, INV-4: a thousand ends, each right before the process is gone, and somebody who looks all the time."""
    assert race(tmp_path, 1000) == ([], {"succeeded"}, 1000)


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_a_run_that_finished_is_never_called_lost_ten_thousand_times(tmp_path):
    """F63, INV-4: as above."""
    assert race(tmp_path, 10_000) == ([], {"succeeded"}, 10_000)


# What did not happen

NEVER = '[job.never]\ncommand = ["true"]\nevery = "2 s"\nstart_grace = "1 s"\nowner = "ds"\n'


def test_a_job_that_never_starts_is_missed_from_any_scheduler(place):
    """F52, INV-9: `watch --once`, as cron would call it: the first has it watched, the next find it missing, one incident in all."""
    place.configure(NEVER)
    assert place.once()["missed"] == []
    time.sleep(3.5)
    assert {missed["job"] for missed in place.once()["missed"]} == {"never"}
    assert place.alerts("missed") == ["never"]
    assert [json.loads(request.body)["data"]["event"] for request in place.receiver.requests] == ["missed"]


def test_two_services_on_one_store_tell_once(place):
    """F46, F52, INV-9: both see every slot; one alert arrives. A third of the same name is turned away."""
    place.configure(NEVER)
    both = [place.watch("--name", name) for name in ("one", "two")]
    place.wait(lambda: place.receiver.requests, "an alert")
    time.sleep(2.5)
    assert len(place.receiver.requests) == 1
    slots = [line.split()[-1] for process in both for line in process.said.read_text().splitlines() if " missed " in line]
    assert len(slots) == len(set(slots)) >= 1
    third = place.offduty.started_with(place.command("watch", "--name", "one"))
    assert third.code != 0 and b"E902" in third.err


def test_a_watcher_that_is_told_to_stop_finishes_what_it_sends(place):
    """F45: SIGTERM in the midst of a message: it arrives, once, and the watcher is gone within an attempt and 2 s."""
    place.configure(NEVER)

    def slowly(request):
        time.sleep(2)
        return reply(200)(request)

    place.receiver.answer = slowly
    process = place.watch()
    place.wait(lambda: place.receiver.requests, "a message on its way")
    process.terminate()
    assert process.wait(15 + 2) == 0
    assert (len(place.receiver.requests), place.ask("SELECT state FROM outbox")) == (1, [("delivered",)])


def test_a_configuration_that_is_edited_counts_and_a_broken_one_does_not(place):
    """B2: a new job is watched, the broken file is said once and the old one stays, a job that left is watched no more."""
    place.configure('[job.a]\ncommand = ["true"]\nevery = "1 h"\n')
    process = place.watch()
    watched = lambda: [job for (job,) in place.ask("SELECT job FROM watched ORDER BY job")]  # noqa: E731
    place.configure('[job.a]\ncommand = ["true"]\nevery = "1 h"\n[job.b]\ncommand = ["true"]\nevery = "1 h"\n')
    place.wait(lambda: watched() == ["a", "b"], "b is watched")
    place.config.write_text("[job.a\n")
    place.wait(lambda: b"the old one stays" in process.said.read_bytes(), "said")
    time.sleep(5 * TICK)
    assert process.said.read_bytes().count(b"the old one stays") == 1 and watched() == ["a", "b"]
    place.configure('[job.b]\ncommand = ["true"]\nevery = "1 h"\n')
    place.wait(lambda: watched() == ["b"], "a is not watched")


def test_a_job_that_is_broken_does_not_stop_the_others_nor_its_own_watch(place):
    """F64: said, and what it had promised before still holds."""
    job = '[job.a]\ncommand = ["true"]\nevery = "1 h"\n[job.b]\ncommand = ["true"]\nevery = "{every}"\n'
    place.configure(job.format(every="1 h"))
    place.once()
    place.configure(job.format(every="0 h"))
    assert any(problem.startswith("b is not watched") for problem in place.once()["problems"])
    assert place.ask("SELECT job FROM watched ORDER BY job") == [("a",), ("b",)]


def locked(place):
    """The store, held by somebody for as long as this is open."""
    database = sqlite3.connect(place.offduty.state / "offduty.sqlite3", isolation_level=None, timeout=30)
    database.execute("BEGIN IMMEDIATE")
    return database


@pytest.mark.timeout(90)
def test_a_store_that_is_locked_is_said_once_stops_the_heartbeat_and_is_looked_at_again(place):
    """F62, F66, INV-14: nothing is called while the store takes no writes; afterwards the watcher goes on by itself."""
    place.configure(f'{NEVER}[watch]\nheartbeat = "{place.receiver.url}/heart"\nheartbeat_every = "1 s"\nheartbeat_allow = ["127.0.0.1"]\n')
    process = place.watch()
    beats = lambda: sum(request.path == "/heart" for request in place.receiver.requests)  # noqa: E731
    place.wait(lambda: beats() >= 2, "heartbeats")
    holder = locked(place)
    place.offduty.wait_for(lambda: b"cannot look" in process.said.read_bytes(), "said", 30)
    before = beats()
    time.sleep(3)
    assert (beats(), process.said.read_bytes().count(b"cannot look")) == (before, 1)
    holder.close()
    place.offduty.wait_for(lambda: beats() > before and b"looking again" in process.said.read_bytes(), "it goes on", 30)


def test_an_alert_that_cannot_be_delivered_stops_the_heartbeat(place):
    """F37, INV-14: if nobody can be told for a quarter of an hour, the outside service has to."""
    heart = f'[watch]\nheartbeat = "{place.receiver.url}/heart"\nheartbeat_every = "1 s"\nheartbeat_allow = ["127.0.0.1"]\n'
    place.configure(f'[job.daily]\ncommand = ["true"]\nevery = "1 d"\n{heart}')
    place.once()
    store = open_store(str(place.offduty.state / "offduty.sqlite3"))
    now = Clock().wall()
    store.alerts.add([Owed("0" * 32, "chain", "x", "failed", "gone", at=now - 1000, not_before=now + 500, within=900, attempts=9)])
    before = len(place.receiver.requests)
    place.once()
    assert (before, len(place.receiver.requests)) == (1, 1)
    assert store.alerts.drop("0" * 32, "test", now)
    store.close()
    place.once()
    assert [request.path for request in place.receiver.requests] == ["/heart", "/heart"]


# systemd


def test_systemd_is_told_that_it_is_ready_lives_and_stops(place):
    """F62: sd_notify to a real socket."""
    place.configure(NEVER)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(place.offduty.home / "notify"))
        system.settimeout(NOTICED)
        process = place.watch(env={"NOTIFY_SOCKET": str(place.offduty.home / "notify")})
        heard = [system.recv(100) for _ in range(4)]
        process.terminate()
        while heard[-1] != b"STOPPING=1":
            heard.append(system.recv(100))
    assert heard[:4] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    assert process.wait(20) == 0


class Systemd:
    """What systemd does with a `Type=notify` service: hears it, aborts it when it says nothing for `WatchdogSec`, and starts it again."""

    def __init__(self, place, watchdog):
        self.place, self.watchdog = place, watchdog
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(place.offduty.home / "notify"))
        self.socket.settimeout(0.1)
        self.aborted = []
        self.start()

    def start(self):
        """As the unit says, but for the scale of its times."""
        env = {"NOTIFY_SOCKET": str(self.place.offduty.home / "notify"), "WATCHDOG_USEC": str(int(self.watchdog * 1e6))}
        words = self.place.command("watch")
        self.process = self.place.offduty.popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.alive_at, self.ready = time.monotonic(), False

    def serve(self, done, patience=60.0):
        """Keep it running until `done()`."""
        until = time.monotonic() + patience
        while not done():
            assert time.monotonic() < until, "systemd waited in vain"
            try:
                heard = self.socket.recv(100)
            except TimeoutError:
                heard = b""
            self.ready = self.ready or heard == b"READY=1"
            self.alive_at = time.monotonic() if heard else self.alive_at
            if self.process.poll() is not None or (self.ready and time.monotonic() - self.alive_at > self.watchdog):
                self.restart()

    def restart(self):
        """SIGABRT, and SIGCONT for what is stopped; SIGKILL if that does not help."""
        for number in (signal.SIGABRT, signal.SIGCONT):
            self.process.send_signal(number)
        try:
            self.aborted.append(self.process.wait(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.aborted.append(self.process.wait(5))
        self.start()


@pytest.mark.timeout(180)
def test_a_watcher_that_hangs_is_started_again_by_systemd(place):
    """F62: stopped in its tracks, it says nothing, is aborted, and its successor tells once what was missed meanwhile."""
    place.configure('[job.never]\ncommand = ["true"]\nevery = "4 s"\nstart_grace = "1 s"\nowner = "ds"\n[watch]\ntick = "5 min"\n')
    system = Systemd(place, watchdog=10.0)
    try:
        system.serve(lambda: system.ready)
        system.process.send_signal(signal.SIGSTOP)
        system.serve(lambda: system.aborted and system.ready)
        system.serve(lambda: place.receiver.requests)
        assert system.aborted[0] == -signal.SIGABRT and place.alerts("missed") == ["never"]
    finally:
        system.process.kill()
        system.socket.close()


@pytest.mark.timeout(180)
def test_a_watcher_that_cannot_write_is_started_again_by_systemd(place):
    """F62, F66: somebody holds the store: it does not say that it lives; once the store is free, one of its successors goes on."""
    place.configure(NEVER)
    system = Systemd(place, watchdog=10.0)
    try:
        system.serve(lambda: system.ready)
        holder = locked(place)
        system.serve(lambda: system.aborted)
        holder.close()
        system.serve(lambda: system.ready and place.alerts("missed"))
        assert system.aborted[0] == -signal.SIGABRT and place.alerts("missed") == ["never"]
    finally:
        system.process.kill()
        system.socket.close()


def test_the_unit_is_one_that_systemd_takes(place):
    """`offduty watch --unit` as systemd reads it."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    place.configure(NEVER)
    unit = place.offduty.home / "offduty-watch.service"
    unit.write_bytes(place.offduty.started_with(place.command("watch", "--unit")).out)
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "offduty-watch" in line]) == (0, [])


# Looking at the watcher


def test_status_says_what_is_late_and_what_never_ran(place):
    """The job was set up, and nothing starts it: seen at a glance, and told in words of its own."""
    place.configure('[job.never]\ncommand = ["true"]\nevery = "2 s"\nstart_grace = "1 s"\n[job.by-hand]\ncommand = ["true"]\n')
    place.once()
    time.sleep(2.5)
    status = json.loads(place.offduty.started_with(place.command("status", "--json")).out)
    late = {job["job"]: (job["late_s"], job["last"]) for job in status["jobs"]}
    assert late["by-hand"] == (None, None) and late["never"][0] > 0 and late["never"][1] is None


def test_a_job_that_never_ran_at_all_is_told_as_such(place):
    """Its first slot is over: the message says that it never ran, and asks whether it was installed."""
    place.configure(NEVER)
    place.once()
    time.sleep(3.5)
    place.once()
    [request] = place.receiver.requests
    assert b"never ran at all" in request.body and b"schedule install never" in request.body


def test_doctor_says_when_a_watcher_looked_and_how_its_heartbeat_fares(place):
    """INV-14: who watches, since when nobody does, and whether the outside service hears of it."""
    place.configure(NEVER)
    assert "none: nobody notices" in doctor(place)["watchers"]["value"]
    place.configure(f'{NEVER}[watch]\nheartbeat = "{place.receiver.url}/heart"\nheartbeat_allow = ["127.0.0.1"]\n')
    place.once()
    me = f"{os.uname().nodename}/watch"
    assert doctor(place)[me]["care"] == "" and doctor(place)[f"{me} heartbeat"]["value"].startswith("got through")
    with sqlite3.connect(place.offduty.state / "offduty.sqlite3") as database:
        database.execute("UPDATE watcher SET tick_at = tick_at - 5000")
    database.close()
    assert doctor(place)[me]["care"] == "it has fallen silent"


def doctor(place):
    """What `offduty doctor` says of watchers, by what it is about."""
    facts = json.loads(place.offduty.started_with(place.command("doctor", "--json")).out)["facts"]
    return {fact["what"]: fact for fact in facts if fact["part"] == "watch"}


# Too little of everything


@pytest.mark.timeout(90)
def test_nothing_is_lost_while_the_machine_is_short_of_time(place):
    """F65, scaled: the watcher and 20 runs share the processor with loops that leave them little; nothing is called lost or missed."""
    jobs = [f"job-{number}" for number in range(20)]
    place.configure("".join(f'[job.{job}]\ncommand = ["sleep", "1"]\nevery = "30 s"\nstart_grace = "20 s"\n' for job in jobs))
    hogs = [place.offduty.popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(6)]
    place.offduty.popen(["nice", "-n", "15", *place.command("watch", "--tick", f"{TICK}s")], stdout=subprocess.DEVNULL)
    runs = [place.offduty.start(job) for job in jobs]
    assert {run.wait(60) for run in runs} == {0}
    for hog in hogs:
        hog.kill()
    place.once("--name", "second")
    place.offduty.wait_for(lambda: list(place.outcomes().values()) == ["succeeded"] * 20, "all of them", 30)
    assert (place.alerts("lost"), place.alerts("missed")) == ([], [])
