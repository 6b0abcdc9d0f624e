"""`offduty drill --list` and `--history`: when what was rehearsed last, and how that went."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from offduty.cli.commands.ready import jobs_meant
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, distance, moment, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.clock import Clock, rfc3339
from offduty.durations import spoken
from offduty.wiring.drillbook import Book, Entry, book_of

STYLES = {"passed": "green", "failed": "bold red", "could not": "yellow"}


def print_list(args: argparse.Namespace) -> int:
    """When each row was rehearsed last, of the job that is named or of all."""
    now = Clock().wall()
    books = _books(args, now)
    if args.json:
        print_json({"schema": "offduty.drills/1", "at": rfc3339(now), "jobs": [book.as_json(now) for book in books]})
        return 0
    on = screen(args)
    for number, book in enumerate(books):
        if number:
            print()
        _print_book(on, book, now)
    return 0


def print_history(args: argparse.Namespace) -> int:
    """Each turn of drills, of the job that is named or of all."""
    now = Clock().wall()
    books = _books(args, now)
    if args.json:
        jobs = [{"job": book.job, "turns": [turn.as_json() for turn in book.turns]} for book in books]
        print_json({"schema": "offduty.drill_history/1", "at": rfc3339(now), "jobs": jobs})
        return 0
    on = screen(args)
    for book in books:
        print_cells(on, [Cell(one_line(book.job), "bold"), Cell(": nothing was rehearsed as a whole" if not book.turns else "")])
        print_table(on, ("begun", "by", "took", "result", "went well", ""), list(_turns(book, now)), flexible=("",))
        _print_wrong(on, book)
    return 0


def _books(args: argparse.Namespace, now: float) -> list[Book]:
    settings = settings_here(args)
    with open_for_reading(args, Clock()) as reach:
        return [book_of(settings, name, store_of(reach), now) for name in jobs_meant(settings, args.job)]


def _print_book(on: Screen, book: Book, now: float) -> None:
    print_cells(on, [Cell(one_line(book.job), "bold"), Cell(f": {in_short(book, now)}")])
    headers = ("row", "fault", "target", "last rehearsed", "result", "message seen by")
    print_table(on, headers, [_cells(one, now) for one in book.entries], flexible=("target", "result"), spare=("target",))


def in_short(book: Book, now: float) -> str:
    """`rehearsed 3 d ago, all 12 went as promised; next in 27 d`: the last turn, and when the next is due."""
    turn = book.turns[-1] if book.turns else None
    if turn is None:
        last = "never rehearsed as a whole"
    elif turn.ended_at is None:
        last = "is being rehearsed" + (f" (put off: {turn.said})" if turn.said else "")
    else:
        done = "could not be rehearsed" if turn.outcome == "could not" else "rehearsed"
        last = f"{done} {distance(turn.ended_at, now)}: {turn.said}"
    if not book.every:
        return f"{last}; not rehearsed by itself"
    if book.is_due:
        return f"{last}; due now" + (f", but {book.waits}" if book.waits else "")
    return f"{last}; next {distance(book.due, now)}" if book.due is not None else last


def _cells(one: Entry, now: float) -> list[Cell]:
    drill = one.drill
    if drill is None:
        return [Cell(one_line(one.row)), Cell("-"), Cell("-"), Cell("never", "yellow"), Cell("-"), Cell("-")]
    result = Cell("as promised", "green") if drill.passed else Cell(one_line(drill.said), "bold red")
    target = one_line(f"{drill.op} {drill.target}".strip())
    return [Cell(one_line(one.row or "-")), Cell(drill.fault or "-"), Cell(target), Cell(distance(drill.at, now)), result, _seen(one, now)]


def _seen(one: Entry, now: float) -> Cell:
    """Who confirmed the newest of its messages that were sent for real."""
    confirmed = [proof for proof in one.proofs if proof.confirmed_at is not None]
    if confirmed:
        best = max(confirmed, key=lambda proof: proof.confirmed_at or 0.0)
        return Cell(one_line(f"{best.by or 'somebody'}, {distance(best.confirmed_at or 0.0, now)} ({best.channel})"), "green")
    return Cell(f"nobody yet ({one.proofs[0].code})", "yellow") if one.proofs else Cell("-")


def _turns(book: Book, now: float) -> Iterator[list[Cell]]:
    for turn in book.turns:
        took = spoken(max(turn.ended_at - turn.began_at, 0.0)) if turn.ended_at is not None else "-"
        outcome = turn.outcome or "begun"
        count = f"{turn.passed} of {turn.of}" if turn.of else "-"
        said = "" if turn.outcome == "passed" else turn.said
        yield [
            Cell(moment(turn.began_at, now)), Cell(turn.by), Cell(took), Cell(outcome, STYLES.get(outcome, "")), Cell(count),
            Cell(one_line(said)),
        ]  # fmt: skip


def _print_wrong(on: Screen, book: Book) -> None:
    """What is not as promised by the newest drill of each."""
    wrong: Sequence[Entry] = [one for one in book.entries if one.drill is not None and not one.drill.passed]
    for one in wrong:
        assert one.drill is not None
        about = " ".join(part for part in (one.row, one.drill.fault, one.drill.target) if part)
        print_cells(on, [Cell(f"  {one_line(about)}: ", "bold"), Cell(one_line(one.drill.said))])
