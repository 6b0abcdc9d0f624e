"""BigQuery by google-cloud-bigquery, against a small server (`uv pip install google-cloud-bigquery`: it is not in the group)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

LIBRARIES = ["google.cloud.bigquery"]
SERVERS = ["bigquery_port"]
NAMES = [f"google.cloud.bigquery.Client.{name}" for name in "query query_and_wait insert_rows_json get_table".split()]
NAMES += ["google.cloud.bigquery.QueryJob.result"]
bigquery_port = 0


def prepare(folder: Path) -> None:
    """The server has what is asked for."""


def _with(use: Callable[[Any], Any]) -> Any:
    def call(folder: Path) -> Any:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        place = {"api_endpoint": f"http://127.0.0.1:{bigquery_port}"}
        return use(bigquery.Client("dw", credentials=AnonymousCredentials(), client_options=place))

    return call


def _rows(rows: Any) -> list[Any]:
    return [tuple(row.values()) for row in rows]


STORES = "SELECT store FROM sales.stores WHERE name = 'CANARY'"
MISSING = "SELECT store FROM sales.missing WHERE name = 'CANARY'"
GOOD = [
    ("db.query", "bigquery://dw SELECT sales.stores", _with(lambda client: _rows(client.query_and_wait(STORES)))),
    ("db.query db.query", "bigquery://dw SELECT sales.stores", _with(lambda client: _rows(client.query(STORES).result()))),
    (
        "db.query",
        "bigquery://dw INSERT dw.sales.stores",
        _with(lambda client: client.insert_rows_json("dw.sales.stores", [{"a": "CANARY"}])),
    ),
]
BAD = [
    _with(lambda client: client.query_and_wait(MISSING)),
    _with(lambda client: client.query(MISSING, job_id="one", job_retry=None)),
    _with(lambda client: client.insert_rows_json("dw.sales.missing", [{"a": "CANARY"}], retry=None)),
]
