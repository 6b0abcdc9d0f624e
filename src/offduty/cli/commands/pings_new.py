"""`offduty pings new NAME`: an address to ping for a job that no configuration knows."""

from __future__ import annotations

import argparse
from dataclasses import replace

from offduty import durations
from offduty.cli.pinging import at_desk, check_json
from offduty.cli.show import note, print_json
from offduty.errors import UsageError, quoted
from offduty.runs.job import is_name
from offduty.settings import times
from offduty.settings.load import Settings
from offduty.watch.pings.check import GRACE, PERIOD, Check, Filters, Key
from offduty.watch.pings.store import OpenPings
from offduty.watch.promise import Promise
from offduty.wiring.pings import Desk, default_slug, new_check, new_key
from offduty.wiring.schedules import machine_zone

HELP = "make an address to ping"
DESCRIPTION = """\
For a job that stands in no configuration; for one that does, write ping = true into its table. It is expected once a day unless
something else is said, and told to --team. How long a run may take that says that it has started is --grace, too.
"""
EXAMPLES = """\
offduty pings new backup                                   # every day, an hour late at most
offduty pings new etl --schedule "30 2 * * *" --timezone Europe/London --grace 45min --team data
offduty pings new build --success-word DONE --failure-word ERROR
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add = parser.add_argument
    add("name", metavar="NAME", help="what the job is called")
    add("--every", metavar="DURATION", help="how often it pings (default: 1d)")
    add("--schedule", metavar="CRON", help="a cron line, or an OnCalendar expression")
    add("--timezone", metavar="ZONE", default="", help="of the schedule (default: the machine's)")
    add("--grace", metavar="DURATION", help="how late it may be (default: 1h)")
    add("--team", metavar="TEAM", default="", help="who is told")
    add("--slug", metavar="SLUG", default="", help="its name in addresses (default: NAME)")
    add("--post-only", action="store_true", help="ignore pings that are not sent by POST")
    add("--manual-resume", action="store_true", help="once paused, it stays so until `offduty pings resume`, whatever pings")
    for kind in ("start", "success", "failure"):
        add(f"--{kind}-word", action="append", default=[], metavar="WORD", help=f"a body that holds it means {kind}; may be repeated")
    add("--default-fail", action="store_true", help="a body with none of the words is a failure (default: it is ignored)")


def main(args: argparse.Namespace) -> int:
    """Make the check, and print its addresses."""
    with at_desk(args) as desk:
        _check_words(args, desk.settings)
        promise = _promise(args)
        check, key = desk.store.change(lambda pings: _make(pings, desk, args, promise))
        document = check_json(check, desk.settings.ping.url, {key.name: key})
    if args.json:
        print_json({"schema": "offduty.ping/1", **document})
    else:
        print(document["address"])
        print(document["slug_address"])
        note(args, "ping either; with /start, /fail, /log or /EXIT_STATUS behind it. `offduty pings serve` takes them")
    return 0


def _check_words(args: argparse.Namespace, settings: Settings) -> None:
    if not is_name(args.name):
        raise UsageError("E112", f"{quoted(args.name)} cannot be the name of a job", fix="use lower-case letters, digits, . _ and -")
    slug = args.slug or default_slug(args.name)
    if not slug or len(slug) > 100 or not all(c in "abcdefghijklmnopqrstuvwxyz0123456789_-" for c in slug):
        raise UsageError("E112", f"{quoted(slug)} cannot be a slug", fix="use lower-case letters, digits, _ and -")
    if args.team and args.team not in settings.teams:
        raise UsageError("E112", f"there is no team {quoted(args.team)}", fix=f"add [team.{args.team}] to the configuration")
    if args.name in settings.jobs:
        raise UsageError("E518", f"{args.name} stands in the configuration", fix="write ping = true into its table")


def _promise(args: argparse.Namespace) -> Promise:
    """What is expected. Raises ScheduleError E301 and E302, UsageError E102."""
    if args.schedule and args.every:
        raise UsageError("E111", "--schedule and --every are both given", fix="keep one of them")
    grace = durations.parse(args.grace) if args.grace else GRACE
    zone = args.timezone or machine_zone()
    times.check_zone(zone)
    plain = Promise(args.name, zone=zone, start_grace=grace, max_duration=grace)
    if not args.schedule:
        return replace(plain, every=durations.parse(args.every) if args.every else PERIOD)
    if len(args.schedule.split()) == 5:
        times.check_cron(args.schedule)
        return replace(plain, cron=args.schedule)
    times.check_on_calendar(args.schedule)
    return replace(plain, on_calendar=args.schedule)


def _make(pings: OpenPings, desk: Desk, args: argparse.Namespace, promise: Promise) -> tuple[Check, Key]:
    if pings.check(args.name) is not None or pings.has_runs(args.name):
        raise UsageError("E518", f"there is a job called {args.name} already", fix="choose another name")
    key = pings.key_called(args.team) or new_key(args.team, args.team)
    pings.put_key(key)
    words = {kind: tuple(getattr(args, f"{kind}_word")) for kind in ("start", "success", "failure")}
    filters = Filters(args.post_only, any(words.values()) or args.default_fail, **words, default_fail=args.default_fail)
    check = new_check(
        args.name, desk.clock.wall(), slug=args.slug, key=key, promise=promise.as_json(), filters=filters, manual_resume=args.manual_resume
    )
    pings.put(check)
    desk.watch(pings, check)
    return check, key
