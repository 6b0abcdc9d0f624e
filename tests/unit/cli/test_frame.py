"""The frame finds the command, parses its options, and turns whatever goes wrong into one line and an exit status."""

from __future__ import annotations

import json
import os
import stat

import pytest

from offduty.cli import COMMANDS, frame
from offduty.errors import ConfigError

BAD_NAMES = ["../x", "a/b", ".", "..", "a\nb", "\x1b[2J", "-x", "CON", "x" * 300, "\u202eabc", "\u200b", "🙂", " ", ""]
BROKEN = """
from offduty.errors import OffdutyError
HELP = "break in many ways"
def arguments(parser):
    parser.add_argument("how")
def main(args):
    if args.how == "bug":
        raise KeyError("surprise")
    if args.how == "interrupt":
        raise KeyboardInterrupt
    if args.how == "reader":
        raise BrokenPipeError
    if args.how == "echo":
        print(sorted(vars(args).items()))
    return 0
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A command `broken`, added the way every command is: a module and a line in the table."""
    (tmp_path / "broken_command.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(COMMANDS, "broken", ("broken_command", "Look back", "break in many ways"))
    monkeypatch.setenv("OFFDUTY_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_without_a_command_it_teaches(capsys, argv):
    """The overview names every command, and its first hour uses only commands that exist."""
    assert frame.main(argv) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert all(example.split()[1] in COMMANDS for example, _ in frame.FIRST_HOUR)


def test_the_version_names_what_a_bug_report_needs(capsys):
    """`offduty 0.1.0 (Python 3.11.7, SQLite 3.40.1)`, also behind a command."""
    assert frame.main(["--version"]) == frame.main(["status", "--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second == frame.version()


@pytest.mark.parametrize(
    "argv, says",
    [
        (["statsu"], 'E110 there is no command "statsu"; did you mean status?'),
        (["\x1b[2J"], r'E110 there is no command "\x1b[2J"'),
        (["runs", "--jsno"], 'E111 `offduty runs` has no option "--jsno"; did you mean --json?'),
        (["runs", "a", "b"], 'E111 "b" is one word too many'),
        (["runs", "--limit"], "E111 argument --limit: expected one argument"),
        (["runs", "--outcome", "x\x1by"], "E111 argument --outcome: invalid choice: 'x\\x1by'"),
        (["runs", "--limit", "0"], 'E112 "0" is not a number from 1 to 10000'),
        (["runs", "--limit", "٣"], "E112 "),
        (["runs", "--since", "1h30"], "E102 "),
        (["runs", "--since", "2026-13-40"], "E102 "),
        (["runs", "--since", "0001-01-01"], "E102 "),
        (["log", "--tail", "-1"], 'E112 "-1" is not a number of lines'),
        (["log", "--raw", "--json"], "E111 --raw and --json exclude each other"),
        (["help", "nothing"], "E110 "),
        (["completion"], "E111 which shell?"),
        (["completion", "tcsh"], "E111 argument SHELL: invalid choice"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(capsys, tmp_path, monkeypatch, argv, says):
    """B1: what is wrong, escaped, and what was probably meant; never a traceback."""
    monkeypatch.setenv("OFFDUTY_STATE_DIR", str(tmp_path))
    assert frame.main(argv) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"offduty: {says}")
    assert captured.err.count("\n") == 1
    assert "\x1b" not in captured.err
    assert captured.out == "" or "--json" in argv


@pytest.mark.parametrize("command", ["status", "runs", "runs show", "log"])
@pytest.mark.parametrize("word", BAD_NAMES)
def test_a_name_that_cannot_be_is_one_line(capsys, tmp_path, monkeypatch, command, word):
    """B1, T22: through every command that takes a name; exit 2 or 66, one printable line, no file made or read after it."""
    monkeypatch.setenv("OFFDUTY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    assert frame.main([*command.split(), word]) in (2, 66)
    error = capsys.readouterr().err
    assert error.startswith("offduty: E")
    assert error.removesuffix("\n").isprintable()
    assert not (tmp_path / "state").exists()


def test_with_json_an_error_is_a_document(capsys):
    """stdout is data: programs get the parts of the error, people the line."""
    assert frame.main(["runs", "--limit", "x", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["error"]["code"]) == ("offduty.error/1", "E112")


def test_many_mistakes_are_many_lines(capsys):
    """A configuration tells everything that is wrong with it at once."""
    whole = ConfigError("E203", "first")
    whole.errors = [ConfigError("E203", "first"), ConfigError("E204", "second")]  # as ConfigErrors has them
    assert frame._report(whole, ["--json"]) == 78
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["offduty: E203 first", "offduty: E204 second"]
    assert [error["code"] for error in json.loads(captured.out)["errors"]] == ["E203", "E204"]


def test_options_may_stand_before_the_command(broken, capsys):
    """`offduty --config x broken echo` and `offduty broken echo --config x` are the same."""
    frame.main(["--config", "x", "--json", "broken", "echo"])
    frame.main(["broken", "echo", "--json", "--config", "x"])
    before, behind = capsys.readouterr().out.splitlines()
    assert before == behind


def test_a_bug_is_one_line_and_its_traceback_is_kept_in_private(broken, capsys, tmp_path):
    """F24, T23: exit 70; the traceback lies in the state folder, for its owner alone, and one place in the code fills one file."""
    assert frame.main(["broken", "bug"]) == frame.main(["broken", "bug"]) == 70
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("offduty: E001 bug in offduty: KeyError; its traceback is in ")
    (kept,) = (tmp_path / "state").iterdir()
    assert str(kept) in lines[0]
    assert "surprise" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_bug_is_told_even_if_nothing_can_be_written(broken, capsys, monkeypatch):
    """F24: without a state folder the line says how to see the traceback."""
    monkeypatch.setenv("OFFDUTY_STATE_DIR", "/proc/nowhere")
    assert frame.main(["broken", "bug"]) == 70
    assert "--debug" in capsys.readouterr().err


def test_debug_shows_the_traceback(broken, capsys):
    """Only --debug prints one."""
    assert frame.main(["broken", "bug", "--debug"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("how, status", [("interrupt", 130), ("fine", 0)])
def test_a_keyboard_interrupt_is_quiet(broken, capsys, how, status):
    """Ctrl-C is not an error to talk about."""
    assert frame.main(["broken", how]) == status
    assert capsys.readouterr().err == ""


def test_what_a_command_declares_wins_over_the_common_options():
    """`offduty run` has its own --quiet and --config."""
    parser, _, _ = frame.prepare("run", [])
    (quiet,) = [action for action in parser.own() if "--quiet" in action.option_strings]
    assert quiet.dest == "quiet"
    assert "--quiet" not in [name for action in parser.common() for name in action.option_strings]


def test_a_job_may_be_called_like_a_sub_command():
    """`runs show X` is the sub-command; `runs --job show` the job."""
    _, module, rest = frame.prepare("runs", ["show", "7f3a"])
    assert (module.__name__.rpartition(".")[2], rest) == ("runs_show", ["7f3a"])
    parser, _, rest = frame.prepare("runs", ["--job", "show"])
    assert frame.parse(parser, rest).job == "show"


def test_every_command_says_in_one_line_what_it_is_for():
    """HELP of the module and the line of the table are one text, short enough for the overview."""
    for name, (_, _, text) in COMMANDS.items():
        _, module, _ = frame.prepare(name, [])
        assert text == module.HELP
        assert len(text) < 66
        assert os.linesep not in text
