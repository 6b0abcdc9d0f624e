"""`offduty handover accept`: a team takes over its rows, or refuses one."""

from __future__ import annotations

import argparse

from offduty.cli.duty import no_row, settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, one_line, print_json, print_table, screen
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock, rfc3339
from offduty.errors import NotThere, UsageError, quoted
from offduty.handover.acceptance import Ours, Stands, accept, standings
from offduty.wiring.handover import table_of, to_accept

HELP = "a team takes over its rows of the triage table (and the job, if it owns it), or refuses one"
DESCRIPTION = """\
All that is given to the team is accepted as it is now, but for the rows that it refuses. A row that says something else later, or has
another team or contact, has to be accepted again. Without --team: how everything stands.
"""
EXAMPLES = """\
offduty handover accept forecast                                     # what is accepted, and what is not
offduty handover accept forecast --team lab --by "Mei Chen"
offduty handover accept forecast --team lab --by Mei --refuse LAB-04 --reason "the file is not ours any more"
"""
STYLES = {"accepted": "green", "refused": "bold red", "changed": "yellow", "open": "yellow", "nobody": "bold red"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job")
    parser.add_argument("--team", metavar="TEAM", help="the team that accepts")
    parser.add_argument("--refuse", metavar="ROW", action="append", default=[], help="a row that it does not accept; again for another")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; needed to refuse")
    add_by_option(parser)


def main(args: argparse.Namespace) -> int:
    """Record it, and print how everything stands."""
    settings, clock = settings_here(args), Clock()
    ours = to_accept(settings, args.job, table_of(settings))
    _check(args, ours)
    with open_for_reading(args, clock, make=args.team is not None) as reach:
        store = store_of(reach).handover
        if args.team is not None:
            refused = dict.fromkeys(args.refuse, args.reason)
            store.accept(accept(ours, args.team, who(args), clock.wall(), args.job, refused))
        found = standings(ours, store.acceptances(args.job))
    if args.json:
        print_json({"schema": "offduty.accept/1", "job": args.job, "rows": [_json(one) for one in found]})
    else:
        print_table(
            screen(args), ("row", "team", "state", "by", "what", "reason"), [_cells(one) for one in found], flexible=("what", "reason")
        )
    return 0


def _check(args: argparse.Namespace, ours: list[Ours]) -> None:
    """E111 for a refusal without team or reason, E515 for a team that is given nothing, E520 for a row that is not its."""
    if args.refuse and (args.team is None or not args.reason):
        raise UsageError("E111", "who refuses, and why?", fix="add --team TEAM and --reason TEXT")
    teams = sorted({one.team for one in ours if one.team})
    if args.team is not None and args.team not in teams:
        fix = f"there are: {', '.join(teams)}" if teams else "set owner and the teams of rows"
        raise NotThere("E530", f"nothing of {args.job} is given to a team {quoted(args.team)}", fix=fix)
    its_rows = [one.row for one in ours if one.team == args.team and one.row]
    for row in args.refuse:
        if row not in its_rows:
            raise no_row(row, its_rows)


def _json(one: Stands) -> dict[str, object]:
    last = one.last
    said = {"by": last.by, "at": rfc3339(last.at), "reason": last.reason or None} if last else {"by": None, "at": None, "reason": None}
    return {"row": one.ours.row or None, "team": one.ours.team or None, "title": one.ours.title, "state": one.standing, **said}


def _cells(one: Stands) -> list[Cell]:
    by, reason = (one.last.by, one.last.reason) if one.last else ("", "")
    name = one.ours.row or "(the job)"
    texts = [one_line(text) for text in (name, one.ours.team or "-", one.standing, by or "-", one.ours.title, reason)]
    return [Cell(text, STYLES[one.standing] if place == 2 else "") for place, text in enumerate(texts)]
