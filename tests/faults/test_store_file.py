"""F67, F69, F70, T23, B9: a store's file in every state it should not be in."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import tempfile

import pytest

from offduty.errors import NotThere, OffdutyError, StoreError
from offduty.stores import migrations
from offduty.stores.record import checked
from offduty.stores.sqlite import SQL, open_store
from offduty.testing import MONDAY, FakeClock, a_run

ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def path(tmp_path):
    """Where the store is, or should be."""
    return str(tmp_path / "state" / "offduty.sqlite3")


@pytest.fixture
def full(path):
    """A closed store with 40 runs; the path of its file."""
    store = open_store(path)
    for n in range(40):
        store.put_run(a_run("ab"[n % 2], at=MONDAY + n, id=f"01932f6c-0000-7000-8000-{n:012x}"))
    store.close()
    return path


def refused(path, **options):
    """The one line with which opening ends."""
    with pytest.raises(StoreError) as caught:
        open_store(path, clock=FakeClock(), **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def write(path, content):
    """A file for its owner alone."""
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)


def in_child(work):
    """`work()` in a forked child: its exit status, 0 if it returned."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_missing_store_is_made(path):
    """F67: the first use makes folder and file, and there is nothing to note."""
    store = open_store(path)
    assert (store.runs(), store.notes()) == ([], [])
    assert sorted(os.listdir(os.path.dirname(path))) == [
        "offduty.sqlite3",
        "offduty.sqlite3-shm",
        "offduty.sqlite3-wal",
        "offduty.sqlite3.lock",
    ]


@pytest.mark.parametrize("content", [b"", b"\0", b"not a database at all\n" * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_garbage_is_set_aside_and_said(path, content):
    """F67: an empty or foreign file is never taken for an empty store; it is renamed, and every later opening says so."""
    os.makedirs(os.path.dirname(path))
    write(path, content)
    aside = f"{path}.corrupt-2026-11-23T06-00-00Z"
    for _ in range(2):
        store = open_store(path, clock=FakeClock())
        assert store.notes() == [f"a damaged store was set aside as {aside}; a new one was begun"]
        store.put_run(a_run())
        store.close()
    with open(aside, "rb") as file:
        assert file.read() == content


def test_two_damaged_stores_of_one_second_are_both_kept(path):
    """F67: setting aside never overwrites what was set aside before."""
    for content in (b"one", b"two"):
        open_store(path, clock=FakeClock()).close()
        with open(path, "wb") as file:
            file.write(content)
    aside = open_store(path, clock=FakeClock()).notes()
    assert [note.split()[7] for note in aside] == [f"{path}.corrupt-2026-11-23T06-00-00Z;", f"{path}.corrupt-2026-11-23T06-00-00Z.2;"]


def test_a_store_cut_at_any_length_is_set_aside(full):
    """F67, B9: however much is left of a file, a cut is noticed on opening, and no run is made up."""
    with open(full, "rb") as file:
        whole = file.read()
    for length in (*range(0, len(whole), 499), len(whole) - 1):
        folder = tempfile.mkdtemp(dir=os.path.dirname(full))
        write(f"{folder}/cut", whole[:length])
        store = open_store(f"{folder}/cut")
        assert (store.runs(), len(store.notes())) == ([], 1), length
        store.close()


def test_any_flipped_bit_ends_in_an_answer_or_an_error(full):
    """B9: 1 000 random bits: never anything but checked records or one line, and the store can be used afterwards."""
    chance = random.Random(1)
    with open(full, "rb") as file:
        whole = file.read()
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)  # in memory: 1 000 databases take their time on a disk
    for _ in range(1000):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        write(f"{folder}/flipped", flipped)
        asked = ask_everything(f"{folder}/flipped")
        assert set(asked) <= {"fine", "E501", "E600", "E602", "E605", "E609", "E611", "E612", "E613"}, asked
        assert len(asked) == 1 or asked[-1] == "fine"
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
    os.rmdir(folder)


def ask_everything(path):
    """What happens to each kind of question: `fine`, or an error's code."""
    questions = (
        lambda store: [checked(run) for run in store.runs()],
        lambda store: [checked(job["last"]) for job in store.last_runs()],
        lambda store: store.run(f"{7:012x}"),
        lambda store: store.put_run(a_run()),
        lambda store: store.notes(),
    )
    try:
        store = open_store(path)
    except OffdutyError as error:
        return [error.code]
    codes = [code_of(question, store) for question in questions]
    store.close()
    return codes


def code_of(question, store):
    """`fine` or the error's code."""
    try:
        question(store)
    except OffdutyError as error:
        return error.code
    return "fine"


def test_damage_found_at_work_is_set_aside_at_once(full):
    """F67: pages that go bad under an open store end in one error; the next question is answered by a new store, which says why."""
    store = open_store(full, clock=FakeClock())
    with open(full, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)
    with pytest.raises(StoreError, match=r"^E609 .* is damaged: .database disk image is malformed.; it is now .*; run") as caught:
        store.runs()
    assert "\n" not in str(caught.value)
    assert (store.put_run(a_run()), len(store.runs()), len(store.notes())) == ("added", 1, 1)


def test_a_damaged_store_in_use_is_not_taken_from_its_user(full):
    """F67: while another process has the damaged file open it stays: what that one writes would go aside with it."""
    asking, answered = os.pipe(), os.pipe()

    def hold():
        os.close(asking[1])  # so that the end of the test ends the wait, however it ends
        open_store(full)
        os.write(answered[1], b"open")
        os.read(asking[0], 1)

    pid = os.fork()
    if pid == 0:
        hold()
        os._exit(0)
    os.read(answered[0], 4)
    with open(full, "r+b") as file:
        file.write(b"\xff" * 4096)
    line = refused(full)
    os.write(asking[1], b"x")
    os.waitpid(pid, 0)
    assert line.startswith(f"E609 {full}: the store is damaged: and cannot be set aside while another process has it open")
    assert len(open_store(full).notes()) == 1


def test_the_wal_of_a_store_that_is_gone_is_not_played_into_a_new_one(path):
    """F67: a database deleted by hand leaves its WAL; what is in there is kept aside and does not come back as damage."""
    store = open_store(path)
    store.put_run(a_run())
    shutil.copy(f"{path}-wal", f"{path}.copy")
    store.close()
    os.unlink(path)
    os.rename(f"{path}.copy", f"{path}-wal")
    fresh = open_store(path, clock=FakeClock())
    assert fresh.runs() == []
    assert os.path.getsize(f"{path}.corrupt-2026-11-23T06-00-00Z-wal") > 0


NEXT = migrations.newest(f"{SQL}/migrations") + 1


def later_sql(folder, sql="ALTER TABLE run ADD COLUMN mood TEXT;"):
    """A folder like ours with one migration more."""
    shutil.copytree(SQL, folder)
    with open(f"{folder}/migrations/{NEXT:04}_mood.sql", "w") as file:
        file.write(sql)
    return str(folder)


def test_an_older_store_is_migrated_with_its_runs(full, tmp_path):
    """F67: what an older offduty wrote is brought up to date and all there."""
    store = open_store(full, sql=later_sql(tmp_path / "later"))
    assert len(store.runs()) == 40
    assert store.open().execute("PRAGMA user_version").fetchone() == (NEXT,)


def test_a_newer_store_is_refused(full, tmp_path):
    """F67: an older offduty does not touch what a newer one wrote."""
    open_store(full, sql=later_sql(tmp_path / "later")).close()
    assert (
        refused(full)
        == f"E605 {full}: the store was written by a newer offduty: its schema is {NEXT}, this offduty knows {NEXT - 1}; upgrade offduty"
    )


def test_a_process_of_the_version_before_goes_on_working(full, tmp_path):
    """F76: a column that a newer offduty adds does not trouble one that has the store open."""
    old = open_store(full)
    open_store(full, sql=later_sql(tmp_path / "later")).close()
    run = a_run(outcome="running")
    assert [old.put_run(run), old.put_run(a_run(id=run["id"])), len(old.runs())] == ["added", "ended", 41]


def test_a_directory_a_link_and_a_pipe_are_refused(path, tmp_path, full):
    """F67, B9, T22: what is no plain file of our own is not opened, and not renamed either."""
    other = str(tmp_path / "other")
    os.mkdir(other)
    os.symlink(full, f"{other}/link")
    os.mkfifo(f"{other}/pipe")
    os.link(full, f"{other}/hard")
    expected = {other: "it is a directory", f"{other}/link": "it is a symbolic link", f"{other}/pipe": "it is not a plain file"}
    for name, why in (expected | {f"{other}/hard": "it has a second name (hard link)"}).items():
        assert refused(name) == f"E602 {name}: the store is not a file of our own: {why}; move it away"


def test_a_linked_wal_is_refused(full, tmp_path):
    """T22: SQLite would write through a symbolic link beside the database."""
    os.symlink(tmp_path / "elsewhere", f"{full}-wal")
    assert refused(full) == f"E602 {full}-wal: the store is not a file of our own: it is a symbolic link; move it away"


def test_a_folder_that_is_a_file_is_said(tmp_path):
    """F67: the state folder itself may be in the way."""
    (tmp_path / "state").write_text("")
    assert refused(f"{tmp_path}/state/offduty.sqlite3").startswith("E601 ")


def test_another_programs_database_is_left_alone(path):
    """F67: a database that is not offduty's is neither used nor set aside."""
    os.makedirs(os.path.dirname(path))
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert refused(path) == f"E613 {path}: the store is a database of another program; move it away"


def test_a_migration_that_was_another_one_is_said(full, tmp_path):
    """F76: a schema whose history differs from ours is not built upon."""
    with sqlite3.connect(full) as connection:
        connection.execute("UPDATE migration SET checksum = 'x'")
    connection.close()
    line = refused(full, sql=later_sql(tmp_path / "later"))
    assert line.startswith("E612 the schema of the store is not offduty's: its migration 1 is not 0001_runs.sql as we know it")


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_read_only_store_is_said(what):
    """F67: E606, as a user for whom modes count."""
    folder = tempfile.mkdtemp()
    path = f"{folder}/offduty.sqlite3"
    open_store(path).close()
    for name in (path, folder, f"{path}.lock") if ROOT else ():
        os.chown(name, NOBODY, NOBODY)
    os.chmod(path if what == "file" else folder, 0o500)

    def as_user():
        if ROOT:
            os.setuid(NOBODY)
        where = path if what == "file" else folder
        assert refused(path) == f"E606 {where}: the store cannot be written: it is read-only; make file and folder writable for this user"

    status = in_child(as_user)
    os.chmod(folder, 0o700)
    shutil.rmtree(folder)
    assert status == 0


@pytest.mark.skipif(not ROOT, reason="giving a file to another user needs root")
def test_a_store_of_another_user_is_refused():
    """B9: what another user may have written is not trusted, even if it could be opened."""
    folder = tempfile.mkdtemp()
    path = f"{folder}/offduty.sqlite3"
    open_store(path).close()
    os.chmod(path, 0o666)
    os.chmod(folder, 0o777)

    def as_user():
        os.setuid(NOBODY)
        assert refused(path) == f"E602 {path}: the store is not a file of our own: it belongs to another user; move it away"

    status = in_child(as_user)
    shutil.rmtree(folder)
    assert status == 0


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_only_the_owner_can_read_what_the_store_writes(tmp_path, mask):
    """T23: 0600 for the database, -wal, -shm and lock, 0700 for the folder, whatever the umask."""
    folder = tmp_path / "state"

    def work():
        os.umask(mask)
        open_store(str(folder / "offduty.sqlite3")).put_run(a_run())
        names = os.listdir(folder)
        assert {stat.S_IMODE(os.stat(folder / name).st_mode) for name in names} == {0o600}
        assert len(names) == 4

    assert in_child(work) == 0
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_a_store_that_others_could_read_is_repaired_and_said(full):
    """T23: a mode that is too wide, from a copy or a backup, is narrowed on opening."""
    os.chmod(full, 0o644)
    store = open_store(full)
    assert store.notes() == [f"{full} could be read by other users (mode 0644); now only by its owner"]
    assert stat.S_IMODE(os.stat(full).st_mode) == 0o600


def test_an_old_sqlite_is_said(path, monkeypatch):
    """Before 3.37 there are no STRICT tables: E603 rather than a syntax error."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    assert refused(path).startswith("E603 SQLite ")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse"])
def test_a_network_file_system_is_refused(path, kind):
    """F69: WAL needs shared memory, which no network has; nothing is made there."""
    line = refused(path, filesystem=lambda _: kind)
    assert line.startswith(
        f"E604 {path}: the store is on a network file system: {kind} cannot hold a database safely; choose a local folder"
    )
    assert not os.path.exists(path)


def test_a_network_file_system_that_is_allowed_gets_no_wal(full):
    """F69: allowed by the user, the WAL is turned off, also of a store that had one; and it is noted."""
    store = open_store(full, filesystem=lambda _: "nfs4", allow_network_fs=True)
    assert store.open().execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert (store.put_run(a_run()), len(store.runs())) == ("added", 41)
    assert store.notes() == ["the store is on a network file system: slower, and only as safe as the locks there"]


def test_a_forked_child_opens_its_own_connection(path):
    """F70: parent and child both write after a fork, the parent is gone first, and nothing is lost or damaged."""
    store = open_store(path)
    parents, childs = store.open(), a_run()

    def child():
        assert store.put_run(childs) == "added"
        assert store.open() is not parents

    store.put_run(a_run())
    assert in_child(child) == 0
    store.put_run(a_run())
    assert len(store.runs()) == 3
    assert store.open().execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_forked_child_that_outlives_its_parents_connection_harms_nobody(path):
    """F70: a child ends in the ordinary way, after the parent has closed and another has begun anew; SQLite's own clean-up stays away."""
    first = open_store(path)
    first.put_run(a_run())
    go, pid = os.pipe(), os.fork()
    if pid == 0:
        os.read(go[0], 1)
        first.close()
        del first
        os._exit(0)
    first.close()
    second = open_store(path)
    runs = [a_run() for _ in range(20)]
    for run in runs:
        second.put_run(run)
    os.write(go[1], b"x")
    os.waitpid(pid, 0)
    third = open_store(path)
    assert len(third.runs()) == 21
    second.close()
    assert third.open().execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_store_moved_away_under_us_is_noticed(path):
    """A restore or `rm` replaces the file: nothing is acknowledged that went into the old one, and the next use opens the new one."""
    store = open_store(path)
    store.put_run(a_run())
    os.rename(path, f"{path}.old")
    os.unlink(f"{path}-wal")
    os.unlink(f"{path}-shm")
    assert store.runs() == []
    assert store.put_run(a_run()) == "added"
    assert len(open_store(path).runs()) == 1


def test_letting_go_of_a_moved_store_spares_the_new_one(path):
    """The name of the moved file's WAL belongs to the new one by now: it is still there, and so is what it holds."""
    old = open_store(path)
    old.put_run(a_run())
    os.rename(path, f"{path}.old")
    os.unlink(f"{path}-wal")
    os.unlink(f"{path}-shm")
    new, run = open_store(path), a_run()
    new.put_run(run)
    assert old.runs() == [run]
    assert os.path.getsize(f"{path}-wal") > 0


def test_a_commit_into_a_file_that_was_moved_is_not_acknowledged(path):
    """The move comes in the middle of the transaction: E610, and the caller keeps its spool file."""
    store = open_store(path)
    store.open().create_function("move_it", 0, lambda: os.rename(path, f"{path}.old"))
    with pytest.raises(StoreError, match=r"^E610 "):
        store._write(lambda db: db.execute("SELECT move_it()").fetchone())


def test_a_row_that_went_bad_is_left_out_and_named(full):
    """B9, INV-13: the other 39 runs are still there, the bad one is counted, and asking for it says what it is."""
    with sqlite3.connect(full) as connection:
        connection.execute("UPDATE run SET summary = '{' WHERE id LIKE '%7'")
    connection.close()
    store = open_store(full)
    assert len(store.runs()) == 37
    assert store.notes()[0] == "the record of run 01932f6c-0000-7000-8000-000000000007 is damaged and left out"
    with pytest.raises(StoreError, match=r"^E611 01932f6c-0000-7000-8000-000000000007: the record of this run is damaged"):
        store.run("000000000007")
    with pytest.raises(NotThere):
        store.run("beef")


def test_an_acknowledged_commit_is_on_disk(path):
    """F68: a power cut takes what is only in memory, so SQLite syncs at every commit, and checks references."""
    db = open_store(path).open()
    asked = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")]
    assert asked == ["wal", 2, 1, 0]
