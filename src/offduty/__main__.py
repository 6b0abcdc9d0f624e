"""The program: `offduty run` by the fast path, everything else through the frame."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit status. Never returns."""
    argv = sys.argv[1:]
    status = None
    if argv[:1] == ["run"]:
        gc.disable()  # 2 ms of looking through fresh modules; on again when the job runs
        from offduty.cli.commands import run

        status = run.fast(argv[1:])
    if status is None:
        gc.enable()
        from offduty.cli.frame import main as frame

        status = frame(argv)
    # Straight out: the interpreter's own way down costs milliseconds after every job, and nothing is left to be done.
    os._exit(status)


if __name__ == "__main__":
    main()
