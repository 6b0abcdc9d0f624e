"""From chunks of bytes to lines of the log, and to our own stdout, without losing or adding one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offduty.clock import Clock
from offduty.runs.logfile import ERR, LINE_LIMIT, OUT, LogFile
from offduty.runs.logread import job_bytes
from offduty.runs.output import Followed, Lines, Onward, last_states, pipe

PARTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\n", b"\r", b"\n\n", b"00:00:00.000 | x\n", b"\0", b"x" * LINE_LIMIT, b"y" * (LINE_LIMIT - 1), b"z" * (LINE_LIMIT + 1)]
    ),
)


def logged(log):
    """What came back: (stdout, stderr)."""
    data = Path(log.path).read_bytes()
    return b"".join(job_bytes([data], OUT)), b"".join(job_bytes([data], ERR))


def open_log(folder, max_size=1 << 30):
    """A log in `folder`."""
    return LogFile([str(folder)], "x.log", Clock(), max_size=max_size)


class Word:
    """A redactor that takes out one word, and holds back what may be its beginning."""

    def __init__(self, word):
        self.word = word

    def redact(self, chunk, *, final):
        clean = chunk.replace(self.word, b"***")
        keep = 0 if final else max((n for n in range(1, len(self.word)) if clean.endswith(self.word[:n])), default=0)
        return clean[: len(clean) - keep], clean[len(clean) - keep :]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(["out", "err", "flush", "own"]), PARTS), max_size=30))
@example([("out", b"x" * (LINE_LIMIT - 1)), ("out", b"\n" + b"y" * LINE_LIMIT + b"\nz")])
def test_both_streams_come_back_exactly(steps):
    """F27, INV-3: whatever is written to either, in whatever pieces, with silences and lines of ours between."""
    with tempfile.TemporaryDirectory() as folder:
        log = open_log(folder)
        streams = {"out": Lines(OUT, log), "err": Lines(ERR, log)}
        wrote = {"out": b"", "err": b""}
        for what, part in steps:
            if what == "own":
                log.own("a line of ours")
            elif what == "flush":
                streams["out"].flush()
            else:
                streams[what].feed(part)
                wrote[what] += part
        for lines in streams.values():
            lines.finish()
        assert logged(log) == (wrote["out"], wrote["err"])
        assert max(map(len, Path(log.path).read_bytes().split(b"\n"))) <= 15 + LINE_LIMIT
        log.close()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([b"secret", b"sec", b"ret", b"\n"])), max_size=40))
def test_a_redactor_sees_every_seam(parts):
    """T01: the word is gone, however it was cut up; everything else is there."""
    with tempfile.TemporaryDirectory() as folder:
        log = open_log(folder)
        lines = Lines(OUT, log)
        lines.redactor = Word(b"secret")
        for part in parts:
            lines.feed(part)
        lines.finish()
        assert logged(log)[0] == b"".join(parts).replace(b"secret", b"***")
        log.close()


def test_what_a_failing_redactor_held_is_counted(tmp_path):
    """INV-3: the caller counts the chunk; what was held before it must not vanish without a trace."""

    class Breaks(Word):
        def redact(self, chunk, *, final):
            if b"!" in chunk:
                raise RuntimeError
            return super().redact(chunk, final=final)

    log = open_log(tmp_path)
    lines = Lines(OUT, log)
    lines.redactor = Breaks(b"secret")
    lines.feed(b"fine\nsec")
    with pytest.raises(RuntimeError):
        lines.feed(b"!")
    lines.feed(b"more\n")
    lines.finish()
    assert logged(log)[0] == b"fine\nmore\n"
    assert log.lost == len(b"sec")


def test_the_beginning_of_a_line_comes_into_the_log_in_time(tmp_path):
    """F28: half a second after it came, also while more of the same line drips in."""
    log = open_log(tmp_path)
    lines = Lines(OUT, log)
    assert lines.flush_at is None
    lines.feed(b"a")
    first = lines.flush_at
    lines.feed(b"b")
    assert lines.flush_at == first
    lines.flush()
    assert (lines.flush_at, logged(log)[0]) == (None, b"ab")


@pytest.mark.parametrize(
    "shown, kept",
    [
        (b"a\r\n", b"a\n"),
        (b"1%\r2%\r\n", b"2%\n"),
        (b"\r1%\r2%\n", b"2%\n"),
        (b"plain\n", b"plain\n"),
        (b"\r\n", b"\n"),
        (b"x\ry\nz\n", b"y\nz\n"),
        (b"a\r\r\n", b"a\n"),
    ],
)
def test_the_last_state_of_a_line(shown, kept):
    """What a terminal shows in the end."""
    assert last_states(shown) == kept


def test_a_progress_bar_without_end_needs_little_memory(tmp_path):
    """F26: of ten thousand states in one line, the last is kept."""
    log = open_log(tmp_path)
    lines = Lines(OUT, log, terminal=True)
    for n in range(20_000):
        lines.feed(b"\rstep %5d of 20000 " % n + b"." * 20)
        assert len(lines._partial) < LINE_LIMIT + 100
        assert lines.flush_at is None
    lines.finish()
    assert logged(log)[0] == b"step 19999 of 20000 " + b"." * 20


def test_a_slow_pipe_takes_what_it_can(tmp_path):
    """INV-3: the rest waits; nothing blocks; the descriptor that others share stays blocking."""
    reader, writer = os.pipe()
    onward = Onward(writer)
    onward.write(bytes(300_000))
    assert 0 < len(onward.pending) < 300_000
    assert os.get_blocking(writer)
    got = 0
    while onward.pending:
        got += len(os.read(reader, 100_000))
        onward.flush_some()
    os.set_blocking(reader, False)
    while True:
        try:
            got += len(os.read(reader, 100_000))
        except BlockingIOError:
            break
    assert got == 300_000
    onward.close()
    os.close(reader)
    os.close(writer)


def test_a_reader_that_is_gone():
    """The pipe is broken: known, and not raised."""
    reader, writer = os.pipe()
    onward = Onward(writer)
    os.close(reader)
    onward.write(b"x")
    assert onward.broken
    onward.write(b"y")
    assert onward.pending == b""
    onward.close()
    os.close(writer)


def test_a_file_that_is_full_counts():
    """INV-3: with the errno; not the same as a reader that is gone."""
    fd = os.open("/dev/full", os.O_WRONLY)
    onward = Onward(fd)
    onward.write(b"12345")
    onward.write(b"678")
    assert (onward.broken, onward.lost, onward.trouble) == (False, 8, "ENOSPC, no space left on device")
    os.close(fd)


def test_a_pipe_is_roomy():
    """A burst of the job need not wait for us, where the system allows it."""
    reader, writer = pipe()
    assert os.write(writer, bytes(65536)) == 65536
    os.close(reader)
    os.close(writer)


def test_a_file_is_followed_and_its_room_given_back(tmp_path):
    """`--survive`: every byte once; what was read takes no disk any more."""
    log = open_log(tmp_path)
    stream = Followed(str(tmp_path / "x.out"), Lines(OUT, log), None)
    got = 0
    for _ in range(40):
        os.write(stream.write_fd, os.urandom(1 << 20))
        while chunk := stream.read():
            got += len(chunk)
    assert got == 40 << 20
    assert stream.backlog() == 0
    assert os.stat(tmp_path / "x.out").st_blocks * 512 < 30 << 20
    os.close(stream.write_fd)
    stream.remove()
    assert not (tmp_path / "x.out").exists()


def test_a_prepared_link_is_not_followed(tmp_path):
    """T24: the files of `--survive` are new ones, or none."""
    (tmp_path / "x.out").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        Followed(str(tmp_path / "x.out"), Lines(OUT, open_log(tmp_path)), None)
