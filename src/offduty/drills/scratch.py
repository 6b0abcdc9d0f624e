"""The folder that a drill plays in: made for it, and gone after it, also if the drill is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

PREFIX = "offduty-drill-"
JANITOR = """\
import os, shutil, sys, time
sys.stdin.read()
for _ in range(100):
    for folder, names, _ in os.walk(sys.argv[1]):
        for name in names:
            try: os.path.islink(folder + "/" + name) or os.chmod(folder + "/" + name, 0o700)
            except OSError: pass
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    try: open(sys.argv[1])
    except FileNotFoundError: break
    except OSError: pass
    time.sleep(0.1)
"""
"""Waits for our end, however that comes, and clears up: what still runs may write for a moment; layers have folders without rights."""
KEPT_NOTES = 500


class Scratch:
    """`with Scratch() as scratch:` one folder for one drill: `state`, `logs`, `files` (what was written), `tmp`."""

    def __enter__(self) -> Self:
        self.path = os.path.realpath(tempfile.mkdtemp(prefix=PREFIX))
        for name in ("state", "logs", "files", "tmp", "spoilt"):
            os.mkdir(f"{self.path}/{name}", 0o700)
        command = [sys.executable, "-I", "-S", "-c", JANITOR, self.path]
        self._janitor = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._janitor.stdin is not None:
            self._janitor.stdin.close()
        self._janitor.wait()

    def environ(self, spec: Mapping[str, Any]) -> dict[str, str]:
        """What the job is told of the drill; its temporary files, caches and PostgreSQL sessions are held back as well."""
        with open(f"{self.path}/spec.json", "w", encoding="utf-8") as file:
            json.dump({"scratch": self.path, **spec}, file)
        tmp = f"{self.path}/tmp"
        return {
            "OFFDUTY_DRILL": "1", "OFFDUTY_DRILL_SPEC": f"{self.path}/spec.json", "TMPDIR": tmp, "PYTHONDONTWRITEBYTECODE": "1",
            "OFFDUTY_STATE_DIR": f"{self.path}/state", "OFFDUTY_LOGS_DIR": f"{self.path}/logs", "JUPYTER_RUNTIME_DIR": tmp,
            "IPYTHONDIR": tmp, "MPLCONFIGDIR": tmp, "NUMBA_CACHE_DIR": tmp, "PGOPTIONS": "-c default_transaction_read_only=on",
        }  # fmt: skip

    def notes(self) -> list[dict[str, Any]]:
        """What the sandbox did, in order."""
        try:
            with open(f"{self.path}/notes.jsonl", encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()[:KEPT_NOTES]
        except OSError:
            return []
        return [found for line in lines if (found := _note(line)) is not None]


def _note(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"did", "op", "target"} <= set(found) else None
