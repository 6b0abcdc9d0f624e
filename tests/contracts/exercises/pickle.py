"""Models in pickles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = []
NAMES = ["pickle.load", "_pickle.load"]


def prepare(folder: Path) -> None:
    """A model, and a file that is none."""
    (folder / "model.pkl").write_bytes(pickle.dumps({"model": "CANARY"}))
    (folder / "broken.pkl").write_bytes(b"nonsense")


def _load(name: str) -> Any:
    def call(folder: Path) -> Any:
        with (folder / name).open("rb") as file:
            return pickle.load(file)

    return call


GOOD = [("model.load", "model.pkl", _load("model.pkl"))]
BAD = [_load("broken.pkl")]
