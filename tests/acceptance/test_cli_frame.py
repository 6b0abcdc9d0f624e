"""The command line as a process among others: pipes that close, disks that are full, locales, closed descriptors."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

OFFDUTY = [sys.executable, "-m", "offduty"]


def shell(tmp_path, line: str, **environ: str) -> subprocess.CompletedProcess:
    """Run a line of bash in which `offduty` is our command."""
    program = f'offduty() {{ "{sys.executable}" -m offduty "$@"; }}; {line}'
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OFFDUTY_STATE_DIR": str(tmp_path / "state"), **environ}
    return subprocess.run(["bash", "-c", program], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, errors="replace")


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    """`| head -1`: nothing on stderr, and 141 as of any command that dies of SIGPIPE."""
    done = shell(tmp_path, "offduty run --help | true; sleep 0.1; echo ${PIPESTATUS[0]}")
    assert done.stderr == ""
    long = shell(tmp_path, "offduty completion bash | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}")
    assert (long.stderr, long.stdout.strip() in ("141", "0")) == ("", True)


@pytest.mark.parametrize("command", ["offduty --help", "offduty completion bash", "offduty status --json"])
def test_a_full_disk_behind_stdout_is_said(tmp_path, command):
    """F25's sibling: exit 73 and one line instead of an answer that is cut."""
    done = shell(tmp_path, f"{command} > /dev/full")
    assert done.returncode == 73
    assert done.stderr == "offduty: E120 the answer could not be written to standard output: no space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_do_no_harm(tmp_path, closed):
    """As some daemons start things."""
    assert shell(tmp_path, f"offduty status {closed}").returncode == 0


@pytest.mark.parametrize(
    "locale",
    [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}],
)
def test_an_encoding_without_our_symbols_gets_others(tmp_path, locale):
    """No UnicodeEncodeError, and the words are the same."""
    done = shell(tmp_path, "offduty run --name j -- true; offduty status; offduty --help; offduty run --help", **locale)
    assert done.returncode == 0
    assert "+ succeeded" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_word_that_is_no_text_is_shown_escaped(tmp_path):
    """B1: argv with invalid UTF-8."""
    done = shell(tmp_path, r"offduty log $'caf\xe9\xff'")
    assert done.returncode == 66
    assert r"caf\udce9\udcff" in done.stderr or r"caf\xe9\xff" in done.stderr


def test_an_unknown_command_does_nothing_and_names_the_nearest(tmp_path):
    """Exit 2; with --json the document is on stdout."""
    done = shell(tmp_path, "offduty rnus --json")
    assert (done.returncode, json.loads(done.stdout)["error"]["fix"]) == (2, "did you mean runs?")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("command", ["status", "runs", "log", "completion", "check", "doctor", "config", "init", "run", "runs show"])
def test_every_command_explains_itself(tmp_path, command):
    """--help and `help COMMAND` print the same: usage, what it is for, every option, examples."""
    done = shell(tmp_path, f"offduty {command} --help; offduty help {command}")
    first, second = done.stdout[: len(done.stdout) // 2], done.stdout[len(done.stdout) // 2 :]
    assert done.returncode == 0
    assert first == second
    assert all(part in first for part in ("usage: offduty", "examples:", "--json", "--help"))


def test_only_the_command_that_is_called_is_loaded(tmp_path):
    """Start-up stays short however many commands there will be."""
    call = "import sys; from offduty.cli.frame import main; main(['completion', '--help'])"
    code = f"{call}; print([name for name in sys.modules if '.commands.' in name])"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "['offduty.cli.commands.completion']"
