"""`offduty init`: write a first, commented offduty.toml for a folder, from what lies in it."""

from __future__ import annotations

import argparse
import errno
import os
import sys

from offduty.cli import COMMANDS
from offduty.cli.show import one_line, print_json
from offduty.errors import CANNOT_WRITE, NotThere, OffdutyError, UsageError, quoted
from offduty.settings import files, first
from offduty.settings.first import Found

HELP = COMMANDS["init"][2]
DESCRIPTION = """\
Looks for Python files that do something when run, notebooks, shell, R and Julia scripts and a Makefile, and writes an entry for each.
Nothing is run, nothing is overwritten without --force.
"""
EXAMPLES = """\
offduty init
offduty init ~/projects/forecast --dry-run
offduty init --force                        begin again
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="the folder of the jobs (default: this one)")
    parser.add_argument("--force", action="store_true", help=f"replace an {files.NAME} that is there")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")


def main(args: argparse.Namespace) -> int:
    """Look, then write or print."""
    folder = os.path.abspath(args.folder)
    path = f"{folder}/{files.NAME}"
    found = _look(folder)
    text = first.text(found)
    if not args.dry_run:
        _refuse_second(folder, path, force=args.force)
        _write(path, text, force=args.force)
    if args.json:
        jobs = [{"name": job.name, "file": job.file, "left_out": job.lacks} for job in found]
        print_json({"schema": "offduty.init/1", "path": path, "written": not args.dry_run, "jobs": jobs, "text": text})
    elif args.dry_run:
        print(text, end="")
    if not args.quiet and not args.json:
        _tell(path, found, written=not args.dry_run)
    return 0


def _look(folder: str) -> list[Found]:
    try:
        return first.look(folder)
    except OSError as error:
        why = str(error.strerror).lower()
        raise NotThere("E507", f"the folder {quoted(folder)} cannot be read", why=why, fix="name a folder that is there") from None


def _refuse_second(folder: str, path: str, *, force: bool) -> None:
    """A configuration that is there is somebody's work; one in pyproject.toml would be hidden by ours."""
    if os.path.lexists(path) and not force:
        raise UsageError("E114", f"{files.shown(path)} is there already", fix="edit it, or replace it with --force")
    if os.path.isfile(f"{folder}/{files.PYPROJECT}") and files.has_our_table(f"{folder}/{files.PYPROJECT}") and not force:
        raise UsageError("E114", "pyproject.toml has a [tool.offduty] already", fix="edit that, or put ours before it with --force")


def _write(path: str, text: str, *, force: bool) -> None:
    """Whole or not at all, also if the machine stops in between; and without --force never over a file that came meanwhile."""
    draft = f"{path}.{os.getpid()}.new"
    try:
        with open(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(draft, path)
        else:
            os.link(draft, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        _remove(draft)


def _cannot_write(path: str, error: OSError) -> OffdutyError:
    if error.errno == errno.EEXIST:
        return UsageError("E114", f"{files.shown(path)} is there already", fix="edit it, or replace it with --force")
    problem = OffdutyError("E115", "cannot be written", where=files.shown(path), why=str(error.strerror).lower(), fix="see --dry-run")
    problem.status = CANNOT_WRITE
    return problem


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _tell(path: str, found: list[Found], *, written: bool) -> None:
    """What was found and what comes next; on stderr, because with --dry-run stdout is the file."""
    jobs = [job for job in found if not job.lacks]
    lines = [f"  {job.name}: {one_line(job.file)}" for job in jobs]
    lines += [f"  left out: {one_line(job.file)}, because {job.lacks} is not installed" for job in found if job.lacks]
    if not found:
        lines = ["  no script, notebook or Makefile found here: it holds an example, commented out"]
    lines.insert(0, f"{'wrote' if written else 'would write'} {files.shown(path)}")
    if written:
        lines.append(f"next: offduty check, then offduty run {jobs[0].name}" if jobs else "next: edit it, then offduty check")
    print("\n".join(lines), file=sys.stderr)
