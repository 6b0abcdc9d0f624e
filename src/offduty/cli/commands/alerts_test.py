"""`offduty alerts test`: send a marked message through a channel, with a code to confirm."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from offduty.alerts.alert import Alert
from offduty.alerts.delivery import DeliveryError
from offduty.alerts.proof import Proof, new_code
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, note, one_line, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.clock import Clock
from offduty.errors import FINDINGS, NotThere, UsageError, quoted
from offduty.settings.load import Settings, load

HELP = "send a marked test message, with a code to confirm"
DESCRIPTION = """\
One attempt each, now. Whoever sees the message confirms it with `offduty alerts confirm CODE`: that is the proof, because for some
services (Teams) an answer only says that the message was accepted. Exit status 1 if a channel refused it.
"""
EXAMPLES = """\
offduty alerts test chat
offduty alerts test --all
"""


@dataclass(frozen=True)
class Tried:
    """What came of a test: the service's answer, or why it did not arrive."""

    channel: str
    code: str
    arrived: bool
    detail: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("channels", nargs="*", metavar="CHANNEL", help="the channels to test")
    parser.add_argument("--all", action="store_true", help="every channel of the configuration")


def main(args: argparse.Namespace) -> int:
    """Send, remember, print."""
    settings = load(os.getcwd(), os.environ, config=args.config)
    names = _names(settings, args)
    clock = Clock()
    tried = [_try(settings, name, clock) for name in names]
    with open_for_reading(args, clock, make=True) as reach:
        for one in tried:
            if one.arrived:
                store_of(reach).proofs.add(Proof(one.code, one.channel, clock.wall(), one.detail))
    if args.json:
        print_json({"schema": "offduty.alerts-test/1", "channels": [vars(one) for one in tried]})
    else:
        rows = [[Cell(one.channel), Cell("sent" if one.arrived else "FAILED", "green" if one.arrived else "bold red"),
                 Cell(one.code if one.arrived else "-"), Cell(one_line(one.detail))] for one in tried]  # fmt: skip
        print_table(screen(args), ("channel", "", "code", "answer"), rows, flexible=("answer",))
        if any(one.arrived for one in tried):
            note(args, "who sees a message confirms it: offduty alerts confirm CODE")
    return 0 if all(one.arrived for one in tried) else FINDINGS


def _names(settings: Settings, args: argparse.Namespace) -> list[str]:
    if bool(args.channels) == args.all:
        raise UsageError("E111", "which channels?", fix="name them, or say --all")
    for name in args.channels:
        if name not in settings.channels:
            known = ", ".join(settings.channels) or "none is configured"
            raise NotThere("E516", f"there is no channel {quoted(name)}", fix=f"there are: {known}" if settings.channels else known)
    if args.all and not settings.channels:
        raise NotThere("E516", "no channel is configured", fix="add [channel.NAME]; see the how-to pages on alerts")
    return args.channels or list(settings.channels)


def _try(settings: Settings, name: str, clock: Clock) -> Tried:
    from offduty.wiring.telling import Configured

    code = new_code(os.urandom(6))
    teams = [one.title or team for team, one in settings.teams.items() if name in one.channels]
    alert = Alert(
        key=f"test-{code}", event="test", job="offduty", title=f"offduty reaches the channel {name}", at=clock.wall(), code=code,
        what=f"It is used for {', '.join(teams)}." if teams else "No team uses it yet.", host=os.uname().nodename,
    )  # fmt: skip
    try:
        receipt = Configured(settings, name).send(alert)
    except DeliveryError as error:
        return Tried(name, code, False, error.what)
    return Tried(name, code, True, receipt.detail or "ok")
