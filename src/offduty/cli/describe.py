"""The command line as data: every command with its options and words, read from the parsers, for completion and reference."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from offduty.cli import COMMANDS
from offduty.cli.frame import Parser, prepare

KINDS = (("JOB", "jobs"), ("FILE", "files"), ("PATH", "files"), ("DIR", "folders"), ("FOLDER", "folders"))


@dataclass(frozen=True)
class Option:
    """An option. `value`: how its value is called ("" if it takes none); `kind`: `jobs`, `files`, `folders` or ""; `choices` it has."""

    names: tuple[str, ...]
    help: str
    value: str
    kind: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command, or a sub-command (`runs show`), with the options of its own."""

    name: str
    group: str
    help: str
    description: str
    examples: str
    usage: str
    options: tuple[Option, ...]
    words: tuple[Option, ...]
    subcommands: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What the words of this command may be: `jobs`, `files`, `folders` or ""."""
        return next((word.kind for word in self.words if word.kind), "")

    @property
    def choices(self) -> tuple[str, ...]:
        """The fixed words that this command takes, its sub-commands among them."""
        return (*self.subcommands, *(choice for word in self.words for choice in word.choices))


def commands() -> list[Command]:
    """Every command in the order of the table, each followed by its sub-commands. Loads all of them."""
    found = []
    for name, (_, group, _) in COMMANDS.items():
        parser, module, _ = prepare(name, [])
        subcommands = tuple(getattr(module, "SUBCOMMANDS", {}))
        found.append(_command(name, group, parser, module, subcommands))
        for word in subcommands:
            parser, module, _ = prepare(name, [word])
            found.append(_command(f"{name} {word}", group, parser, module, ()))
    return found


def common_options() -> tuple[Option, ...]:
    """The options of every command."""
    return tuple(_option(action) for action in Parser().common())


def _command(name: str, group: str, parser: Parser, module: Any, subcommands: tuple[str, ...]) -> Command:
    own = parser.own()
    return Command(
        name,
        group,
        module.HELP,
        getattr(module, "DESCRIPTION", "").strip("\n"),
        getattr(module, "EXAMPLES", "").strip("\n"),
        "\n".join(line.strip() for line in (parser.usage or "").splitlines()),
        tuple(_option(action) for action in own if action.option_strings),
        tuple(_option(action) for action in own if not action.option_strings),
        subcommands,
    )


def _option(action: argparse.Action) -> Option:
    value = _value(action)
    kind = next((kind for word, kind in KINDS if word in value), "")
    choices = tuple(str(choice) for choice in action.choices or ())
    return Option(tuple(action.option_strings), _help(action), value, kind, choices)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.metavar is not None:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": "offduty"}
