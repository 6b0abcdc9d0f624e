"""B9, F07, F08, F17, INV-4: the spool is taken in exactly once, whatever lies in it, whoever takes it in, whenever they die."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import sys
from binascii import crc32

import pytest

from offduty.clock import Clock, boot_id
from offduty.errors import StoreError
from offduty.runs.alive import supervisor_alive
from offduty.runs.spool import Spool
from offduty.stores import replay as replaying
from offduty.stores.memory import MemoryStore
from offduty.stores.replay import parse, replay, take
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, FakeClock, a_run

ROOT = os.geteuid() == 0


def line(kind, run):
    """A line of a spool file, written here by hand from the document."""
    body = json.dumps({"kind": kind, "run": run}, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(body), body)


def write(spool, run, *lines, name=None):
    """A spool file of `run` that nobody has touched for an hour."""
    spool.mkdir(exist_ok=True)
    file = spool / f"{name or run['id']}.spool"
    file.write_bytes(b"".join(lines))
    os.utime(file, (MONDAY - 3600, MONDAY - 3600))
    return file


def taken(spool, store, *, alive=False):
    """What came of a replay in which every supervisor is alive, or gone, or not to be judged."""
    done = replay(str(spool), store, alive=lambda run: alive, clock=FakeClock())
    return done.taken, done.damaged, len(done.lost)


@pytest.fixture
def spool(tmp_path):
    """Where the spool is, or will be."""
    return tmp_path / "spool"


@pytest.fixture
def store(tmp_path):
    """The real store."""
    store = open_store(str(tmp_path / "offduty.sqlite3"))
    yield store
    store.close()


def pair(**fields):
    """The two records of one run."""
    started = a_run(outcome="running", **fields)
    return started, a_run(outcome="failed", id=started["id"], **fields)


def test_what_the_run_command_writes_is_taken_in_once(spool, store):
    """The writing side and the reading side agree, and the file is gone after the first time."""
    started, ended = pair()
    for kind, run in (("started", started), ("ended", ended)):
        Spool(str(spool), run["id"]).append(kind, run, durable=False)
    assert [taken(spool, store), taken(spool, store)] == [(1, 0, 0), (0, 0, 0)]
    assert (store.runs(), os.listdir(spool)) == ([ended], [])


def test_no_spool_is_an_empty_spool(spool, store):
    """Before the first run there is no folder."""
    assert taken(spool, store) == (0, 0, 0)


def test_a_run_appears_while_it_runs_and_its_file_stays(spool, store):
    """`status` shows a run at once; its end will be appended to the same file."""
    started, ended = pair()
    file = write(spool, started, line("started", started))
    assert [taken(spool, store, alive=True), taken(spool, store, alive=True)] == [(1, 0, 0), (0, 0, 0)]
    assert store.runs() == [started]
    with file.open("ab") as end:
        end.write(line("ended", ended))
    assert taken(spool, store, alive=True) == (1, 0, 0)
    assert (store.runs(), os.listdir(spool)) == ([ended], [])


def test_a_run_whose_supervisor_is_gone_is_lost(spool, store):
    """F07, F08: the run is lost, its end lies between two times that are named, and its file is gone."""
    started, _ = pair(at=MONDAY - 60)
    write(spool, started, line("started", started))
    assert taken(spool, store) == (1, 0, 1)
    run = store.run(started["id"])
    assert (run["outcome"], run["ended_at"], run["duration_s"], run["exit_code"]) == ("lost", "2026-11-23T06:00:00.000Z", None, None)
    assert run["summary"]["notes"][0].startswith("it ended between 2026-11-23T05:59:00.000Z and 2026-11-23T06:00:00.000Z")
    assert run["summary"]["failure"]["kind"] == "lost"
    assert os.listdir(spool) == []


def test_a_row_whose_supervisor_is_gone_is_lost(spool, store):
    """F08: also when the spool file is long taken in; once."""
    started, _ = pair()
    store.put_run(started)
    assert [taken(spool, store, alive=None), taken(spool, store), taken(spool, store)] == [(0, 0, 0), (0, 0, 1), (0, 0, 0)]
    assert store.run(started["id"])["outcome"] == "lost"


def test_last_words_that_come_while_we_look_are_heard(spool, store):
    """A supervisor that writes its end and dies between our reading and our looking is not taken for lost."""
    started, ended = pair()
    file = write(spool, started, line("started", started))

    def dies_now(run):
        if file.exists():
            file.write_bytes(line("started", started) + line("ended", ended))
        return False

    done = replay(str(spool), store, alive=dies_now, clock=FakeClock())
    assert (done.taken, done.lost, store.runs()) == (1, [], [ended])


def test_last_words_that_come_after_the_spool_was_read_are_heard(spool, store):
    """The same for a row: before it is called lost, its spool file is looked for again."""
    started, ended = pair()
    store.put_run(started)

    def dies_now(run):
        write(spool, started, line("ended", ended))
        return False

    spool.mkdir()
    done = replay(str(spool), store, alive=dies_now, clock=FakeClock())
    assert (done.taken, done.lost, store.runs()) == (1, [], [ended])


def test_a_real_end_after_lost_is_recovered(spool, store):
    """INV-4, F22: a supervisor that was only stopped ends its run after all."""
    started, ended = pair()
    write(spool, started, line("started", started))
    taken(spool, store)
    write(spool, started, line("ended", ended))
    assert taken(spool, store) == (1, 0, 0)
    assert store.runs() == [ended]


def test_a_file_cut_at_any_length_is_never_trusted_beyond_its_checksums(spool):
    """B9: of a file cut anywhere: the end if its line is whole, lost if only the start is, else nothing; damaged ones are kept aside."""
    started, ended = pair()
    whole = line("started", started) + line("ended", ended)
    first = len(line("started", started))
    for length in range(len(whole) + 1):
        store = MemoryStore()
        write(spool, started, whole[:length])
        _, damaged, _ = taken(spool, store)
        outcomes = [run["outcome"] for run in store.runs()]
        expected = [] if length < first - 1 else ["lost"] if length < len(whole) - 1 else ["failed"]
        assert (length, outcomes) == (length, expected)
        assert damaged == (length not in (first - 1, first, len(whole) - 1, len(whole)))
        assert [name for name in os.listdir(spool) if name != "damaged"] == []


def test_a_flipped_bit_never_makes_up_a_record(spool):
    """B9: 1 000 random single bits: what comes out is what was written, or less."""
    chance = random.Random(1)
    started, ended = pair()
    whole = line("started", started) + line("ended", ended)
    for _ in range(1000):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        spooled = parse(bytes(flipped), started["id"])
        assert spooled.damaged
        assert spooled.started in (None, started)
        assert spooled.ended in (None, ended)
        assert (spooled.started, spooled.ended) != (None, None)


def test_a_line_behind_a_torn_one_counts(spool, store):
    """F29: the disk was full when the start was written and had space again at the end: the torn piece does not take the end with it."""
    started, ended = pair()
    write(spool, started, line("started", started)[:50], line("ended", ended))
    assert taken(spool, store) == (1, 1, 0)
    assert store.runs() == [ended]
    assert os.listdir(spool / "damaged") == [f"{started['id']}.spool"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"kind":"ended"}',
        b'{"kind":"ended","run":[]}',
        b'{"kind":"ended","run":{"id":1}}',
        b'{"kind":"ended","run":' + b"[" * 100_000,
        b'{"kind":1e400}',
        b'{"kind":"ended","run":{"pid":' + b"9" * 5000 + b"}}",
        b'{"kind":"\xff"}',
    ],
)
def test_a_line_with_the_right_checksum_is_still_not_believed(body):
    """B9: whoever can compute a CRC cannot make the reader fail."""
    spooled = parse(b"%08x %s\n" % (crc32(body), body), "x")
    assert (spooled.started, spooled.ended, spooled.damaged) == (None, None, 1)


def test_a_record_of_another_run_or_kind_is_damage(spool, store):
    """B9: a file speaks for the run it is named after, and an end is not a start."""
    started, ended = pair()
    other = a_run()
    write(spool, started, line("ended", other))
    write(spool, other, line("started", other), line("ended", started))
    write(spool, ended, line("ended", ended), name="..")
    assert taken(spool, store) == (0, 3, 0)
    assert store.runs() == []


def test_odd_files_are_quarantined_and_counted(spool, store, tmp_path):
    """B9, T22: a FIFO, links, a folder and a giant are moved aside without being opened, waited for or followed."""
    run = a_run()
    write(spool, run, line("ended", run))
    target = write(tmp_path, run, line("ended", run), name="elsewhere")
    os.mkfifo(spool / "fifo.spool")
    os.symlink(target, spool / "link.spool")
    linked = a_run()
    os.link(write(tmp_path, linked, line("ended", linked)), spool / f"{linked['id']}.spool")
    os.mkdir(spool / "folder.spool")
    with open(spool / "giant.spool", "wb") as giant:
        giant.truncate(replaying.LARGEST + 1)
    (spool / "notes.txt").write_text("not a spool file at all")
    assert [taken(spool, store), taken(spool, store)] == [(1, 5, 0), (0, 0, 0)]
    assert sorted(os.listdir(spool)) == ["damaged", "notes.txt"]
    assert len(os.listdir(spool / "damaged")) == 5
    assert stat.S_IMODE(os.stat(spool / "damaged").st_mode) == 0o700


@pytest.mark.skipif(not ROOT, reason="giving a file to another user needs root")
def test_a_file_of_another_user_is_quarantined(spool, store):
    """B9: what another user wrote is not believed; what the owner of the folder wrote is, for root looks after others' stores."""
    theirs, owners = a_run(), a_run()
    os.chown(write(spool, theirs, line("ended", theirs)), 1234, 1234)
    os.chown(write(spool, owners, line("ended", owners)), 4321, 4321)
    os.chown(spool, 4321, 4321)
    assert taken(spool, store) == (1, 1, 0)
    assert store.runs() == [owners]


def test_a_file_that_is_just_being_begun_is_left_alone(spool, store):
    """An empty file may be a run command between opening and writing; after a minute it is nobody's."""
    run = a_run()
    file = write(spool, run)
    os.utime(file, (MONDAY - 5, MONDAY - 5))
    assert taken(spool, store) == (0, 0, 0)
    os.utime(file, (MONDAY - 65, MONDAY - 65))
    assert taken(spool, store) == (0, 1, 0)


def test_evidence_does_not_pile_up(spool, store, monkeypatch):
    """INV-11: of damaged files the newest are kept, and none overwrites another of its name."""
    monkeypatch.setattr(replaying, "MOST_DAMAGED", 3)
    for n in range(5):
        write(spool, a_run(), b"junk", name=f"{n}")
        taken(spool, store)
    write(spool, a_run(), b"junk", name="4")
    taken(spool, store)
    assert sorted(os.listdir(spool / "damaged")) == ["3.spool", "4.spool", "4.spool.1"]


def test_a_spool_that_is_a_link_is_not_followed(spool, store, tmp_path):
    """T22: E614, and what is behind it is left alone."""
    (tmp_path / "elsewhere").mkdir()
    spool.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"^E614 .*spool: the spool cannot be taken in"):
        taken(spool, store)


def test_a_run_command_takes_in_its_own_file_only(spool, store):
    """INV-2: at the end of a run there is no time for the thousand files of others."""
    mine, others = a_run(), a_run()
    for run in (mine, others):
        write(spool, run, line("ended", run))
    assert take(str(spool), mine["id"], store, alive=lambda run: True, clock=FakeClock()).taken == 1
    assert (store.runs(), os.listdir(spool)) == ([mine], [f"{others['id']}.spool"])


class Dying(MemoryStore):
    """A store whose process dies at once after the commit."""

    def __init__(self, store):
        self.store = store

    def put_run(self, record, transactions=(), **parts):
        self.store.put_run(record, transactions, **parts)
        os.kill(os.getpid(), 9)


def test_killed_between_commit_and_deletion_the_file_is_taken_in_again_without_effect(spool, store):
    """Exactly once: the file stays, and the second time changes nothing but deletes it."""
    _, ended = pair()
    write(spool, ended, line("ended", ended))
    pid = os.fork()
    if pid == 0:
        try:
            taken(spool, Dying(store))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert (store.runs(), len(os.listdir(spool))) == ([ended], 1)
    assert taken(spool, store) == (0, 0, 0)
    assert (store.runs(), os.listdir(spool)) == ([ended], [])


def test_many_replayers_at_once_take_each_run_once(spool, tmp_path):
    """Four processes over one spool of ended, lost and damaged runs: together each counts once, and nothing is left."""
    for n in range(90):
        started, ended = pair()
        write(spool, started, *((line("started", started), line("ended", ended)), (line("started", started),), (b"junk",))[n % 3])
    reading, writing = os.pipe()
    path = str(tmp_path / "offduty.sqlite3")
    for _ in range(4):
        if os.fork() == 0:
            try:
                os.write(writing, b"%d %d %d\n" % taken(spool, open_store(path)))
            finally:
                os._exit(0)
    for _ in range(4):
        os.wait()
    os.close(writing)
    with open(reading) as file:
        counts = [sum(map(int, column)) for column in zip(*(row.split() for row in file), strict=True)]
    assert counts == [60, 30, 30]
    assert os.listdir(spool) == ["damaged"]
    assert len(open_store(path).runs(limit=1000)) == 60


def me(**fields):
    """A running record whose supervisor is this process."""
    with open("/proc/self/stat", "rb") as file:
        started = int(file.read().rpartition(b")")[2].split()[19])
    here = {"host": os.uname().nodename, "boot_id": boot_id(), "pid": os.getpid(), "pid_started": started}
    return a_run(outcome="running", **(here | fields))


def test_a_living_supervisor_is_alive():
    """The process with that pid, start and boot is the one."""
    assert supervisor_alive(me()) is True


@pytest.mark.parametrize("change", [{"pid_started": 1}, {"boot_id": "another"}, {"pid": 2**22 + 1}])
def test_another_process_with_the_pid_is_not_the_supervisor(change):
    """F08, F17: pid used again, machine restarted, process gone."""
    assert supervisor_alive(me(**change)) is False


def test_a_supervisor_elsewhere_is_not_judged():
    """INV-10: a run of another host is neither alive nor gone."""
    assert supervisor_alive(me(host="etl-3.example", pid_started=1)) is None


def test_a_zombie_supervises_nothing():
    """A supervisor that was killed and not yet reaped by its parent is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    with open(f"/proc/{child.pid}/stat", "rb") as file:
        started = int(file.read().rpartition(b")")[2].split()[19])
    assert supervisor_alive(me(pid=child.pid, pid_started=started)) is False
    child.wait()


def test_a_killed_supervisor_makes_its_run_lost(spool, store):
    """F07: the whole way, with a real process that is really killed."""
    child = subprocess.Popen(["sleep", "60"])
    with open(f"/proc/{child.pid}/stat", "rb") as file:
        started = int(file.read().rpartition(b")")[2].split()[19])
    run = me(pid=child.pid, pid_started=started)
    write(spool, run, line("started", run))
    replay(str(spool), store, alive=supervisor_alive, clock=Clock())
    before = store.run(run["id"])["outcome"]
    child.kill()
    child.wait()
    done = replay(str(spool), store, alive=supervisor_alive, clock=Clock())
    assert (before, done.lost, store.run(run["id"])["outcome"]) == ("running", [run["id"]], "lost")
