"""`offduty schedule remove JOB`: take out what `schedule install` wrote."""

from __future__ import annotations

import argparse
import os

from offduty.cli import schedulers
from offduty.cli.show import note, print_json
from offduty.errors import NotThere
from offduty.watch.entries import crontab

HELP = "take out what `schedule install` wrote for a job"
EXAMPLES = """\
offduty schedule remove forecast
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="a job, configured or not any more")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and leave it")


def main(args: argparse.Namespace) -> int:
    """Remove the entries of every scheduler; it is an error if there is none."""
    gone = [*_from_crontab(args), *schedulers.remove_units(schedulers.units_folder(os.environ), args.job, dry_run=args.dry_run)]
    if not gone:
        raise NotThere("E509", f"nothing was installed for {args.job}", fix="see what is there: crontab -l, systemctl list-timers")
    if args.json:
        print_json({"schema": "offduty.schedule-remove/1", "job": args.job, "removed": gone, "dry_run": args.dry_run})
    else:
        note(args, f"{'would remove' if args.dry_run else 'removed'} {', '.join(gone)}")
    return 0


def _from_crontab(args: argparse.Namespace) -> list[str]:
    if not schedulers.has_crontab():
        return []
    text = schedulers.crontab()
    if crontab.find(text, args.job) is None:
        return []
    if not args.dry_run:
        schedulers.write_crontab(crontab.remove(text, args.job))
    return ["crontab"]
