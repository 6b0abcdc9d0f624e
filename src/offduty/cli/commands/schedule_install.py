"""`offduty schedule install JOB`: write the entry of cron, systemd or Kubernetes that starts a job."""

from __future__ import annotations

import argparse
import os
import sys

from offduty.cli import schedulers
from offduty.cli.show import note, print_json
from offduty.errors import ScheduleError, UsageError
from offduty.settings.load import load
from offduty.watch.entries import Start, crontab, kubernetes, systemd
from offduty.wiring.schedules import machine_zone, start_of

HELP = "write the entry of cron, systemd or Kubernetes that starts a job"
DESCRIPTION = """\
Without a choice: systemd where it runs, else cron. What is there for the job already is replaced, nothing else is touched.
For root systemd gets units of the machine, for others of the user (`loginctl enable-linger` lets those run without a session).
"""
EXAMPLES = """\
offduty schedule install forecast --dry-run        # print it, change nothing
offduty schedule install forecast --cron
offduty schedule install forecast --kubernetes --image registry.example/forecast:1 > cronjob.yaml
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="a configured job with a schedule")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--cron", dest="scheduler", action="store_const", const="cron", help="a line in your crontab")
    which.add_argument("--systemd", dest="scheduler", action="store_const", const="systemd", help="a timer and its service")
    which.add_argument("--kubernetes", dest="scheduler", action="store_const", const="kubernetes", help="print a CronJob")
    parser.add_argument("--image", metavar="IMAGE", help="for Kubernetes: what the job runs in")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")


def main(args: argparse.Namespace) -> int:
    """Print or write the entry."""
    settings = load(os.getcwd(), os.environ, config=args.config)
    start = start_of(settings, args.job)
    if start.cron is None and start.every is None and start.on_calendar is None:
        raise ScheduleError("E306", f"{args.job} has no schedule", fix='add schedule = "0 6 * * mon-fri", every or on_calendar')
    scheduler = args.scheduler or schedulers.here()
    if settings.job(args.job).not_on:
        note(args, f"{scheduler} knows no holidays: it starts {args.job} on the days of not_on too; those runs are just not missed")
    written = _written(scheduler, start, args)
    if args.json:
        print_json(
            {"schema": "offduty.schedule-install/1", "job": start.job, "scheduler": scheduler, "written": not args.dry_run, **written}
        )
    elif args.dry_run or scheduler == "kubernetes":
        print("".join(text if len(written["files"]) == 1 else f"# {path}\n{text}\n" for path, text in written["files"].items()), end="")
    else:
        print(f"{scheduler} starts {start.job} from now on: {', '.join(written['files'])}", file=sys.stderr)
    return 0


def _written(scheduler: str, start: Start, args: argparse.Namespace) -> dict[str, dict[str, str]]:
    """What was (or with --dry-run would be) written: {"files": {path: text}}."""
    if scheduler == "kubernetes":
        if not args.image:
            raise UsageError("E111", "a CronJob needs to know what to run in", fix="say --image IMAGE")
        return {"files": {"cronjob.yaml": kubernetes.manifest(start, args.image)}}
    if scheduler == "cron":
        line = crontab.entry(start, machine_zone())
        new = crontab.put(schedulers.crontab(), start.job, line)
        if not args.dry_run:
            schedulers.write_crontab(new)
        return {"files": {"crontab": f"{crontab.mark(start.job)}\n{line}\n"}}
    units = systemd.units(start)
    folder = schedulers.units_folder(os.environ)
    if not args.dry_run:
        schedulers.write_units(folder, units)
    return {"files": {f"{folder}/{name}": text for name, text in units.items()}}
