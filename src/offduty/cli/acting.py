"""What a person does to an incident: the same for `ack`, `note`, `snooze` and `resolve`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from offduty.alerts.incident import Incident, Step
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import add_by_option, incident_json, store_of
from offduty.clock import Clock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which incident, and who."""
    parser.add_argument("incident", metavar="ID", help="the beginning of an incident's id")
    add_by_option(parser)


def act(args: argparse.Namespace, what: Callable[[Incident, float], Step], said: str) -> int:
    """Do it, and say so; a second time changes nothing."""
    now = Clock().wall()
    with open_for_reading(args, Clock()) as reach:
        incident = store_of(reach).alerts.act(args.incident, lambda it: what(it, now), now)
    if args.json:
        print_json({"schema": "offduty.incident/1", "incident": incident_json(incident), "alerts": []})
    else:
        note(args, f"{incident.job}, {incident.cause}: {said}; it is {incident.state}")
    return 0
