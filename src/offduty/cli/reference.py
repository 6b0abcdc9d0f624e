"""`python -m offduty.cli.reference` writes what code can say by itself: docs/reference/cli.md, from the commands, which is also the manual
page offduty(1); and docs/reference/conditions.md, from the matchers of triage.
"""

from __future__ import annotations

import inspect
import re
import sys

from offduty.cli.describe import Command, Option, commands, common_options
from offduty.cli.frame import FIRST_HOUR, INTRODUCTION
from offduty.triage.matchers import MATCHERS, matcher

PAGE, CONDITIONS = "docs/reference/cli.md", "docs/reference/conditions.md"
ABOUT_CONDITIONS = """\
What `when` in `[[triage]]` may ask for. All conditions of a row must hold; of several values one is enough.
Names and globs do not mind the case, patterns do.

`transaction`, `target`, `dependency` and `status` must hold of the same transaction. Beside `changed` or `check`, and without `transaction`
and `status`, `target` and `dependency` are about what changed or was checked."""


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


def conditions() -> str:
    """The page of what a triage row's `when` may ask for, from the conditions themselves."""
    parts = [
        "<!-- Written by `python -m offduty.cli.reference`; change src/offduty/triage/matchers instead. -->",
        "# Conditions of a triage row",
        ABOUT_CONDITIONS,
    ]
    for key in MATCHERS:
        kind = matcher(key)
        text = inspect.cleandoc(kind.__doc__ or "")
        parts += [f"## `{key}`", text, f"Takes {kind.takes}.", f"```toml\nwhen = {{ {key} = {kind.example} }}\n```"]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the pages, the first to the file named on the command line or to its place in the repository."""
    with open(sys.argv[1] if len(sys.argv) > 1 else PAGE, "w", encoding="utf-8") as file:
        file.write(page())
    if len(sys.argv) < 2:
        with open(CONDITIONS, "w", encoding="utf-8") as file:
            file.write(conditions())


if __name__ == "__main__":
    main()
