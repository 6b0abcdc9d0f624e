"""Work sent to a cluster: Spark, Dask, Ray."""

from __future__ import annotations

from offduty.transactions.scan.families.databases import query_text
from offduty.transactions.scan.rules import Call, Rule, Touch, each, touches

FORMATS = "csv json parquet orc text load table jdbc"
DASK = "dask.dataframe.read_csv dask.dataframe.read_parquet dask.dataframe.read_json dask.bag.read_text dask.array.from_zarr"
DASK_MAKERS = f"{DASK} dask.delayed dask.dataframe.from_pandas dask.array.from_array dask.distributed.Client"
RAY = "read_csv read_parquet read_json read_text read_images read_binary_files"


def submits(index: int = -1, *keywords: str) -> Rule:
    """A session or cluster; its address if it is given."""
    return touches("compute.submit", index, *keywords)


def spark_session(call: Call) -> Touch:
    """`SparkSession.builder.master("…").getOrCreate()`."""
    step: Call | None = call
    while step is not None:
        if step.method in ("master", "remote"):
            return "compute.submit", step.text(0)
        step = step.made_in_one_step(step.receiver) if step.receiver is not None else None
    return "compute.submit", None


def spark_sql(call: Call) -> Touch:
    """`spark.sql("select …")`."""
    return "db.query", query_text(call, 0, "sqlQuery") or None


def spark_reads(call: Call) -> Touch | None:
    """`spark.read.option(…).parquet(path)`."""
    return _on(call, "read", "readStream", op="file.read")


def spark_writes(call: Call) -> Touch | None:
    """`frame.write.mode(…).parquet(path)`."""
    return _on(call, "write", "writeStream", op="file.write")


def spark_either(call: Call) -> Touch | None:
    """A format: behind `.write` a write, behind `.read` a read."""
    return spark_writes(call) or spark_reads(call)


def _on(call: Call, *words: str, op: str) -> Touch | None:
    """Only behind `.read` or `.write`, with any settings in between."""
    node = call.node.func
    for _ in range(20):
        node = getattr(node, "func", None) or getattr(node, "value", None)  # type: ignore[assignment]
        if node is None:
            return None
        if getattr(node, "attr", "") in words:
            rule = touches("db.query" if call.method in ("table", "saveAsTable", "insertInto", "jdbc") else op, 0, "path", "name", "url")
            return rule(call)
    return None


SESSION = {
    **each("", FORMATS, spark_either),
    **each("", "save saveAsTable insertInto", spark_writes),
    "sql": spark_sql,
    "getOrCreate": spark_session,
    "table": lambda call: ("db.query", f"SELECT {call.text(0, 'tableName') or ''}".strip()),
}

CALLS: dict[str, Rule] = {
    "pyspark.sql.SparkSession.builder.getOrCreate": spark_session,
    **each("pyspark.", "SparkContext SparkContext.getOrCreate", submits(0, "master")),
    **each("", "dask.distributed.Client distributed.Client", submits(0, "address")),
    **each("", "dask.compute dask.persist", submits()),
    **each("", DASK, touches("file.read", 0, "urlpath", "path")),
    "ray.init": submits(0, "address"),
    "ray.get": submits(),
    **each("ray.data.", RAY, touches("file.read", 0, "paths")),
}

ON: dict[str, dict[str, Rule]] = {
    **{
        f"pyspark.sql.SparkSession.builder.{name}": SESSION for name in "appName master config remote enableHiveSupport getOrCreate".split()
    },
    "pyspark.sql.SparkSession": SESSION,
    "pyspark.sql.DataFrame": SESSION,
    **dict.fromkeys(DASK_MAKERS.split(), each("", "compute persist submit map gather", submits())),
}

METHODS: dict[str, Rule] = {
    **each("", "parquet orc csv json text saveAsTable insertInto jdbc", spark_either),
    "getOrCreate": spark_session,
}

SAME: dict[str, str] = {}

HANDLES: frozenset[str] = frozenset()
