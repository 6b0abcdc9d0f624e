"""The log file: every byte is in it or counted, whatever the disk answers, and it never holds half a line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from offduty.clock import Clock
from offduty.runs.logfile import CUT, ERR, OUT, OWN, LogFile, column
from offduty.runs.logread import job_bytes

LINES = [b"line %04d %s\n" % (n, b"x" * (n % 90)) for n in range(100)]


def open_log(folder, *, max_size=1 << 30, write=os.write):
    """A log in `folder`."""
    return LogFile([str(folder)], "x.log", Clock(), max_size=max_size, write=write)


def content(log):
    """The lines of the file, parsed by hand: (mark, flag, text)."""
    data = Path(log.path).read_bytes()
    assert data == b"" or data.endswith(b"\n")
    return [(line[13:14], line[14:15], line[15:]) for line in data.splitlines()]


def test_a_column_is_fifteen_bytes():
    """Time, mark, flag."""
    assert column(0.25, OUT) == b"00:00:00.250 | "
    assert len(column(1e9, ERR, CUT)) == 15


def test_lines_and_pieces(tmp_path):
    """A newline is the job's, unless the flag says that it is ours."""
    log = open_log(tmp_path)
    log.own("head\nmore")
    log.lines(OUT, b"one\n\ntwo\n")
    log.piece(ERR, b"half")
    assert content(log) == [
        (OWN, b" ", b"head"),
        (OWN, b" ", b"more"),
        (OUT, b" ", b"one"),
        (OUT, b" ", b""),
        (OUT, b" ", b"two"),
        (ERR, CUT, b"half"),
    ]


class Disk:
    """A `write` that goes wrong at its `at`-th call, and works otherwise."""

    def __init__(self, at, fault):
        self.calls, self.at, self.fault = 0, at, fault

    def __call__(self, fd, data):
        self.calls += 1
        if self.calls != self.at:
            return os.write(fd, data)
        if self.fault == "short":
            return os.write(fd, data[: len(data) // 2])
        if self.fault == "torn":
            os.write(fd, data[: len(data) // 2])
            self.calls, self.at, self.fault = 0, 1, errno.ENOSPC
            return len(data) // 2
        raise OSError(self.fault, os.strerror(self.fault))


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EINTR, errno.EDQUOT, "short", "torn"])
def test_a_fault_at_any_write(tmp_path, fault):
    """F33: at each of 100 places, one at a time: what is missing is counted and flagged in the file, to the byte, and nothing else is."""
    for at in range(1, 101):
        log = open_log(tmp_path / str(at), write=Disk(at, fault))
        for line in LINES:
            log.lines(OUT, line)
        log.own("the end")
        lines = content(log)
        stored = {text for mark, _, text in lines if mark == OUT}
        missing = [line for line in LINES if line[:-1] not in stored]
        assert log.lost == sum(map(len, missing))
        assert [text for mark, _, text in lines if mark == OUT] == [line[:-1] for line in LINES if line not in missing]
        assert len(missing) == (0 if fault in (errno.EINTR, "short") else 1)
        gaps = [text for mark, _, text in lines if mark == OWN and b"missing here" in text]
        assert [int(text.split()[0]) for text in gaps] == [len(line) for line in missing]
        assert bool(log.trouble) == bool(missing)
        log.close()


def test_a_disk_that_stays_full(tmp_path):
    """F29: everything is counted, and the end is kept in memory for those who tell of it."""
    log = open_log(tmp_path, write=lambda fd, data: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    for line in LINES * 100:
        log.lines(OUT, line)
    assert log.lost == sum(map(len, LINES)) * 100
    assert content(log) == []
    assert bytes(log.last_words).endswith(LINES[-1])
    assert 256 * 1024 <= len(log.last_words) <= 512 * 1024


def test_room_that_is_made_is_used(tmp_path):
    """F29: who owns the reserve is asked once, and the line is written then."""
    asked = []
    log = open_log(tmp_path, write=Disk(1, errno.ENOSPC))
    log.make_room = lambda: asked.append(1) is None
    log.lines(OUT, b"line\n")
    assert (log.lost, asked, content(log)) == (0, [1], [(OUT, b" ", b"line")])


def fill(log, count=4000):
    """Numbered lines of 20 bytes."""
    lines = [b"%019d\n" % n for n in range(count)]
    for line in lines:
        log.lines(OUT, line)
    return b"".join(lines)


@pytest.mark.parametrize("max_size", [2_000, 10_000, 50_000, 139_999, 140_000, 1_000_000])
def test_head_and_tail_are_kept(tmp_path, max_size):
    """F25: within the size, with the count of what is missing between; all of it where it fits."""
    log = open_log(tmp_path, max_size=max_size)
    written = fill(log)
    log.join()
    log.own("== summary ==")
    kept = b"".join(job_bytes([Path(log.path).read_bytes()]))
    assert len(kept) + log.dropped == len(written)
    assert os.path.getsize(log.path) <= max_size + 200
    assert os.listdir(tmp_path) == ["x.log"]
    assert (kept == written) == (max_size >= 140_000)
    assert written.startswith(kept[:20]) and written.endswith(kept[-20:])
    markers = [text for mark, _, text in content(log) if mark == OWN]
    assert markers[:-1] == (
        [b"%d bytes of output are not kept here: the log has reached its greatest size" % log.dropped] if log.dropped else []
    )
    assert markers[-1] == b"== summary =="


def test_a_disk_that_is_full_when_the_tail_comes_back(tmp_path):
    """F29, F25: what is on the disk stays there, in its segment; the summary follows it, and no byte is lost."""
    full = []

    def write(fd, data):
        if full and len(data) > 5000:
            raise OSError(errno.ENOSPC, "full")
        return os.write(fd, data)

    log = open_log(tmp_path, max_size=150_000, write=write)
    written = fill(log, 4500)
    full.append(True)
    log.join()
    log.own("== summary ==")
    names = sorted(os.listdir(tmp_path), key=lambda name: (len(name), name))
    assert len(names) > 1
    data = [(tmp_path / name).read_bytes() for name in names]
    assert all(part.endswith(b"\n") for part in data)
    kept = b"".join(job_bytes(data))
    assert (len(kept) + log.dropped, log.lost) == (len(written), 0)
    assert data[-1].endswith(b"== summary ==\n")


def test_a_segment_that_cannot_be_opened_is_counted(tmp_path):
    """F25, F29: no descriptor, no folder: those lines are lost, and later ones are not."""
    log = open_log(tmp_path, max_size=10_000)
    (tmp_path / "x.log.1").mkdir()
    written = fill(log, 500)
    (tmp_path / "x.log.1").rmdir()
    more = fill(log, 10)
    log.join()
    kept = b"".join(job_bytes([Path(log.path).read_bytes()]))
    assert len(kept) + log.lost + log.dropped == len(written) + len(more)
    assert log.lost and kept.endswith(more)


def test_a_tail_somebody_removed_is_counted(tmp_path):
    """F31: its bytes are lost, and said to be."""
    log = open_log(tmp_path, max_size=150_000)
    written = fill(log, 4500)
    os.unlink(tmp_path / "x.log.2")
    log.join()
    kept = b"".join(job_bytes([Path(log.path).read_bytes()]))
    assert len(kept) + log.lost + log.dropped == len(written)
    assert log.lost


def test_moving_takes_the_whole_log_along(tmp_path):
    """F31: head and tail, though their folder is gone; older segments that went with it are counted."""
    log = open_log(tmp_path / "a", max_size=150_000)
    written = fill(log, 4500)
    for name in os.listdir(tmp_path / "a"):
        os.unlink(tmp_path / "a" / name)
    os.rmdir(tmp_path / "a")
    assert log.is_gone()
    log.move_to_first([str(tmp_path / "a" / "\0".replace("\0", "a" * 300)), str(tmp_path / "b")])
    assert not log.is_gone()
    more = fill(log, 3)
    log.join()
    kept = b"".join(job_bytes([(tmp_path / "b" / "x.log").read_bytes()]))
    assert len(kept) + log.lost + log.dropped == len(written) + len(more)
    assert kept.endswith(more)


def test_no_folder_at_all(tmp_path, monkeypatch):
    """F31: nothing is raised, everything is counted, and no file appears anywhere else."""
    monkeypatch.chdir(tmp_path)
    log = LogFile(["/dev/null/x", "/proc/nowhere"], "x.log", Clock(), max_size=100)
    written = fill(log, 50)
    log.join()
    log.own("x")
    log.close()
    assert (log.path, log.lost) == ("", len(written))
    assert os.listdir(tmp_path) == []


def test_the_second_folder_takes_it(tmp_path):
    """F31: and why the first one did not is remembered."""
    log = LogFile(["/dev/null/x", str(tmp_path / "b")], "x.log", Clock(), max_size=1 << 20)
    assert log.path == str(tmp_path / "b" / "x.log")
    assert "ENOTDIR" in log.trouble


def test_a_folder_that_is_a_link_is_not_taken(tmp_path):
    """F31, T22: nor a file that is there already."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert LogFile([str(tmp_path / "link")], "x.log", Clock(), max_size=1).path == ""
    (tmp_path / "real" / "x.log").symlink_to(tmp_path / "elsewhere")
    assert LogFile([str(tmp_path / "real")], "x.log", Clock(), max_size=1).path == ""
    assert not (tmp_path / "elsewhere").exists()
