"""`offduty triage`: what commonly goes wrong, what to do, whom to call."""

from __future__ import annotations

from offduty.cli import COMMANDS
from offduty.cli.commands import triage_list

HELP = COMMANDS["triage"][2]
DESCRIPTION = """\
The triage table is in offduty.toml ([[triage]]), or in a file that support teams edit: triage = "triage.md", .csv or .toml.
A failure is explained by the first row of which all conditions hold; if there is none, by the built-in catalogue.
"""
EXAMPLES = """\
offduty triage                      # the table
offduty triage check                # what is wrong with it; exit status 1 if anything is
offduty triage why                  # the latest run: which row explains it, and why the others do not
offduty triage explain job.log      # any log, also without offduty
offduty triage gaps                 # failures that no row explains; `suggest` writes rows for them
"""
SUBCOMMANDS = {
    "list": "offduty.cli.commands.triage_list",
    "check": "offduty.cli.commands.triage_check",
    "show": "offduty.cli.commands.triage_show",
    "why": "offduty.cli.commands.triage_why",
    "import": "offduty.cli.commands.triage_import",
    "export": "offduty.cli.commands.triage_export",
    "explain": "offduty.cli.commands.triage_explain",
    "coverage": "offduty.cli.commands.triage_coverage",
    "gaps": "offduty.cli.commands.triage_gaps",
    "suggest": "offduty.cli.commands.triage_suggest",
}
arguments = triage_list.arguments
main = triage_list.main
