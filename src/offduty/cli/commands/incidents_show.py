"""`offduty incidents show ID`: all about one incident, and who was told."""

from __future__ import annotations

import argparse

from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, one_line, print_cells, print_json, screen
from offduty.cli.telling import alert_json, incident_json, incident_lines, store_of
from offduty.clock import Clock

HELP = "all about one incident, and who was told"
EXAMPLES = """\
offduty incidents show c0c7f414
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("incident", metavar="ID", help="the beginning of an incident's id")


def main(args: argparse.Namespace) -> int:
    """Print it."""
    from offduty.alerts.compose import told_in_words

    with open_for_reading(args, Clock()) as reach:
        alerts = store_of(reach).alerts
        incident = alerts.incident(args.incident)
        rows = alerts.alerts_of(incident.id)
    if args.json:
        print_json({"schema": "offduty.incident/1", "incident": incident_json(incident), "alerts": [alert_json(row) for row in rows]})
        return 0
    lines = list(incident_lines(incident, Clock().wall()))
    lines += [("told", f"{row.event}: {one_line(told_in_words(row, {}))}") for row in rows]
    for label, text in lines:
        print_cells(screen(args), [Cell(f"{label:<12}", "dim"), Cell(text)])
    return 0
