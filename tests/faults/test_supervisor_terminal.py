"""A job under a terminal: it sees one, its keys and its size arrive, Ctrl-C and Ctrl-Z work, and the terminal is as it was afterwards."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

CTRL_C, CTRL_D, CTRL_Z = b"\x03", b"\x04", b"\x1a"


class Screen:
    """A real terminal with offduty in its foreground, as a shell would start it."""

    def __init__(self, offduty, words, *, rows=33, columns=111, shell=None, **more):
        self.main, user = pty.openpty()
        self.offduty = offduty
        self.resize(rows, columns)
        self.before = termios.tcgetattr(user)
        command = shell or offduty.command(*words)
        launch = [
            sys.executable,
            "-S",
            "-c",
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])",
        ]
        std = {"stdin": user, "stdout": user, "stderr": user, **more}
        self.process = offduty.popen([*launch, *command], start_new_session=True, **std)
        self.user, self.shown = user, b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.main, keys)

    def read_some(self, seconds=0.05):
        import select

        if select.select([self.main], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.main, 65536)
            except OSError as error:  # nobody has the other side open
                if error.errno != errno.EIO:
                    raise

    def wait_for(self, text, seconds=10):
        """Until `text` was shown; what was shown so far."""
        until = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < until, (text, self.shown)
            self.read_some()
        return self.shown

    def end(self, seconds=10):
        """Wait for the end: its exit code."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, self.shown
            self.read_some()
        self.read_some(0)
        return self.process.returncode

    def modes(self):
        return termios.tcgetattr(self.user)


@pytest.fixture
def screen(offduty):
    """Makes a `Screen`; closed afterwards."""
    made = []

    def make(*words, **more):
        made.append(Screen(offduty, words, **more))
        return made[-1]

    yield make
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.main)
        os.close(each.user)


def python(code):
    """A Python job named x."""
    return ["--name", "x", "--", sys.executable, "-S", "-c", code]


def test_a_job_on_a_terminal_sees_one(screen):
    """A pty for the three streams, with the size of the real one; the terminal's modes come back."""
    terminal = screen(
        *python("import os, sys; print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size(), flush=True); sys.exit(3)")
    )
    assert terminal.end() == 3
    assert b"[True, True, True] os.terminal_size(columns=111, lines=33)\r\n" in terminal.shown
    assert terminal.modes() == terminal.before


def test_a_pty_can_be_asked_for(offduty):
    """`--pty always` without any terminal."""
    done = offduty.run("--pty", "always", *python("import os; print([os.isatty(fd) for fd in (0, 1, 2)])"))
    assert done.out == b"[False, True, False]\r\n"
    assert offduty.logged() == b"[False, True, False]\n"


def test_a_pty_can_be_refused(screen):
    """`--pty never` on a terminal: pipes."""
    terminal = screen("--pty", "never", *python("import os; print([os.isatty(fd) for fd in (0, 1, 2)], flush=True)"))
    assert terminal.end() == 0
    assert b"[True, False, False]" in terminal.shown


def test_a_progress_bar_keeps_its_final_state_in_the_log(offduty):
    """Everything goes to the screen, however slow; only the last state into the log. A prompt is no progress bar."""
    code = """import sys, time
for n in range(8): print(f'\\r{n}0%', end='', flush=True); time.sleep(0.2)
print()
print('name? ', end='', flush=True)
time.sleep(0.7)"""
    done = offduty.run("--pty", "always", *python(code))
    assert done.out.count(b"%") == 8
    assert offduty.logged() == b"70%\nname? "


def test_a_progress_bar_of_a_megabyte(offduty):
    """However long it goes on without a newline, the log keeps its last state, and nothing else of it."""
    code = "import sys\nfor n in range(100001): sys.stdout.write(f'\\rstep {n:6d}')\nprint()"
    offduty.run("--pty", "always", *python(code))
    assert offduty.logged() == b"step 100000\n"


def test_a_new_size_reaches_the_job(screen):
    """SIGWINCH, and the size itself."""
    code = """import os, signal
signal.signal(signal.SIGWINCH, lambda *a: None)
print('ready', flush=True)
signal.pause()
print(os.get_terminal_size(), flush=True)"""
    terminal = screen(*python(code))
    terminal.wait_for(b"ready")
    terminal.resize(20, 50)
    terminal.wait_for(b"columns=50, lines=20")
    assert terminal.end() == 0


def test_keys_reach_the_job(screen):
    """Typed lines, echoed once, by the job's own terminal."""
    terminal = screen(*python("print('got', input('name? '))"))
    terminal.wait_for(b"name? ")
    terminal.type(b"Ada\r")
    assert terminal.end() == 0
    assert terminal.shown == b"name? Ada\r\ngot Ada\r\n" + terminal.shown.partition(b"got Ada\r\n")[2]


def test_the_end_of_input_reaches_the_job(screen):
    """Ctrl-D."""
    terminal = screen(*python("import sys; print('ready', flush=True); print(len(sys.stdin.read()))"))
    terminal.wait_for(b"ready")
    terminal.type(b"four\r" + CTRL_D)
    terminal.wait_for(b"\r\n5\r\n")
    assert terminal.end() == 0


def test_a_long_paste_arrives_whole(screen):
    """More than the job's terminal takes at once waits; nothing is dropped."""
    code = """import sys, time
print('ready', flush=True)
time.sleep(0.5)
n = sum(len(sys.stdin.readline()) for _ in range(3000))
print('got', n, flush=True)"""
    terminal = screen(*python(code))
    terminal.wait_for(b"ready")
    for _ in range(300):
        for _ in range(10):
            terminal.type(b"x" * 49 + b"\r")
        terminal.read_some(0)
    terminal.wait_for(b"got 150000")
    assert terminal.end() == 0


def test_ctrl_c_ends_the_job(screen):
    """The job dies of it, the record says so, and the modes are back."""
    terminal = screen(*python("import time; print('ready', flush=True); time.sleep(60)"))
    terminal.wait_for(b"ready")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert terminal.offduty.record["outcome"] == "terminated"
    assert terminal.modes() == terminal.before


def test_ctrl_c_twice_ends_a_stubborn_job(screen):
    """F05."""
    terminal = screen(*python("import signal, time; signal.signal(2, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"))
    terminal.wait_for(b"ready")
    terminal.type(CTRL_C)
    time.sleep(0.2)
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert terminal.modes() == terminal.before


def test_ctrl_c_with_pipes_on_a_terminal(screen):
    """`--pty never`: the job is the terminal's foreground group and gets the key itself; it is not tried again."""
    terminal = screen(
        "--pty", "never", "--retries", "2", "--retry-delay", "0", *python("import time; print('ready', flush=True); time.sleep(60)")
    )
    terminal.wait_for(b"ready")
    terminal.type(CTRL_C)
    assert terminal.end() == 130
    assert [run["outcome"] for run in terminal.offduty.records()] == ["terminated"]


def test_each_attempt_can_read_the_keyboard(screen):
    """The terminal's foreground comes back to offduty, so that the second attempt gets it, too."""
    terminal = screen(
        "--pty",
        "never",
        "--retries",
        "1",
        "--retry-delay",
        "0",
        "--name",
        "x",
        "--",
        "sh",
        "-c",
        "echo ready$OFFDUTY_ATTEMPT; read x; test $x = b",
    )
    terminal.wait_for(b"ready1")
    terminal.type(b"a\r")
    terminal.wait_for(b"ready2")
    terminal.type(b"b\r")
    assert terminal.end() == 0


@pytest.mark.parametrize("mode", ["always", "never"])
def test_ctrl_z_and_back(screen, offduty, mode):
    """The job stops, the shell gets the terminal, `fg` goes on with both."""
    command = " ".join(offduty.command("--pty", mode, "--name", "x", "--", "sh", "-c", "'echo ready; read x; echo got $x; exit 4'"))
    terminal = screen(shell=["bash", "--norc", "--noediting", "-i"])
    terminal.type(b"PS1=PROMPT:\r" + command.encode() + b"\r")
    terminal.wait_for(b"ready\r\n")
    terminal.type(CTRL_Z)
    terminal.wait_for(b"Stopped")
    terminal.type(b"fg\r")
    time.sleep(0.5)
    terminal.type(b"word\r")
    terminal.wait_for(b"got word\r\n")
    terminal.shown = terminal.shown.partition(b"got word\r\n")[2]
    terminal.wait_for(b"PROMPT:")
    terminal.type(b"echo code=$?; exit\r")
    terminal.wait_for(b"code=4")
    terminal.end()


def test_the_modes_come_back_when_nothing_starts(screen):
    """Also where the command is not there."""
    terminal = screen("--", "no-such-command-at-all")
    assert terminal.end() == 127
    assert terminal.modes() == terminal.before


def test_a_terminal_that_hangs_up(screen, offduty):
    """The window is closed: HUP reaches the job, and the record is written."""
    terminal = screen(*python("import time; print('ready', flush=True); time.sleep(60)"))
    terminal.wait_for(b"ready")
    os.close(terminal.user)
    terminal.user = os.open(os.devnull, os.O_RDONLY)
    os.close(terminal.main)
    terminal.main = os.open(os.devnull, os.O_RDONLY)
    assert terminal.process.wait(5) == 128 + signal.SIGHUP
    assert offduty.record["outcome"] == "terminated"


def test_stderr_elsewhere_is_told_apart(screen, offduty):
    """`2> file` on a terminal: what goes to stderr is not mixed into the screen."""
    with open(offduty.home / "err", "wb") as err:
        terminal = screen("--quiet", *python("import sys; print('out'); print('err', file=sys.stderr)"), stderr=err)
        assert terminal.end() == 0
    assert terminal.shown == b"out\r\n"
    assert (offduty.home / "err").read_bytes() == b"err\n"
    assert (offduty.logged(b"|"), offduty.logged(b"!")) == (b"out\n", b"err\n")


def test_keys_do_not_end_up_in_the_log(screen, offduty):
    """A job that lets go of its terminal takes no keys any more; they are echoed, and not written to whatever has its number now."""
    code = "import os, time\nprint('ready', flush=True)\nfor fd in (0, 1, 2): os.close(fd)\ntime.sleep(1)"
    terminal = screen(*python(code))
    terminal.wait_for(b"ready")
    time.sleep(0.3)
    for _ in range(20):
        terminal.type(b"secret")
        time.sleep(0.02)
    assert terminal.end() == 0
    assert [line for line in offduty.log().splitlines() if line[12:14] not in (b" |", b" *")] == []


def test_a_pipeline_on_a_pty_ends_with_its_reader(offduty):
    """`--pty always … | head`: the job's terminal hangs up."""
    pipeline = f"{' '.join(offduty.command('--quiet', '--pty', 'always', '--', 'yes'))} | head -3; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipeline], env=offduty.env, cwd=offduty.home, capture_output=True, timeout=20)
    assert done.stdout == b"y\r\ny\r\ny\r\n%d\n" % (128 + signal.SIGHUP)
