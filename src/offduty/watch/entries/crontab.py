"""A line in a user's crontab, under a line that says whose it is; and the lines of others, to be adopted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from offduty.watch.entries import Start, cron_of, impossible

MACROS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_LINE = re.compile(r"\s*((?:[^\s#@=]\S*\s+){5}|@\w+\s+)(\S.*?)\s*$")
_SETTING = re.compile(r"\s*\w+\s*=")


@dataclass(frozen=True)
class Line:
    """One line of a crontab that starts something: its place from 0, when, and what."""

    at: int
    schedule: str
    command: str


def entry(start: Start, machine_zone: str) -> str:
    """The line for the crontab. Raises ScheduleError E305 for a schedule cron cannot keep."""
    if start.zone != machine_zone:
        why = f"Debian's cron reads its lines in the machine's zone, {machine_zone}"
        raise impossible(f"the schedule of {start.job} is in {start.zone}", why, "install it with --systemd, which knows zones")
    command = f"cd {shlex.quote(start.folder)} && {shlex.join(start.words)} >/dev/null 2>&1"
    return f"{cron_of(start)} {command.replace('%', chr(92) + '%')}"  # cron makes new lines of %


def mark(job: str) -> str:
    """The line above ours, by which it is found again."""
    return f"# offduty {job}: by `offduty schedule install`; what it prints is in its log (`offduty log {job}`)"


def put(text: str, job: str, line: str) -> str:
    """The crontab `text` with this line for `job`, in place of the one it had, if it had one."""
    kept = remove(text, job)
    return f"{kept}{'' if not kept or kept.endswith(chr(10)) else chr(10)}{mark(job)}\n{line}\n"


def remove(text: str, job: str) -> str:
    """The crontab `text` without what `put` put there for `job`."""
    lines, kept, after_mark = text.splitlines(keepends=True), [], False
    for line in lines:
        is_mark = line.startswith(f"# offduty {job}: ")
        if not (is_mark or (after_mark and f" {job} " in f"{line.rstrip()} ")):
            kept.append(line)
        after_mark = is_mark
    return "".join(kept)


def find(text: str, job: str) -> str | None:
    """The line that starts `job`, if we put one there."""
    lines = text.splitlines()
    return next((lines[at + 1] for at, line in enumerate(lines[:-1]) if line.startswith(f"# offduty {job}: ")), None)


def others(text: str) -> list[Line]:
    """The lines that start something without offduty; `@reboot` belongs to no time and stays what it is."""
    found = []
    for at, line in enumerate(text.splitlines()):
        match = None if line.lstrip().startswith("#") or _SETTING.match(line) else _LINE.match(line)
        if match is None or "offduty" in match[2]:
            continue
        when = " ".join(match[1].split())
        if not when.startswith("@") or when in MACROS:
            found.append(Line(at, MACROS.get(when, when), match[2]))
    return found


def adopted(text: str, replaced: Iterable[tuple[Line, str, str]]) -> str:
    """The crontab with each (line, job, new line) in place of the old one."""
    lines = text.splitlines(keepends=True)
    for line, job, new in replaced:
        lines[line.at] = f"{mark(job)}\n{new}\n"
    return "".join(lines)
