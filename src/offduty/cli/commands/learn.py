"""`offduty learn`: bounds for a job and its inputs, as its good runs show them; written into the configuration on request."""

from __future__ import annotations

import argparse
import os
from typing import Any

from offduty.cli import COMMANDS
from offduty.cli.choose import known_job
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, Screen, one_line, print_cells, print_json, screen
from offduty.clock import Clock
from offduty.errors import CANNOT_WRITE, NotThere, OffdutyError, quoted
from offduty.runs.store import Record, Store
from offduty.settings import files
from offduty.settings.files import ConfigFile
from offduty.settings.insert import insert
from offduty.settings.layers import FileLayer
from offduty.settings.load import Settings, load
from offduty.transactions.baseline import RUNS, Baseline, Gathering
from offduty.transactions.dependency import from_settings
from offduty.transactions.learn import ENOUGH, Proposal, propose, text_of

HELP = COMMANDS["learn"][2]
DESCRIPTION = """\
Looks at the last good runs of a job: how long they took, how old and how large its inputs were, which columns they always had. What is
set already is left alone. With --write the lines go into the configuration, which is otherwise left as it is, remarks and all.
"""
EXAMPLES = """\
offduty learn forecast              # what could be written, and why
offduty learn forecast --write      # write it into offduty.toml
offduty learn forecast --json | jq '.proposals[].setting'
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job whose good runs are looked at")
    parser.add_argument("--write", action="store_true", help="write the lines into the configuration")


def main(args: argparse.Namespace) -> int:
    """Print the proposals, or write them."""
    settings = load(os.getcwd(), os.environ, config=args.config)
    with open_for_reading(args, Clock()) as reach:
        name = known_job(args.job, {*reach.store.jobs(), *settings.jobs, *settings.broken})
        usual, cwd = _look_back(reach.store, name)
    given = settings.values.get("job", {}).get(name, {})
    found = propose(name, usual, given, from_settings(settings.dependencies), cwd)
    written = _write(settings, name, found) if args.write and found else None
    if args.json:
        print_json(_document(name, usual, found, written))
    else:
        _print(screen(args), name, usual, found, written)
    return 0


def _look_back(store: Store, job: str) -> tuple[Baseline, str]:
    """What the good runs look like, and the folder that the last of them ran in."""
    gathering = Gathering()
    runs: list[Record] = store.good_runs(job, RUNS)
    for run in runs:
        gathering.add(run, store.ledger(run["id"]))
    return gathering.baseline(), runs[0]["cwd"] if runs else ""


def _write(settings: Settings, job: str, found: list[Proposal]) -> str:
    """Add the proposals to the file that has the job; its path. Raises ConfigError E226, NotThere E507, OffdutyError E115."""
    file = _file_of(settings, job)
    text = insert(file.text, text_of(found), ("tool", "offduty") if file.is_pyproject else ())
    path = os.path.realpath(file.path)
    draft = f"{path}.{os.getpid()}.new"
    try:
        mode = os.stat(path).st_mode & 0o777
        with open(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode), "w", encoding="utf-8", newline=""
        ) as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, path)
    except OSError as error:
        _remove(draft)
        problem = OffdutyError(
            "E115", "cannot be written", where=files.shown(path), why=str(error.strerror).lower(), fix="add the lines yourself"
        )
        problem.status = CANNOT_WRITE
        raise problem from None
    return file.path


def _file_of(settings: Settings, job: str) -> ConfigFile:
    """The strongest file that has the job."""
    having = [layer.file for layer in settings.layers if isinstance(layer, FileLayer) and job in layer.table.get("job", {})]
    if not having:
        why = f"no configuration here has [job.{job}]"
        raise NotThere("E507", "there is nothing to write to", why=why, fix="write one with `offduty init`, or leave out --write")
    return having[-1]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _document(job: str, usual: Baseline, found: list[Proposal], written: str | None) -> dict[str, Any]:
    return {
        "schema": "offduty.learn/1",
        "job": job,
        "runs": usual.runs,
        "needed": ENOUGH,
        "since": usual.started_at[-1] if usual.started_at else None,
        "proposals": [one.as_json() for one in found],
        "written": written,
    }


def _print(on: Screen, job: str, usual: Baseline, found: list[Proposal], written: str | None) -> None:
    if usual.runs < ENOUGH:
        count = f"{usual.runs} good run{'s' * (usual.runs != 1)}" if usual.runs else "no good run yet"
        print_cells(on, [Cell(f"{quoted(job)} has {count}; {ENOUGH} are needed to learn from")])
        return
    if not found:
        print_cells(on, [Cell(f"nothing new to learn from {usual.runs} good runs of {quoted(job)}")])
        return
    print_cells(on, [Cell(f"# from {usual.runs} good runs of {job}, since {usual.started_at[-1][:10]}", "dim")])
    for table, settings in text_of(found).items():
        print_cells(on, [Cell(f"\n[{one_line('.'.join(table))}]", "bold")])
        width = max(len(setting) for setting, _, _ in settings)
        for setting, value, evidence in settings:
            print_cells(on, [Cell(f"{setting:{width}} = {one_line(value)}"), Cell(f"  # {one_line(evidence)}", "dim")])
    last = (
        f"written to {files.shown(written)}; look at it, then: offduty check" if written else f"write it with: offduty learn {job} --write"
    )
    print_cells(on, [Cell(f"\n# {last}", "dim")])
