"""`offduty ready`: can this job be left alone, and what is missing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from offduty.cli import COMMANDS
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, moment, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.cli.write import write_new
from offduty.clock import Clock, rfc3339
from offduty.errors import FINDINGS, NotThere, UsageError, quoted
from offduty.handover.badge import badge
from offduty.handover.readiness import LEVELS, Item, Readiness
from offduty.handover.store import Reading
from offduty.settings.load import Settings
from offduty.wiring.handover import readiness_of

HELP = COMMANDS["ready"][2]
DESCRIPTION = """\
Every item is earned by evidence: runs, proofs, drills, acceptances; the line of each that is missing ends with the command that
earns it. Levels: on duty (somebody sits beside it), watched, rehearsed, off duty. A level is reached when all its items, and those
of the levels below, are met.
"""
EXAMPLES = """\
offduty ready                                   # every job
offduty ready forecast
offduty ready forecast --require rehearsed      # exit status 1 if it is not: for CI
offduty ready forecast --badge readiness.svg    # a picture for the README
offduty ready forecast --history
"""
STYLES = {"met": "green", "not met": "bold red", "not yet": "yellow"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="only this job")
    parser.add_argument("--require", metavar="LEVEL", type=level, help="exit status 1 below this level: watched, rehearsed or off-duty")
    parser.add_argument("--badge", metavar="FILE", help="write the level as an SVG picture; needs JOB")
    parser.add_argument("--history", action="store_true", help="how it was before: each change, the newest last")


def level(text: str) -> str:
    """A level, also as `off-duty`. Raises UsageError E112 through argparse."""
    if (found := text.replace("-", " ").replace("_", " ")) in LEVELS:
        return found
    raise UsageError("E112", f"{quoted(text)} is no level", fix=f"known are {', '.join(LEVELS)}")


def main(args: argparse.Namespace) -> int:
    """Print the readiness of the jobs that were asked for."""
    settings, clock = settings_here(args), Clock()
    names = jobs_meant(settings, args.job)
    with open_for_reading(args, clock) as reach:
        store = store_of(reach)
        found = [readiness_of(settings, name, store, clock.wall()) for name in names]
        history = {name: store.handover.readings(name) for name in names} if args.history or args.json else {}
    if args.badge is not None:
        _write_badge(args.badge, found)
    _print(args, found, history, clock.wall())
    below = [one.job for one in found if args.require and LEVELS.index(one.level) < LEVELS.index(args.require)]
    return FINDINGS if below else 0


def jobs_meant(settings: Settings, name: str | None) -> list[str]:
    """The job that was named, or all there are. Raises NotThere E506, ConfigErrors."""
    if name is not None:
        settings.job(name)
        return [name]
    if not settings.jobs:
        raise NotThere("E506", "no job is configured", fix="write a configuration with `offduty init`")
    return sorted(settings.jobs)


def _write_badge(path: str, found: Sequence[Readiness]) -> None:
    if len(found) != 1:
        raise UsageError("E111", "a badge is of one job", where="--badge", fix="name the job")
    write_new(path, badge(found[0]), force=True)


def _print(args: argparse.Namespace, found: Sequence[Readiness], history: dict[str, list[Reading]], now: float) -> None:
    if args.json:
        jobs = [_json(one, history[one.job]) for one in found]
        print_json({"schema": "offduty.ready/1", "at": rfc3339(now), "jobs": jobs})
        return
    on = screen(args)
    for number, one in enumerate(found):
        if number:
            print()
        if args.history:
            _print_history(on, one.job, history[one.job], now)
        else:
            _print_job(on, one)


def _json(one: Readiness, history: Sequence[Reading]) -> dict[str, object]:
    past = [{"at": rfc3339(it.at), "level": it.level, "score": it.score} for it in history]
    return {"job": one.job, "level": one.level, "score": one.score, "items": [item.as_json() for item in one.items], "history": past}


def _print_job(on: Screen, one: Readiness) -> None:
    print_cells(on, [Cell(one_line(one.job), "bold"), Cell(f": {one.level}, {one.score} % of the items are earned")])
    print_table(on, ("item", "for", "state", "what", "evidence"), [_cells(item) for item in one.items], flexible=("evidence",))
    if one.missing:
        print(f"to be {LEVELS[LEVELS.index(one.level) + 1]}:")
    for item in one.missing:
        print_cells(on, [Cell(f"  {item.code}  {item.title}: "), Cell(one_line(item.command), "bold")])


def _cells(item: Item) -> list[Cell]:
    state = Cell(item.state, STYLES[item.state])
    return [Cell(item.code), Cell(item.level), state, Cell(item.title), Cell(one_line(item.evidence))]


def _print_history(on: Screen, job: str, readings: Sequence[Reading], now: float) -> None:
    print_cells(on, [Cell(one_line(job), "bold")])
    rows = [[Cell(moment(one.at, now)), Cell(one.level), Cell(f"{one.score} %")] for one in readings]
    print_table(on, ("at", "level", "score"), rows)
