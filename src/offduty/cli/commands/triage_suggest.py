"""`offduty triage suggest`: ready rows for failures that no row of one's own explains; added to the table on request."""

from __future__ import annotations

import argparse
from typing import Any

from offduty.cli.commands import triage_gaps
from offduty.cli.commands.triage_gaps import look
from offduty.cli.duty import settings_here
from offduty.cli.show import Cell, note, print_cells, print_json, screen
from offduty.cli.write import write_new
from offduty.errors import NotThere
from offduty.settings import files
from offduty.settings.layers import FileLayer
from offduty.settings.load import Settings
from offduty.settings.triage import path_of, table_of
from offduty.triage import tablefile
from offduty.triage.append import append, append_to_toml, refuse
from offduty.triage.formats import toml
from offduty.triage.gaps import suggest, suggest_broad
from offduty.wiring.triage import duty_of

Rows = list[tuple[dict[str, Any], int]]

HELP = "ready rows for failures that no row of your own explains"
DESCRIPTION = """\
One row for each kind of failure that `offduty triage gaps` shows: `when` of the strongest evidence, cause and steps from the
catalogue, the team from [dependency.x], [owners] or the job's owner. With --write they are put behind the rows of the table, in its
own form; the rest of it stays as it is. Look at them, and say it better. Needs: pip install 'offduty[mine]'
"""
EXAMPLES = """\
offduty triage suggest
offduty triage suggest forecast --since 30d --write
offduty triage suggest --broad                   # whole kinds of failure: who is called at least
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    triage_gaps.arguments(parser)
    parser.add_argument("--broad", action="store_true", help="one row for each kind of failure that the catalogue knows, as wide as that")
    parser.add_argument("--write", action="store_true", help="add the rows to the table")


def main(args: argparse.Namespace) -> int:
    """Print the rows, or write them."""
    settings = settings_here(args)
    duty = duty_of(settings, places=True)
    _, gaps = look(args, duty)
    found = (suggest_broad if args.broad else suggest)(gaps, [row.name for row in duty.table.rows], list(settings.teams))
    written = _write(settings, [row for row, _ in found]) if args.write and found else None
    if args.json:
        rows = [{**row, "explains": count} for row, count in found]
        print_json({"schema": "offduty.triage_suggest/1", "rows": rows, "written": written})
    else:
        _print(args, found, written)
    return 0


def _write(settings: Settings, rows: list[dict[str, Any]]) -> str:
    """Add rows to the table that counts; its path. Raises ConfigError E402, NotThere E507, OffdutyError E121."""
    if settings.triage_file is not None:
        path = path_of(settings)
        ending = tablefile.ending_of(path)
        write_new(path, append(tablefile.text_of(path), rows, ending), force=True)
        return path
    layers = [layer for layer in settings.layers if isinstance(layer, FileLayer)]
    file = next((layer.file for layer in reversed(layers) if "triage" in layer.table), layers[-1].file if layers else None)
    if file is None:
        raise NotThere("E507", "there is no table to write to", why="no configuration is here", fix="write one with `offduty init`")
    text = append_to_toml(file.text, rows, "tool.offduty.triage" if file.is_pyproject else "triage")
    _prove(text, settings, rows, pyproject=file.is_pyproject)
    write_new(file.path, text, force=True)
    return file.path


def _prove(text: str, settings: Settings, rows: list[dict[str, Any]], *, pyproject: bool) -> None:
    """Raises ConfigError E402 unless the configuration then has its rows and the new ones."""
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return refuse()
    there = (found["tool"]["offduty"] if pyproject else found)["triage"]
    if there[-len(rows) :] != rows or len(there) != len(table_of(settings).rows) + len(table_of(settings).flaws) + len(rows):
        refuse()
    return None


def _print(args: argparse.Namespace, found: Rows, written: str | None) -> None:
    on = screen(args)
    if not found:
        print_cells(on, [Cell("nothing to suggest: every failure has a row of your own")])
        return
    for number, (row, count) in enumerate(found):
        failures = f"{count} failure{'s' * (count != 1)}"
        print_cells(on, [Cell(f"{chr(10) * (number > 0)}# explains {failures}", "dim")])
        print(toml.write([row]), end="")
    if any("team" not in row for row, _ in found):
        note(args, "some have no team: nothing says whose they are; fill it in, or map the kind of owner in [owners]")
    told = f"written to {files.shown(written)}; look at it, then: offduty triage check" if written else "add them with --write"
    print_cells(on, [Cell(f"\n# {told}", "dim")])
