"""A triage table as CSV (RFC 4180), as spreadsheets write it: commas, UTF-8, a head.

A cell that a spreadsheet would take for a formula gets a `'` in front, which is taken off again when it is read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.formats import RawRow, cellrow

FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_CELL = 1 << 20


def read(text: str, report: Report) -> list[RawRow]:
    """The rows. Reported (E402): no head, cells too many or too few, what looks like a formula, quotes that nobody closes."""
    found: list[RawRow] = []
    names: list[str] | None = None
    for line, row in _lines(text, report):
        if names is None:
            names = cellrow.columns(row, line, report)
            if names is None:
                return []
        elif formulas := [cell for cell in row if _is_formula(cell)]:
            fix = "put a ' in front if it is a text"
            report(Flaw("E402", f"{quoted(formulas[0])} is a formula", why="it would run in a spreadsheet", fix=fix, where=str(line)))
        elif (values := cellrow.values(names, [_unguarded(cell) for cell in row], line, report)) is not None:
            found.append(RawRow(values, line))
    if names is None:
        report(Flaw("E402", "there is no table", fix="begin with: id,when,cause,steps,team", where="1"))
    return found


def write(rows: list[dict[str, Any]]) -> str:
    """The inverse of `read`."""
    names = cellrow.used(rows)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(names)
    table.writerows([_guarded(cell) for cell in cellrow.row_of(names, row)] for row in rows)
    return out.getvalue()


def below(text: str, rows: list[dict[str, Any]]) -> str:
    """`text` with the rows behind its last one, in its own columns and with its own line ends."""
    end = "\r\n" if "\r\n" in text else "\n"
    head = next((row for _, row in _lines(text.removeprefix("\ufeff"), lambda _: None)), [])
    names = [cell.strip().lower() for cell in head]
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows([_guarded(cell) for cell in cellrow.row_of(names, row)] for row in rows)
    return text + ("" if text.endswith("\n") else end) + out.getvalue()


def _lines(text: str, report: Report) -> Iterator[tuple[int, list[str]]]:
    """(the line it begins on, its cells), for every row that is not empty."""
    csv.field_size_limit(LONGEST_CELL)
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for row in table:
            if any(cell.strip() for cell in row):
                yield begins, row
            begins = table.line_num + 1
    except csv.Error as error:
        report(Flaw("E402", "is not CSV", why=str(error), fix="double the quotes inside of a cell in quotes", where=str(begins)))


def _is_formula(cell: str) -> bool:
    return cell.startswith(FORMULA) and not cell.startswith(("- ", "+ "))


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell
