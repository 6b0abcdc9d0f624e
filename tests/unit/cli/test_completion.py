"""Each shell is started for real, reads its script, and is asked what it would complete."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time

import pytest

from offduty.cli import COMMANDS, completion
from offduty.cli.commands.completion import SHELLS
from offduty.cli.describe import commands, common_options

ASKS = [
    ("offduty ", {*COMMANDS, "help"}, {"--json"}),
    ("offduty st", {"status"}, {"runs"}),
    ("offduty status ", {"forecast", "nightly-etl"}, {"status"}),
    ("offduty status fo", {"forecast"}, {"nightly-etl"}),
    ("offduty runs --outc", {"--outcome"}, {"--json"}),
    ("offduty --color never runs --fai", {"--failed"}, {"--json"}),
    ("offduty runs ", {"show", "forecast"}, {"status"}),
    ("offduty runs show --js", {"--json"}, {"--failed"}),
    ("offduty runs --color ", {"auto", "always", "never"}, {"forecast"}),
    ("offduty runs --job ", {"forecast", "nightly-etl"}, {"show"}),
    ("offduty log --stream ", {"err", "out"}, {"forecast"}),
    ("offduty completion ", set(SHELLS), {"forecast"}),
    ("offduty help lo", {"log"}, {"status"}),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two configured jobs, and a program `offduty` on the path."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "offduty.toml").write_text('[job.forecast]\ncommand = ["true"]\n[job.nightly-etl]\ncommand = ["true"]\n')
    (folder / "offduty").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m offduty "$@"\n')
    (folder / "offduty").chmod(0o755)
    for shell in SHELLS:
        (folder / f"script.{shell}").write_text(completion.SCRIPTS[shell](commands(), common_options()))
    return folder


def environment(place):
    """Of a shell that has nothing else."""
    return {"PATH": f"{place}:{os.environ['PATH']}", "HOME": str(place), "OFFDUTY_STATE_DIR": f"{place}/state", "TERM": "dumb"}


def run(place, *argv):
    """The words a shell prints."""
    done = subprocess.run(argv, env=environment(place), cwd=place, capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    return set(done.stdout.split("\n"))


def in_bash(place, line):
    """Bash calls the function with the words of the line."""
    words = line.split(" ")
    array = " ".join(f"'{word}'" for word in words)
    script = f'source script.bash; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _offduty; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return run(place, "bash", "--norc", "-c", script)


def in_fish(place, line):
    """Fish can be asked directly; it prints a tab and the help behind each word."""
    answers = run(place, "fish", "--no-config", "-c", f"source script.fish; complete -C '{line}'")
    return {answer.partition("\t")[0] for answer in answers}


@pytest.fixture(scope="module")
def zsh(place):
    """Zsh completes only for somebody who types: one on a terminal of its own."""
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (50, 200))
    streams = {"stdin": side, "stdout": side, "stderr": side}
    process = subprocess.Popen(["zsh", "-f"], env=environment(place), cwd=place, start_new_session=True, **streams)
    os.close(side)
    os.write(main, b"autoload -U compinit; compinit -u -D; source script.zsh; LISTMAX=0; setopt no_beep; PS1='rea''dy> '\n")
    read_until(main, lambda seen: "ready> " in seen)
    yield main
    process.kill()
    process.wait()
    os.close(main)


def read_until(fd, is_enough):
    """What comes, until it is enough or ten seconds have gone."""
    seen, end = "", time.monotonic() + 10
    while time.monotonic() < end and not is_enough(seen):
        if select.select([fd], [], [], 0.1)[0]:
            seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", " ", os.read(fd, 65536).decode("utf-8", "replace"))
    return seen


@pytest.mark.parametrize("line, offered, withheld", ASKS)
def test_bash_completes_commands_options_values_and_jobs(place, line, offered, withheld):
    """What is offered, and what is not."""
    answer = in_bash(place, line)
    assert offered <= answer
    assert not withheld & answer


@pytest.mark.parametrize("line, offered, withheld", ASKS)
@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_commands_options_values_and_jobs(place, line, offered, withheld):
    """The same answers."""
    answer = in_fish(place, line)
    assert offered <= answer
    assert not withheld & answer


@pytest.mark.parametrize("line, offered", [(line, offered) for line, offered, _ in ASKS if len(offered) > 1])
@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_lists_commands_values_and_jobs(zsh, line, offered):
    """The same answers, as they appear below the prompt after Tab."""
    os.write(zsh, f"{line}\t\t".encode())
    seen = read_until(zsh, lambda seen: offered <= set(seen.split()))
    os.write(zsh, b"\x15\n")  # clears the line
    assert offered <= set(seen.split())


def test_bash_completes_the_command_behind_two_dashes(place):
    """Behind `--` stands any program, then its files."""
    assert "bash" in in_bash(place, "offduty run -- bas")
    assert "offduty.toml" in in_bash(place, "offduty run -- bash offd")


def test_bash_completes_values_behind_an_equals_sign(place):
    """Bash takes `--color=al` apart at the sign."""
    script = "source script.bash; COMP_WORDS=(offduty runs --color = al); COMP_CWORD=4; _offduty; echo ${COMPREPLY[@]}"
    assert "always" in run(place, "bash", "--norc", "-c", script)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_names_every_command_and_every_option(shell):
    """Generated from the table, so nothing is forgotten."""
    script = completion.SCRIPTS[shell](commands(), common_options())
    for command in commands():
        assert all(word in script for word in command.name.split())
        for option in command.options:
            assert all(name.lstrip("-") in script for name in option.names)


def test_asking_for_jobs_never_disturbs_who_types(place):
    """A broken configuration and an unreadable store complete nothing, and say nothing."""
    (place / "broken.toml").write_text("[")
    env = environment(place) | {"OFFDUTY_STATE_DIR": "/proc/nowhere", "OFFDUTY_CONFIG": f"{place}/broken.toml"}
    done = subprocess.run([f"{place}/offduty", "completion", "--jobs"], env=env, cwd=place, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
