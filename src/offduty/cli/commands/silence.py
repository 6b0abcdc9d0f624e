"""`offduty silence JOB --for 2h`: a maintenance window, in which nobody is told of a job's failures."""

from __future__ import annotations

import argparse

from offduty import durations
from offduty.alerts.owed import Silence
from offduty.alerts.owing import LONGEST_SILENCE
from offduty.cli import COMMANDS
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, moment, note, one_line, print_json, print_table, screen
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock, new_id, rfc3339, short_id
from offduty.errors import NotThere, UsageError, quoted

HELP = COMMANDS["silence"][2]
DESCRIPTION = """\
Failures in a silence are recorded and kept back; what is still bad when it ends is told then. A silence is announced to everybody it
keeps things from, and lasts 30 days at most. Without a job: the silences there are.
"""
EXAMPLES = """\
offduty silence forecast --for 2h --reason "the warehouse is moved"
offduty silence 'etl-*' --for 8h
offduty silence                       # the silences there are
offduty silence --end 7f3a91c2
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", nargs="?", metavar="JOB", help="a job, or several with *")
    parser.add_argument("--for", dest="duration", metavar="DURATION", help="how long, at most 30d")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why, for those who are kept in the dark")
    parser.add_argument("--end", metavar="ID", help="end a silence now")
    add_by_option(parser)


def main(args: argparse.Namespace) -> int:
    """Set, end or list."""
    now = Clock().wall()
    if args.job is not None and args.duration is None:
        raise UsageError("E111", "for how long?", fix="say --for 2h; a silence has to end")
    with open_for_reading(args, Clock(), make=args.job is not None) as reach:
        alerts = store_of(reach).alerts
        if args.end is not None:
            _end(alerts.silences(), alerts.end_silence, args.end, now)
        if args.job is not None:
            alerts.silence(_silence(args, now), now)
        found = alerts.silences()
    if args.json:
        print_json({"schema": "offduty.silences/1", "silences": [_json(one) for one in found]})
    elif found:
        rows = [
            [
                Cell(short_id(one.id)),
                Cell(one_line(one.job)),
                Cell(moment(one.until, now)),
                Cell(one_line(one.by)),
                Cell(one_line(one.reason)),
            ]
            for one in found
        ]
        print_table(screen(args), ("silence", "job", "until", "by", "reason"), rows, flexible=("reason",))
    else:
        note(args, "nothing is silenced")
    return 0


def _silence(args: argparse.Namespace, now: float) -> Silence:
    seconds = durations.parse(args.duration)
    if seconds > LONGEST_SILENCE:
        raise UsageError("E102", "a silence of over 30 days is forgotten by everybody", where="--for", fix="say 30d or less")
    return Silence(new_id(now), args.job, now, now + seconds, who(args), args.reason)


def _end(silences: list[Silence], end: object, part: str, now: float) -> None:
    found = [one for one in silences if one.id.startswith(part) or one.id.endswith(part)]
    if len(found) != 1 or not callable(end):
        raise NotThere("E513", f"no silence is called {quoted(part)}", fix="`offduty silence` lists them")
    end(found[0].id, now)


def _json(one: Silence) -> dict[str, object]:
    return {"id": one.id, "job": one.job, "from": rfc3339(one.starts_at), "until": rfc3339(one.until), "by": one.by, "reason": one.reason}
