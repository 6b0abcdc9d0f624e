"""A file, spoilt before an enclosed job starts: gone, empty, torn, old, locked, without a column. Only the layer over it is touched."""

from __future__ import annotations

import csv
import io
import os

from offduty.drills import kernel
from offduty_probe.drill import torn

STALE = 400 * 86_400.0
ON_FILES = ("missing", "empty", "torn", "stale", "denied", "column-gone", "column-retyped")
DELIMITERS = ",;\t|"


def spoil(path: str, fault: str, age: float = 0.0, column: str = "") -> None:
    """`age`: seconds. Raises OSError where the layer cannot be changed, ValueError for what is no table."""
    if fault == "missing":
        os.unlink(path)
    elif fault == "stale":
        then = os.stat(path).st_mtime - (age or STALE)
        os.utime(path, (then, then))
    elif fault == "denied":
        for right in (kernel.DAC_OVERRIDE, kernel.DAC_READ_SEARCH):
            kernel.give_up(right)
        os.chmod(path, 0)
    else:
        _rewrite(path, fault, column)


def _rewrite(path: str, fault: str, column: str) -> None:
    with open(path, "rb") as file:
        data = file.read()
    made = b"" if fault == "empty" else torn(data) if fault == "torn" else changed(data, fault, column)
    with open(path, "r+b") as file:
        file.write(made)
        file.truncate()


def changed(data: bytes, fault: str, column: str = "") -> bytes:
    """A table of text without `column` (the last one, if it is not there), or with words in it. Raises ValueError for what is no table."""
    text = data.decode("utf-8", "surrogateescape")
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    if not rows or len(rows[0]) < 2:
        raise ValueError("it is no table of text")
    struck = rows[0].index(column) if column in rows[0] else len(rows[0]) - 1
    gone = fault == "column-gone"
    made = [rows[0][:struck] + rows[0][struck + 1 :] if gone else rows[0]]
    made += [row[:struck] + ([] if gone else ["n/a"]) + row[struck + 1 :] for row in rows[1:]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(made)
    return out.getvalue().encode("utf-8", "surrogateescape")
