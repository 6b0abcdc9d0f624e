"""`offduty triage check`: everything wrong with the triage table, at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from offduty.cli.duty import duty_here, settings_here
from offduty.cli.show import Cell, one_line, print_cells, print_json, screen
from offduty.errors import FINDINGS
from offduty.triage import tablefile
from offduty.triage.categories import CATEGORIES
from offduty.triage.flaw import Flaw
from offduty.triage.lint import lint
from offduty.triage.table import Table
from offduty.wiring.triage import Duty

HELP = "everything wrong with the triage table, at once; exit status 1 if anything is"
DESCRIPTION = """\
Rows that cannot be read; rows that never count, because an earlier one always wins or their conditions exclude each other;
teams, dependencies, outcomes and categories that nobody knows; patterns that are none, or fit anything; rows without cause,
steps or team; ids that are there twice. What each code means: docs/reference/errors.md. Exit status 0: nothing; 1: findings.
"""
EXAMPLES = """\
offduty triage check
offduty triage check new-table.csv   # a file, before it is imported
offduty triage check --json | jq -r '.findings[].where'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="check this table instead of the configured one (.toml, .md or .csv)")


def main(args: argparse.Namespace) -> int:
    """Print every finding."""
    duty = duty_here(args)
    table = tablefile.read(args.file) if args.file else duty.table
    found = [*table.flaws, *_lint(table, duty, args)]
    if args.json:
        print_json(_document(table, found))
        return FINDINGS if found else 0
    on = screen(args)
    for flaw in found:
        print_cells(on, _cells(flaw))
    if found:
        print_cells(on, [Cell(f"{len(found)} finding{'s' * (len(found) != 1)} in {_rows(table)}", "bold")])
    else:
        print_cells(on, [Cell("ok", "green"), Cell(f"  {_rows(table)}: nothing wrong")])
    return FINDINGS if found else 0


def _lint(table: Table, duty: Duty, args: argparse.Namespace) -> list[Flaw]:
    settings = settings_here(args)
    owned = bool(settings.jobs) and all(duty.jobs.values())
    known = list(settings.dependencies)
    return lint(table, teams=list(settings.teams), dependencies=known, categories=list(CATEGORIES), owned=owned)


def _document(table: Table, found: Sequence[Flaw]) -> dict[str, object]:
    findings = [
        {
            "code": flaw.code,
            "where": flaw.where,
            "setting": ".".join(map(str, flaw.path)),
            "what": flaw.what,
            "why": flaw.why,
            "fix": flaw.fix,
        }
        for flaw in found
    ]
    return {"schema": "offduty.triage_check/1", "ok": not found, "rows": len(table.rows), "findings": findings}


def _cells(flaw: Flaw) -> list[Cell]:
    """`triage.md:14:31: E401 when.log: …`: the place first, as editors and terminals link it."""
    setting = ".".join(map(str, flaw.path))
    what = flaw.what + (f": {flaw.why}" if flaw.why else "") + (f"; {flaw.fix}" if flaw.fix else "")
    return [
        Cell(f"{one_line(flaw.where)}: " if flaw.where else ""),
        Cell(flaw.code, "bold yellow"),
        Cell(f" {one_line(setting)}:" if setting else "", "bold"),
        Cell(f" {one_line(what)}"),
    ]


def _rows(table: Table) -> str:
    return f"{len(table.rows)} row{'s' * (len(table.rows) != 1)}"
