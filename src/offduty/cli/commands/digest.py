"""`offduty digest`: the week of a team, on a page."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from offduty.cli import COMMANDS
from offduty.cli.duty import settings_here
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json, print_markdown, screen
from offduty.cli.telling import store_of
from offduty.cli.write import write_bytes
from offduty.clock import Clock
from offduty.errors import FINDINGS, NotThere, quoted
from offduty.settings.load import Settings

HELP = COMMANDS["digest"][2]
DESCRIPTION = """\
What ran, what needed a human, what changed in readiness, channels that were not proven lately, and the one thing worth doing next;
of the jobs that the team owns or has a part in. Markdown on stdout, or a page with --html. A watcher sends it to each team by itself,
on Mondays at 09:00 if [digest] says nothing else; --send sends the last seven days now, beside that.
"""
EXAMPLES = """\
offduty digest                                 # of every team
offduty digest --team lab
offduty digest --team lab --html week.html
offduty digest --team lab --send               # through the team's channels
"""
DELIVERING = 60.0  # seconds


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--team", metavar="TEAM", help="only of this team")
    parser.add_argument("--html", metavar="FILE", help="write it as a page; needs --team")
    parser.add_argument("--send", action="store_true", help="send it through the channels of the team, or of each")


def main(args: argparse.Namespace) -> int:
    """Print the week."""
    from offduty.handover.as_markdown import as_markdown
    from offduty.wiring.digest import digest_of

    settings, clock = settings_here(args), Clock()
    teams = _teams(settings, args)
    if args.send:
        return _send(args, settings, teams, clock)
    with open_for_reading(args, clock) as reach:
        found = [(team, digest_of(settings, team, store_of(reach), clock.wall())) for team in teams]
    if args.html is not None:
        from offduty.handover.as_html import as_html

        write_bytes(args.html, as_html(found[0][1]).encode("utf-8", "backslashreplace"))
    elif args.json:
        print_json({"schema": "offduty.digest/1", "teams": [{"team": team, **one.as_json()} for team, one in found]})
    else:
        print_markdown(screen(args), "\n".join(as_markdown(one, contents=False) for _, one in found))
    return 0


def _send(args: argparse.Namespace, settings: Settings, teams: Sequence[str], clock: Clock) -> int:
    """Owe it, and deliver what is owed to those channels; exit status 1 if something of it has not arrived."""
    from offduty.alerts.compose import told_in_words
    from offduty.stores.sqlite import SqliteStore, open_store
    from offduty.wiring.telling import outbox, titles_of
    from offduty.wiring.weekly import channels_of, tell_now

    mute = [team for team in teams if team not in settings.teams or not channels_of(settings, team)]
    if mute and len(mute) == len(teams):
        raise NotThere("E530", f"no channel reaches {quoted(mute[0])}", fix=f"set channels in [team.{mute[0]}]")
    with open_for_reading(args, clock, make=True) as reach:
        path, store = reach.places.store, store_of(reach)

        def another() -> SqliteStore:
            return open_store(path, clock=clock)

        rows = [row for team in teams if team not in mute for row in tell_now(settings, team, store, clock.wall())]
        owner = f"digest-{os.uname().nodename}-{os.getpid()}-{clock.wall()}"
        outbox(another, settings, clock, owner=owner, only=[row.channel for row in rows]).deliver(DELIVERING)
        now = [store.alerts.alert(row.key) for row in rows]
    if args.json:
        sent = [{"team": row.team, "channel": row.channel, "state": row.state, "error": row.error or None} for row in now]
        print_json({"schema": "offduty.digest_sent/1", "sent": sent, "without_channel": mute})
    for text in [told_in_words(row, titles_of(settings)) for row in now] + [f"{team} has no channel" for team in mute]:
        note(args, text)
    return 0 if all(row.state == "delivered" for row in now) else FINDINGS


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
