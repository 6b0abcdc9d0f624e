"""`offduty drill`: break what a job relies on, on purpose and in a sandbox, and see whether what was promised comes true."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from offduty import durations
from offduty.cli import COMMANDS
from offduty.cli.drill_list import print_history, print_list
from offduty.cli.duty import no_row, settings_here
from offduty.cli.junit import junit
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, note, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.cli.write import write_new
from offduty.clock import Clock, rfc3339
from offduty.drills.faults import FAULTS
from offduty.drills.store import Rehearsed
from offduty.durations import spoken
from offduty.errors import FINDINGS, UsageError, quoted
from offduty.wiring.drilling import LIMIT, Driller, Options
from offduty.wiring.receipts import Receipts
from offduty.wiring.recurring import Doing, by_hand, said_of

HELP = COMMANDS["drill"][2]
DESCRIPTION = """\
Runs the job with nothing broken, then once for each row of the triage table, and for each thing it touches that has no row, with
that one thing broken: as the library would raise it, or with a spoilt copy of the file. Then it compares: did the job fail, does its
log name what was struck, did the row win, who would have been told, and how soon. Nobody is told: see --for-real.
A drill is no run: it takes no lock, counts nowhere and touches no incident. What the job writes goes into a folder of the drill's
own; a SQLite file is copied first; statements that change a database are undone, or refused, as requests other than GET and HEAD,
messages and programs are; all of it is shown. What C code writes by itself is not seen. A job that is not Python is held back by the
kernel: it writes into a layer that is thrown away, and reaches only what it may read. Where the kernel does not allow that it is
refused without --unsafe, and then only killed. Exit status 1 if anything did not go as promised.
"""
EXAMPLES = """\
offduty drill forecast                      # every row, and everything without one
offduty drill forecast --row FEED-01
offduty drill forecast --fault timeout
offduty drill forecast --all --junit drills.xml
offduty drill --list
offduty drill forecast --allow-writes 'https://login.example/*'
"""
SHOWN = ("redirected", "undone", "refused", "left out")
STYLES = {True: ("yes", "green"), False: ("NO", "bold red"), None: ("-", "dim")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="the job to rehearse")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--row", metavar="ID", help="only a failure that this row is to explain")
    which.add_argument("--fault", metavar="NAME", type=_fault, help=f"only this: {', '.join(FAULTS)}")
    which.add_argument("--all", action="store_true", help="every fault of everything that the job touches")
    which.add_argument("--list", action="store_true", help="when each row was last rehearsed, and how that went; rehearse nothing")
    which.add_argument("--history", action="store_true", help="each time that all was rehearsed; rehearse nothing")
    parser.add_argument("--for-real", action="store_true", help="send the messages, marked DRILL")
    parser.add_argument(
        "--allow-writes", action="append", default=[], metavar="GLOB", help="the job may write there: a path, an address, a table"
    )
    parser.add_argument("--allow-run", action="append", default=[], metavar="GLOB", help="the job may start such a program")
    parser.add_argument("--unsafe", action="store_true", help="also a job that cannot be held back")
    parser.add_argument(
        "--limit", metavar="DURATION", type=durations.parse, default=LIMIT, help="the longest that one rehearsal may take (10 min)"
    )
    parser.add_argument("--junit", metavar="FILE", help="also write the results as JUnit XML")


def _fault(text: str) -> str:
    if text not in FAULTS:
        raise UsageError("E111", f"{quoted(text)} is no fault", where="--fault", fix=f"known are {', '.join(FAULTS)}")
    return text


def main(args: argparse.Namespace) -> int:
    """Plan, rehearse, remember, print."""
    if args.list or args.history:
        return print_list(args) if args.list else print_history(args)
    if args.job is None:
        raise UsageError("E111", "no job is named", fix="offduty drill JOB, or offduty drill --list")
    settings, clock = settings_here(args), Clock()
    began = clock.wall()
    settings.job(args.job)
    options = Options(
        args.row or "", args.fault or "", args.all, tuple(map(_absolute, args.allow_writes)), tuple(args.allow_run), args.unsafe,
        args.limit, args.config,
    )  # fmt: skip
    with open_for_reading(args, clock, make=True) as reach:
        driller = Driller(
            settings, args.job, reach.store, options, clock, Receipts(settings, store_of(reach), clock) if args.for_real else None
        )
        if args.row and driller.duty.table.row(args.row) is None:
            raise no_row(args.row, [row.name for row in driller.duty.table.rows])
        if not driller.can_enter and driller.enclosed is None:
            note(args, f"{args.job} is no job that the probe can enter: what it writes is not held back, and it can only be killed")
        found: list[Rehearsed] = []
        for one in driller.results():
            found.append(one)
            store_of(reach).drills.rehearse(found[-1:])
            if not args.json:
                note(args, f"{found[-1].row or '-'} {found[-1].fault}: {'as promised' if found[-1].passed else found[-1].said}")
        if not (args.row or args.fault):
            by_hand(Doing(settings, args.job, said_of(settings, args.job), store_of(reach), clock), began, found)
    if args.junit:
        write_new(args.junit, junit(args.job, found), force=True)
    if args.json:
        print_json(_document(args.job, found))
    else:
        _print(screen(args), args.job, found)
    return FINDINGS if any(not one.passed for one in found) else 0


def _absolute(glob: str) -> str:
    """A path relative to this folder as a whole one."""
    return glob if "://" in glob or " " in glob or glob.startswith(("/", "*")) else f"{os.getcwd()}/{glob}"


def _document(job: str, found: Sequence[Rehearsed]) -> dict[str, object]:
    drills = [{**one.as_json(), "at": rfc3339(one.at)} for one in found]
    return {"schema": "offduty.drill/1", "job": job, "passed": sum(one.passed for one in found), "of": len(found), "drills": drills}


def _print(on: Screen, job: str, found: Sequence[Rehearsed]) -> None:
    headers = ("row", "fault", "target", "failed loudly", "named", "row won", "team told", "seconds", "")
    print_table(on, headers, [_cells(one) for one in found], flexible=("target", ""), spare=("target",))
    for did, target in _held(found):
        print_cells(on, [Cell(did, "yellow"), Cell(f" in the drill: {one_line(target)}")])
    passed = sum(one.passed for one in found)
    print_cells(on, [Cell(f"{one_line(job)}: {passed} of {len(found)} went as promised", "bold")])


def _cells(one: Rehearsed) -> list[Cell]:
    answers = [Cell(*STYLES[value]) for value in (one.loud, one.named, one.won)]
    whom = ", ".join(dict.fromkeys(message["team"] for message in one.entry.get("messages", ()))) or str(one.entry.get("team") or "-")
    told = Cell("NOBODY", "bold red") if one.told is False else Cell(one_line(whom))
    took = Cell(spoken(one.took) if one.took is not None else "-")
    said = Cell("as promised", "green") if one.passed else Cell(one_line(one.said), "bold red")
    return [
        Cell(one_line(one.row or "-")),
        Cell(one.fault or "-"),
        Cell(one_line(f"{one.op} {one.target}".strip())),
        *answers,
        told,
        took,
        said,
    ]


def _held(found: Sequence[Rehearsed]) -> list[tuple[str, str]]:
    """What the sandbox kept back, each once."""
    notes = (note for one in found for note in one.entry.get("notes", ()) if note["did"] in SHOWN)
    return list(
        dict.fromkeys((str(one["did"]), f"{one['op']} {one['target']}" + (f": {one['why']}" if one.get("why") else "")) for one in notes)
    )
