"""Objects of joblib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["joblib"]
NAMES = ["joblib.load", "joblib.dump", "joblib.numpy_pickle.load"]


def prepare(folder: Path) -> None:
    """A model."""
    import joblib

    joblib.dump({"model": "CANARY"}, folder / "a.joblib")


def _load(name: str) -> Any:
    def call(folder: Path) -> Any:
        import joblib

        return joblib.load(folder / name)

    return call


def _dump(folder: Path) -> Any:
    import joblib

    return joblib.dump({"model": "CANARY"}, folder / "b.joblib")


GOOD = [("model.load", "a.joblib", _load("a.joblib")), ("file.write", "b.joblib", _dump)]
BAD = [_load("missing.joblib")]
