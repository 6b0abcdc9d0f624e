"""`offduty schedule`: when jobs are due; `schedule install` hands that to cron, systemd or Kubernetes."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from offduty.cli import COMMANDS
from offduty.cli.choose import count
from offduty.cli.show import Cell, note, print_json, print_table, screen
from offduty.clock import Clock, rfc3339
from offduty.settings.load import Settings, load
from offduty.watch.schedule import slots
from offduty.wiring.schedules import machine_zone, schedule_of

HELP = COMMANDS["schedule"][2]
DESCRIPTION = """\
The next times at which jobs are due, as the clock there shows them and in UTC. `schedule install JOB` writes the entry of a
scheduler that starts it, `schedule adopt` takes over the lines of your crontab.
"""
EXAMPLES = """\
offduty schedule                              # when every job is due next
offduty schedule show forecast -n 10
offduty schedule install forecast --dry-run   # what cron or systemd would be given
offduty schedule adopt                        # crontab lines that could be jobs
"""
SUBCOMMANDS = {
    "show": "offduty.cli.commands.schedule",
    "install": "offduty.cli.commands.schedule_install",
    "remove": "offduty.cli.commands.schedule_remove",
    "adopt": "offduty.cli.commands.schedule_adopt",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="only these jobs")
    parser.add_argument("-n", "--slots", type=count, metavar="N", help="so many times each (default: 1, of a single job 5)")


def main(args: argparse.Namespace) -> int:
    """Print the slots of the jobs that were asked for."""
    settings = load(os.getcwd(), os.environ, config=args.config)
    names = args.jobs or sorted(settings.jobs)
    wanted = args.slots or (5 if len(args.jobs) == 1 else 1)
    jobs = [_job(settings, name, Clock().wall(), wanted) for name in names]
    if args.json:
        print_json({"schema": "offduty.schedule/1", "jobs": jobs})
    elif jobs:
        rows = [row for job in jobs for row in _rows(job)]
        print_table(screen(args), ("job", "when", "next", "UTC"), rows, flexible=("when", "job"), spare=("UTC",))
    else:
        note(args, "no job is configured here; `offduty init` writes a first offduty.toml")
    return 0


def _job(settings: Settings, name: str, now: float, wanted: int) -> dict[str, object]:
    """The job in `offduty.schedule/1`. `every` counts from now: nobody has to start it at a time of the clock."""
    job = settings.job(name)
    schedule = schedule_of(settings, name, since=now)
    zone = job.timezone or machine_zone()
    said = job.schedule or job.on_calendar or (f"every {settings.values['job'][name]['every']}" if job.every else None)
    moments = list(islice(slots(schedule, now), wanted)) if schedule else []
    local = [datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat(timespec="seconds") for moment in moments]
    utc = [rfc3339(moment) for moment in moments]
    return {"job": name, "when": said, "timezone": zone, "not_on": job.not_on or [], "next": local, "next_utc": utc}


def _rows(job: dict[str, object]) -> list[list[Cell]]:
    local, utc = job["next"], job["next_utc"]
    assert isinstance(local, list)
    assert isinstance(utc, list)
    name, when = (
        Cell(str(job["job"])),
        Cell(f"{job['when']}  {job['timezone']}" if job["when"] else "by hand", "" if job["when"] else "dim"),
    )
    if not local:
        return [[name, when, Cell("-"), Cell("-")]]
    pairs = [[Cell(_spoken(one)), Cell(other[:16].replace("T", " ") + "Z", "dim")] for one, other in zip(local, utc, strict=True)]
    return [[name, when, *pairs[0]], *([Cell(""), Cell(""), *pair] for pair in pairs[1:])]


def _spoken(moment: str) -> str:
    """`Mon 23 Nov 06:00 +0000`."""
    return datetime.fromisoformat(moment).strftime("%a %d %b %Y %H:%M %z")
