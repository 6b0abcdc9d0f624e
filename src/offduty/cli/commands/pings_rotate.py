"""`offduty pings rotate`: another address for a check, or another key for a team; the old one is unknown from then on."""

from __future__ import annotations

import argparse

from msgspec.structs import replace

from offduty.cli.pinging import at_desk, change, check_json
from offduty.cli.show import note, print_json
from offduty.errors import NotThere, UsageError, quoted
from offduty.watch.pings.check import Key
from offduty.watch.pings.store import OpenPings
from offduty.wiring.pings import new_code, new_key

HELP = "replace an address that others may know"
DESCRIPTION = """\
The uuid of one check, or, with --key, the key that the addresses with slugs of a team begin with. What still pings the old one is
answered with 404 from then on, so change it there too. --key makes one where there is none.
"""
EXAMPLES = """\
offduty pings rotate backup
offduty pings rotate --key ops
offduty pings rotate --key ""       # of the checks without a team
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("check", metavar="NAME", nargs="?", help="the check whose uuid is replaced")
    parser.add_argument("--key", metavar="TEAM", help="the team whose key is replaced")


def main(args: argparse.Namespace) -> int:
    """Replace it, and print the new one."""
    if (args.check is None) == (args.key is None):
        raise UsageError("E111", "which one?", fix="name a check, or a team with --key")
    with at_desk(args) as desk:
        if args.check is not None:
            check = change(desk, args.check, lambda check: replace(check, code=new_code()))
            document = {"schema": "offduty.ping/1", **check_json(check, desk.settings.ping.url, {})}
            new = str(document["address"])
        else:
            if args.key and args.key not in desk.settings.teams:
                raise NotThere("E517", f"there is no team {quoted(args.key)}", fix=f"add [team.{args.key}] to the configuration")
            key = desk.store.change(lambda pings: _rotate(pings, args.key))
            document = {"schema": "offduty.ping_key/1", "team": key.team or None, "key": key.secret}
            new = f"{desk.settings.ping.url}/{key.secret}/SLUG"
    if args.json:
        print_json(document)
    else:
        print(new)
        note(args, "the old one is unknown from now on")
    return 0


def _rotate(pings: OpenPings, team: str) -> Key:
    key = new_key(team, team)
    pings.put_key(key)
    return key
