"""`offduty schedule adopt`: lines of a crontab become jobs, and the crontab starts those."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
from dataclasses import dataclass

from offduty.cli import schedulers
from offduty.cli.show import note, print_json
from offduty.errors import OffdutyError
from offduty.runs.job import name_for
from offduty.settings import times
from offduty.settings.files import NAME
from offduty.settings.load import load
from offduty.watch.entries import Start, crontab
from offduty.watch.entries.crontab import Line
from offduty.wiring.schedules import machine_zone, offduty_program

HELP = "lines of your crontab become jobs, started by offduty"
DESCRIPTION = f"""\
Looks at the lines of your crontab that start something, and prints for each the job it would be. With --write the jobs are added to
{NAME} in this folder, and their lines replaced by ones that start them through offduty; all other lines stay as they are.
A line in which % stands (cron hands what follows to the program) and @reboot lines are left alone.
"""
EXAMPLES = """\
offduty schedule adopt                    # what would become of each line
offduty schedule adopt --from saved.txt   # the lines of a file
offduty schedule adopt --write
"""
_CHANGES_FOLDER = re.compile(r"cd\s+(\S+)\s*(?:&&|;)\s*(.+)")
_NOISE = re.compile(r"\s*(?:\d?>>?&?\s*\S+\s*)+$")


@dataclass(frozen=True)
class Adopted:
    """A line of the crontab, the `name` of the job it becomes, and that job as TOML."""

    line: Line
    name: str
    table: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--from", dest="source", metavar="FILE", help="read this crontab instead of yours; it is not changed")
    parser.add_argument("--write", action="store_true", help=f"add the jobs to {NAME} and have the crontab start them")


def main(args: argparse.Namespace) -> int:
    """Print, or do it."""
    text = _read(args.source) if args.source else schedulers.crontab()
    taken = set(load(os.getcwd(), os.environ, config=args.config).jobs)
    found = [adopted for line in crontab.others(text) if (adopted := _adopted(line, taken))]
    tables = "\n".join(one.table for one in found)
    new = crontab.adopted(text, [(one.line, one.name, _entry(one)) for one in found])
    if args.write and found:
        _append(f"{os.getcwd()}/{NAME}", tables)
        if not args.source:
            schedulers.write_crontab(new)
    if args.json:
        jobs = [{"name": one.name, "schedule": one.line.schedule, "command": one.line.command, "table": one.table} for one in found]
        print_json({"schema": "offduty.schedule-adopt/1", "written": args.write, "jobs": jobs, "crontab": new})
        return 0
    if not args.write:
        print(tables, end="")
    _tell(args, found)
    return 0


def _tell(args: argparse.Namespace, found: list[Adopted]) -> None:
    if not found:
        note(args, "no line of the crontab starts anything that offduty does not start already")
    elif args.write:
        print(f"offduty starts {', '.join(one.name for one in found)} from now on; next: offduty check", file=sys.stderr)
    else:
        note(args, f"{len(found)} line{'s' * (len(found) != 1)}; `offduty schedule adopt --write` does it")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise OffdutyError("E510", "the crontab cannot be read", where=path, why=str(error.strerror).lower()) from None


def _adopted(line: Line, taken: set[str]) -> Adopted | None:
    """The job that `line` becomes; None where cron would do more with it than start it."""
    if "%" in line.command.replace("\\%", ""):
        return None
    try:
        times.check_cron(line.schedule)
        folder, command = _apart(line.command.replace("\\%", "%"))
        name = _free(name_for(shlex.split(command) or ["job"]), taken)
    except (OffdutyError, ValueError):  # ValueError: a quote that is not closed
        return None
    rows = [f"[job.{json.dumps(name) if '.' in name else name}]", f"shell    = {json.dumps(command, ensure_ascii=False)}"]
    rows += [f"cwd      = {json.dumps(folder, ensure_ascii=False)}", f"schedule = {json.dumps(line.schedule)}"]
    return Adopted(line, name, "\n".join(rows) + "\n")


def _apart(command: str) -> tuple[str, str]:
    """The folder a command runs in, which to cron is the home, and the command; what it does with its output is offduty's now."""
    match = _CHANGES_FOLDER.match(command)
    folder, rest = (match[1], match[2]) if match else ("~", command)
    return folder, _NOISE.sub("", rest) or rest


def _free(name: str, taken: set[str]) -> str:
    free = next(one for number in range(1, 10_000) if (one := name if number == 1 else f"{name}-{number}") not in taken)
    taken.add(free)
    return free


def _entry(one: Adopted) -> str:
    zone = machine_zone()
    return crontab.entry(Start(one.name, offduty_program(), os.getcwd(), zone, cron=one.line.schedule), zone)


def _append(path: str, tables: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(("\n" if file.tell() else "") + tables)
