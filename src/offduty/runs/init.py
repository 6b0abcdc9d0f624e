"""Being process 1 of a container: the work is done by a child; this hands signals on to it, and buries whatever else dies here."""

from __future__ import annotations

import os
import signal

HANDED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def as_init() -> int | None:
    """None in the process that does the work; in process 1, once that is over, its exit status (128+n after signal n)."""
    if os.getpid() != 1:
        return None
    child = os.fork()
    if child == 0:
        return None
    for number in HANDED_ON:
        signal.signal(number, lambda number, _: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
