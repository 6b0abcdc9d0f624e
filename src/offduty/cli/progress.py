"""A bar on stderr for work that takes long, where people look at it: none in a pipe, none with --quiet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(args: argparse.Namespace, what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A function to be called after each of `total` steps (None: nobody knows how many)."""
    if args.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or total == 1:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
