"""The job's bytes come back exactly from its log, and nothing in a log can drive a terminal."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offduty.runs import logread, logtail

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
RUN = "0193abcd-0000-7000-8000-00007f3a91c2"
NAME = "2026-11-23T06-00-00Z-7f3a91c2.log"


def written(writes: list[tuple[bytes, bytes]], limit: int = 64) -> bytes:
    """A tiny reference writer: the log of `writes` (mark, bytes), as how-the-parts-meet.md says, with lines cut at `limit`."""
    log = bytearray()
    for mark, data in writes:
        for line in re.findall(rb"[^\n]*\n|[^\n]+", data):
            whole = line.endswith(b"\n")
            body = line.removesuffix(b"\n")
            parts = [body[at : at + limit] for at in range(0, len(body), limit)] or [b""]
            for part in parts[:-1]:
                log += b"06:00:00.412 " + mark + b"~" + part + b"\n"
            log += b"06:00:00.412 " + mark + (b" " if whole else b"~") + parts[-1] + b"\n"
    return bytes(log)


def in_chunks(data: bytes, size: int) -> list[bytes]:
    """`data` as a file read `size` bytes at a time."""
    return [data[at : at + size] for at in range(0, len(data), size)]


WRITES = st.lists(st.tuples(st.sampled_from([b"|", b"!", b"*"]), st.binary(min_size=1, max_size=200)), max_size=12)


@CALM
@given(WRITES, st.integers(1, 300))
def test_any_bytes_come_back_exactly(writes, size):
    """INV-3: whatever was written to a stream is given back byte for byte, however the file is read."""
    blocks = list(logread.blocks(in_chunks(written(writes), size)))
    for mark in (b"|", b"!"):
        assert b"".join(logread.job_bytes(blocks, mark)) == b"".join(data for m, data in writes if m == mark)


@CALM
@given(WRITES)
def test_both_streams_come_back_in_the_order_they_came(writes):
    """Without a choice of stream, stdout and stderr are mixed as the job mixed them."""
    assert b"".join(logread.job_bytes([written(writes)])) == b"".join(data for m, data in writes if m != b"*")


@CALM
@given(st.binary(max_size=300))
def test_shown_text_holds_no_control_character_but_tab(text):
    """T06: no byte below 0x20 but tab, no DEL, no C1 character, whatever the job printed."""
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f]", logread.readable(text))


@CALM
@given(st.binary(max_size=300))
def test_with_colour_only_colours_pass(text):
    """T06: with colour, taking the colours away leaves no control character."""
    shown = logread.readable(text, colour=True)
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f]", re.sub(r"\x1b\[[0-9;:]*m", "", shown))


@pytest.mark.parametrize(
    "attack, shown",
    [
        (b"\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        (b"\x1b]8;;http://evil\x1b\\click", r"\x1b]8;;http://evil\x1b\click"),
        (b"\x1bP+q544e\x1b\\", r"\x1bP+q544e\x1b" + "\\"),
        (b"\x1b_apc\x9c", r"\x1b_apc\x9c"),
        (b"\x9b31m", r"\x9b31m"),
        ("\x9b2J".encode(), r"\x9b2J"),
        (b"\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        (b"\x1b[3Aoverwrite", r"\x1b[3Aoverwrite"),
        (b"\x1bc", r"\x1bc"),
        ("safe\u202ecod.exe".encode(), r"safe\u202ecod.exe"),
        (b"bell\x07 back\x08space \x7f", r"bell\x07 back\x08space \x7f"),
        (b"\xff\xfe", r"\xff\xfe"),
    ],
)
def test_an_escape_sequence_is_shown_not_obeyed(attack, shown):
    """T06: titles, links, DCS, APC, 8-bit CSI, cursor moves, resets and reversed text, with colour and without."""
    assert logread.readable(attack) == logread.readable(attack, colour=True) == shown


def test_colours_are_kept_on_a_terminal_and_left_out_elsewhere():
    """A colour carries no text; where it is kept it ends with the line."""
    assert logread.readable(b"\x1b[31mred\x1b[K") == "red"
    assert logread.readable(b"\x1b[31mred\x1b[K", colour=True) == "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    "bar, shown",
    [(b"10%\r50%\r100%", "100%"), (b"10%\r100%\r", "100%"), (b"windows line\r", "windows line"), (b"\r", ""), (b"a\r\r", "a")],
)
def test_a_progress_bar_is_shown_in_its_last_state(bar, shown):
    """F31: a thousand redraws are one line for the reader."""
    assert logread.readable(bar) == shown


@CALM
@given(WRITES)
def test_what_is_called_harmless_is_shown_as_it_is(writes):
    """The quick way gives the same answer as looking at every line."""
    log = written(writes)
    if logread.is_harmless(log):
        assert log.decode() == "".join(f"{logread.readable(line[:-1])}\n" for line in logread.split(log))


@CALM
@given(st.binary(max_size=200))
def test_a_line_without_a_column_is_none_and_gives_no_job_bytes(line):
    """B9: damage is recognised; it is never taken for output of the job."""
    line = line.replace(b"\n", b"") + b"\n"
    parsed = logread.parse(line)
    assert (parsed is not None) or list(logread.job_bytes([line])) == []


def test_a_line_that_never_ends_is_passed_on_in_parts():
    """INV-11: a file of 10 MiB without a newline does not have to fit into memory."""
    pieces = list(logread.blocks([b"x" * 1000_000] * 10))
    assert b"".join(pieces) == b"x" * 10_000_000
    assert max(map(len, pieces)) < logread.LONGEST + 1_000_001


def make_log(folder, *pieces: bytes):
    """A log with its segments: the head, `.1`, `.2` …"""
    for number, piece in enumerate(pieces):
        (folder / (f"{NAME}.{number}" if number else NAME)).write_bytes(piece)
    return logtail.LogFiles(str(folder / NAME), RUN)


def rest_of(files, start) -> bytes:
    """Everything from `start` on."""
    reader = logtail.Reader(files, start)
    try:
        return b"".join(iter(reader.read, b""))
    finally:
        reader.close()


@CALM
@given(
    writes=WRITES,
    count=st.integers(0, 20),
    cuts=st.lists(st.integers(0, 3000), max_size=3),
    block=st.integers(1, 100),
    stream=st.sampled_from([b"|", b"!", b"|!*"]),
)
def test_the_tail_is_the_last_lines_of_the_whole(tmp_path_factory, writes, count, cuts, block, stream):
    """Read backwards in blocks of any size, over any number of segments: the same lines as by reading everything."""
    lines = list(logread.split(written(writes)))
    bounds = sorted(min(cut % (len(lines) + 1), len(lines)) for cut in cuts)
    pieces = [b"".join(lines[a:b]) for a, b in zip([0, *bounds], [*bounds, len(lines)], strict=True)]
    before, logtail.BLOCK = logtail.BLOCK, block
    try:
        files = make_log(tmp_path_factory.mktemp("tail"), *pieces)
        tail = rest_of(files, logtail.tail_start(files, count, stream))
    finally:
        logtail.BLOCK = before
        files.close()
    wanted = [line for line in lines if line[13:14] in stream]
    shown = [line for line in logread.split(tail) if line[13:14] in stream]
    assert shown == wanted[len(wanted) - min(count, len(wanted)) :]


def test_a_reader_neither_repeats_nor_loses_a_line_when_segments_are_put_back(tmp_path):
    """F34: the log is over its size, and while somebody follows it the tail is joined to the head again."""
    head, one, two = b"head 1\nhead 2\n", b"one 1\none 2\n", b"two 1\n"
    files = make_log(tmp_path, head, one, two)
    reader = logtail.Reader(files)
    seen = b"".join(iter(reader.read, b""))
    with open(tmp_path / f"{NAME}.2", "ab") as file:
        file.write(b"two 2\n")
    with open(tmp_path / NAME, "ab") as file:
        file.write(b"* 12 bytes are not kept\n" + one + two + b"two 2\n== summary ==\n")
    os.unlink(tmp_path / f"{NAME}.1")
    os.unlink(tmp_path / f"{NAME}.2")
    seen += b"".join(iter(reader.read, b""))
    reader.close()
    files.close()
    assert seen == head + one + two + b"two 2\n== summary ==\n"


def test_a_segment_dropped_before_it_was_read_is_skipped(tmp_path):
    """F34: a slow reader goes on with the oldest segment there is."""
    files = make_log(tmp_path, b"head\n", b"one\n")
    reader = logtail.Reader(files)
    seen = b"".join(iter(reader.read, b""))
    os.unlink(tmp_path / f"{NAME}.1")
    (tmp_path / f"{NAME}.5").write_bytes(b"five\n")
    seen += b"".join(iter(reader.read, b""))
    reader.close()
    files.close()
    assert seen == b"head\none\nfive\n"


def put_a_link(path):
    """A way out of the logs folder."""
    path.symlink_to("/etc/passwd")


def put_a_fifo(path):
    """What blocks who opens it."""
    os.mkfifo(path)


def put_a_folder(path):
    """What cannot be read."""
    path.mkdir()


@pytest.mark.parametrize("put", [put_a_link, put_a_fifo, put_a_folder])
def test_only_a_plain_file_is_read_as_a_log(tmp_path, put):
    """T22: a link, a FIFO or a folder in the place of the log is refused, without blocking."""
    put(tmp_path / NAME)
    with pytest.raises(logtail.NotThere) as refused:
        logtail.LogFiles(str(tmp_path / NAME), RUN)
    assert refused.value.code == "E505"


def test_a_linked_job_folder_is_not_followed(tmp_path):
    """T22: the folder of a job is not a way out of the logs folder either."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / NAME).write_bytes(b"")
    (tmp_path / "job").symlink_to("elsewhere")
    with pytest.raises(logtail.NotThere):
        logtail.LogFiles(str(tmp_path / "job" / NAME), RUN)


@pytest.mark.parametrize("path", ["/etc/passwd", "relative-7f3a91c2.log", "", "/var/log/2026-11-23T06-00-00Z-00000000.log"])
def test_a_record_cannot_name_any_file_it_likes(path):
    """T22: only a file named after the run is taken for its log."""
    with pytest.raises(logtail.NotThere) as refused:
        logtail.LogFiles(path, RUN)
    assert refused.value.code == "E505"


def bytes_read() -> int:
    """How much this process has read so far."""
    with open("/proc/self/io", encoding="ascii") as file:
        return int(file.readline().split()[1])


def test_the_tail_of_ten_gigabytes_reads_less_than_a_megabyte(tmp_path):
    """INV-11: the size of a log does not matter to who looks at its end."""
    lines = b"".join(b"06:00:00.412 | line %d\n" % number for number in range(1000))
    files = make_log(tmp_path, b"")
    with open(tmp_path / NAME, "r+b") as file:
        file.seek(10 << 30)
        file.write(b"\n" + lines)
    before = bytes_read()
    tail = rest_of(files, logtail.tail_start(files, 20, logread.MARKS))
    assert bytes_read() - before < 1 << 20
    assert tail == b"".join(list(logread.split(lines))[-20:])
    files.close()
