"""What holds for every capture in CAPTURES, by the exercises in `exercises/NAME.py` (dots in names become underscores).

An exercise file says which LIBRARIES it needs and which NAMES the capture replaces; `prepare(folder)` makes files; GOOD lists
`(op, end of the target, function of the folder)`, each one transaction (several ops, with the last one's target, where one call
is no use without the other: connect and query, but not in the first line); BAD lists functions of the folder that raise.
SERVERS are fixtures of `tests/conftest.py`: ports, set as attributes of the module.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from offduty_probe import guard
from offduty_probe.capture import CAPTURES, load
from offduty_probe.capture.ledger import Ledger
from offduty_probe.recorder import Recorder

EXERCISES = Path(__file__).with_name("exercises")
MISSING = object()


def exercises_of(name: str) -> Path:
    """The file with the exercises of the capture `name`."""
    return EXERCISES / f"{name.replace('.', '_')}.py"


class Watched:
    """A capture with its exercises, and a ledger of its own."""

    def __init__(self, name: str, exercises: ModuleType, folder: Path) -> None:
        self.name, self.exercises, self.folder = name, exercises, folder
        self.record = Ledger(Recorder(str(folder / "events.jsonl"), "token"))
        self.uninstall: Any = None

    def install(self) -> None:
        self.uninstall = load(CAPTURES[self.name][1])(self.record)

    def stop(self) -> None:
        if self.uninstall is not None:
            self.uninstall()
            self.uninstall = None

    def events(self, kind: str = "transaction") -> list[dict[str, Any]]:
        """What was told since the last time."""
        self.record.flush()
        path = Path(self.record.recorder.path)
        lines = path.read_bytes().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        self.record.recorder.file = None
        return [event for event in map(msgspec.json.decode, lines) if event["kind"] == kind]


@pytest.fixture(params=[name for name in CAPTURES if exercises_of(name).exists()])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """Each capture in turn, not yet installed; what the probe could not do fails the test."""
    spec = importlib.util.spec_from_file_location(f"exercises_of_{request.param.replace('.', '_')}", exercises_of(request.param))
    assert spec is not None and spec.loader is not None
    exercises = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exercises)
    for library in exercises.LIBRARIES:
        pytest.importorskip(library)
    for server in getattr(exercises, "SERVERS", []):
        setattr(exercises, server, request.getfixturevalue(server))
    problems: list[str] = []
    guard.tell_problems_to(problems.append)
    exercises.prepare(tmp_path)
    one = Watched(request.param, exercises, tmp_path)
    yield one
    one.stop()
    guard._tell = None
    assert problems == []


def test_every_capture_has_exercises() -> None:
    """A capture without them would be under no contract; those without a server are tried in unit/captures, heavy ones beside this."""
    places = [*(Path(__file__).parents[1] / "unit" / "captures").glob("test_*.py"), Path(__file__).with_name("test_captures_heavy.py")]
    elsewhere = "".join(path.read_text() for path in places)
    assert [name for name in CAPTURES if not exercises_of(name).exists() and f'"{CAPTURES[name][1]}"' not in elsewhere] == []


def test_the_job_gets_the_same_result(watched: Watched) -> None:
    """With the capture and without it: equal results."""
    plain = [call(watched.folder) for _, _, call in watched.exercises.GOOD]
    (watched.folder / "again").mkdir()
    watched.exercises.prepare(watched.folder / "again")
    watched.install()
    captured = [call(watched.folder / "again") for _, _, call in watched.exercises.GOOD]
    assert [shown(value, watched.folder) for value in captured] == [shown(value, watched.folder) for value in plain]


def shown(value: Any, folder: Path) -> str:
    """Results as text, wherever their files are."""
    return str(value).replace(f"{folder}/again", str(folder))


def test_each_call_is_one_transaction(watched: Watched) -> None:
    """What a call calls within does not count; op and target are those of the contract; `where` is the line of the caller."""
    watched.install()
    for op, target, call in watched.exercises.GOOD:
        call(watched.folder)
        found = watched.events()
        assert [(event["op"], event["ok"], event["count"]) for event in found] == [(one, True, 1) for one in op.split()], (target, found)
        assert found[-1]["target"].endswith(target), found
        assert all(event["where"].startswith(str(exercises_of(watched.name)) + ":") for event in found), found


def test_the_job_gets_the_same_exception(watched: Watched) -> None:
    """Same type, same text, and from Python 3.11 on the same frames in the traceback."""
    plain = [failure_of(call, watched.folder) for call in watched.exercises.BAD]
    watched.install()
    captured = [failure_of(call, watched.folder) for call in watched.exercises.BAD]
    assert captured == plain


def failure_of(call: Any, folder: Path) -> tuple[str, str, list[tuple[str, int | None, str]]]:
    """What `call` raises, and where it went."""
    try:
        call(folder)
    except Exception as error:  # noqa: BLE001  # whatever the library raises
        frames = traceback.extract_tb(error.__traceback__)
        return type(error).__name__, str(error), [(frame.filename, frame.lineno, frame.name) for frame in frames]
    raise AssertionError("it was to raise")


def test_a_failure_is_told_with_its_exception(watched: Watched) -> None:
    """Failed transactions name the type; arguments that make no sense at all may leave nothing to tell."""
    watched.install()
    told = 0
    for call in watched.exercises.BAD:
        kind, _, _ = failure_of(call, watched.folder)
        failed = [event for event in watched.events() if not event["ok"]]
        assert {event["error"]["type"].split(".")[-1] for event in failed} <= {kind}
        told += len(failed)
    assert told > 0


def test_no_value_of_the_data_is_told(watched: Watched) -> None:
    """INV-12: the data holds CANARY everywhere; the events do not."""
    watched.install()
    for _, _, call in watched.exercises.GOOD:
        call(watched.folder)
    for call in watched.exercises.BAD:
        failure_of(call, watched.folder)
    watched.record.flush()
    told = Path(watched.record.recorder.path).read_text()
    assert '"transaction"' in told
    assert "CANARY" not in told


def find(name: str) -> tuple[Any, str, Any]:
    """The owner of a dotted name, its last part, and what is there."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        owner = sys.modules.get(".".join(parts[:length]))
        if owner is None:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1], vars(owner).get(parts[-1], MISSING)
    raise AssertionError(name)


def test_the_originals_are_restored(watched: Watched) -> None:
    """The very objects that were there, at every name; and while it is installed, they are replaced."""
    before = {name: find(name)[2] for name in watched.exercises.NAMES}
    watched.install()
    for name in watched.exercises.NAMES:
        assert find(name)[2] is not before[name], name
    watched.stop()
    for name in watched.exercises.NAMES:
        assert find(name)[2] is before[name], name


def test_functions_look_the_same(watched: Watched) -> None:
    """Signature, name, documentation, attributes; functions of modules are pickled by name, if they were."""
    before = {name: looks(*find(name)) for name in watched.exercises.NAMES}
    pickled = [name for name in watched.exercises.NAMES if isinstance(find(name)[0], ModuleType) and is_pickled(find(name)[2])]
    watched.install()
    assert {name: looks(*find(name)) for name in watched.exercises.NAMES} == before
    assert [name for name in pickled if not is_pickled(find(name)[2])] == []


def is_pickled(value: Any) -> bool:
    """Whether it comes back as the very same; some modules written in C give a name that nobody can import."""
    try:
        return pickle.loads(pickle.dumps(value)) is value
    except pickle.PicklingError:
        return False


def looks(owner: Any, name: str, _: Any) -> list[Any]:
    """What can be asked of a function."""
    value = getattr(owner, name)
    try:
        signature: Any = inspect.signature(value)
    except ValueError:
        signature = None
    return [str(signature), *(getattr(value, key, None) for key in ("__name__", "__qualname__", "__module__", "__doc__")), callable(value)]


def test_a_recorder_that_fails_harms_nobody(watched: Watched) -> None:
    """INV-13: the events file is in a folder that is not there: the job goes on, and what is lost is counted."""
    recorder = watched.record.recorder
    recorder.path = str(watched.folder / "nowhere" / "events")
    watched.install()
    for _, _, call in watched.exercises.GOOD:
        call(watched.folder)
    watched.record.flush()
    assert recorder.lost > 0
    recorder.path = str(watched.folder / "events.jsonl")


def test_a_capture_that_fails_harms_nobody(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong on our side is swallowed, and the job gets what it asked for."""
    watched.install()
    told: list[str] = []
    guard.tell_problems_to(told.append)
    monkeypatch.setattr(Ledger, "site", lambda *_: 1 / 0)
    for _, _, call in watched.exercises.GOOD:
        call(watched.folder)
    assert any("ZeroDivisionError" in one for one in told)


def test_threads_count_by_themselves(watched: Watched) -> None:
    """Four threads make the same call at once: each is told, none is taken for a part of another."""
    op, _, call = watched.exercises.GOOD[0]
    watched.install()
    call(watched.folder)  # what is imported late is imported now
    watched.events()
    threads = [threading.Thread(target=lambda: [call(watched.folder) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(event["count"] for event in watched.events() if event["op"] == op) == 20


def test_a_forked_child_tells_its_own(watched: Watched) -> None:
    """The child of a fork begins to count anew, and tells nothing of its parent's."""
    if "polars" in watched.name:
        pytest.skip("polars does not survive a fork")
    op, _, call = watched.exercises.GOOD[0]
    watched.install()
    call(watched.folder)
    watched.events()
    child = os.fork()
    if child == 0:
        watched.record.recorder.forget()  # what the probe registers for after a fork
        call(watched.folder)
        watched.record.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    found = watched.events()
    assert [(event["op"], event["pid"], event["n"]) for event in found] == [(op, child, 1)]
