"""Arrow files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pyarrow.ipc"]
NAMES = "pyarrow.ipc.open_file pyarrow.ipc.new_file pyarrow.ipc.open_stream".split()


def table() -> Any:
    """Two rows."""
    import pyarrow

    return pyarrow.table({"region": ["CANARY", "b"], "n": [1, 2]})


def prepare(folder: Path) -> None:
    """One file."""
    _write("a.arrow")(folder)


def _write(name: str) -> Any:
    def call(folder: Path) -> None:
        import pyarrow.ipc as module

        with module.new_file(str(folder / name), table().schema) as writer:
            writer.write_table(table())

    return call


def _read(name: str) -> Any:
    def call(folder: Path) -> Any:
        import pyarrow.ipc as module

        return module.open_file(str(folder / name)).read_all()

    return call


GOOD = [("file.read", "a.arrow", _read("a.arrow")), ("file.write", "b.arrow", _write("b.arrow"))]
BAD = [_read("missing.arrow")]
