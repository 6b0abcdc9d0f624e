"""A shell job in an enclosure tries to change what is outside; nothing of it comes about, for root as for anybody else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from offduty.drills.enclosure import main; sys.exit(main(sys.argv[1:]))"
NOBODY = 65534
WRITES = {
    "a new file": "echo x > new && test $(cat new) = x",
    "more in a file": "echo more >> kept && test $(wc -l < kept) = 2",
    "a file removed": "rm kept && test ! -e kept",
    "a file renamed": "mv kept moved && test -e moved",
    "rights": "chmod 600 kept",
    "a folder removed": "rm -r folder && mkdir folder && touch folder/other",
    "a link": "ln -s kept link && ln kept hard",
    "a hidden write": "(trap '' HUP; echo x > late) & wait",
    "the temporary folder": "echo x > /tmp/enclosed-$$ && test -s /tmp/enclosed-$$",
    "a time": "touch -d 2001-01-01 kept",
}
HELD = {
    "a process outside": "kill -KILL $OUTSIDE",
    "a mount": "mount -t tmpfs none /mnt || umount /proc",
    "a setting of the kernel": "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness",
    "a device": "head -c 1 /dev/sda || head -c 1 /dev/vda || mknod d b 254 0 && head -c 1 d",
    "a socket of a service": "$PYTHON -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"service\")'",
    "a service on this machine": '$PYTHON -c \'import os, socket; socket.create_connection(("127.0.0.1", os.environ["PORT"]), 5)\'',
    "a name": "hostname changed",
}


def pythons():
    """(user, python): ourselves; and, where we are root, somebody who is not."""
    found = [(None, sys.executable)]
    other = "/usr/bin/python3"
    if os.geteuid() == 0 and os.access(other, os.X_OK):
        new = subprocess.run([other, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False).returncode == 0
        found += [(NOBODY, other)] if new else []
    return found


@pytest.fixture(params=pythons(), ids=lambda found: "ourselves" if found[0] is None else "nobody")
def enclosed(request):
    """Runs a line of shell in an enclosure, in a folder `outside` with a file `kept`: (status, output, notes)."""
    user, python = request.param
    base = Path(tempfile.mkdtemp(prefix="enclosed-"))
    outside, scratch = base / "outside", base / "scratch"
    for folder in (outside, outside / "folder", scratch, scratch / "tmp"):
        folder.mkdir()
    (outside / "kept").write_text("kept\n")
    (outside / "folder" / "in").write_text("in\n")
    service = socket.socket(socket.AF_UNIX)
    service.bind(f"{outside}/service")
    service.listen()
    port = socket.create_server(("127.0.0.1", 0))
    if user is not None:
        for path in (base, *base.rglob("*")):
            os.chown(path, user, user)

    def start(line, **spec):
        (scratch / "enclosure.json").write_text(json.dumps({"scratch": str(scratch), "folders": [str(outside)], **spec}))
        os.chmod(scratch / "enclosure.json", 0o644)
        env = {
            "PATH": os.environ["PATH"],
            "OUTSIDE": str(os.getpid()),
            "PORT": str(port.getsockname()[1]),
            "TMPDIR": f"{scratch}/tmp",
            "PYTHON": python,
        }
        command = [python, "-c", RUN, str(SRC), f"{scratch}/enclosure.json", "sh", "-c", line]
        who = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
        return subprocess.Popen(command, cwd=outside, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **who)

    def run(line, **spec):
        with start(line, **spec) as process:
            said = process.communicate(timeout=90)[0]
        if "cannot be made safe" in said:
            pytest.skip(f"the kernel gives no namespaces here: {said}")
        notes = (scratch / "notes.jsonl").read_text().splitlines() if (scratch / "notes.jsonl").exists() else []
        return process.returncode, said, [json.loads(one) for one in notes]

    run.outside, run.python, run.start = outside, python, start
    yield run
    service.close()
    port.close()
    shutil.rmtree(base, ignore_errors=True)


def unchanged(run):
    """What was outside before is all that is there, as it was."""
    names = sorted(path.name for path in run.outside.iterdir())
    same = (run.outside / "kept").read_text() == "kept\n" and (run.outside / "folder" / "in").exists()
    return names == ["folder", "kept", "service"] and same and (run.outside / "kept").stat().st_mode & 0o777 != 0o600


@pytest.mark.parametrize("how", WRITES)
def test_what_is_written_is_so_for_the_job_alone(enclosed, how):
    """The job finds it as it left it; outside nothing has happened (B: shell job)."""
    status, said, _ = enclosed(WRITES[how])
    assert status == 0, said
    assert unchanged(enclosed) and not list(Path("/tmp").glob("enclosed-[0-9]"))


@pytest.mark.parametrize("how", HELD)
def test_what_is_not_of_files_is_held_back_too(enclosed, how):
    """Processes, devices, settings, services: they are not there, or may not be changed."""
    status, said, _ = enclosed(f"({HELD[how]}) && exit 3; exit 4")
    assert status == 4, said
    assert unchanged(enclosed) and socket.gethostname() != "changed"


def test_it_ends_as_the_job_ends(enclosed):
    """Its exit status; its signal; 127 and 126 for what cannot be run."""
    assert enclosed("exit 7")[0] == 7
    assert enclosed("kill -TERM $$")[0] == -signal.SIGTERM
    assert enclosed("exec ./kept")[0] == 126


def test_what_it_leaves_behind_goes_with_it(enclosed):
    """A daemon in a session of its own does not outlive the enclosure."""
    mark = f"{40_000 + os.getpid()}"
    assert enclosed(f"setsid sleep {mark} > /dev/null 2>&1 & exit 0")[0] == 0
    assert not runs(mark)


def test_what_was_read_written_and_removed_is_told(enclosed):
    """By path, each once; what was only looked at is not."""
    told = {
        (one["did"], Path(one["target"]).name)
        for one in enclosed("cat kept; ls folder; echo x > new; rm folder/in")[2]
        if one["did"] != "peak"
    }
    assert told == {("read", "kept"), ("redirected", "new"), ("left out", "in")}


def test_what_the_user_allows_is_written(enclosed):
    """There, and nowhere else."""
    status, said, _ = enclosed("echo x > folder/new; echo y > other", allow=[f"{enclosed.outside}/folder/*"])
    assert status == 0, said
    assert (enclosed.outside / "folder" / "new").read_text() == "x\n" and not (enclosed.outside / "other").exists()


@pytest.mark.parametrize("fault, line", [
    ("missing", "test ! -e kept"), ("empty", "test ! -s kept"), ("torn", "test $(wc -c < kept) -lt 5"),
    ("denied", "! cat kept"), ("stale", "test -z $(find kept -mtime -300)"),
    ("disk-full", "! /bin/echo x > new; ! cp kept two && ! cp kept $TMPDIR/x"),
    ("memory", "! head -c 40000000 /dev/zero | sort"),
])  # fmt: skip
def test_a_fault_is_brought_about_in_there_alone(enclosed, fault, line):
    """The file, the disk, the memory: broken for the job, told, and as it was outside (F: missing, empty, torn, stale, ENOSPC, ENOMEM)."""
    op = "file.write" if fault == "disk-full" else "file.read"
    status, said, notes = enclosed(f"{line} && exit 9", fault=fault, op=op, path=f"{enclosed.outside}/kept")
    assert (status, [one["did"] for one in notes if one["why"]]) == (9, ["struck"]), said
    assert unchanged(enclosed)


@pytest.mark.parametrize("fault", ["missing", "empty", "denied", "stale"])
@pytest.mark.parametrize("read", ["folder/in", "link"])
def test_what_the_user_allows_is_not_spoilt(enclosed, fault, read):
    """Where the job writes for real there is no layer: a fault would strike the user's own file, so it is said to be not possible."""
    real = enclosed.outside / "folder" / "in"
    (enclosed.outside / "link").symlink_to("folder/in")
    before = real.stat()
    spec = {"fault": fault, "op": "file.read", "path": f"{enclosed.outside}/{read}", "allow": [f"{enclosed.outside}/folder/*"]}
    status, said, notes = enclosed(f"cat {read}", **spec)
    assert (status, said) == (0, "in\n") and [one["did"] for one in notes if one["why"]] == ["unable"]
    assert real.read_text() == "in\n" and (real.stat().st_mode, real.stat().st_mtime) == (before.st_mode, before.st_mtime)


def test_a_socket_anywhere_is_silent(enclosed):
    """What this machine's processes have bound is nothing in there, wherever it lies; what the user allows is still one."""
    assert enclosed("test -S service && exit 3; exit 4")[0] == 4
    assert enclosed("test -S service && exit 3; exit 4", allow=[f"{enclosed.outside}/service"])[0] == 3


OLD_KERNEL = """
import ctypes, os, struct, sys
sys.path.insert(0, sys.argv[1])
from offduty.drills import kernel
kernel.unshare(kernel.NEW_USERS | kernel.NEW_MOUNTS)
code = b"".join(struct.pack("HBBI", *one) for one in ((0x20, 0, 0, 0), (0x15, 0, 1, 442), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
held = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(held))
kernel._call("rights", "prctl", 38, 1, 0, 0, 0)
kernel._call("filter", "prctl", 22, 2, program)
try:
    kernel.bind("real", "shown", writable=False)
except OSError as error:
    print(type(error).__name__, "read-only" in str(error))
print(open("shown").read())
"""


def test_what_cannot_be_shown_for_reading_only_is_not_shown(tmp_path):
    """A kernel or a container that refuses mount_setattr leaves no writable door to the real file behind, nor to its rights."""
    (tmp_path / "real").write_text("real")
    (tmp_path / "shown").write_text("a stand-in")
    done = subprocess.run([sys.executable, "-c", OLD_KERNEL, str(SRC)], cwd=tmp_path, capture_output=True, text=True, check=False)
    if "namespaces" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.split("\n")[:2] == ["OSError True", "a stand-in"], done.stderr


@pytest.mark.parametrize("fault", ["column-gone", "column-retyped"])
def test_a_column_of_a_file_of_text_is_struck(enclosed, fault):
    """The one that is named; the others are as they were."""
    table = enclosed.outside / "kept"
    table.write_text("day;units;price\n1;2;3\n")
    said = enclosed("cat kept", fault=fault, op="file.read", path=str(table), column="units")[1]
    assert said.split() == (["day;price", "1;3"] if fault == "column-gone" else ["day;units;price", "1;n/a;3"])


@pytest.mark.parametrize("fault, number", [("sigkill", signal.SIGKILL), ("oom", signal.SIGKILL), ("sigterm", signal.SIGTERM)])
def test_a_kill_is_a_kill(enclosed, fault, number):
    """Everything in there gets the signal, and it ends by it."""
    assert enclosed("sleep 60; exit 0", fault=fault)[0] == -number


def runs(mark):
    """Whether a process with this in its arguments is there."""
    return mark in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_killed_from_outside_it_leaves_nothing_that_runs(enclosed):
    """The outermost process is killed in the middle: the whole enclosure goes (F: SIGKILL in the middle of a drill)."""
    mark = f"{50_000 + os.getpid()}"
    with enclosed.start(f"setsid sleep {mark} & echo begun; sleep {mark}") as process:
        first = process.stdout.readline()
        if "cannot be made safe" in first:
            pytest.skip(first)
        assert first == "begun\n" and runs(mark)
        process.kill()
    until = time.monotonic() + 40
    while runs(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert not runs(mark)
