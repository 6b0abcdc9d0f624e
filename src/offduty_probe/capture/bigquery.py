"""BigQuery through google-cloud-bigquery: queries, jobs that load, copy and extract, rows that are inserted."""

from __future__ import annotations

import sys

from offduty_probe.capture import web
from offduty_probe.capture.dbapi import Database, without_values
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

# Methods of the client that name a table: the position and the name of the argument, and a verb.
TABLES = {
    "load_table_from_uri": (2, "destination", "LOAD"), "load_table_from_file": (2, "destination", "LOAD"),
    "load_table_from_dataframe": (2, "destination", "LOAD"), "load_table_from_json": (2, "destination", "LOAD"),
    "insert_rows": (1, "table", "INSERT"), "insert_rows_json": (1, "table", "INSERT"), "insert_rows_from_dataframe": (1, "table", "INSERT"),
    "copy_table": (2, "destination", "COPY"), "extract_table": (1, "source", "EXTRACT"), "get_table": (1, "table", "DESCRIBE"),
    "create_table": (1, "table", "CREATE"), "delete_table": (1, "table", "DROP"), "list_rows": (1, "table", "SELECT"),
}  # fmt: skip


def install(record: Ledger) -> Callable[[], None]:
    """`query` only starts a job: its `result` is told too, because that is where a query fails and takes its time."""
    bigquery = sys.modules["google.cloud.bigquery"]
    patches = Patches(record)
    patches.wrap(bigquery.Client, ["query", "query_and_wait"], _queried, _rows, failure=_failure)
    for name, (position, keyword, verb) in TABLES.items():
        patches.wrap(bigquery.Client, name, _with_table(position, keyword, verb), failure=_failure)
    patches.wrap(bigquery.QueryJob, "result", _waited, _rows, failure=_failure)
    for job in (bigquery.LoadJob, bigquery.CopyJob, bigquery.ExtractJob):
        patches.wrap(job, "result", _waited, failure=_failure)
    return patches.undo


def _database(client: Any) -> Database:
    project = str(client.project)
    return Database("gcp.bigquery", f"bigquery://{project}", {"db.namespace": project})


def _queried(args: Any, kwargs: Any) -> Said:
    said: Said = _database(args[0]).query(argument(args, kwargs, 1, "query"))
    return said


def _with_table(position: int, keyword: str, verb: str) -> Callable[[Any, Any], Said]:
    def describe(args: Any, kwargs: Any) -> Said:
        _, target, attributes = _database(args[0]).connect()
        table = argument(args, kwargs, position, keyword)
        name = table if isinstance(table, str) else ".".join(str(part) for part in _parts(table) if part)
        return "db.query", f"{target} {verb} {name}", dict(attributes, **{"db.operation.name": verb, "db.collection.name": name})

    return describe


def _parts(table: Any) -> list[Any]:
    """Of a `Table`, a reference to one, or an item of a list of tables."""
    return [getattr(table, name, None) for name in ("dataset_id", "table_id")]


def _waited(args: Any, kwargs: Any) -> Said:
    job = args[0]
    database = Database("gcp.bigquery", f"bigquery://{job.project}", {"db.namespace": job.project})
    statement = getattr(job, "query", None)
    if statement:
        said: Said = database.query(statement)
        return said
    return "db.query", f"{database.url} {str(job.job_type).upper()}", database.attributes


def _rows(result: Any, args: Any, kwargs: Any) -> Known:
    """A job that was only started knows nothing yet."""
    rows = vars(result).get("_total_rows")
    return {"rows": rows} if type(rows) is int else {}


def _failure(error: Any) -> Known:
    """The status of the answer, and the first line of its message: the second names the job."""
    if isinstance(error, OSError):
        return web.failure(error)
    status = getattr(error, "code", None)
    line = (str(getattr(error, "message", None) or error).splitlines() or [""])[0]
    return {"message": without_values(line), **({"status": int(status)} if isinstance(status, int) else {})}
