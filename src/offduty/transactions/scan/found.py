"""What a scan finds: places that touch the outside world, and files that could not be looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One call in source code that touches the outside world.

    `path` as the scan was told, `line` from 1 (in a notebook: within code cell `cell`, counted from 1). `op` is a word of the events'
    vocabulary. `target`: `{name}` stands for what is only known when it runs, `${NAME}` for an environment variable; None if the call
    names none. `function`: dotted, None at the top of a module. `swallowed`: an `except` around it would hide its failure.
    `via`: what is called: `pandas.read_csv`, `psycopg.connect().execute`, or `.to_csv` on an object of unknown type.
    """

    path: str
    line: int
    op: str
    target: str | None
    function: str | None
    swallowed: bool
    via: str
    cell: int | None = None

    @property
    def where(self) -> str:
        """`forecast.py:31`, `report.ipynb cell 3:2`: as failures name it."""
        return f"{self.path}:{self.line}" if self.cell is None else f"{self.path} cell {self.cell}:{self.line}"


@dataclass(frozen=True)
class Problem:
    """A file or folder that could not be looked at, or not wholly, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class Found:
    """Everything a scan found, in the order of the paths and of the lines. `files`: how many were understood."""

    places: tuple[Place, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0

    def counts(self) -> dict[str, int]:
        """How many places there are of each op, the most frequent first."""
        return dict(Counter(place.op for place in self.places).most_common())
