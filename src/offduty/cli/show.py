"""How answers look to people: colour, tables, times. Words first: whatever colour or a symbol says, a word says too.

Piped answers are plain text, aligned and never cut, so that they stay the same for scripts; rich, whose import is dear, is for terminals.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from offduty.durations import spoken
from offduty.runs.logread import readable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LOOKS = {  # outcome: (symbol, symbol where the encoding has only ASCII, style)
    "running": ("▶", ">", "cyan"),
    "succeeded": ("✓", "+", "green"),
    "warned": ("!", "!", "yellow"),
    "failed": ("✗", "x", "bold red"),
    "timed_out": ("✗", "x", "bold red"),
    "terminated": ("■", "#", "bold red"),
    "lost": ("?", "?", "bold magenta"),
    "skipped": ("–", "-", "dim"),
    "never ran": ("·", ".", "dim"),
}
GAP = "  "
SHORT = 20  # what a column that can be shortened keeps as long as another one can be left out instead


@dataclass(frozen=True)
class Cell:
    """One cell of a table, or one stretch of a line: text in one style (rich's words for it)."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Screen:
    """Where an answer goes. `width` in columns, or None for "never cut"; `symbols`: whether its encoding has more than ASCII."""

    colour: bool
    terminal: bool
    width: int | None
    symbols: bool

    def outcome(self, outcome: str) -> Cell:
        """`✗ failed`, in its colour."""
        symbol, ascii_symbol, style = LOOKS.get(outcome, ("?", "?", ""))
        return Cell(f"{symbol if self.symbols else ascii_symbol} {one_line(outcome).replace('_', ' ')}", style)


def screen(args: argparse.Namespace, environ: Mapping[str, str] = os.environ, out: IO[str] | None = None) -> Screen:
    """What stdout can do, and what the user wants of it."""
    out = out or sys.stdout
    terminal = out is not None and out.isatty()
    encoding = (getattr(out, "encoding", None) or "ascii").lower().replace("-", "")
    return Screen(wants_colour(args.color, environ, terminal), terminal, columns(environ, terminal), encoding == "utf8")


def wants_colour(choice: str, environ: Mapping[str, str], terminal: bool) -> bool:
    """The option, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, then TERM=dumb, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return environ.get("TERM") != "dumb" and terminal


def columns(environ: Mapping[str, str], terminal: bool) -> int | None:
    """How wide a line may be: COLUMNS, else what the terminal says; a pipe has no width."""
    if not terminal:
        return None
    asked = environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def one_line(text: object) -> str:
    """Text from outside as one line that cannot do anything to a terminal."""
    return " ".join(readable(str(text).encode("utf-8", "backslashreplace").replace(b"\r", b" ").replace(b"\n", b" ")).split())


def print_table(
    on: Screen, headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, flexible: Sequence[str] = (), spare: Sequence[str] = ()
) -> None:
    """Print rows below headers. Where a width is to be kept, `spare` columns are left out in their order until the others fit;
    `flexible` ones are shortened, the first of them least. A pipe gets everything.
    """
    if on.terminal or on.colour:
        _print_rich_table(on, headers, rows, flexible, spare)
    else:
        print(_plain_table(headers, rows), end="")


def fit(natural: Mapping[str, int], width: int | None, flexible: Sequence[str], spare: Sequence[str] = ()) -> dict[str, int]:
    """The widths of the columns to show, out of their `natural` ones, so that a line has at most `width` characters if that can be."""
    if width is None:
        return dict(natural)
    least = {name: min(size, SHORT) if name in flexible else size for name, size in natural.items()}
    for name in spare:
        if name in least and _line(least) > width:
            del least[name]
    for name in [name for name in flexible if name in least]:
        least[name] = max(1, min(natural[name], least[name] + width - _line(least)))
    return least


def _line(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def print_cells(on: Screen, cells: Sequence[Cell]) -> None:
    """Print one line made of stretches; a terminal wraps it by itself."""
    if not on.colour:
        print("".join(cell.text for cell in cells))
        return
    from rich.text import Text

    text = Text.assemble(*((cell.text, cell.style) for cell in cells))
    _console(on).print(text, soft_wrap=True)


def print_markdown(on: Screen, text: str) -> None:
    """Print Markdown: laid out on a terminal, as it is into a pipe. Links show their address instead of hiding it."""
    if not on.terminal:
        print(text, end="")
        return
    from rich.markdown import Markdown

    _console(on).print(Markdown(text, hyperlinks=False))


def _plain_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [list(headers), *([cell.text for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    return "".join(GAP.join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines)


def _print_rich_table(
    on: Screen, headers: Sequence[str], rows: Sequence[Sequence[Cell]], flexible: Sequence[str], spare: Sequence[str]
) -> None:
    from rich.cells import cell_len

    table = [{name: Cell(name, "dim") for name in headers}, *(dict(zip(headers, row, strict=True)) for row in rows)]
    natural = {name: max(cell_len(line[name].text) for line in table) for name in headers}
    widths, console = fit(natural, on.width, flexible, spare), _console(on)
    for line in table:
        console.print(_rich_line(line, widths), no_wrap=True, overflow="ignore", crop=False)


def _rich_line(line: Mapping[str, Cell], widths: Mapping[str, int]) -> Text:
    from rich.text import Text

    parts = []
    for name, width in widths.items():
        part = Text(line[name].text, line[name].style)
        part.truncate(width, overflow="ellipsis", pad=True)
        parts.append(part)
    whole = Text(GAP).join(parts)
    whole.rstrip()
    return whole


def _console(on: Screen) -> Console:
    from rich.console import Console

    return Console(
        width=on.width or 10_000,
        color_system="standard" if on.colour else None,
        force_terminal=on.colour,
        no_color=not on.colour,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )


def note(args: argparse.Namespace, text: str) -> None:
    """Say something beside the answer: on stderr, and not with --quiet."""
    if not args.quiet:
        print(f"note: {text}", file=sys.stderr)


def print_json(document: Mapping[str, object]) -> None:
    """One document for programs; what is not UTF-8 is escaped."""
    print(json.dumps(document, indent=2, ensure_ascii=not _speaks_utf8()))


def _speaks_utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


def parse_time(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time in UTC, as records hold them. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment(wall: float, now: float) -> str:
    """A moment as people name it, in their own time zone: `06:02` today, `21 Nov 06:02` this year, else `2025-11-21 06:02`."""
    there, here = time.localtime(wall), time.localtime(now)
    if there[:3] == here[:3]:
        return time.strftime("%H:%M", there)
    if abs(wall - now) < 300 * 86400:
        return f"{there.tm_mday} {time.strftime('%b %H:%M', there)}"
    return time.strftime("%Y-%m-%d %H:%M", there)


def distance(wall: float, now: float) -> str:
    """`3 h ago`, `in 12 min`, `now`: one unit, because it only has to give an idea."""
    size = abs(wall - now)
    for seconds, unit in ((86400 * 1.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if size >= seconds:
            count = f"{int(size // seconds)} {unit}"
            return f"in {count}" if wall > now else f"{count} ago"
    return "now"


def took(seconds: object) -> str:
    """A duration out of a record, or `-`."""
    return spoken(float(seconds)) if isinstance(seconds, int | float) else "-"
