"""F66, F30: a store that somebody else has locked, or whose disk is full, costs a bounded wait and no run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from binascii import crc32

import pytest

from offduty.clock import Clock
from offduty.errors import StoreError
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store
from offduty.testing import FakeClock, a_run


@pytest.fixture
def path(tmp_path):
    """A store that exists and is closed."""
    path = str(tmp_path / "offduty.sqlite3")
    open_store(path).close()
    return path


@pytest.fixture
def locked(path):
    """Another process that holds the write lock until it is told to stop."""
    code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN EXCLUSIVE'); "
    code += "print('locked', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    yield holder
    holder.communicate(b"")


def spooled(folder, run):
    """`run` in a spool file, as the run command leaves it."""
    os.makedirs(folder, exist_ok=True)
    body = json.dumps({"kind": "ended", "run": run}, separators=(",", ":")).encode()
    with open(f"{folder}/{run['id']}.spool", "wb") as file:
        file.write(b"%08x %s\n" % (crc32(body), body))


def test_a_locked_store_is_given_up_after_the_callers_bound(path, locked, tmp_path):
    """F66: opening and replaying end within the bound with one line; the run stays in the spool, and is taken in once afterwards."""
    spool = str(tmp_path / "spool")
    spooled(spool, a_run())
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        replay(spool, open_store(path, timeout=0.3), alive=lambda run: True, clock=Clock())
    assert 0.3 <= time.monotonic() - began < 1
    assert str(caught.value) == f"E607 {path}: the store is locked by another process; try again later; runs wait in the spool meanwhile"
    locked.communicate(b"")
    store = open_store(path)
    assert [replay(spool, store, alive=lambda run: True, clock=Clock()).taken for _ in range(2)] == [1, 0]


def test_a_locked_store_can_still_be_read(path, locked):
    """F66: `status` works while somebody writes, and a record that says nothing new needs no lock."""
    assert open_store(path, timeout=0).runs() == []


def test_a_short_lock_is_waited_for(path, locked):
    """F66: the default is to wait, up to 5 s, and then to write."""
    store, began = open_store(path), time.monotonic()
    release = threading.Timer(0.3, locked.kill)
    release.start()
    assert store.put_run(a_run()) == "added"
    assert 0.2 < time.monotonic() - began < 4
    release.join()


def test_the_waits_are_jittered_and_counted_on_the_clock_given(path):
    """F66: waiting is done by the injected clock alone: 5 s in all, each wait different, none over 75 ms."""
    blocker = sqlite3.connect(path, isolation_level=None)
    clock = FakeClock()
    store = open_store(path, clock=clock)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"^E607"):
        store.put_run(a_run())
    blocker.close()
    assert sum(clock.slept) == pytest.approx(5)
    assert max(clock.slept) <= 0.075
    assert len({round(wait, 9) for wait in clock.slept}) == len(clock.slept)


FULL = """
    import os, sys
    from offduty.clock import Clock
    from offduty.errors import StoreError
    from offduty.stores.replay import replay
    from offduty.stores.sqlite import open_store
    from offduty.testing import a_run

    state, spool = sys.argv[1:]
    store = open_store(state + "/offduty.sqlite3")
    before = a_run()
    store.put_run(before)
    with open(state + "/filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
    codes = []
    for _ in range(2):
        try:
            replay(spool, store, alive=lambda run: True, clock=Clock())
        except StoreError as error:
            codes.append(str(error))
    print(codes)
    print(len(os.listdir(spool)), store.runs() == [before])
    os.unlink(state + "/filler")
    print([replay(spool, store, alive=lambda run: True, clock=Clock()).taken for _ in range(2)])
    print(len(os.listdir(spool)), len(store.runs()), store.open().execute("PRAGMA integrity_check").fetchone())
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="a file system of its own needs root and unshare")
def test_a_full_disk_keeps_runs_in_the_spool_until_there_is_space(tmp_path):
    """F30: a full file system of its own: the store refuses with one line, keeps what it had, and the spool is replayed once later."""
    state, spool = tmp_path / "state", tmp_path / "spool"
    state.mkdir()
    for _ in range(20):
        spooled(str(spool), a_run(command=["x" * 20000]))
    script = f'mount -t tmpfs -o size=2m none "{state}" && exec "{sys.executable}" -c "$0" "{state}" "{spool}"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, textwrap.dedent(FULL)], capture_output=True, text=True, timeout=60)
    line = f"E608 {state}/offduty.sqlite3: the store cannot be written: the disk is full; free some space; runs wait in the spool meanwhile"
    assert done.stderr == ""
    codes, waiting, taken, after = done.stdout.splitlines()
    assert codes == str([line, line])
    assert (waiting, taken, after) == ("20 True", "[20, 0]", "0 21 ('ok',)")
