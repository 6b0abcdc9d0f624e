"""The recorder: its file is the right one or none, its mistakes stay inside, its counts add up."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offduty_probe.recorder import MOST_KINDS, Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Any:
    """A recorder of its own; its descriptor is closed in the end."""
    recorder = Recorder(str(tmp_path / "events"), "token")
    yield recorder
    if recorder.file is not None and recorder._is_ours(*recorder.file):
        os.close(recorder.file[0])


def events(recorder: Recorder) -> list[dict[str, Any]]:
    """What is in the file."""
    return [msgspec.json.decode(line) for line in Path(recorder.path).read_bytes().splitlines()]


def test_an_event_has_the_four_common_keys(recorder: Recorder) -> None:
    """`token`, `kind`, `at`, `pid` stand before the event's own keys."""
    recorder.record("test", {"x": 1})
    [event] = events(recorder)
    assert list(event) == ["token", "kind", "at", "pid", "x"]
    assert (event["token"], event["kind"], event["pid"]) == ("token", "test", os.getpid())


def test_the_file_is_for_its_owner_alone(recorder: Recorder) -> None:
    """0600 whatever the umask; on a high descriptor that no child inherits."""
    before = os.umask(0)
    recorder.record("test", {})
    os.umask(before)
    fd = recorder.file[0]
    assert stat.S_IMODE(os.stat(recorder.path).st_mode) == 0o600
    assert fd >= 50
    assert not os.get_inheritable(fd)


@pytest.mark.parametrize("close", [lambda fd: os.close(fd), lambda fd: os.closerange(fd, fd + 1)])
def test_a_file_of_the_job_on_our_number_is_never_written_to(recorder: Recorder, tmp_path: Path, close: Any) -> None:
    """F20: the job closes our descriptor and gets its number for a file of its own: ours is opened again."""
    recorder.record("test", {"n": 1})
    fd = recorder.file[0]
    close(fd)
    jobs = os.open(tmp_path / "jobs", os.O_RDWR | os.O_CREAT)
    os.dup2(jobs, fd)
    recorder.record("test", {"n": 2})
    assert (tmp_path / "jobs").read_bytes() == b""
    assert [event["n"] for event in events(recorder)] == [1, 2]
    os.close(jobs)
    os.close(fd)


@pytest.mark.parametrize("trap", ["symlink", "fifo", "folder", "device"])
def test_what_is_no_file_is_not_written_to(tmp_path: Path, trap: str) -> None:
    """T22: a symlink is not followed, a FIFO does not make the job wait; the events are counted as lost."""
    path = tmp_path / "events"
    {
        "symlink": lambda: path.symlink_to(tmp_path / "elsewhere"),
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "device": lambda: path.symlink_to("/dev/full"),
    }[trap]()
    recorder = Recorder(str(path), "token")
    recorder.record("test", {})
    recorder.flush()
    assert recorder.lost == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_torn_line_spoils_no_other(recorder: Recorder) -> None:
    """F26: the disk fills in the midst of a line; the next line that can be written stands alone, and the loss is told at exit."""
    recorder.record("test", {"n": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(recorder.path).st_size + 10, hard))
    try:
        recorder.record("test", {"n": 2})
        recorder.record("test", {"n": 3})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    recorder.record("test", {"n": 4})
    recorder.flush()
    lines = Path(recorder.path).read_bytes().splitlines()
    assert len(lines[1]) == 10
    assert [msgspec.json.decode(line).get("n") for line in (lines[0], *lines[2:])] == [1, 4, None]
    assert "2 events could not be written: " in msgspec.json.decode(lines[-1])["what"]


def test_counts_add_up_before_and_after_a_flush(recorder: Recorder) -> None:
    """INV-13: every alike event is in exactly one count, also when counting goes on after the flush at exit."""
    for number in range(1, 40):
        recorder.fold("test", "key", dict)
        if number in (1, 7, 11, 30):
            recorder.flush()
            assert sum(event["count"] for event in events(recorder)) == number


def test_kinds_are_bounded(recorder: Recorder) -> None:
    """INV-11: a job with endless kinds of events keeps at most so many in memory."""
    for number in range(10 * MOST_KINDS):
        recorder.fold("test", number, dict)
    recorder.flush()
    assert len(recorder.kinds) == MOST_KINDS + 1
    assert sum(event["count"] for event in events(recorder) if event["kind"] == "test") == 10 * MOST_KINDS


def test_what_printing_provokes_is_not_recorded(recorder: Recorder) -> None:
    """Building an event calls the job's `__str__`; what that logs is our doing: not counted, and no endless loop."""

    def build() -> dict[str, Any]:
        recorder.fold("test", "inner", dict)
        return {"outer": True}

    recorder.fold("test", "outer", build)
    recorder.fold("test", "inner", dict)
    assert [event.get("outer") for event in events(recorder)] == [True, None]


def test_a_child_begins_anew(recorder: Recorder) -> None:
    """F19: what the parent counted and lost is told by the parent alone."""
    for _ in range(3):
        recorder.fold("test", "key", dict)
    recorder.forget()
    recorder.flush()
    assert sum(event["count"] for event in events(recorder)) == 2


def test_problems_are_told_once_and_few(recorder: Recorder) -> None:
    """INV-11: a hook that fails at every call fills no file."""
    for number in range(100):
        recorder.problem("same")
        recorder.problem(f"other {number}")
    assert len(events(recorder)) == 16
