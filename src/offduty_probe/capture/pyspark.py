"""Spark through PySpark: what is read and written, statements, and what makes it compute."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import without_values
from offduty_probe.capture.targets import reads, target_of, url, writes
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

FILES = "load csv json parquet orc text xml".split()
SAVES = "save csv json parquet orc text xml".split()
TABLES = ("table", "saveAsTable", "insertInto")
ACTIONS = "count collect toPandas show take tail foreach foreachPartition toLocalIterator".split()


def install(record: Ledger) -> Callable[[], None]:
    """Readers and writers of frames, `SparkSession.sql`; `pyspark_classic` has the actions of newer versions."""
    sql = sys.modules["pyspark.sql"]
    patches = Patches(record)
    patches.wrap(sql.DataFrameReader, FILES, _placed(reads), failure=failure)
    patches.wrap(sql.DataFrameWriter, SAVES, _placed(writes), failure=failure)
    for owner in (sql.DataFrameReader, sql.DataFrameWriter):
        patches.wrap(owner, TABLES, _of_table(owner), failure=failure)
        patches.wrap(owner, "jdbc", _over_jdbc, failure=failure)
    patches.wrap(sql.SparkSession, "sql", _stated, failure=failure)
    watch(patches, sql.DataFrame)
    return patches.undo


def watch(patches: Patches, frames: Any) -> None:
    """The actions of a class of frames, those it has itself."""
    for name in ACTIONS:
        patches.wrap(frames, [name] if name in vars(frames) else [], _acted(name), _known, failure=failure)


def _placed(op: Callable[[str], str]) -> Callable[[Any, Any], Said | None]:
    """Without a place (`format(…).load()`) the options have it, which the library keeps to itself."""

    def describe(args: Any, kwargs: Any) -> Said | None:
        place = argument(args, kwargs, 1, "path")
        first = place[0] if isinstance(place, (list, tuple)) and place else place
        target = target_of(first) if isinstance(first, str) else "spark://"
        return ("compute.submit", target) if target == "spark://" else (op(target), target)

    return describe


def _of_table(owner: Any) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        name = str(argument(args, kwargs, 1, "tableName", kwargs.get("name")))
        verb = "SELECT" if owner.__name__ == "DataFrameReader" else "INSERT"
        return "compute.submit", f"spark:// {verb} {name}"

    return describe


def _over_jdbc(args: Any, kwargs: Any) -> Said:
    address = url(str(argument(args, kwargs, 1, "url", "")).partition(";")[0].partition("jdbc:")[2])
    return "db.query", f"{address} {argument(args, kwargs, 2, 'table', '')}".partition("(")[0].rstrip()


def _stated(args: Any, kwargs: Any) -> Said:
    from offduty_probe.capture.sql import summary_text  # here, because it compiles patterns

    return "compute.submit", f"spark:// {summary_text(argument(args, kwargs, 1, 'sqlQuery', ''))}"


def _acted(name: str) -> Callable[[Any, Any], Said]:
    return lambda args, kwargs: ("compute.submit", "spark://", {"offduty.verb": name})


def _known(result: Any, args: Any, kwargs: Any) -> Known:
    """Of `collect` and the like how many rows came; the result of `count` is a number, not a size."""
    shape = getattr(result, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2:
        return {"rows": shape[0], "columns": shape[1]}
    return {"rows": len(result)} if isinstance(result, list) else {}


def failure(error: Any) -> Known:
    """The first line: what follows is a traceback of Java."""
    return {"message": without_values((str(error).strip().splitlines() or [""])[0])}
