"""`offduty check`: everything wrong with the configuration at once, each with its file and line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from offduty.cli import COMMANDS
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, screen
from offduty.errors import FINDINGS, NotThere
from offduty.settings import files
from offduty.settings.load import Settings, load
from offduty.settings.mistakes import STOPS, STOPS_JOB, WARNS, ConfigErrors, Mistake, dotted
from offduty.settings.reality import missing

HELP = COMMANDS["check"][2]
DESCRIPTION = """\
Reads the configuration that counts in this folder, and looks whether what it names is there: programs, scripts, folders,
variables, teams, channels. Exit status 0: nothing wrong; 1: findings.
"""
EXAMPLES = """\
offduty check
offduty check --config etc/offduty.toml
offduty check --json | jq '.findings[].where'
"""
STYLES = {STOPS: "bold red", STOPS_JOB: "bold red", WARNS: "yellow"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Only the options that all commands have."""


def main(args: argparse.Namespace) -> int:
    """Print every finding; the exit status says whether there were any."""
    settings, findings = _look(os.getcwd(), args.config)
    if settings is not None and not settings.files and not findings:
        raise NotThere("E507", "there is no configuration here", fix="write one with `offduty init`, or name one with --config")
    if args.json:
        print_json(_document(settings, findings))
    else:
        _print(screen(args), settings, findings)
    return FINDINGS if findings else 0


def _look(folder: str, config: str | None) -> tuple[Settings | None, list[Mistake]]:
    try:
        settings = load(folder, os.environ, config=config)
    except ConfigErrors as error:
        return None, error.mistakes
    findings = [*settings.mistakes, *missing(settings)]
    return settings, sorted(findings, key=lambda finding: _line(finding.where))


def _line(where: str) -> tuple[str, int]:
    name, _, line = where.rpartition(":")
    return (name, int(line)) if line.isdigit() else (where, 0)


def _document(settings: Settings | None, findings: Sequence[Mistake]) -> dict[str, object]:
    return {
        "schema": "offduty.check/1",
        "ok": not findings,
        "files": settings.files if settings else [],
        "jobs": sorted({*settings.jobs, *settings.broken}) if settings else [],
        "findings": [finding.as_json() for finding in findings],
    }


def _print(on: Screen, settings: Settings | None, findings: Sequence[Mistake]) -> None:
    for finding in findings:
        print_cells(on, _cells(finding))
    if findings:
        print_cells(on, [Cell(_verdict(settings, findings), "bold")])
    elif settings is not None:
        print_cells(on, [Cell("ok", "green"), Cell(f"  {_checked(settings)}: nothing wrong")])


def _cells(finding: Mistake) -> list[Cell]:
    """`offduty.toml:14  E203  job.forecast.retries  expected an integer, …; fix`: the place first, as editors and terminals link it."""
    setting = dotted(finding.path)
    what = finding.what + (f": {finding.why}" if finding.why else "") + (f"; {finding.fix}" if finding.fix else "")
    return [
        Cell(f"{one_line(finding.where)}: " if finding.where else ""),
        Cell(finding.code, STYLES.get(finding.weight, "bold yellow")),
        Cell(f" {one_line(setting)}:" if setting else "", "bold"),
        Cell(f" {one_line(what)}"),
    ]


def _verdict(settings: Settings | None, findings: Sequence[Mistake]) -> str:
    """`5 findings; these jobs cannot run: forecast, etl`."""
    count = f"{len(findings)} finding{'s' if len(findings) != 1 else ''}"
    if settings is None:
        return f"{count}; no configured job can run"
    stopped = {str(finding.path[1]) for finding in findings if finding.weight == STOPS_JOB}
    return f"{count}; cannot run: {', '.join(map(one_line, sorted(stopped)))}" if stopped else f"{count}; every job can run"


def _checked(settings: Settings) -> str:
    """`offduty.toml (2 jobs, 1 team, 12 triage rows)`."""
    counts = [
        (len(settings.jobs), "job"),
        (len(settings.teams), "team"),
        (len(settings.channels), "channel"),
        (len(settings.dependencies), "dependency"),
        (len(settings.triage), "triage row"),
    ]
    parts = [f"{count} {word if count == 1 else _plural(word)}" for count, word in counts if count or word == "job"]
    return f"{', '.join(files.shown(path) for path in settings.files)} ({', '.join(parts)})"


def _plural(word: str) -> str:
    return "dependencies" if word == "dependency" else f"{word}s"
