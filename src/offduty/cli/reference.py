"""`python -m offduty.cli.reference` writes docs/reference/cli.md, the reference and the manual page offduty(1), from the commands."""

from __future__ import annotations

import re
import sys

from offduty.cli.describe import Command, Option, commands, common_options
from offduty.cli.frame import FIRST_HOUR, INTRODUCTION

PAGE = "docs/reference/cli.md"


def page() -> str:
    """The whole page, MyST Markdown."""
    parts = [
        "<!-- Written by `python -m offduty.cli.reference`; change the commands instead. -->",
        "# offduty: the command line",
        INTRODUCTION.strip(),
        f"```console\n{_examples_of_overview()}\n```",
        "`offduty help COMMAND` prints what stands here. Options may stand before the words or behind them; `--x=value` is `--x value`.",
        "## Options of every command",
        _options(common_options()),
        *[text for command in commands() for text in _command(command)],
        "```{include} exit-codes.md\n:heading-offset: 1\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _examples_of_overview() -> str:
    width = max(len(example) for example, _ in FIRST_HOUR)
    return "\n".join(f"$ {example:<{width}}  # {text}" for example, text in FIRST_HOUR)


def _command(command: Command) -> list[str]:
    """The section of one command."""
    title = f"{'###' if ' ' in command.name else '##'} offduty {command.name}"
    parts = [title, f"{command.help[:1].upper()}{command.help[1:]}.", f"```text\n{command.usage}\n```", _marked(command.description)]
    if command.words:
        parts.append(_table(("word", "meaning"), [(f"`{_bar(word.value)}`", word.help) for word in command.words]))
    if command.options:
        parts.append(_options(command.options))
    if command.examples:
        parts.append(f"```console\n{_prompted(command.examples)}\n```")
    return [part for part in parts if part]


def _marked(text: str) -> str:
    """Options and programs in running text, as code: else `--` would be typeset as a dash."""
    return re.sub(r"(?<![\w`-])(--?[a-z][\w-]*|--)(?![\w`-])", r"`\1`", text)


def _options(options: tuple[Option, ...]) -> str:
    return _table(("option", "meaning"), [(_names(option), option.help) for option in options])


def _names(option: Option) -> str:
    names = ", ".join(option.names)
    return f"`{names} {_bar(option.value)}`" if option.value else f"`{names}`"


def _prompted(examples: str) -> str:
    return "\n".join(f"$ {line}" for line in examples.splitlines())


def _table(headers: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [headers, ("---", "---"), *((left, _bar(_marked(right))) for left, right in rows)]
    return "\n".join(f"| {left} | {right} |" for left, right in lines)


def _bar(text: str) -> str:
    """A bar would end the cell."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page, to the file named on the command line or to its place in the repository."""
    with open(sys.argv[1] if len(sys.argv) > 1 else PAGE, "w", encoding="utf-8") as file:
        file.write(page())


if __name__ == "__main__":
    main()
