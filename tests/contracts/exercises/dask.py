"""Dask with its own schedulers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["dask"]
NAMES = ["dask.compute", "dask.base.compute", "dask.persist", "dask.base.DaskMethodsMixin.compute"]


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def _fails(value: str) -> None:
    raise ValueError("it was to fail")


def _delayed(function: Any, *args: Any) -> Any:
    import dask

    return dask.delayed(function)(*args)


def _compute(folder: Path) -> Any:
    return _delayed(str.lower, "CANARY").compute(scheduler="synchronous")


def _together(folder: Path) -> Any:
    import dask

    return dask.compute(_delayed(str.lower, "CANARY"), _delayed(len, "CANARY"), scheduler="threads")


GOOD = [("compute.submit", "dask://synchronous", _compute), ("compute.submit", "dask://threads", _together)]
BAD = [lambda folder: _delayed(_fails, "CANARY").compute(scheduler="synchronous")]
