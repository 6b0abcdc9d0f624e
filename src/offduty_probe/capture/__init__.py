"""What the job does with the world outside: one file a library, with `install(record) -> uninstall`, and one line here.

How to add one: docs/explanation/captures.md. `OFFDUTY_CAPTURE=0` leaves all out, `OFFDUTY_CAPTURE=-pandas,-files` these.
"""

from __future__ import annotations

from offduty_probe.patching import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from offduty_probe.capture.ledger import Ledger

# name: (the module that brings it when it is imported, our module): a library that is not imported costs nothing.
CAPTURES = {
    "files": ("io", "files"),
    "shutil": ("shutil", "copies"),
    "numpy": ("numpy", "numpy"),
    "pandas": ("pandas", "pandas"),
    "polars": ("polars", "polars"),
    "pyarrow.parquet": ("pyarrow.parquet", "pyarrow_parquet"),
    "pyarrow.csv": ("pyarrow.csv", "pyarrow_csv"),
    "pyarrow.json": ("pyarrow.json", "pyarrow_json"),
    "pyarrow.feather": ("pyarrow.feather", "pyarrow_feather"),
    "pyarrow.orc": ("pyarrow.orc", "pyarrow_orc"),
    "pyarrow.ipc": ("pyarrow.ipc", "pyarrow_ipc"),
    "pyarrow.dataset": ("pyarrow.dataset", "pyarrow_dataset"),
    "joblib": ("joblib", "joblib"),
    "pickle": ("pickle", "pickles"),
    "sqlite3": ("sqlite3", "sqlite3"),
    "psycopg": ("psycopg", "psycopg"),
    "psycopg2": ("psycopg2", "psycopg2"),
    "asyncpg": ("asyncpg", "asyncpg"),
    "pymysql": ("pymysql", "pymysql"),
    "mysql.connector": ("mysql.connector", "mysql_connector"),
    "pyodbc": ("pyodbc", "pyodbc"),
    "oracledb": ("oracledb", "oracledb"),
    "snowflake": ("snowflake.connector", "snowflake"),
    "bigquery": ("google.cloud.bigquery", "bigquery"),
    "pymongo": ("pymongo", "pymongo"),
    "kafka": ("kafka", "kafka"),
    "confluent_kafka": ("confluent_kafka", "confluent_kafka"),
    "http.client": ("http.client", "http_client"),
    "urllib": ("urllib.request", "urllib_request"),
    "urllib3": ("urllib3", "urllib3"),
    "requests": ("requests", "requests"),
    "httpx": ("httpx", "httpx"),
    "httpx2": ("httpx2", "httpx2"),
    "aiohttp": ("aiohttp", "aiohttp"),
    "os": ("os", "programs"),
    "subprocess": ("subprocess", "subprocess"),
    "smtplib": ("smtplib", "smtplib"),
    "ftplib": ("ftplib", "ftplib"),
    "paramiko": ("paramiko", "paramiko"),
    "redis": ("redis", "redis"),
    "sqlalchemy": ("sqlalchemy", "sqlalchemy"),
    "duckdb": ("duckdb", "duckdb"),
    "fsspec": ("fsspec.spec", "fsspec"),
    "fsspec.asyn": ("fsspec.asyn", "fsspec_asyn"),
    "botocore": ("botocore.client", "botocore"),
    "dask": ("dask.base", "dask"),
    "ray": ("ray", "ray"),
    "pyspark": ("pyspark.sql", "pyspark"),
    "pyspark.classic": ("pyspark.sql.classic.dataframe", "pyspark_classic"),
    "boto3": ("boto3.s3.inject", "boto3_transfers"),
}


def install(record: Ledger, chosen: str = "") -> None:
    """Install the captures, now or when their libraries are imported. `chosen`: as in `$OFFDUTY_CAPTURE`."""
    for name, (module, capture) in CAPTURES.items():
        if is_chosen(name, chosen):
            when_imported(module, lambda _, name=name, capture=capture: load(capture)(record))  # type: ignore[misc]


def is_chosen(name: str, chosen: str) -> bool:
    """Whether the capture `name` is wanted: not for `0`, nor for a list of names, separated by commas, that has it."""
    return chosen.strip() != "0" and name not in [one.strip().lstrip("-") for one in chosen.split(",")]


def load(capture: str) -> Callable[[Ledger], Callable[[], object]]:
    """The `install` of a capture."""
    name = f"{__name__}.{capture}"
    return getattr(__import__(name, fromlist=["install"]), "install")  # type: ignore[no-any-return]  # noqa: B009
