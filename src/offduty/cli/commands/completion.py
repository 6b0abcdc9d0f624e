"""`offduty completion SHELL`: the script that makes a shell complete our commands, options and jobs."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.reach import job_names
from offduty.cli.show import print_json
from offduty.errors import UsageError

HELP = COMMANDS["completion"][2]
SHELLS = ("bash", "zsh", "fish", "powershell")
EXAMPLES = """\
source <(offduty completion bash)                                            # in ~/.bashrc
source <(offduty completion zsh)                                             # in ~/.zshrc, after compinit
offduty completion fish > ~/.config/fish/completions/offduty.fish            # once
offduty completion powershell | Out-String | Invoke-Expression               # in $PROFILE
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("shell", nargs="?", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    parser.add_argument("--jobs", action="store_true", help="print the names of the jobs; the scripts ask this")


def main(args: argparse.Namespace) -> int:
    """Print the script of a shell, or the names of the jobs."""
    if args.jobs:
        print("".join(f"{name}\n" for name in job_names(args)), end="")
        return 0
    if args.shell is None:
        raise UsageError("E111", "which shell?", fix=f"offduty completion {'|'.join(SHELLS)}")
    from offduty.cli.completion import SCRIPTS
    from offduty.cli.describe import commands, common_options

    script = SCRIPTS[args.shell](commands(), common_options())
    if args.json:
        print_json({"schema": "offduty.completion/1", "shell": args.shell, "script": script})
    else:
        print(script, end="")
    return 0
