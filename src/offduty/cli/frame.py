"""The frame around every command: find it, parse its options, run it, and turn whatever goes wrong into one line and an exit status.

A command is a module with `HELP`, perhaps `DESCRIPTION` and `EXAMPLES`, `arguments(parser)` and `main(args) -> int`.
One with `SUBCOMMANDS` (a dict of word to module of the same shape) hands over to those when the word stands right behind its name.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from offduty.cli import COMMANDS
from offduty.errors import BUG, CANNOT_WRITE, OffdutyError, UsageError, quoted

INTERRUPTED, PIPE_CLOSED = 130, 141  # 128 + SIGINT, 128 + SIGPIPE: what a shell reports of a command that dies of them
TAKES_A_VALUE = ("--color", "--config")
INTRODUCTION = """\
offduty takes a data science job to a hands-off state: it runs unattended, and when it fails
the right people know what happened and what to do.
"""
FIRST_HOUR = (
    ("offduty run -- python forecast.py", "run anything: logged, summarised, recorded"),
    ("offduty status", "how every job is doing"),
    ("offduty log", "what the latest run said, and why it failed"),
    ("offduty init", "write a first offduty.toml for this folder"),
    ("offduty check", "everything wrong with it, at once"),
    ("offduty run forecast", "run a job of it: retries, time limits, one at a time"),
)


def main(argv: Sequence[str]) -> int:
    """Run the command in `argv` (without the program's name) and return its exit status; every error has become one line by then."""
    _print_anything()
    status = _guarded(lambda: _dispatch(list(argv)), argv)
    return _guarded(_flush, argv) or status


def _guarded(work: Callable[[], int], argv: Sequence[str]) -> int:
    """What `work` returns, or the exit status for what it raised."""
    try:
        return work()
    except SystemExit as done:  # argparse, after --help and --version
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_is_gone()
    except OffdutyError as error:
        return _report(error, argv)
    except OSError as error:
        return _report(_cannot_print(error) if _is_stdout_full(error) else _bug(error), argv)
    except Exception as error:  # noqa: BLE001 -- nobody above is left to ask: it is shown, and kept
        return _report(_bug(error), argv)


def _flush() -> int:
    """The program leaves without Python's own way down, so what is printed has to be out by then."""
    if sys.stdout is not None:
        sys.stdout.flush()
    return 0


def _dispatch(argv: list[str]) -> int:
    name, rest = find_command(argv)
    if name == "help":
        return _help(rest)
    if not name:
        return _alone(rest)
    parser, module, rest = prepare(name, rest)
    args = parse(parser, rest)
    status: int = module.main(args)
    return status


def find_command(argv: list[str]) -> tuple[str, list[str]]:
    """The command's name and what it is called with; options given before the name are moved behind it. ('', options) without a name."""
    before: list[str] = []
    words = iter(argv)
    for word in words:
        if not word.startswith("-") or word == "--":
            return word, [*before, *words]
        before.append(word)
        if word in TAKES_A_VALUE:
            before.extend(value for value in [next(words, None)] if value is not None)
    return "", before


def prepare(name: str, rest: list[str]) -> tuple[Parser, Any, list[str]]:
    """The parser and module of the command `name`, or of its sub-command if `rest` begins with one; and what is left to parse.

    Raises UsageError E110 for a command that does not exist.
    """
    if name not in COMMANDS:
        raise UsageError("E110", f"there is no command {quoted(name)}", fix=_did_you_mean(name, COMMANDS) or "see `offduty --help`")
    module = importlib.import_module(COMMANDS[name][0])
    subcommands: dict[str, str] = getattr(module, "SUBCOMMANDS", {})
    if rest and rest[0] in subcommands:
        return build_parser(f"{name} {rest[0]}", child := importlib.import_module(subcommands[rest[0]])), child, rest[1:]
    return build_parser(name, module), module, rest


class Parser(argparse.ArgumentParser):
    """argparse with our errors, our help, and the options that every command has. What a command declares itself wins over those."""

    def __init__(self, **settings: Any) -> None:
        settings = {"formatter_class": Formatter, "allow_abbrev": False, "conflict_handler": "resolve", **settings, "add_help": False}
        super().__init__(**settings)
        self._common_group = self.add_argument_group("options of every command")
        self._common = add_common_options(self._common_group)

    def error(self, message: str) -> NoReturn:
        """argparse's complaint, as an error of ours (it may quote what was typed: printable characters only)."""
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
        raise UsageError("E111", shown, fix=f"see `{self.prog} --help`")

    def format_help(self) -> str:
        """The command's own options come before those that every command has."""
        self._action_groups.sort(key=lambda group: group is self._common_group)
        return super().format_help()

    def own(self) -> list[argparse.Action]:
        """What the command itself declares, without what is hidden."""
        return [action for action in self._actions if action not in self._common and action.help != argparse.SUPPRESS]

    def common(self) -> list[argparse.Action]:
        """What it shares with every command."""
        return [action for action in self._actions if action in self._common]

    def option_names(self) -> list[str]:
        """Every option it takes."""
        return list(self._option_string_actions)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help texts keep their line breaks and give the options some room."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=30, **{"width": None, **settings})


class Version(argparse.Action):
    """Print the versions that matter in a bug report."""

    def __call__(self, parser: argparse.ArgumentParser, *_ignored: object) -> NoReturn:
        print(version())
        parser.exit()


def add_common_options(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    """The options that every command takes. Without defaults: a parser in a parser would undo what the outer one was given."""
    absent, add, switch = argparse.SUPPRESS, group.add_argument, "store_true"
    return [
        add("--json", action=switch, default=absent, help="answer with one JSON document on stdout"),
        add("--color", choices=COLOURS, default=absent, help="colour; auto: on a terminal, unless NO_COLOR is set"),
        add("--quiet", action=switch, default=absent, help="the answer and errors only, no notes"),
        add("--verbose", action=switch, default=absent, help="more of it: whole ids, whole times"),
        add("--config", metavar="FILE", default=absent, help="read this configuration instead of searching for one"),
        add("--debug", action=switch, default=absent, help="show the traceback of an error, for a report about offduty"),
        add("--version", action=Version, nargs=0, default=absent, help="print the versions of offduty, Python and SQLite"),
        add("-h", "--help", action="help", default=absent, help="print this"),
    ]


COLOURS = ("auto", "always", "never")
COMMON_DEFAULTS = {"json": False, "color": "auto", "quiet": False, "verbose": False, "config": None, "debug": False}


def build_parser(name: str, module: Any) -> Parser:
    """The parser of one command, its help texts taken from the module."""
    description = "\n\n".join(text.strip("\n") for text in (_sentence(module.HELP), getattr(module, "DESCRIPTION", "")) if text)
    examples = getattr(module, "EXAMPLES", "").strip("\n")
    parser = Parser(prog=f"offduty {name}", description=description, epilog=f"examples:\n{_indented(examples)}" if examples else None)
    module.arguments(parser)
    parser.usage = parser.usage or own_usage(parser)
    return parser


def own_usage(parser: Parser) -> str:
    """The usage in one line, without the options of every command."""
    formatter = argparse.HelpFormatter(prog=parser.prog, width=10_000)
    formatter.add_usage(None, parser.own(), [], prefix="")
    return formatter.format_help().strip().replace("%", "%%")


def parse(parser: Parser, words: list[str]) -> argparse.Namespace:
    """Parse all of `words`, or raise UsageError E111 naming the nearest option."""
    args, left = parser.parse_known_args(words)
    if left:
        raise _not_understood(parser, left[0])
    return argparse.Namespace(**{**COMMON_DEFAULTS, **vars(args)})


def _not_understood(parser: Parser, word: str) -> UsageError:
    option = word.partition("=")[0]
    if not option.startswith("-") or option == "--":
        return UsageError("E111", f"{quoted(word)} is one word too many for `{parser.prog}`", fix=f"see `{parser.prog} --help`")
    near = _did_you_mean(option, parser.option_names())
    return UsageError("E111", f"`{parser.prog}` has no option {quoted(option)}", fix=near or f"see `{parser.prog} --help`")


def _did_you_mean(word: str, names: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def _alone(options: list[str]) -> int:
    """`offduty` without a command: the overview, or what --version asks for."""
    parser = Parser(prog="offduty")
    parser.format_help = overview  # type: ignore[method-assign]
    parse(parser, options)
    print(overview(), end="")
    return 0


def _help(words: list[str]) -> int:
    """`offduty help [COMMAND [SUBCOMMAND]]`."""
    names = [word for word in words if not word.startswith("-")]
    if not names:
        return _alone([])
    parser, _, left = prepare(names[0], names[1:])
    if left:
        raise _not_understood(parser, left[0])
    parser.print_help()
    return 0


def overview() -> str:
    """What `offduty` and `offduty --help` print: what it is for, a first hour, the commands by group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, (_, group, help_line) in COMMANDS.items():
        groups.setdefault(group, []).append((name, help_line))
    width = max(map(len, COMMANDS))
    parts = [INTRODUCTION, "A first hour:\n" + _columns(FIRST_HOUR)]
    parts += [f"{group}:\n{_columns(lines, width)}" for group, lines in groups.items()]
    parts.append("`offduty help COMMAND` explains one, with examples. Commands that read take --json.\n")
    return "\n".join(parts)


def _columns(lines: Sequence[tuple[str, str]], width: int = 0) -> str:
    width = width or max(len(left) for left, _ in lines)
    return "".join(f"  {left:<{width}}  {right}\n" for left, right in lines)


def version() -> str:
    """`offduty 0.1.0 (Python 3.11.7, SQLite 3.40.1)`."""
    import platform
    import sqlite3

    from offduty.version import VERSION

    return f"offduty {VERSION} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"


def _print_anything() -> None:
    """A name that the terminal's encoding lacks is shown escaped: it must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _report(error: OffdutyError, argv: Sequence[str]) -> int:
    """Print an error as this command line wants it: a line on stderr, the document on stdout with --json, a traceback with --debug."""
    options = argv[: argv.index("--")] if "--" in argv else argv
    if "--debug" in options:
        import traceback

        traceback.print_exception(error.__cause__ or error, file=sys.stderr)
    mistakes = all_of(error)
    for mistake in mistakes:
        print(f"offduty: {mistake}", file=sys.stderr)
    if "--json" in options:
        _print_error_document(mistakes)
    return error.status


def all_of(error: OffdutyError) -> list[OffdutyError]:
    """The single errors in `error`: a configuration tells all its mistakes at once."""
    return list(getattr(error, "errors", ())) or [error]


def _print_error_document(mistakes: list[OffdutyError]) -> None:
    import json

    document: dict[str, object] = {"schema": "offduty.error/1", "error": mistakes[0].as_json()}
    if len(mistakes) > 1:
        document["errors"] = [mistake.as_json() for mistake in mistakes]
    try:
        print(json.dumps(document), flush=True)
    except OSError:
        _reader_is_gone()


def _reader_is_gone() -> int:
    """`| head` has seen enough: say nothing, and keep the interpreter from trying to write what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return PIPE_CLOSED


def _is_stdout_full(error: OSError) -> bool:
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


def _cannot_print(error: OSError) -> OffdutyError:
    _reader_is_gone()
    problem = OffdutyError("E120", "the answer could not be written to standard output", why=os.strerror(error.errno or 0).lower())
    problem.status = CANNOT_WRITE
    return problem


def _bug(error: Exception) -> OffdutyError:
    """An exception nobody expected: one line for the user, the traceback in a file for the report."""
    import traceback

    text = f"{version()}\n{''.join(traceback.format_exception(error))}"
    problem = OffdutyError("E001", "bug in offduty", why=type(error).__name__, fix=_keep_traceback(text, error))
    problem.status, problem.__cause__ = BUG, error
    return problem


def _keep_traceback(text: str, error: Exception) -> str:
    """Write the traceback to the state folder; one file for one place in the code, so that a crash every minute cannot fill the disk."""
    import zlib

    from offduty import places

    spot, found = error.__traceback__, ""
    while spot is not None:
        found, spot = f"{found}{spot.tb_frame.f_code.co_filename}:{spot.tb_lineno} ", spot.tb_next
    state = places.find(os.environ).state
    path = f"{state}/bug-{zlib.crc32(found.encode('utf-8', 'replace')):08x}.txt"
    try:
        places.make_private(state)
        with open(path, "w", encoding="utf-8", errors="backslashreplace", opener=_private_opener) as file:
            file.write(text)
    except OSError as trouble:
        return f"its traceback could not be kept ({trouble.strerror}): run the command again with --debug"
    return f"its traceback is in {path}: please report it"


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
