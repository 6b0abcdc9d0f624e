"""What `events.jsonl` may hold, and that nothing in it is trusted without the run's token."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.transactions import events as module
from offduty.transactions.events import EventsReader, read_events

TOKEN = "k3y"


def line(kind="problem", **keys):
    """One line as the probe writes it."""
    what = {"what": "x"} if kind == "problem" else {}
    return json.dumps({"token": TOKEN, "kind": kind, "at": 1.5, "pid": 7, **what, **keys}).encode() + b"\n"


@pytest.fixture
def file(tmp_path):
    """Where the probe would write."""
    return tmp_path / "events.jsonl"


def read(file, content):
    """The events in `content`."""
    file.write_bytes(content)
    return read_events(str(file), TOKEN)


def test_a_good_line_is_an_event_without_its_token(file):
    """The token proves the line and goes no further: it must not reach a log or a store."""
    found = read(file, line("exit", code=3, message="no data", frame="a.py:1 in f"))
    assert [(e["kind"], e["code"], e["message"], "token" in e) for e in found.events] == [("exit", 3, "no data", False)]
    assert found.protocol_errors == 0


BAD = {
    "not JSON": b"oops\n",
    "empty": b"\n",
    "a list": b"[1]\n",
    "wrong token": line().replace(b"k3y", b"other"),
    "no token": b'{"kind": "problem", "at": 1, "pid": 1, "what": "x"}\n',
    "token is a list": b'{"token": ["k3y"], "kind": "problem", "at": 1, "pid": 1, "what": "x"}\n',
    "1 MB": line(what="x" * 1_000_000),
    "one byte over 64 KiB": line(what="x" * (64 * 1024 + 1 - len(line(what="")) + 1)),
    "nested 1,000 deep": line()[:-2] + b', "x": ' + b"[" * 1000 + b"]" * 1000 + b"}\n",
    "nested 30,000 deep": line()[:-2] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}\n",
    "duplicate key": line()[:-2] + b', "what": "y"}\n',
    "duplicate key inside": line()[:-2] + b', "x": {"a": 1, "a": 2}}\n',
    "1e400": line().replace(b"1.5", b"1e400"),
    "NaN": line().replace(b"1.5", b"NaN"),
    "-Infinity": line().replace(b"1.5", b"-Infinity"),
    "negative time": line().replace(b"1.5", b"-1.5"),
    "negative count": line("warning", category="W", message="m", count=-1),
    "no count at all": line("warning", category="W", message="m", count=0),
    "true for a count": line("warning", category="W", message="m", count=True),
    "huge number": line().replace(b"1.5", b"1" + b"0" * 400),
    "number of 60,000 digits": line().replace(b"1.5", b"1" * 60_000),
    "pid 0": line().replace(b": 7", b": 0"),
    "kind is a list": line().replace(b'"problem"', b'["problem"]'),
    "chain is text": line("exception", chain="boom"),
    "chain is empty": line("exception", chain=[]),
    "frame without a file": line("exception", chain=[{"type": "E", "frames": [{"line": 1}]}]),
    "NUL bytes": b"\0" * 50 + b"\n",
    "invalid UTF-8": line().replace(b'"x"', b'"\xff"'),
    "a raw newline in a text": line().replace(b'"x"', b'"x\n"'),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_line_is_counted_and_its_neighbours_are_kept(file, bad):
    """B4: whatever the line is, the ones around it count, and it is seen that something was wrong."""
    found = read(file, line(what="before") + bad + line(what="after"))
    assert [e["what"] for e in found.events] == ["before", "after"]
    assert found.protocol_errors == bad.count(b"\n")


def test_unknown_kinds_and_keys_are_ignored_but_counted(file):
    """A newer probe may say more than this version knows; that is no error (INV-13: it is counted all the same)."""
    found = read(file, line("future", x=1) + line(extra=[1, {"a": None}]))
    assert (len(found.events), found.unknown, found.protocol_errors) == (1, 1, 0)


def test_a_lone_surrogate_becomes_text_that_can_be_printed(file):
    """B4: half a UTF-16 pair is legal JSON and no legal text."""
    found = read(file, line(what="a\ud800b"))
    assert found.events[0]["what"] == "a\\ud800b"


def test_the_file_cut_at_every_byte_gives_whole_events_only(file):
    """INV-11, B4: a torn last line is counted once and never half believed."""
    content = line(what="one") + line("exit", code=1) + line("warning", category="W", message="m", count=2)
    ends = [i + 1 for i, byte in enumerate(content) if byte == 10]
    for cut in range(len(content) + 1):
        found = read(file, content[:cut])
        whole = sum(end <= cut for end in ends)
        assert (len(found.events), found.protocol_errors) == (whole, int(cut not in (0, *ends))), cut


def test_an_event_behind_a_torn_one_is_not_lost(file):
    """A disk that was full for a moment leaves half a line, and the next process appends to it."""
    found = read(file, line(what="lost")[:20] + line(what="kept"))
    assert [e["what"] for e in found.events] == ["kept"]
    assert found.protocol_errors == 1


def test_the_reader_follows_a_growing_file(file):
    """The log shows transactions live: every poll gives what is new, however the writes fall."""
    content = b"".join(line(what=str(i)) for i in range(20))
    reader, seen = EventsReader(str(file), TOKEN), []
    assert reader.poll() == []
    for i in range(0, len(content), 7):
        with file.open("ab") as out:
            out.write(content[i : i + 7])
        seen += [e["what"] for e in reader.poll()]
    assert seen == [str(i) for i in range(20)]
    assert reader.protocol_errors == 0


def test_a_file_cut_back_is_read_again_and_counted(file):
    """A job that truncates the file cannot hide what it writes next."""
    file.write_bytes(line() * 50)
    reader = EventsReader(str(file), TOKEN)
    assert len(reader.poll()) == 50
    file.write_bytes(line(what="new"))
    assert [e["what"] for e in reader.poll()] == ["new"]
    assert reader.protocol_errors == 1


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("/etc/passwd", path)], ids=["folder", "fifo", "symlink"])
def test_what_is_not_a_plain_file_is_refused_at_once(file, make):
    """T22: no waiting on a FIFO, no following a link out of the folder."""
    make(file)
    found = read_events(str(file), TOKEN)
    assert (found.events, found.protocol_errors) == ((), 1)


def test_no_file_is_no_event_and_no_error(file):
    """A job that is not Python writes none."""
    assert read_events(str(file), TOKEN) == module.Events()


def test_a_line_without_end_does_not_grow_in_memory(file):
    """INV-11: 4 MiB without a newline are one error, and the next line is read."""
    found = read(file, b"x" * (4 << 20) + b"\n" + line(what="next"))
    assert [e["what"] for e in found.events] == ["next"]
    assert found.protocol_errors == 1


def test_a_flood_is_bounded_and_keeps_the_last_words(file, monkeypatch):
    """INV-11, INV-13: beyond the limit only exceptions and exits are kept, and what is left out is counted."""
    monkeypatch.setattr(module, "KEEP_BYTES", 10_000)
    found = read(file, line() * 1000 + line("exit", code=9) + line() * 10)
    assert found.events[-1]["code"] == 9
    assert len(found.events) + found.dropped == 1011
    assert len(found.events) < 200


def test_every_text_is_redacted(file):
    """T01: the probe writes what the exception says; a secret in it stops here."""
    file.write_bytes(line("exception", chain=[{"type": "E", "message": "pw hunter2", "notes": ["hunter2"], "frames": []}]))
    found = read_events(str(file), TOKEN, lambda text: text.replace("hunter2", "***"))
    assert "hunter2" not in json.dumps(found.events)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_never_raise(tmp_path_factory, noise, at):
    """B4: total over bytes, also in the middle of an event."""
    good = line("warning", category="W", message="m")
    path = tmp_path_factory.mktemp("any") / "events.jsonl"
    found = read(path, good[:at] + noise + good[at:] + line(what="last"))
    assert len(found.events) + found.protocol_errors + found.unknown >= 1
