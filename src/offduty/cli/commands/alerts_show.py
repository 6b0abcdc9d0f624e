"""`offduty alerts show ID`: one message, and how its delivery went."""

from __future__ import annotations

import argparse

from offduty.cli.reach import load_settings, open_for_reading
from offduty.cli.show import Cell, print_cells, print_json, screen
from offduty.cli.telling import alert_json, store_of
from offduty.clock import Clock

HELP = "one alert: its state, and the message itself"
EXAMPLES = """\
offduty alerts show 3469c622
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("alert", metavar="ID", help="the beginning of an alert's id, as `offduty alerts` shows it")


def main(args: argparse.Namespace) -> int:
    """Print the row, and the message as it would read now."""
    from offduty.alerts.wording import plain
    from offduty.wiring.telling import Composer

    settings = load_settings(args)
    with open_for_reading(args, Clock()) as reach:
        store = store_of(reach)
        row = store.alerts.alert(args.alert)
        members = store.alerts.members(row.key) if row.event == "digest" else []
        text = plain(Composer(lambda: store, settings)(row, members)) if settings is not None else ""
    if args.json:
        print_json({"schema": "offduty.alert/1", "alert": alert_json(row), "text": text})
        return 0
    on = screen(args)
    for label, value in alert_json(row).items():
        if value not in (None, ""):
            print_cells(on, [Cell(f"{label:<12}", "dim"), Cell(str(value))])
    if text:
        print(f"\n{text}", end="")
    return 0
