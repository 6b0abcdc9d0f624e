"""The job on a terminal of its own (a pty), so that progress bars, colours and prompts are what they are without offduty."""

from __future__ import annotations

import fcntl
import os
import select
import termios

from offduty.runs.output import READ_SIZE

KEYS_WAIT = 0.1


def wanted(mode: str, stdout: int) -> bool:
    """Whether the job gets a pty: `auto` means when our own stdout is a terminal."""
    return mode == "always" or (mode == "auto" and os.isatty(stdout))


def is_foreground(fd: int) -> bool:
    """Whether `fd` is a terminal that we may read from and change."""
    try:
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


class Terminal:
    """A pty whose user side is the job's, and the real terminal, if there is one, made transparent until `restore`.

    `main`: our side; `user`: the job's side; `stdin`: our standard input when keys are to be passed on, else -1.
    """

    def __init__(self, stdin: int, outer: int) -> None:
        self.main, self.user = os.openpty()
        self.outer = outer if os.isatty(outer) else -1
        self.stdin = stdin if is_foreground(stdin) else -1
        self._before: list[object] | None = None
        self.resize()

    def make_transparent(self) -> None:
        """Keys and bytes pass unchanged; only the signal keys stay ours, to be passed on as signals."""
        if self.stdin < 0:
            return
        self._before = termios.tcgetattr(self.stdin)
        mode = termios.tcgetattr(self.stdin)
        mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
        mode[1] &= ~termios.OPOST
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.stdin, termios.TCSANOW, mode)

    def resize(self) -> None:
        """Give the pty the size of the real terminal."""
        if self.outer >= 0:
            size = fcntl.ioctl(self.outer, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self.main, termios.TIOCSWINSZ, size)

    def pass_keys(self) -> bool:
        """Hand typed bytes to the job; False when there are no more."""
        try:
            keys = os.read(self.stdin, READ_SIZE)
        except OSError:
            return False
        while keys:
            try:
                keys = keys[os.write(self.main, keys) :]
            except BlockingIOError:
                if not select.select([], [self.main], [], KEYS_WAIT)[1]:
                    return True  # the job reads no keys and its buffer is full: a real terminal drops them, too
                continue
            return True
        return False

    def restore(self) -> None:
        """The real terminal as it was."""
        if self._before is not None:
            termios.tcsetattr(self.stdin, termios.TCSADRAIN, self._before)
            self._before = None


