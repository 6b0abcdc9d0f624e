"""`offduty scan`: every place in source code that touches the outside world, without running it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase

from offduty.cli import COMMANDS
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, print_table, screen
from offduty.errors import FINDINGS
from offduty.transactions.scan import Found, Place, scan

HELP = COMMANDS["scan"][2]
DESCRIPTION = """\
Reads Python files and notebooks; nothing is run or imported. Of a folder everything below it, except hidden things, environments,
build products, tests, and what .gitignore names.
In a target, {name} is what is only known when it runs, ${NAME} an environment variable. A place is swallowed if an `except`
around it would go on as if nothing had failed. Exit status 0; 1 with --fail-on-swallowed if there is such a place.
"""
EXAMPLES = """\
offduty scan                                     this folder
offduty scan forecast.py notebooks/
offduty scan --op 'db.*' --op http.request       only these
offduty scan --swallowed src                     failures that nobody would hear of
offduty scan --json | jq -r '.places[].target'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="files and folders (default: this folder)")
    parser.add_argument("--op", action="append", metavar="GLOB", help="only transactions like this: file.write, 'db.*'")
    parser.add_argument("--swallowed", action="store_true", help="only those whose failure an `except` would hide")
    parser.add_argument("--tests", action="store_true", help="also look at tests")
    parser.add_argument("--fail-on-swallowed", action="store_true", help="exit with 1 if a failure would be hidden")


def main(args: argparse.Namespace) -> int:
    """Print the places; the exit status is only about swallowed ones, and only if asked for."""
    found = scan(args.paths, tests=args.tests)
    places = [place for place in found.places if _is_wanted(place, args)]
    shown = Found(tuple(places), found.problems, found.files)
    if args.json:
        print_json(_document(shown))
    else:
        _print(screen(args), shown, is_filtered=bool(args.op or args.swallowed))
    return FINDINGS if args.fail_on_swallowed and any(place.swallowed for place in places) else 0


def _is_wanted(place: Place, args: argparse.Namespace) -> bool:
    if args.swallowed and not place.swallowed:
        return False
    return not args.op or any(fnmatchcase(place.op, pattern) for pattern in args.op)


def _document(found: Found) -> dict[str, object]:
    return {
        "schema": "offduty.scan/1",
        "files": found.files,
        "counts": found.counts(),
        "swallowed": sum(place.swallowed for place in found.places),
        "places": [asdict(place) for place in found.places],
        "problems": [asdict(problem) for problem in found.problems],
    }


def _print(on: Screen, found: Found, *, is_filtered: bool) -> None:
    if found.places:
        print_table(on, ("where", "op", "target", "in", ""), _rows(found.places), flexible=("where", "target"), spare=("in",))
    for problem in found.problems:
        print_cells(on, [Cell(one_line(problem.path)), Cell(" not scanned: ", "yellow"), Cell(one_line(problem.why))])
    print_cells(on, [Cell(_summary(found, is_filtered=is_filtered), "bold")])


def _rows(places: Sequence[Place]) -> list[list[Cell]]:
    return [
        [
            Cell(one_line(place.where)),
            Cell(place.op, "cyan"),
            Cell(one_line(place.target or "?")),
            Cell(one_line(place.function or ""), "dim"),
            Cell("swallowed" if place.swallowed else "", "bold yellow"),
        ]
        for place in places
    ]


def _summary(found: Found, *, is_filtered: bool) -> str:
    """`9 transactions in 2 files: 3 file.read, …; 1 is swallowed by an except`."""
    if not found.files:
        return "no Python file or notebook here that could be scanned"
    if not found.places:
        return f"no transaction {'is like that ' if is_filtered else ''}in {_count(found.files, 'file')}"
    files = len({place.path for place in found.places})
    counts = ", ".join(f"{count} {op}" for op, count in found.counts().items())
    swallowed = sum(place.swallowed for place in found.places)
    hidden = f"; {swallowed} {'is' if swallowed == 1 else 'are'} swallowed by an except" if swallowed else ""
    return f"{_count(len(found.places), 'transaction')} in {_count(files, 'file')}: {counts}{hidden}"


def _count(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
