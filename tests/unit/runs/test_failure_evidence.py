"""Which evidence is believed: the probe's, the output's, or how the job ended."""

from __future__ import annotations

import json

import pytest

from offduty.runs.failure import find_failure, from_json, signal_name

MAIN, WORKER, SECOND = 10, 11, 20


def hello(pid, ppid=1, main=False):
    """A Python process began."""
    return {"kind": "hello", "at": 1.0, "pid": pid, "python": "3.11.7", "ppid": ppid, "main": main}


def raised(kind, message, pid=MAIN, where="main", **more):
    """A process recorded an uncaught exception."""
    frames = [
        {"file": "/srv/app/job.py", "line": 8, "function": "go", "own": True},
        {"file": "/lib/x.py", "line": 1, "function": "x", "own": False},
    ]
    chain = [{"type": kind, "message": message, "link": None, "notes": [], "frames": frames}]
    return {"kind": "exception", "at": 2.0, "pid": pid, "where": where, "uncaught": True, "chain": chain, **more}


def left(code, message=None, pid=MAIN):
    """A process called sys.exit."""
    return {"kind": "exit", "at": 3.0, "pid": pid, "code": code, "message": message, "frame": "/srv/app/job.py:12 in main"}


def logged(message, exception=None, pid=MAIN):
    """A process logged an error."""
    return {"kind": "log", "at": 2.0, "pid": pid, "level": "ERROR", "levelno": 40, "message": message, "exception": exception}


PRINTED = b'Traceback (most recent call last):\n  File "/srv/app/other.py", line 3, in read\nOSError: printed\n'
BEGUN = hello(MAIN, main=True)

# what the probe saw, what was printed → (kind, type, message, where, source)
EVIDENCE = {
    "the main process's exception": (
        [BEGUN, raised("KeyError", "'x'")],
        PRINTED,
        ("exception", "KeyError", "'x'", "job.py:8 in go", "probe"),
    ),
    "a message of sys.exit": ([BEGUN, left(1, "no data")], b"no data\n", ("exit", "SystemExit", "no data", "job.py:12 in main", "probe")),
    "a bare sys.exit after a logged exception": (
        [BEGUN, logged("failed", raised("ValueError", "bad")["chain"]), left(1)],
        b"",
        ("exit", "ValueError", "bad", "job.py:8 in go", "probe"),
    ),
    "a bare sys.exit after a logged error": (
        [BEGUN, logged("feed empty"), left(1)],
        b"",
        ("exit", None, "feed empty", "job.py:12 in main", "probe"),
    ),
    "a bare sys.exit after something printed": (
        [BEGUN, left(2)],
        b"job: error: --date is missing\n",
        ("exit", "job", "error: --date is missing", "job.py:12 in main", "output"),
    ),
    "a bare sys.exit and nothing else": ([BEGUN, left(3)], b"", ("exit", None, None, "job.py:12 in main", "probe")),
    "sys.exit(0) explains nothing": ([BEGUN, left(0)], PRINTED, ("exception", "OSError", "printed", "other.py:3 in read", "output")),
    "a worker's exception that the main process handled": (
        [BEGUN, hello(WORKER, MAIN), raised("ValueError", "w", WORKER), raised("KeyError", "'x'")],
        b"",
        ("exception", "KeyError", "'x'", "job.py:8 in go", "probe"),
    ),
    "a worker's exception, then a message of sys.exit": (
        [BEGUN, hello(WORKER, MAIN), raised("ValueError", "w", WORKER), left(1, "gave up")],
        b"",
        ("exit", "SystemExit", "gave up", "job.py:12 in main", "probe"),
    ),
    "a worker's exception and nothing else": (
        [BEGUN, hello(WORKER, MAIN), raised("ValueError", "w", WORKER)],
        b"",
        ("exception", "ValueError", "w", "job.py:8 in go", "probe"),
    ),
    "a worker's exception, and another one printed": (
        [BEGUN, hello(WORKER, MAIN), raised("ValueError", "w", WORKER)],
        PRINTED,
        ("exception", "OSError", "printed", "other.py:3 in read", "output"),
    ),
    "a thread's exception is not the main one's": (
        [BEGUN, raised("ValueError", "t", where="thread side"), raised("KeyError", "'x'")],
        b"",
        ("exception", "KeyError", "'x'", "job.py:8 in go", "probe"),
    ),
    "a script's first step failed and it went on": (
        [BEGUN, raised("KeyError", "'x'"), hello(SECOND)],
        b"load.sh: line 3: foo: command not found\n",
        ("exit", None, "foo: command not found", "load.sh:3", "output"),
    ),
    "a script's second step failed": (
        [BEGUN, hello(SECOND), raised("OSError", "second", SECOND)],
        b"",
        ("exception", "OSError", "second", "job.py:8 in go", "probe"),
    ),
    "an exception, then the exit it causes": (
        [BEGUN, raised("KeyError", "'x'"), left(1)],
        b"",
        ("exception", "KeyError", "'x'", "job.py:8 in go", "probe"),
    ),
    "the probe saw nothing": ([], PRINTED, ("exception", "OSError", "printed", "other.py:3 in read", "output")),
    "nobody saw anything": ([], b"working\n", ("exit", None, None, None, None)),
}


@pytest.mark.parametrize("events, tail, expected", EVIDENCE.values(), ids=EVIDENCE)
def test_the_best_evidence_wins(events, tail, expected):
    """The last words of the main process, unless something else came after them."""
    found = find_failure(outcome="failed", exit_code=1, events=events, tail=tail, cwd="/srv/app")
    assert (found.kind, found.type, found.message, found.where, found.source) == expected


@pytest.mark.parametrize("outcome", ["succeeded", "warned", "skipped", "running"])
def test_a_run_that_ended_well_has_no_failure(outcome):
    """An exception recorded before a clean exit is no failure."""
    assert find_failure(outcome=outcome, exit_code=0, events=[BEGUN, raised("KeyError", "'x'")], tail=PRINTED) is None


def test_the_exception_of_another_process_is_read_out_of_its_wrapper():
    """A pool re-raises with the worker's traceback as text: the place to look at is in there."""
    text = '\n"""\nTraceback (most recent call last):\n  File "/srv/app/work.py", line 5, in work\n    x\nZeroDivisionError: by zero\n"""'
    chain = [
        {
            "type": "ZeroDivisionError",
            "message": "by zero",
            "link": None,
            "notes": [],
            "frames": [{"file": "/lib/pool.py", "line": 1, "own": False}],
        },
        {"type": "multiprocessing.pool.RemoteTraceback", "message": text, "link": "cause", "notes": [], "frames": []},
    ]
    found = find_failure(outcome="failed", exit_code=1, events=[BEGUN, {**raised("E", "m"), "chain": chain}], cwd="/srv/app")
    assert (found.type, found.message, found.where) == ("ZeroDivisionError", "by zero", "work.py:5 in work")


def test_an_endless_chain_is_bounded_and_counted():
    """INV-11, INV-13: the outermost and the deepest are kept, and it is said how many are not."""
    frames = [{"file": "a.py", "line": i, "function": "f", "own": True} for i in range(1000)]
    chain = [{"type": "E", "message": str(i), "link": "cause" if i else None, "notes": [], "frames": frames} for i in range(100)]
    found = find_failure(outcome="failed", exit_code=1, events=[BEGUN, {**raised("E", "m"), "chain": chain}])
    assert (found.message, found.where, len(found.chain)) == ("99", "a.py:999 in f", 40)
    assert "60 exceptions left out here" in found.chain[19].notes[0]
    assert found.chain[-1].notes == ("996 frames left out",)


ENDINGS = {
    "killed": ({"outcome": "failed", "signal": 9, "exit_code": 137}, "signal", "killed by signal 9 (SIGKILL)"),
    "killed for memory": (
        {"outcome": "failed", "signal": 9, "exit_code": 137, "oom": True},
        "signal",
        "killed by signal 9 (SIGKILL); the kernel killed a process for lack of memory",
    ),
    "a real-time signal": ({"outcome": "failed", "signal": 40, "exit_code": 168}, "signal", "killed by signal 40 (SIGRTMIN+6)"),
    "a process of a script killed": (
        {"outcome": "failed", "exit_code": 137, "tail": b"run.sh: line 8: 4711 Killed   python fit.py\n"},
        "exit",
        "exit 137: a process of the job was killed by signal 9 (SIGKILL)",
    ),
    "137 for memory": (
        {"outcome": "failed", "exit_code": 137, "oom": True},
        "exit",
        "exit 137: a process of the job was killed by signal 9 (SIGKILL); the kernel killed a process for lack of memory",
    ),
    "terminated": ({"outcome": "terminated", "signal": 15, "exit_code": 143}, "signal", "killed by signal 15 (SIGTERM)"),
    "time is up": (
        {"outcome": "timed_out", "exit_code": 124, "timed_out_after": 2700, "tail": PRINTED},
        "timeout",
        "ran longer than its limit of 45 min",
    ),
    "never started": ({"outcome": "failed", "exit_code": 127, "not_started": "no such program: x"}, "not_started", "no such program: x"),
    "lost": ({"outcome": "lost"}, "lost", "its supervisor is gone: how the job ended is not known"),
}


@pytest.mark.parametrize("given, kind, message", ENDINGS.values(), ids=ENDINGS)
def test_how_it_ended_is_said_in_words(given, kind, message):
    """F02, F06, F09, F14: signals by name; memory only where the kernel's own count proves it."""
    found = find_failure(**given)
    assert (found.kind, found.message) == (kind, message)


def test_every_signal_has_a_name():
    """F02: 1 to 64, and no exception for one there is not."""
    assert [signal_name(n) for n in (1, 15, 34, 35, 64, 99)] == ["SIGHUP", "SIGTERM", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMAX", "signal 99"]


def test_the_record_has_the_agreed_fields():
    """how-the-parts-meet: `failure` is a JSON object of exactly these keys."""
    record = json.loads(
        json.dumps(find_failure(outcome="failed", exit_code=1, events=[BEGUN, raised("KeyError", "'x'")], tail=b"x\n").as_json())
    )
    assert list(record) == ["kind", "language", "type", "message", "where", "chain", "tail", "source"]
    assert from_json(record).as_json() == record
    assert list(record["chain"][0]) == ["type", "message", "link", "notes", "frames", "bases"]
    assert record["chain"][0]["frames"][0] == {"file": "/srv/app/job.py", "line": 8, "function": "go", "own": True}
    assert record["tail"] == ["x"]
