"""`offduty doctor`: every setting with its origin, the folders, the store and this machine; what needs care, and how to mend it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from itertools import groupby

from offduty import places
from offduty.cli import COMMANDS, arrivals, examine
from offduty.cli.commands.config import shown, words
from offduty.cli.examine import Fact
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, screen
from offduty.clock import Clock
from offduty.errors import FINDINGS
from offduty.settings.load import Settings, load
from offduty.settings.mistakes import ConfigErrors, Mistake, dotted

HELP = COMMANDS["doctor"][2]
DESCRIPTION = """\
Only looks, and changes nothing. Exit status 0: all is well; 1: something needs care, and each such line says how to mend it.
"""
EXAMPLES = """\
offduty doctor
sudo -u etl offduty doctor                      as the user that runs the jobs
offduty doctor --json | jq '.facts[] | select(.care != "")'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Only the options that all commands have."""


def main(args: argparse.Namespace) -> int:
    """Print what was found; the exit status says whether something needs care."""
    facts = list(look(args.config, Clock().wall()))
    needs_care = [fact for fact in facts if fact.care]
    if args.json:
        document = [{"part": f.part, "what": f.what, "value": f.value, "care": f.care, "fix": f.fix} for f in facts]
        print_json({"schema": "offduty.doctor/1", "ok": not needs_care, "facts": document})
    else:
        _print(screen(args), facts, len(needs_care))
    return FINDINGS if needs_care else 0


def look(config: str | None, now: float) -> Iterator[Fact]:
    """Everything, in the order it is printed."""
    settings, problems = _settings(config)
    yield from problems
    if settings is not None:
        yield from _configuration(settings)
        yield from _broken_channels(settings)
    found = settings.places() if settings is not None else places.find(os.environ)
    if settings is not None:
        yield from arrivals.facts(settings, found.store, now)
    yield from examine.folders(found)
    yield from examine.space(found)
    yield from examine.store(found)
    yield from examine.spool(found, now)
    yield from examine.pings(found, now)
    yield from examine.locks(found)
    yield from examine.watchers(found, now)
    yield from examine.machine()


def _settings(config: str | None) -> tuple[Settings | None, list[Fact]]:
    try:
        return load(os.getcwd(), os.environ, config=config), []
    except ConfigErrors as error:
        return None, [_problem(mistake) for mistake in error.mistakes]


def _problem(mistake: Mistake) -> Fact:
    care = mistake.what + (f": {mistake.why}" if mistake.why else "")
    return Fact("settings", mistake.where or "configuration", mistake.code, care, mistake.fix)


def _configuration(settings: Settings) -> Iterator[Fact]:
    """The files, how many things are wrong in them, and every setting that somebody set."""
    yield Fact("settings", "files", ", ".join(settings.files) or "none here: nothing is configured")
    if settings.mistakes:
        count = len(settings.mistakes)
        yield Fact("settings", "findings", str(count), f"{count} thing{'s are' if count > 1 else ' is'} wrong", "`offduty check` tells all")
    if settings.triage:
        yield Fact("settings", "triage", f"{len(settings.triage)} rows  [{settings.source(('triage',))}]")
    for setting in shown(settings):
        if setting.source.kind != "default" and not (setting.path[0] == "triage" and settings.triage):
            yield Fact("settings", dotted(setting.path), f"{words(setting.value)}  [{setting.source}]")


def _broken_channels(settings: Settings) -> Iterator[Fact]:
    """The channels that cannot be built now."""
    wrong = {
        str(mistake.path[1]): mistake for mistake in reversed(settings.mistakes) if mistake.path[:1] == ("channel",) and mistake.path[1:]
    }
    for name, mistake in wrong.items():
        if name not in settings.channels:
            yield Fact("channels", name, mistake.code, mistake.what, mistake.fix or "`offduty check` tells all")


def _print(on: Screen, facts: Sequence[Fact], care: int) -> None:
    width = max(len(one_line(fact.what)) for fact in facts)
    for part, group in groupby(facts, key=lambda fact: fact.part):
        print_cells(on, [Cell(part, "bold")])
        for fact in group:
            _print_fact(on, fact, width)
    print_cells(
        on, [Cell(f"{care} thing{'s need' if care > 1 else ' needs'} care", "bold yellow") if care else Cell("all is well", "bold green")]
    )


def _print_fact(on: Screen, fact: Fact, width: int) -> None:
    mark = Cell("  CARE  ", "bold yellow") if fact.care else Cell("  ok    ", "green")
    print_cells(on, [mark, Cell(f"{one_line(fact.what):<{width}}  {one_line(fact.value)}")])
    if fact.care:
        indent = " " * (len("  CARE  ") + width + 2)
        print_cells(on, [Cell(f"{indent}{one_line(fact.care)}; {one_line(fact.fix)}", "yellow")])
