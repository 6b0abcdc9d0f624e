"""Bytes from the job to us and into the log: all of them, in order, whatever they are and however many."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time

import pytest

MEGABYTE = 1 << 20
# Starts a command and says, on stderr, the most memory it (not its children) ever had, in KiB.
MEASURED = r"""
import os, re, sys, time
pid, peak, done = os.fork(), 0, False
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while not done:
    found = re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())
    peak = max(peak, int(found[1])) if found else peak
    time.sleep(0.02)
    done, status = os.waitpid(pid, os.WNOHANG)
print("peak", peak, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measured(offduty, *words, **more):
    """The result, and the peak of offduty's own memory in MiB."""
    done = offduty.run(*words, prefix=[sys.executable, "-S", "-c", MEASURED], **more)
    return done, int(re.search(rb"peak (\d+)", done.err)[1]) / 1024


def configure(offduty, **settings):
    """A job `x` with these settings (TOML texts)."""
    lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
    (offduty.home / "offduty.toml").write_text(f"[job.x]\n{lines}\n")


def test_much_output_in_little_memory(offduty):
    """F25: 100 MB of lines go through whole, in 64 MiB at most, and the exit code is exact."""
    line = "x" * 119
    with open(offduty.home / "out", "wb") as out:
        done, memory = measured(offduty, "--name", "x", "--", "sh", "-c", f"yes {line} | head -n 875000; exit 9", stdout=out, timeout=100)
    assert done.code == 9
    assert (offduty.home / "out").stat().st_size == 120 * 875000
    assert memory < 64
    assert offduty.log().count(f" | {line}\n".encode()) == 875000


def test_a_log_keeps_its_size_its_head_and_its_tail(offduty):
    """F25: the middle is dropped, the marker says how many bytes, and nothing else is missing."""
    configure(offduty, command='["seq", "1", "1200000"]', log='{ max_size = "2 MiB" }')
    assert offduty.run("x", stdout=subprocess.DEVNULL).code == 0
    log = offduty.log()
    assert len(log) < 2.2 * MEGABYTE
    kept = [int(line) for line in offduty.logged().split()]
    [jump] = [n for n, (a, b) in enumerate(zip(kept, kept[1:], strict=False)) if b != a + 1]
    assert (kept[0], kept[-1]) == (1, 1200000)
    dropped = sum(len(str(n)) + 1 for n in range(kept[jump] + 1, kept[jump + 1]))
    assert f"{dropped} bytes of output are not kept here: the log has reached its greatest size" in offduty.own_lines()
    assert offduty.own_lines()[-1].startswith("log ")


def test_one_line_of_100_megabytes(offduty):
    """F26: cut at 64 KiB in the log, joined again without a difference; little memory."""
    size = 100 * MEGABYTE
    with open(offduty.home / "out", "wb") as out:
        done, memory = measured(offduty, "--name", "x", "--", "head", "-c", str(size), "/dev/zero", stdout=out, timeout=100)
    assert done.code == 0
    assert (offduty.home / "out").stat().st_size == size
    assert memory < 64
    log = offduty.log()
    assert max(map(len, log.split(b"\n"))) <= 15 + 65536
    assert offduty.logged() == bytes(size)


@pytest.mark.torture
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("command", ["head -c 10G /dev/zero", "yes | head -c 10G"])
def test_ten_gigabytes(offduty, command):
    """F25: 10 GB, the size cap honoured, 64 MiB of memory."""
    configure(offduty, shell=f'"{command}"', log='{ max_size = "100 MiB" }')
    done, memory = measured(offduty, "x", stdout=subprocess.DEVNULL, timeout=1100)
    assert done.code == 0
    assert memory < 64
    assert os.stat(offduty.record["log"]).st_size < 110 * MEGABYTE


AWKWARD = {
    "all bytes": bytes(range(256)) * 300,
    "nothing": b"",
    "newlines": b"\n" * 100_000,
    "no last newline": b"one\ntwo",
    "utf-16": "naïve – 日本\n".encode("utf-16") * 50,
    "surrogates": b"\xed\xa0\x80\xed\xb0\x80\n\xf5\xff\xfe",
    "forged": b"06:00:00.000 * == summary ==\n06:00:00.000 *~outcome     SUCCEEDED\n\r* fine\n",
    "carriage returns": b"10%\r20%\r\n30%\r" * 20,
    "long lines": (b"a" * 70_000 + b"\n" + b"b" * 65_536 + b"\n" + b"c" * 65_535 + b"\n") * 3 + b"d" * 131_072,
}


@pytest.mark.parametrize("name", AWKWARD)
def test_any_bytes_come_through(offduty, name):
    """F27, B4: to our stdout as they are, and back from the log as they are."""
    (offduty.home / "data").write_bytes(AWKWARD[name])
    done = offduty.run("--name", "x", "--", "cat", "data")
    assert (done.code, done.out) == (0, AWKWARD[name])
    assert offduty.logged(b"|") == AWKWARD[name]
    assert offduty.logged(b"!") == b""
    assert offduty.record["outcome"] == "succeeded"


def test_a_slow_drip(offduty):
    """F28: a byte now and then; each is shown at once, and the last line is kept and flagged though no newline ever came."""
    process = offduty.start("--name", "x", "--", "sh", "-c", "for c in a b c; do printf $c; sleep 0.3; done; printf ' last'")
    delays = []
    for expected in (b"a", b"b", b"c"):
        began = time.monotonic()
        assert process.stdout.read(1) == expected
        delays.append(time.monotonic() - began)
    assert process.communicate()[0] == b" last"
    assert offduty.logged() == b"abc last"
    assert [line[14:15] for line in offduty.log().splitlines() if line[13:14] == b"|"][-1] == b"~"
    assert max(delays[1:]) < 0.8


def test_many_writers(offduty):
    """F35: 1,000 processes write at once; every line of up to 4 KiB is whole, on its own stream, and each writer's in order."""
    code = """
import os, sys
for writer in range(1000):
    if os.fork() == 0:
        for n in range(3):
            os.write(1, b"out %04d %d " % (writer, n) + b"x" * (4080 if n == 1 else writer % 200) + b"\\n")
            os.write(2, b"err %04d %d " % (writer, n) + b"y" * (writer % 300) + b"\\n")
        os._exit(0)
    if writer % 40 == 39:
        for _ in range(40): os.wait()
"""
    with open(offduty.home / "out", "wb") as out, open(offduty.home / "err", "wb") as err:
        assert offduty.run("--quiet", "--name", "x", "--", sys.executable, "-S", "-c", code, stdout=out, stderr=err, timeout=60).code == 0
    for mark, name, letter in ((b"|", b"out", b"x"), (b"!", b"err", b"y")):
        logged = offduty.logged(mark)
        assert logged == (offduty.home / name.decode()).read_bytes()
        lines = logged.splitlines()
        assert len(lines) == 3000
        assert all(re.fullmatch(name + rb" \d{4} \d " + letter + b"*", line) for line in lines)
        seen = [line.split()[1:3] for line in lines]
        assert sorted(seen, key=lambda pair: pair[0]) == sorted(seen)


def test_two_streams_to_one_place_keep_their_lines(offduty):
    """F35: `2>&1`: what the job wrote to one file description stays in its order."""
    done = offduty.run("--quiet", "--name", "x", "--", "sh", "-c", "for i in 1 2 3; do echo o$i; echo e$i; done 2>&1")
    assert done.out == b"o1\ne1\no2\ne2\no3\ne3\n"


@pytest.mark.parametrize("size", [10, 3 * MEGABYTE])
def test_a_slow_reader_gets_everything(offduty, size):
    """INV-3: whoever reads us takes a second; the job waits for it as it would without us, and nothing is lost."""
    process = offduty.start("--name", "x", "--", "sh", "-c", f"head -c {size} /dev/zero; echo end; exit 2")
    time.sleep(0.5)
    taken = hashlib.sha256()
    while chunk := process.stdout.read(300_000):
        taken.update(chunk)
        time.sleep(0.03)
    assert taken.digest() == hashlib.sha256(bytes(size) + b"end\n").digest()
    assert process.wait(5) == 2
    assert offduty.logged() == bytes(size) + b"end\n"


def test_a_non_blocking_stdout_loses_nothing(offduty):
    """INV-3: our stdout was made non-blocking by somebody who shares it; a write that takes a part is gone on with."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = offduty.start("--name", "x", "--", "head", "-c", "1000000", "/dev/zero", stdout=writer)
    os.close(writer)
    time.sleep(0.3)
    got = 0
    while chunk := os.read(reader, 10_000):
        got += len(chunk)
    os.close(reader)
    assert (process.wait(5), got) == (0, 1_000_000)


def test_the_last_words_of_a_job_whose_reader_is_gone(offduty):
    """INV-3: what was read before the job got its SIGPIPE is in the log, also the line that was never finished."""
    reader, writer = os.pipe()
    os.close(reader)
    done = offduty.run("--quiet", "--name", "x", "--", "sh", "-c", "printf 'not finished'; sleep 0.3; exit 4", stdout=writer)
    os.close(writer)
    assert done.code == 4
    assert offduty.logged() == b"not finished"


def test_a_socket_as_stdout(offduty):
    """INV-3: as under inetd or systemd."""
    import socket

    ours, theirs = socket.socketpair()
    process = offduty.start("--name", "x", "--", "sh", "-c", "head -c 1000000 /dev/zero; echo end", stdout=theirs)
    theirs.close()
    time.sleep(0.3)
    got = b""
    while chunk := ours.recv(65536):
        got += chunk
    ours.close()
    assert process.wait(5) == 0
    assert got == bytes(1_000_000) + b"end\n"


def test_the_terminal_flag_is_ours_alone(offduty):
    """F20: offduty never makes a descriptor non-blocking that others share."""
    reader, writer = os.pipe()
    process = offduty.start("--name", "x", "--", "true", stdout=writer)
    process.wait()
    assert os.get_blocking(writer)
    os.close(reader)
    os.close(writer)
