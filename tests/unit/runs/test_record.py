"""The record of a run as it begins, and the spool that carries it."""

from __future__ import annotations

import errno
import json
import os
from binascii import crc32
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.clock import Clock
from offduty.runs.job import Job
from offduty.runs.record import begin, log_name, shown
from offduty.runs.spool import Spool, encode
from offduty.stores.record import FIELDS

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=20
)


def test_it_has_every_field_and_no_other():
    """The contract of how-the-parts-meet.md."""
    record = begin(Job("x", ["true"]), Clock())
    assert sorted(record) == sorted(FIELDS)
    assert (record["root_id"], record["attempt"], record["outcome"]) == (record["id"], 1, "running")


def test_it_names_this_process_for_ever():
    """F17: pid, its start, and the boot."""
    record = begin(Job("x", ["true"]), Clock())
    assert record["pid"] == os.getpid()
    assert record["pid_started"] == int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert len(record["boot_id"]) == 36


def test_a_later_attempt_is_a_retry():
    """F18."""
    record = begin(Job("x", ["true"], retries=3, trigger="scheduled"), Clock(), attempt=2, root_id="r")
    assert (record["trigger"], record["root_id"], record["attempt"], record["attempts"]) == ("retry", "r", 2, 4)


def test_the_log_is_named_after_time_and_chance():
    """`2026-11-23T06-00-00Z-7f3a91c2`."""

    class Six(Clock):
        def wall(self):
            return 1795413600.0

    assert log_name({"id": "x" * 28 + "7f3a91c2"}, Six()) == "2026-11-23T06-00-00Z-7f3a91c2"


def test_bytes_that_are_no_text_are_shown():
    """B1."""
    assert shown(os.fsdecode(b"caf\xe9 \xff")) == r"caf\xe9 \xff"


@given(JSON)
def test_the_encoder_writes_json(value):
    """The one without the `json` module, which costs as much as the start of a job."""
    assert json.loads(encode(value)) == value
    assert encode(value).isascii()


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_json_has_no_number_for(value):
    """B3."""
    assert encode(value) == "null"


def test_a_line_carries_its_checksum(tmp_path):
    """B9, T23."""
    spool = Spool(str(tmp_path / "spool"), "id")
    spool.append("started", {"id": "id"}, durable=False)
    spool.append("ended", {"id": "id", "outcome": "failed"}, durable=True)
    spool.sync()
    lines = Path(spool.path).read_bytes().splitlines()
    assert [int(line[:8], 16) == crc32(line[9:]) for line in lines] == [True, True]
    assert [json.loads(line[9:])["kind"] for line in lines] == ["started", "ended"]
    assert os.stat(spool.path).st_mode & 0o777 == 0o600


def test_a_refused_record_leaves_no_torn_line(tmp_path, monkeypatch):
    """F30: what does not fit is not there at all, so that the next record stands on a line of its own."""
    spool = Spool(str(tmp_path), "id")
    spool.append("started", {"id": "id"}, durable=False)
    before = Path(spool.path).read_bytes()
    real = os.write

    def half(fd, data):
        if len(data) > 100:
            return real(fd, data[:60])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="full"):
        spool.append("ended", {"id": "x" * 90}, durable=True)
    monkeypatch.undo()
    assert Path(spool.path).read_bytes() == before
