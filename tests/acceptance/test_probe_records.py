"""What the probe records of a real job: exceptions, exits, warnings, and log records of three libraries, each once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
Job = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Run a script under the probe and give its events of some kinds; a problem of the probe is never all right."""

    def run(script: str, *kinds: str, **environ: str) -> list[dict[str, Any]]:
        (tmp_path / "script.py").write_text(script)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
        probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t"}
        subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=plain | probe | environ, capture_output=True, timeout=60)
        if not (tmp_path / "events").exists():
            return []
        events = [msgspec.json.decode(line) for line in (tmp_path / "events").read_bytes().splitlines()]
        assert [event for event in events if event["kind"] == "problem" and "problem" not in kinds] == []
        return [event for event in events if event["kind"] in kinds]

    return run


def frames(entry: dict[str, Any]) -> list[str]:
    """`file:line in function` of the job's own frames; Python 3.8 names the script as it was given, later ones by its full path."""
    return [f"{Path(frame['file']).name}:{frame['line']} in {frame['function']}" for frame in entry["frames"] if frame["own"]]


def test_an_uncaught_exception_with_its_cause(job: Job) -> None:
    """The whole chain, deepest cause last, with places, notes, and which frames are the job's own; no values of variables."""
    [event] = job(
        """
import json
def read(password):
    return json.loads("{")
try:
    read("hunter2")
except ValueError as error:
    new = RuntimeError("bad feed")
    new.__notes__ = ["file of 06:00"]
    raise new from error
""",
        "exception",
    )
    outer, cause = event["chain"]
    assert (event["where"], event["uncaught"]) == ("main", True)
    assert (outer["type"], outer["message"], outer["link"], outer["notes"]) == ("RuntimeError", "bad feed", None, ["file of 06:00"])
    assert (cause["type"], cause["link"]) == ("json.decoder.JSONDecodeError", "cause")
    assert frames(cause) == ["script.py:6 in <module>", "script.py:4 in read"]
    assert cause["frames"][-1]["own"] is False
    assert "hunter2" not in str(event)


def test_a_group_in_a_thread(job: Job) -> None:
    """Members of an ExceptionGroup follow it, each with what it came from; the thread is named."""
    [event] = job(
        """
import threading
def work():
    try: raise KeyError("a")
    except KeyError:
        try: raise OSError("b")
        except OSError as inner: raise ExceptionGroup("both", [inner, ValueError("c")]) from None
thread = threading.Thread(target=work, name="loader")
thread.start()
thread.join()
""",
        "exception",
    )
    assert event["where"] == "thread loader"
    assert [(entry["type"], entry["link"]) for entry in event["chain"]] == [
        ("ExceptionGroup", None), ("OSError", "group"), ("KeyError", "context"), ("ValueError", "group"),
    ]  # fmt: skip


def test_a_syntax_error_is_placed_in_its_file(job: Job, tmp_path: Path) -> None:
    """The last frame of a SyntaxError is the line that could not be compiled, which never ran."""
    (tmp_path / "features.py").write_text("x = 1\ndef f(:\n")
    [event] = job("import features\n", "exception")
    last = event["chain"][-1]["frames"][-1]
    assert (Path(last["file"]).name, last["line"], last["own"]) == ("features.py", 2, True)


@pytest.mark.parametrize(
    "take_over",
    [
        "sys.excepthook = lambda *a: None",
        "import rich.traceback; rich.traceback.install()",
        "import IPython; from IPython.core.ultratb import VerboseTB; sys.excepthook = VerboseTB()",
    ],
)
def test_a_replaced_hook_does_not_hide_the_exception(job: Job, take_over: str) -> None:
    """A job that puts its own `sys.excepthook` in place: the exception is recorded at exit, once."""
    [event] = job(f"import sys\n{take_over}\ndef f(): raise ValueError('still seen')\nf()", "exception")
    assert event["chain"][0]["message"] == "still seen"


def test_a_replaced_hook_that_chains_records_once(job: Job) -> None:
    """The own hook calls the one before it, as Sentry's does: one record."""
    assert len(job("import sys\nold = sys.excepthook\nsys.excepthook = lambda *a: old(*a)\n1 / 0", "exception")) == 1


@pytest.mark.parametrize(
    "status, code, message",
    [("3", 3, None), ("", 0, None), ("'no feed'", 1, "no feed"), ("True", 1, None), ("[1]", 1, "[1]"), ("10**99", None, None)],
)
def test_an_exit_with_its_meaning_and_place(job: Job, status: str, code: int | None, message: str | None) -> None:
    """`sys.exit` by code, by message, by neither: and the line that called it."""
    [event] = job(f"import sys\ndef main():\n    sys.exit({status})\nmain()", "exit")
    assert (event["code"], event["message"], Path(event["frame"]).name) == (code, message, "script.py:3 in main")


def test_the_last_exit_is_the_last_event(job: Job) -> None:
    """INV-11: a job that catches its own exits writes a few, and the one that counts is always the last."""
    events = job("import sys\nfor n in range(1000):\n    try: sys.exit(n % 2)\n    except SystemExit: pass\nsys.exit('really')", "exit")
    assert len(events) < 50
    assert events[-1]["message"] == "really"


def test_a_flood_is_folded(job: Job) -> None:
    """INV-11: 1,000 alike warnings are written at 1, 2, 4, 8 … and at exit; the counts add up."""
    events = job(
        "import warnings\nwarnings.simplefilter('always')\nfor n in range(1000): warnings.warn(f'row {n}', FutureWarning)", "warning"
    )
    assert [event["count"] for event in events] == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 488]
    assert {(event["category"], Path(event["where"]).name) for event in events} == {("FutureWarning", "script.py:3")}


def test_many_kinds_are_bounded_and_still_counted(job: Job) -> None:
    """INV-11, INV-13: 2,000 kinds of log records take a bounded number of lines, none is uncounted, and it is said."""
    events = job("import logging\nfor n in range(2000): logging.getLogger(f'logger.{n}').warning('x')", "log", "problem")
    logs = [event for event in events if event["kind"] == "log"]
    assert len(logs) < 300
    assert sum(event["count"] for event in logs) == 2000
    assert [event["what"] for event in events if event["kind"] == "problem"] == [
        "more than 256 kinds of warnings and log records: the others are counted together"
    ]


def test_what_the_filters_of_the_job_hide_is_not_recorded(job: Job) -> None:
    """Ignored warnings, levels and filters of loggers decide as ever."""
    assert not job(
        """
import logging, warnings
warnings.filterwarnings("ignore")
warnings.warn("unseen")
logger = logging.getLogger("a")
logger.setLevel(logging.ERROR)
logger.warning("unseen")
logger.addFilter(lambda record: "secret" not in record.getMessage())
logger.error("secret")
""",
        "warning",
        "log",
    )


def test_a_log_record_with_its_exception(job: Job) -> None:
    """`logger.exception` carries the chain; arguments are put in; the place is the caller's."""
    script = """
import logging
def load():
    try: 1 / 0
    except ZeroDivisionError: logging.getLogger("etl").exception("feed %s", 7)
load()
"""
    [event] = job(script, "log")
    assert {key: event[key] for key in ("level", "levelno", "logger", "message", "library", "count")} == {
        "level": "ERROR", "levelno": 40, "logger": "etl", "message": "feed 7", "library": "logging", "count": 1,
    }  # fmt: skip
    assert event["where"].endswith("script.py:5")
    assert event["exception"][0]["type"] == "ZeroDivisionError"


LOGURU = "from loguru import logger\n"
INTERCEPT = """
import inspect, logging
from loguru import logger
class Intercept(logging.Handler):
    def emit(self, record):
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        logger.opt(depth=depth, exception=record.exc_info).log(record.levelname, record.getMessage())
logger.remove()
logger.add(open("own.log", "w"), format="{name}:{line} {message}")
logging.basicConfig(handlers=[Intercept()], level=0)
logging.getLogger("lib").warning("once")
"""
PROPAGATE = """
import logging
from loguru import logger
logging.basicConfig()
logger.remove()
logger.add(lambda message: logging.getLogger("x").warning(message.record["message"]))
logger.warning("once")
"""
STRUCTLOG = "import structlog\n"
STRUCTLOG_STDLIB = """
import logging, structlog
logging.basicConfig(format="%(message)s")
structlog.configure(logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=structlog.stdlib.BoundLogger,
    processors=[structlog.stdlib.filter_by_level, structlog.processors.JSONRenderer()])
structlog.get_logger("sales").warning("low stock", item=3)
structlog.get_logger("sales").info("unseen")
"""


@pytest.mark.parametrize(
    "script, library, message, line",
    [
        (LOGURU + "logger.warning('low {}', 'stock')", "loguru", "low stock", 2),
        (LOGURU + "logger.add(print)\nlogger.add(print)\nlogger.error('low stock')", "loguru", "low stock", 4),
        (INTERCEPT, "logging", "once", 13),
        (PROPAGATE, "loguru", "once", 7),
        (STRUCTLOG + "structlog.get_logger().warning('low stock', item=3)", "structlog", "low stock", 2),
        (STRUCTLOG_STDLIB, "structlog", '{"item": 3, "event": "low stock"}', 6),
        (STRUCTLOG + "logger = structlog.wrap_logger(structlog.BytesLogger(), [structlog.processors.JSONRenderer(lambda *a, **k: b'raw')])"
         "\nlogger.critical('x')", "structlog", "raw", 3),
    ],
    ids=["loguru", "two handlers", "logging to loguru", "loguru to logging", "structlog", "structlog over logging", "structlog bytes"],
)  # fmt: skip
def test_other_logging_libraries_count_once(job: Job, script: str, library: str, message: str, line: int) -> None:
    """A message is recorded once, under the library the job called, at the line it was called, however it travels on."""
    [event] = job(script, "log")
    assert (event["library"], event["count"]) == (library, 1)
    assert message in event["message"]
    assert "\x1b" not in event["message"]
    assert event["where"].endswith(f"script.py:{line}")


@pytest.mark.parametrize("start", [LOGURU, STRUCTLOG + "logger = structlog.get_logger()\n"], ids=["loguru", "structlog"])
def test_exceptions_logged_by_other_libraries(job: Job, start: str) -> None:
    """`logger.exception` of loguru and structlog carries the chain too."""
    [event] = job(start + "try: 1 / 0\nexcept ZeroDivisionError: logger.exception('failed')", "log")
    assert (event["level"], event["exception"][0]["type"]) == ("ERROR", "ZeroDivisionError")


def test_structlog_still_finds_the_caller(job: Job, tmp_path: Path) -> None:
    """INV-1: structlog's own search for the calling line is not led astray by the hook, nor is loguru's over `logging`."""
    job(
        """
import structlog
from structlog.processors import CallsiteParameter as P, CallsiteParameterAdder, JSONRenderer
processors = [CallsiteParameterAdder([P.PATHNAME, P.LINENO]), JSONRenderer()]
structlog.wrap_logger(structlog.PrintLogger(open("own.log", "w")), processors).warning("x")
""",
        "log",
    )
    line = msgspec.json.decode((tmp_path / "own.log").read_bytes())
    assert (Path(line["pathname"]).name, line["lineno"]) == ("script.py", 5)
    job(INTERCEPT, "log")
    assert (tmp_path / "own.log").read_text() == "__main__:13 once\n"


def test_captured_warnings_count_as_warnings(job: Job) -> None:
    """`logging.captureWarnings` turns a warning into a log record: one event."""
    events = job("import logging, warnings\nlogging.captureWarnings(True)\nwarnings.warn('w')", "warning", "log")
    assert [event["kind"] for event in events] == ["warning"]


def test_without_a_token_nothing_happens(job: Job) -> None:
    """No token or no file: the probe does not start."""
    assert job("1 / 0", "hello", "exception", OFFDUTY_TOKEN="") == []


def test_the_end_of_a_job_without_descriptors_left(job: Job) -> None:
    """A job that dies of "too many open files" is the one whose exception matters: it is recorded."""
    [event] = job(
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\nfiles = []\nwhile True: files.append(open('/dev/null'))",
        "exception",
    )
    assert event["chain"][0]["message"].startswith("[Errno 24] Too many open files")


def test_the_job_s_own_files_that_were_imported(job: Job, tmp_path: Path) -> None:
    """At its end: the script and what it imported of its own, neither Python's nor installed files; a forked child says it not again."""
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "__init__.py").write_text("")
    script = "import json, msgspec, sys, os, features\nsys.modules['odd'] = 7\nif os.fork() == 0: sys.exit(0)\nos.wait()"
    [event] = job(script, "modules")
    assert event["files"] == [str(tmp_path / "features/__init__.py"), str(tmp_path / "script.py")]


def test_many_files_come_in_portions(job: Job, tmp_path: Path) -> None:
    """INV-11: a thousand files at most, no line over 64 KiB."""
    for number in range(1100):
        (tmp_path / f"part_{number:04}_{'x' * 60}.py").write_text("")
    names = f"[f'part_{{number:04}}_{'x' * 60}' for number in range(1100)]"
    events = job(f"import importlib\nfor name in {names}: importlib.import_module(name)", "modules")
    assert sum(len(event["files"]) for event in events) == 1000
    assert all(len(line) < 65536 for line in (tmp_path / "events").read_bytes().splitlines())
