"""The triage table: its rows in their order, read from texts in any form, with every mistake and its line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from offduty.triage.flaw import Flaw, Report
from offduty.triage.formats import RawRow, reader, writer
from offduty.triage.prefilter import Prefilter
from offduty.triage.row import Row, read

MOST_ROWS = 100_000
LARGE = 100


@dataclass(frozen=True)
class Table:
    """`rows`: in the order that counts. `flaws`: what is wrong with it; rows with flaws are not in `rows`."""

    rows: tuple[Row, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    def possible(self, text: bytes) -> Sequence[Row]:
        """The rows that can match a case whose last lines are `text`, in order: of a large table few are left to be tried."""
        return self.rows if len(self.rows) < LARGE else [self.rows[place] for place in self.prefilter.possible(text)]

    @cached_property
    def prefilter(self) -> Prefilter:
        """Made once: it takes longer than it is used."""
        return Prefilter(self.rows)

    @property
    def log_patterns(self) -> list[str]:
        """What its rows look for in logs, each once."""
        found = (str(value) for row in self.rows for condition in row.when if condition.key == "log" for value in condition.values)
        return list(dict.fromkeys(found))

    def row(self, name: str) -> Row | None:
        """The row with that id, or called `row 3`."""
        return next((row for row in self.rows if row.name == name), None)


def of_text(text: str, ending: str, name: str = "") -> Table:
    """The table in `text`, whose form `ending` says (`.toml`, `.md`, `.csv`); `name`: the file, as flaws show it. Raises KeyError."""
    flaws: list[Flaw] = []
    raw = reader(ending)(text.removeprefix("\ufeff"), flaws.append)
    lines = text.split("\n")
    rows = [_row(one, number, lines, name, flaws.append) for number, one in enumerate(raw[:MOST_ROWS], 1)]
    if len(raw) > MOST_ROWS:
        flaws.append(Flaw("E402", f"{len(raw)} rows", why=f"at most {MOST_ROWS} are taken", where=str(raw[MOST_ROWS].line)))
    placed = [replace(flaw, where=_named(name, flaw.where)) for flaw in flaws]
    return Table(tuple(row for row in rows if row is not None), tuple(sorted(placed, key=_order)))


def of_values(rows: Iterable[tuple[Mapping[str, Any], str]]) -> Table:
    """The table of rows that stand in a configuration, as (values, file:line)."""
    flaws: list[Flaw] = []
    found = []
    for number, (values, where) in enumerate(rows, 1):
        found.append(read(values, number, lambda flaw, where=where: flaws.append(replace(flaw, where=where)), where))  # type: ignore[misc]
    return Table(tuple(row for row in found if row is not None), tuple(flaws))


def as_text(rows: Iterable[Row], ending: str) -> str:
    """The rows in that form. Raises KeyError."""
    return writer(ending)([row.as_values() for row in rows])


def _row(raw: RawRow, number: int, lines: list[str], name: str, report: Report) -> Row | None:
    def placed(flaw: Flaw) -> None:
        line = raw.lines.get(str(flaw.path[0]), raw.line) if flaw.path else raw.line
        report(replace(flaw, where=f"{line}{column(lines[line - 1], flaw)}"))

    return read(raw.values, number, placed, _named(name, str(raw.line)))


def column(line: str, flaw: Flaw) -> str:
    """`:23`, where the pattern stands in the line as it is."""
    at = line.find(flaw.text) if flaw.text else -1
    return f":{at + flaw.offset + 1}" if at >= 0 else ""


def _named(name: str, where: str) -> str:
    return f"{name}:{where}" if name and where else name or where


def _order(flaw: Flaw) -> tuple[int, ...]:
    return tuple(int(part) for part in flaw.where.rsplit(":", 2)[-2:] if part.isdigit())
