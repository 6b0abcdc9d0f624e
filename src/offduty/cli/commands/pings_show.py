"""`offduty pings show NAME`: a check, its addresses, and the last pings that came."""

from __future__ import annotations

import argparse
from typing import Any

from msgspec.structs import asdict

from offduty.cli.pinging import add_check_argument, at_desk, check_json, the_check
from offduty.cli.show import Cell, one_line, print_json, print_table, screen
from offduty.clock import rfc3339, short_id
from offduty.durations import spoken
from offduty.watch.pings.check import Heard

HELP = "a check, its addresses, and its last pings"
EXAMPLES = """\
offduty pings show backup
offduty pings show backup --json | jq -r .address
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_check_argument(parser)


def main(args: argparse.Namespace) -> int:
    """Print it."""
    with at_desk(args) as desk:
        check = the_check(desk, args.check)
        keys = {key.name: key for key in desk.store.keys()}  # noqa: SIM118 -- no dict
        heard = desk.store.heard(check.job)
    document = check_json(check, desk.settings.ping.url, keys)
    if args.json:
        print_json({"schema": "offduty.ping/1", **document, "heard": [_json(one) for one in heard]})
        return 0
    for label, text in _facts(document):
        print(f"{label:12}{one_line(text)}")
    if heard:
        print()
        print_table(
            screen(args), ("ping", "at", "said", "from", "client", "bytes", "run"), [_row(one) for one in heard], flexible=("client",)
        )
    return 0


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    due = document["schedule"] or (f"every {spoken(document['every_s'])}" if document["every_s"] else "as its configuration says")
    grace = f", {spoken(document['grace_s'])} late at most" if document["grace_s"] else ""
    facts = [
        ("check", document["check"]), ("state", document["state"] + (", running" if document["running"] else "")),
        ("team", document["team"]), ("expected", due + grace), ("address", document["address"]), ("or", document["slug_address"]),
        ("last ping", document["last_ping"]), ("last start", document["last_start"]),
        ("took", spoken(document["last_duration_s"]) if document["last_duration_s"] is not None else None),
    ]  # fmt: skip
    return [(label, text) for label, text in facts if text]


def _json(one: Heard) -> dict[str, Any]:
    return {**asdict(one), "at": rfc3339(one.at), "rid": one.rid or None, "run": one.run or None}


def _row(one: Heard) -> list[Cell]:
    said = one.action if one.exit_status is None else f"{one.action} {one.exit_status}"
    texts = (
        str(one.number),
        rfc3339(one.at),
        said,
        one_line(one.client),
        one_line(one.agent),
        str(one.size),
        short_id(one.run) if one.run else "-",
    )
    return [Cell(text) for text in texts]
