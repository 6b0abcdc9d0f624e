"""The triage table of a configuration: rows in it, or a file of their own, and what is wrong with them as mistakes of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from offduty.errors import quoted
from offduty.settings import files, layers
from offduty.settings.convert import Report
from offduty.settings.launch import path_in
from offduty.settings.layers import FileLayer
from offduty.settings.mistakes import Mistake, Path, nearest
from offduty.triage import tablefile
from offduty.triage.flaw import Flaw
from offduty.triage.row import Row, read
from offduty.triage.table import Table, column, of_values

if TYPE_CHECKING:
    from offduty.settings.load import Settings

KEY = "triage"


def table_of(settings: Settings, *, places: bool = False) -> Table:
    """The table that counts. `places`: also say on which line each row stands, which takes a look at the whole text."""
    if settings.triage_file is not None:
        path = path_of(settings)
        return tablefile.read(path, files.shown(path))
    rows: list[Row] = []
    flaws: list[Flaw] = []
    for number, values in _inline(settings):

        def placed(flaw: Flaw, number: int = number) -> None:
            flaws.append(replace(flaw, where=_where(settings, (KEY, number, *flaw.path), flaw)) if places else flaw)

        row = read(values, number + 1, placed, _where(settings, (KEY, number)) if places else "")
        rows += [row] if row else []
    return Table(tuple(rows), tuple(flaws))


def path_of(settings: Settings) -> str:
    """The file that `triage = "…"` names: relative to the configuration that says so."""
    holder = next((one for one in reversed(settings.layers) if isinstance(one, FileLayer) and KEY in one.table), None)
    return path_in(holder.file.folder if holder else settings.start, settings.triage_file or "", settings.environ)


def watched(settings: Settings) -> list[str]:
    """The files whose contents are the table, or say where it is."""
    return [*settings.files, *([path_of(settings)] if settings.triage_file is not None else [])]


def check(settings: Settings, report: Report) -> None:
    """Every flaw of the table (E4xx), and names in a file of its own that nobody knows (E207)."""
    if settings.triage_file is None:
        for number, values in _inline(settings):
            for flaw in of_values([(values, "")]).flaws:
                if flaw.path[:1] == ("when",) and isinstance(values.get("when"), dict):  # everything else the schema has said
                    report(Mistake(flaw.code, (KEY, number, *flaw.path), flaw.what, flaw.why, flaw.fix))
        return
    table = table_of(settings)
    for flaw in (*table.flaws, *_unknown_names(settings, table.rows)):
        report(Mistake(flaw.code, (KEY, *flaw.path), flaw.what, flaw.why, flaw.fix, flaw.where))


def _inline(settings: Settings) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = settings.values.get(KEY)
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            yield number, row


def _where(settings: Settings, path: Path, flaw: Flaw | None = None) -> str:
    """The file and line of what stands at `path`, and the column of a flaw in a pattern."""
    where = str(layers.source(settings.layers, path))
    if flaw is None or not flaw.text:
        return where
    holders = [one for one in settings.layers if isinstance(one, FileLayer) and layers.has(one.table, path)]
    line = where.rpartition(":")[2]
    return f"{where}{column(holders[-1].file.text.split(chr(10))[int(line) - 1], flaw)}" if holders and line.isdigit() else where


def _unknown_names(settings: Settings, rows: tuple[Row, ...]) -> Iterator[Flaw]:
    known = list(settings.values.get("team") or {})
    for row in rows:
        if row.team and row.team not in known:
            fix = nearest(row.team, known) or f"add [team.{row.team}]"
            yield Flaw("E207", f"there is no team {quoted(row.team)}", ("team",), fix=fix, where=row.where)
