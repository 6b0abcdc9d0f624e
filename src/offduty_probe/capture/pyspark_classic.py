"""Spark: the actions of frames, whose class comes by itself in PySpark 4."""

from __future__ import annotations

import sys

from offduty_probe.capture.pyspark import watch
from offduty_probe.capture.wrapping import Patches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger


def install(record: Ledger) -> Callable[[], None]:
    """`count`, `collect`, `toPandas` and others."""
    patches = Patches(record)
    watch(patches, sys.modules["pyspark.sql.classic.dataframe"].DataFrame)
    return patches.undo
