"""`offduty pings`: jobs that others start, and that tell by HTTP how they are."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.pinging import at_desk, check_json
from offduty.cli.show import Cell, distance, note, one_line, print_json, print_table, screen
from offduty.clock import Clock
from offduty.watch.pings.check import Check

HELP = COMMANDS["pings"][2]
DESCRIPTION = """\
A job that offduty does not start says by an HTTP request that it has started, succeeded or failed: the requests of healthchecks, so
that its clients work when they are given another address. Its runs, alerts and status are like those of any other job.
"""
EXAMPLES = """\
offduty pings new backup --every 1d --grace 1h --team ops
offduty pings serve                    # take them, on 127.0.0.1:8000
curl -fsS -m 10 --retry 5 http://127.0.0.1:8000/ping/UUID
offduty pings                          # every check, and its last ping
"""
SUBCOMMANDS = {
    "list": "offduty.cli.commands.pings",
    "serve": "offduty.cli.commands.pings_serve",
    "new": "offduty.cli.commands.pings_new",
    "show": "offduty.cli.commands.pings_show",
    "pause": "offduty.cli.commands.pings_pause",
    "resume": "offduty.cli.commands.pings_resume",
    "rotate": "offduty.cli.commands.pings_rotate",
    "remove": "offduty.cli.commands.pings_remove",
}
STYLES = {"up": "green", "down": "bold red", "paused": "yellow", "new": "dim"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Only the options that all commands have."""


def main(args: argparse.Namespace) -> int:
    """List the checks."""
    now = Clock().wall()
    with at_desk(args) as desk:
        checks, keys = desk.sync(), {key.name: key for key in desk.store.keys()}  # noqa: SIM118 -- no dict
    if args.json:
        print_json({"schema": "offduty.pings/1", "checks": [check_json(check, desk.settings.ping.url, keys) for check in checks]})
    elif checks:
        print_table(
            screen(args),
            ("check", "state", "last ping", "pings", "address"),
            [_row(check, now, desk.settings.ping.url) for check in checks],
        )
    else:
        note(args, "nothing pings yet; `offduty pings new NAME` makes a check, or write ping = true into a job's table")
    return 0


def _row(check: Check, now: float, url: str) -> list[Cell]:
    running = ", running" if check.open else ""
    last = distance(check.last_ping, now) if check.last_ping is not None else "never"
    return [
        Cell(check.job), Cell(f"{check.status}{running}", STYLES.get(check.status, "")), Cell(last), Cell(str(check.pings)),
        Cell(one_line(f"{url}/{check.code}")),
    ]  # fmt: skip
