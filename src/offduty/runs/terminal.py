"""The job on a terminal of its own (a pty), so that progress bars, colours and prompts are what they are without offduty."""

from __future__ import annotations

import fcntl
import os
import termios

from offduty.runs.output import READ_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_foreground(fd: int) -> bool:
    """Whether `fd` is a terminal that we may read from and change."""
    try:
        return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


def put_in_front(group: int, *, instead_of: int) -> None:
    """Make `group` the one that the terminal's keys go to, if it is `instead_of` now (another one was put there by whoever runs us)."""
    try:
        if os.tcgetpgrp(0) == instead_of:
            os.tcsetpgrp(0, group)
    except OSError:
        pass


class Terminal:
    """A pty whose user side is the job's, and the real terminal, if there is one, made transparent until `restore`.

    `main`: our side; `user`: the job's side; `stdin`: our standard input when keys are to be passed on, else -1;
    `keys`: typed, and not taken by the job yet.
    """

    def __init__(self, stdin: int, outer: int) -> None:
        self.main, self.user = os.openpty()
        self.outer = outer if os.isatty(outer) else -1
        self.stdin = stdin if is_foreground(stdin) else -1
        self.keys = b""
        self._before: Any = None
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
            try:
                fcntl.ioctl(self.main, termios.TIOCSWINSZ, fcntl.ioctl(self.outer, termios.TIOCGWINSZ, bytes(8)))
            except OSError:  # it has hung up
                pass

    def take_keys(self) -> bool:
        """Read typed bytes and hand them on; False when there will be no more."""
        try:
            keys = os.read(self.stdin, READ_SIZE)
        except OSError:
            return False
        self.keys += keys
        self.pass_keys()
        return bool(keys)

    def pass_keys(self) -> None:
        """Hand typed bytes to the job as far as it takes them; the rest waits in `keys`, as it would in a real terminal."""
        try:
            while self.keys:
                self.keys = self.keys[os.write(self.main, self.keys) :]
        except BlockingIOError:
            pass
        except OSError:
            self.keys = b""

    def close_user(self) -> None:
        """Let go of the job's side, once the job has ended: what it wrote can be read to its end then.

        Not before: a job that closes its terminal and lives on would be hung up on, and could not open it again.
        """
        if self.user >= 0:
            os.close(self.user)
            self.user = -1

    def restore(self) -> None:
        """The real terminal as it was. At once: waiting until it has shown everything could be for ever."""
        if self._before is not None:
            try:
                termios.tcsetattr(self.stdin, termios.TCSANOW, self._before)
            except termios.error:  # it has hung up
                pass
            self._before = None
