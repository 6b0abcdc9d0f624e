"""`offduty digest`: the week of a team, on a page."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import print_json
from offduty.cli.telling import store_of
from offduty.cli.write import write_bytes
from offduty.clock import Clock
from offduty.errors import NotThere, quoted
from offduty.settings.load import Settings

HELP = COMMANDS["digest"][2]
DESCRIPTION = """\
What ran, what needed a human, what changed in readiness, channels that were not proven lately, and the one thing worth doing next;
of the jobs that the team owns or has a part in. Markdown on stdout, or a page with --html.
"""
EXAMPLES = """\
offduty digest                                 # of every team
offduty digest --team lab
offduty digest --team lab --html week.html
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--team", metavar="TEAM", help="only of this team")
    parser.add_argument("--html", metavar="FILE", help="write it as a page; needs --team")


def main(args: argparse.Namespace) -> int:
    """Print the week."""
    from offduty.handover.as_markdown import as_markdown
    from offduty.wiring.digest import digest_of

    settings, clock = settings_here(args), Clock()
    teams = _teams(settings, args)
    with open_for_reading(args, clock) as reach:
        found = [(team, digest_of(settings, team, store_of(reach), clock.wall())) for team in teams]
    if args.html is not None:
        from offduty.handover.as_html import as_html

        write_bytes(args.html, as_html(found[0][1]).encode("utf-8", "backslashreplace"))
    elif args.json:
        print_json({"schema": "offduty.digest/1", "teams": [{"team": team, **one.as_json()} for team, one in found]})
    else:
        print("\n".join(as_markdown(one, contents=False) for _, one in found), end="")
    return 0


def _teams(settings: Settings, args: argparse.Namespace) -> list[str]:
    """Raises NotThere E530 for a team that has no part in anything, UsageError E111 for a page of several."""
    from offduty.errors import UsageError
    from offduty.wiring.digest import teams_with_jobs

    known = teams_with_jobs(settings)
    if args.team is not None and args.team not in known:
        raise NotThere(
            "E530", f"no job concerns a team {quoted(args.team)}", fix=f"there are: {', '.join(known)}" if known else "set owner"
        )
    if args.html is not None and args.team is None:
        raise UsageError("E111", "a page is about one team", fix="add --team TEAM")
    return known if args.team is None else [args.team]
