"""The process beside a block of code that keeps its log and record (`offduty.wiring.sidecar`), seen from the block.

Messages are JSON lines on a socket. We send what is to be recorded; it answers with the run's id, log and variables, or why there is no
run; we tell how the block ended; it ends, unless processes are left that print: then it says so. Only the start raises: OSError.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from typing import Any

ANSWER_TIME = 10.0  # seconds for it to start; a job is not kept waiting longer than that
END_TIME = 5.0  # and for the summary at the end
STARTER = "import sys; sys.path[:0] = [sys.argv[1]]; from offduty.wiring.sidecar import main; main(int(sys.argv[2]))"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_late: list[subprocess.Popen[bytes]] = []  # those that had more to do than we had time; reaped when the next block begins


class Beside:
    """One such process. `readers`: descriptors it shall have; `spec`: what it shall know; `patient`: it may have to wait for its turn."""

    def __init__(self, spec: dict[str, Any], readers: list[int], *, patient: bool) -> None:
        _late[:] = [process for process in _late if process.poll() is None]
        self.pid = os.getpid()
        self._control, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(theirs.fileno(), readers)
        except BaseException:
            self._control.close()
            raise
        try:
            self._control.settimeout(None if patient else ANSWER_TIME)
            self._say(spec)
            self.answer = self._hear()
        except BaseException:
            self._abandon()
            raise

    def _say(self, message: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(message).encode("ascii") + b"\n", socket.MSG_NOSIGNAL)

    def _hear(self) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\n"):
            piece = self._control.recv(1 << 16)
            if not piece:
                raise ConnectionError("the process beside it ended")
            data += piece
        answer: dict[str, Any] = json.loads(data)
        if "refused" in answer:
            raise ConnectionError(answer["refused"])
        return answer

    def _abandon(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def end(self, said: dict[str, Any]) -> None:
        """Tell how the block ended, and wait until the summary is on the screen: not long, and not in a process forked inside the block."""
        try:
            if os.getpid() == self.pid:
                self._end(said)
        finally:
            self._control.close()

    def _end(self, said: dict[str, Any]) -> None:
        _late.append(self._process)
        with contextlib.suppress(TimeoutError):
            self._control.settimeout(END_TIME)
            with contextlib.suppress(ConnectionError):
                self._say(said)
                if self._control.recv(1):
                    return
            self.dismiss()  # the end of the stream is the end of the process

    def dismiss(self) -> None:
        """It ends by itself now, or has."""
        self._control.close()
        self._process.wait()
        if self._process in _late:
            _late.remove(self._process)


def _start(control: int, readers: list[int]) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C and a hang-up are for the job. `-P`: a `json.py` beside the job is not for us."""
    command = [sys.executable, "-P", "-c", STARTER, SOURCE, str(control)]
    return subprocess.Popen(command, pass_fds=(control, *readers), stdin=subprocess.DEVNULL, start_new_session=True)
