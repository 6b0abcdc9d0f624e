"""Start the probe once in a process: read OFFDUTY_* from the environment, say hello, install the hooks."""

from __future__ import annotations

import atexit
import os
import sys

from offduty_probe import hooks
from offduty_probe.chain import chain_of
from offduty_probe.guard import quietly, tell_problems_to
from offduty_probe.recorder import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from offduty_probe.capture.ledger import Ledger
    from offduty_probe.drill import Drill

recorder: Recorder | None = None
ledger: Ledger | None = None  # of the captures; what the job tells itself goes into the same


def start(environ: Mapping[str, str]) -> None:
    """Record into `$OFFDUTY_EVENTS` under `$OFFDUTY_TOKEN` from now on; nothing if one is missing, or if it was done before."""
    global recorder
    events, token = environ.get("OFFDUTY_EVENTS"), environ.get("OFFDUTY_TOKEN")
    if recorder is not None or not events or not token:
        return
    drill = _drill(environ)
    recorder = Recorder(events, token)
    tell_problems_to(recorder.problem)
    atexit.register(quietly, recorder.flush)  # registered first, so it runs last: what other exit functions log is counted too
    pid = os.getpid()
    recorder.at_flush.append(lambda: _modules(pid))
    os.register_at_fork(after_in_child=recorder.forget)
    quietly(_hello, recorder)
    hooks.install(recorder)
    quietly(_capture, recorder, environ.get("OFFDUTY_CAPTURE", "") if drill is None else "", drill)


def _drill(environ: Mapping[str, str]) -> Drill | None:
    """First of all, as whatever is done later is to be held back."""
    if environ.get("OFFDUTY_DRILL") != "1":
        return None
    from offduty_probe.drill import begin

    return begin(environ)


def _capture(recorder: Recorder, chosen: str, drill: Drill | None = None) -> None:
    """Imported here, so that the hooks are installed whatever becomes of the captures."""
    global ledger
    if chosen.strip() == "0":
        return
    from offduty_probe import capture, checked
    from offduty_probe.capture.ledger import Ledger

    ledger = Ledger(recorder)
    ledger.drill = drill
    capture.install(ledger, chosen)
    checked.install(recorder, chosen)


def begin_block(environ: Mapping[str, str]) -> None:
    """A block of code in this process is a run of its own from now on: what happens goes to its file."""
    start(environ)
    if recorder is not None and recorder.path != environ["OFFDUTY_EVENTS"]:
        recorder.aim(environ["OFFDUTY_EVENTS"], environ["OFFDUTY_TOKEN"])
        quietly(_hello, recorder)


def end_block(error: BaseException | None) -> None:
    """The block is over, by `error` or well: nothing more is recorded until another begins."""
    if recorder is None:
        return
    if error is not None:
        quietly(recorder.build_and_record, "exception", lambda: {"where": "main", "chain": chain_of(error), "uncaught": True})
    quietly(recorder.flush)
    recorder.aim("", "")


def _modules(pid: int) -> None:
    """When the process ends; a forked child has its parent's modules, and the parent will tell."""
    if recorder is not None and recorder.path and os.getpid() == pid:
        try:
            from offduty_probe.modules import record_modules
        except (ImportError, OSError):  # the job has used up its descriptors, or its memory
            return
        quietly(record_modules, recorder)


def _hello(recorder: Recorder) -> None:
    main = recorder.nothing_written_yet()
    argv = list(getattr(sys, "orig_argv", sys.argv))
    version = ".".join(str(part) for part in sys.version_info[:3])
    site = [folder for folder in sys.path if folder.endswith("-packages")]  # where its packages are
    keys = {"python": version, "executable": sys.executable, "argv": argv, "ppid": os.getppid(), "main": main, "site": site}
    recorder.record("hello", keys)
