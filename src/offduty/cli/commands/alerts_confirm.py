"""`offduty alerts confirm CODE`: a person has seen a test message."""

from __future__ import annotations

import argparse

from offduty.alerts.proof import as_typed
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock, rfc3339
from offduty.errors import NotThere, quoted

HELP = "say that a test message arrived"
EXAMPLES = """\
offduty alerts confirm K7QX2M
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("code", metavar="CODE", help="the code in the message")
    add_by_option(parser)


def main(args: argparse.Namespace) -> int:
    """Remember that the channel is proven."""
    with open_for_reading(args, Clock()) as reach:
        proof = store_of(reach).proofs.confirm(as_typed(args.code), who(args), Clock().wall())
    if proof is None:
        raise NotThere("E515", f"no test message has the code {quoted(args.code)}", fix="send one: offduty alerts test --all")
    at = rfc3339(proof.confirmed_at or 0.0)
    if args.json:
        print_json({"schema": "offduty.alerts-confirm/1", "channel": proof.channel, "confirmed_at": at, "by": proof.by})
    else:
        note(args, f"{proof.channel} is proven: seen by {proof.by} {at}")
    return 0
