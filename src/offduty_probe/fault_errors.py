"""What each library raises when something is broken: its own class, in its own words. Coverage asks by it, drills raise it.

`ERRORS[fault][library]` is (class, arguments). In texts `{host}`, `{path}`, `{table}`, `{url}` and `{status}` stand for what is struck.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Told = tuple[str, tuple[Any, ...]]
    Table = dict[str, dict[str, Told]]

LIBRARIES = {  # the module that a library is known by -> its name in the table
    "builtins": "python", "io": "python", "_io": "python", "os": "python", "posix": "python", "pathlib": "python", "shutil": "python",
    "pickle": "python", "_pickle": "python", "joblib": "python", "numpy": "python", "json": "python", "csv": "python", "open": "python",
    "sqlite3": "sqlite3", "_sqlite3": "sqlite3", "psycopg": "psycopg", "psycopg2": "psycopg2", "pymysql": "pymysql", "duckdb": "duckdb",
    "urllib": "urllib", "http": "python", "requests": "requests", "httpx": "httpx", "urllib3": "urllib3", "aiohttp": "aiohttp",
    "botocore": "botocore", "boto3": "botocore", "pandas": "pandas", "polars": "polars", "pyarrow": "pyarrow", "sqlalchemy": "sqlalchemy",
    "redis": "redis", "pymongo": "pymongo", "smtplib": "python", "ftplib": "python", "paramiko": "python", "subprocess": "python",
    "mysql": "mysql.connector", "asyncpg": "asyncpg", "pg8000": "pg8000", "pyodbc": "pyodbc", "oracledb": "oracledb", "kafka": "kafka",
    "confluent_kafka": "confluent_kafka", "cimpl": "confluent_kafka", "mysqlconnector": "mysql.connector", "cx_oracle": "oracledb",
}  # fmt: skip
SCHEMES = {
    "sqlite": "sqlite3", "sqlite3": "sqlite3", "postgresql": "psycopg", "mysql": "pymysql", "duckdb": "duckdb", "mongodb": "pymongo",
    "oracle": "oracledb",
}  # fmt: skip
REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
S3_CODES = {401: "InvalidAccessKeyId", 403: "AccessDenied", 404: "NoSuchKey", 429: "SlowDown", 500: "InternalError"}
GARBAGE = b"<html><body>Welcome! Please sign in.</body></html>\n"
REFUSED = "[Errno 111] Connection refused"
NO_NAME = "[Errno -2] Name or service not known"
BAD_CERTIFICATE = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"
NOBODY = "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
NEW = "Failed to establish a new connection: "
AIO = "Cannot connect to host {host}:80 ssl:default "
MYSQL = "Can't connect to MySQL server on '{host}' "
POOL = "HTTPConnectionPool(host='{host}', port=80): Max retries exceeded with url: / (Caused by "
MYSQL_AT = "Can't connect to MySQL server on '{host}:3306' "
MYSQL_LATE = "Query execution was interrupted (max_statement_time exceeded)"
DENIED = "Access denied for user 'job'@'{host}' (using password: YES)"
DEADLOCK = "Deadlock found when trying to get lock; try restarting transaction"
PG8000 = "Can't create a connection to host {host} and port 5432 (timeout is None and source_address is None)."
ODBC = "[Microsoft][ODBC Driver 18 for SQL Server]"
SQL_SERVER = ODBC + "[SQL Server]"
VICTIM = (
    "Transaction (Process ID 57) was deadlocked on lock resources with another process and has been chosen as the deadlock victim."
    " Rerun the transaction."
)
BOOTSTRAP = "{host}:9092/bootstrap: "
BAD_PASSWORD = 'password authentication failed for user "job"'
PG = 'connection to server at "{host}", port 5432 failed: '

ERRORS: Table = {
    "refused": {
        "python": ("ConnectionRefusedError", (111, "Connection refused")),
        "sqlite3": ("sqlite3.OperationalError", ("unable to open database file",)),
        "psycopg": ("psycopg.OperationalError", (PG + NOBODY,)),
        "psycopg2": ("psycopg2.OperationalError", (PG + NOBODY + "\n",)),
        "pymysql": ("pymysql.err.OperationalError", (2003, MYSQL + "([Errno 111] Connection refused)")),
        "duckdb": ("duckdb.IOException", ('IO Error: Cannot open file "{path}": No such file or directory',)),
        "urllib": ("urllib.error.URLError", ("<" + REFUSED + ">",)),
        "requests": ("requests.exceptions.ConnectionError", (POOL + 'NewConnectionError("' + NEW + REFUSED + '"))',)),
        "urllib3": ("urllib3.exceptions.ProtocolError", (NEW + REFUSED,)),
        "httpx": ("httpx.ConnectError", (REFUSED,)),
        "aiohttp": ("aiohttp.client_exceptions.ClientConnectionError", (AIO + "[Connect call failed]",)),
        "botocore": ("botocore.exceptions.EndpointConnectionError", ('Could not connect to the endpoint URL: "{url}"',)),
        "redis": ("redis.exceptions.ConnectionError", ("Error 111 connecting to {host}:6379. Connection refused.",)),
        "pymongo": ("pymongo.errors.ServerSelectionTimeoutError", ("{host}:27017: " + REFUSED,)),
        "mysql.connector": ("mysql.connector.errors.InterfaceError", (MYSQL_AT + "(Errno 111: Connection refused)", 2003)),
        "asyncpg": ("ConnectionRefusedError", (111, "Connect call failed ('{host}', 5432)")),
        "pg8000": ("pg8000.exceptions.InterfaceError", (PG8000,)),
        "pyodbc": ("pyodbc.OperationalError", ("08001", "[08001] " + ODBC + "TCP Provider: Error code 0x2749 (0) (SQLDriverConnect)")),
        "oracledb": ("oracledb.exceptions.OperationalError", ("DPY-6005: cannot connect to database.\n" + REFUSED,)),
        "kafka": ("kafka.errors.KafkaTimeoutError", ("Unable to bootstrap from {host}:9092",)),
        "confluent_kafka": ("confluent_kafka.KafkaException", (BOOTSTRAP + "Connect to {host}:9092 failed: Connection refused",)),
    },
    "dns": {
        "python": ("socket.gaierror", (-2, "Name or service not known")),
        "psycopg": ("psycopg.OperationalError", ('could not translate host name "{host}" to address: Name or service not known',)),
        "psycopg2": ("psycopg2.OperationalError", ('could not translate host name "{host}" to address: Name or service not known\n',)),
        "pymysql": ("pymysql.err.OperationalError", (2003, MYSQL + "([Errno -2] Name or service not known)")),
        "urllib": ("urllib.error.URLError", ("<" + NO_NAME + ">",)),
        "requests": ("requests.exceptions.ConnectionError", (POOL + "NameResolutionError(" + NO_NAME + "))",)),
        "urllib3": ("urllib3.exceptions.ProtocolError", ("Failed to resolve '{host}' (" + NO_NAME + ")",)),
        "httpx": ("httpx.ConnectError", (NO_NAME,)),
        "aiohttp": ("aiohttp.client_exceptions.ClientConnectionError", (AIO + "[Name or service not known]",)),
        "botocore": ("botocore.exceptions.EndpointConnectionError", ('Could not connect to the endpoint URL: "{url}"',)),
        "redis": ("redis.exceptions.ConnectionError", ("Error -2 connecting to {host}:6379. Name or service not known.",)),
        "pymongo": ("pymongo.errors.ServerSelectionTimeoutError", ("{host}:27017: " + NO_NAME,)),
        "mysql.connector": ("mysql.connector.errors.InterfaceError", (MYSQL_AT + "(Errno -2: Name or service not known)", 2003)),
        "asyncpg": ("socket.gaierror", (-2, "Name or service not known")),
        "pg8000": ("pg8000.exceptions.InterfaceError", (PG8000,)),
        "pyodbc": ("pyodbc.OperationalError", ("HYT00", "[HYT00] " + ODBC + "Login timeout expired (0) (SQLDriverConnect)")),
        "oracledb": ("socket.gaierror", (-2, "Name or service not known")),
        "kafka": ("kafka.errors.KafkaTimeoutError", ("Unable to bootstrap from {host}:9092",)),
        "confluent_kafka": ("confluent_kafka.KafkaException", (BOOTSTRAP + "Failed to resolve '{host}:9092': Name or service not known",)),
    },
    "tls": {
        "python": ("ssl.SSLCertVerificationError", (1, BAD_CERTIFICATE)),
        "psycopg": ("psycopg.OperationalError", (PG + "SSL error: certificate verify failed",)),
        "psycopg2": ("psycopg2.OperationalError", (PG + "SSL error: certificate verify failed\n",)),
        "urllib": ("urllib.error.URLError", ("<" + BAD_CERTIFICATE + ">",)),
        "requests": ("requests.exceptions.SSLError", (POOL + "SSLError(SSLCertVerificationError(1, '" + BAD_CERTIFICATE + "')))",)),
        "urllib3": ("urllib3.exceptions.SSLError", (BAD_CERTIFICATE,)),
        "httpx": ("httpx.ConnectError", (BAD_CERTIFICATE,)),
        "aiohttp": ("aiohttp.client_exceptions.ClientConnectionError", (AIO + "[" + BAD_CERTIFICATE + "]",)),
        "botocore": ("botocore.exceptions.SSLError", ("SSL validation failed for {url} " + BAD_CERTIFICATE,)),
        "asyncpg": ("ssl.SSLCertVerificationError", (1, BAD_CERTIFICATE)),
    },
    "timeout": {
        "python": ("TimeoutError", ("timed out",)),
        "sqlite3": ("sqlite3.OperationalError", ("database is locked",)),
        "psycopg": ("psycopg.errors.QueryCanceled", ("canceling statement due to statement timeout",)),
        "psycopg2": ("psycopg2.errors.QueryCanceled", ("canceling statement due to statement timeout\n",)),
        "pymysql": ("pymysql.err.OperationalError", (2013, "Lost connection to MySQL server during query (timed out)")),
        "urllib": ("TimeoutError", ("timed out",)),
        "requests": ("requests.exceptions.ReadTimeout", ("HTTPConnectionPool(host='{host}', port=80): Read timed out. (read timeout=10)",)),
        "urllib3": ("urllib3.exceptions.TimeoutError", ("Read timed out.",)),
        "httpx": ("httpx.ReadTimeout", ("timed out",)),
        "aiohttp": ("TimeoutError", ()),
        "botocore": ("botocore.exceptions.ReadTimeoutError", ('Read timeout on endpoint URL: "{url}"',)),
        "redis": ("redis.exceptions.TimeoutError", ("Timeout reading from {host}:6379",)),
        "pymongo": ("pymongo.errors.NetworkTimeout", ("{host}:27017: timed out",)),
        "mysql.connector": ("mysql.connector.errors.DatabaseError", (MYSQL_LATE, 1969, None, "70100")),
        "asyncpg": ("asyncpg.exceptions.QueryCanceledError", ("canceling statement due to statement timeout",)),
        "pg8000": ("pg8000.exceptions.DatabaseError", ({"S": "ERROR", "C": "57014", "M": "canceling statement due to statement timeout"},)),
        "pyodbc": ("pyodbc.OperationalError", ("HYT00", "[HYT00] " + ODBC + "Query timeout expired (0) (SQLExecDirectW)")),
        "oracledb": ("oracledb.exceptions.DatabaseError", ("DPY-4024: call timeout of 10000 ms exceeded",)),
    },
    "no-answer": {
        "python": ("TimeoutError", ("timed out",)),
        "psycopg": ("psycopg.errors.ConnectionTimeout", ("connection timeout expired",)),
        "psycopg2": ("psycopg2.OperationalError", (PG + "timeout expired\n",)),
        "pymysql": ("pymysql.err.OperationalError", (2003, MYSQL + "(timed out)")),
        "pymongo": ("pymongo.errors.ServerSelectionTimeoutError", ("{host}:27017: timed out",)),
        "mysql.connector": ("mysql.connector.errors.InterfaceError", (MYSQL_AT + "(timed out)", 2003)),
        "asyncpg": ("TimeoutError", ()),
        "pg8000": ("pg8000.exceptions.InterfaceError", (PG8000,)),
        "pyodbc": ("pyodbc.OperationalError", ("HYT00", "[HYT00] " + ODBC + "Login timeout expired (0) (SQLDriverConnect)")),
        "oracledb": ("oracledb.exceptions.OperationalError", ("DPY-6005: cannot connect to database.\ntimed out",)),
    },
    "status": {
        "urllib": ("urllib.error.HTTPError", ("HTTP Error {status}: {reason}",)),
        "requests": ("requests.exceptions.HTTPError", ("{status} {side} Error: {reason} for url: {url}",)),
        "httpx": ("httpx.HTTPStatusError", ("{side} error '{status} {reason}' for url '{url}'",)),
        "botocore": ("botocore.exceptions.ClientError", ("An error occurred ({code}) when calling the {operation} operation: {reason}",)),
    },
    "garbage": {
        "python": ("json.decoder.JSONDecodeError", ("Expecting value: line 1 column 1 (char 0)",)),
        "requests": ("requests.exceptions.JSONDecodeError", ("Expecting value: line 1 column 1 (char 0)",)),
    },
    "deadlock": {
        "sqlite3": ("sqlite3.OperationalError", ("database is locked",)),
        "psycopg": ("psycopg.errors.DeadlockDetected", ("deadlock detected",)),
        "psycopg2": ("psycopg2.errors.DeadlockDetected", ("deadlock detected\n",)),
        "pymysql": ("pymysql.err.OperationalError", (1213, "Deadlock found when trying to get lock; try restarting transaction")),
        "duckdb": ("duckdb.TransactionException", ("TransactionContext Error: Conflict on tuple",)),
        "mysql.connector": ("mysql.connector.errors.InternalError", (DEADLOCK, 1213, None, "40001")),
        "asyncpg": ("asyncpg.exceptions.DeadlockDetectedError", ("deadlock detected",)),
        "pg8000": ("pg8000.exceptions.DatabaseError", ({"S": "ERROR", "C": "40P01", "M": "deadlock detected"},)),
        "pyodbc": ("pyodbc.Error", ("40001", "[40001] " + SQL_SERVER + VICTIM + " (1205) (SQLExecDirectW)")),
        "oracledb": ("oracledb.exceptions.DatabaseError", ("ORA-00060: deadlock detected while waiting for resource",)),
    },
    "no-table": {
        "sqlite3": ("sqlite3.OperationalError", ("no such table: {table}",)),
        "psycopg": ("psycopg.errors.UndefinedTable", ('relation "{table}" does not exist',)),
        "psycopg2": ("psycopg2.errors.UndefinedTable", ('relation "{table}" does not exist\n',)),
        "pymysql": ("pymysql.err.ProgrammingError", (1146, "Table '{table}' doesn't exist")),
        "duckdb": ("duckdb.CatalogException", ("Catalog Error: Table with name {table} does not exist!",)),
        "mysql.connector": ("mysql.connector.errors.ProgrammingError", ("Table '{table}' doesn't exist", 1146, None, "42S02")),
        "asyncpg": ("asyncpg.exceptions.UndefinedTableError", ('relation "{table}" does not exist',)),
        "pg8000": ("pg8000.exceptions.DatabaseError", ({"S": "ERROR", "C": "42P01", "M": 'relation "{table}" does not exist'},)),
        "pyodbc": ("pyodbc.ProgrammingError", ("42S02", "[42S02] " + SQL_SERVER + "Invalid object name '{table}'. (208) (SQLExecDirectW)")),
        "oracledb": ("oracledb.exceptions.DatabaseError", ("ORA-00942: table or view does not exist",)),
    },
    "login": {
        "psycopg": ("psycopg.OperationalError", (PG + 'FATAL:  password authentication failed for user "job"',)),
        "psycopg2": ("psycopg2.OperationalError", (PG + 'FATAL:  password authentication failed for user "job"\n',)),
        "pymysql": ("pymysql.err.OperationalError", (1045, "Access denied for user 'job'@'{host}' (using password: YES)")),
        "redis": ("redis.exceptions.AuthenticationError", ("invalid username-password pair or user is disabled.",)),
        "pymongo": ("pymongo.errors.OperationFailure", ("Authentication failed.",)),
        "mysql.connector": ("mysql.connector.errors.ProgrammingError", (DENIED, 1045, None, "28000")),
        "asyncpg": ("asyncpg.exceptions.InvalidPasswordError", (BAD_PASSWORD,)),
        "pg8000": ("pg8000.exceptions.DatabaseError", ({"S": "FATAL", "C": "28P01", "M": BAD_PASSWORD},)),
        "pyodbc": ("pyodbc.InterfaceError", ("28000", "[28000] " + SQL_SERVER + "Login failed for user 'job'. (18456) (SQLDriverConnect)")),
        "oracledb": ("oracledb.exceptions.DatabaseError", ("ORA-01017: invalid username/password; logon denied",)),
    },
    "missing": {"python": ("FileNotFoundError", (2, "No such file or directory", "{path}"))},
    "denied": {"python": ("PermissionError", (13, "Permission denied", "{path}"))},
    "disk-full": {"python": ("OSError", (28, "No space left on device", "{path}"))},
    "memory": {"python": ("MemoryError", ())},
    "empty": {
        "python": ("json.decoder.JSONDecodeError", ("Expecting value: line 1 column 1 (char 0)",)),
        "pandas": ("pandas.errors.EmptyDataError", ("No columns to parse from file",)),
        "polars": ("polars.exceptions.NoDataError", ("empty CSV",)),
        "pyarrow": ("pyarrow.lib.ArrowInvalid", ("Empty CSV file",)),
    },
    "torn": {
        "python": ("EOFError", ("Ran out of input",)),
        "pandas": ("pandas.errors.ParserError", ("Error tokenizing data. C error: EOF inside string starting at row 7",)),
        "polars": ("polars.exceptions.ComputeError", ("found more fields than defined in 'Schema'",)),
        "pyarrow": ("pyarrow.lib.ArrowInvalid", ("CSV parse error: Expected 7 columns, got 3",)),
    },
    "column-gone": {"python": ("KeyError", ("{column}",))},
    "column-retyped": {"python": ("ValueError", ("could not convert string to float: 'n/a'",))},
}  # fmt: skip
EVERYWHERE = ("missing", "denied", "disk-full", "memory", "column-gone", "column-retyped")
"""What Python's own class says for every library."""


def library_of(module: str, target: str = "") -> str:
    """The library in the table that `module` (a dotted name) belongs to; for a front such as pandas, whose database `target` is."""
    name = LIBRARIES.get(module.partition(".")[0].lstrip("_"), "python")
    scheme = target.partition("://")[0].partition(" ")[0].partition("+")[0]
    return SCHEMES.get(scheme, name) if name in ("pandas", "polars", "sqlalchemy", "python") else name


def told(fault: str, library: str) -> Told | None:
    """The class and arguments; None if the library has nothing of the kind."""
    kind = "status" if fault.startswith("status-") else fault
    known = ERRORS.get(kind, {})
    if library in known:
        return known[library]
    is_plain = kind in EVERYWHERE or kind in ("empty", "torn", "garbage")
    return known.get("python") if is_plain or library == "python" else None


def facts_of(fault: str, op: str, target: str, column: str = "") -> dict[str, str]:
    """What the texts of the table are filled with."""
    place = target.partition("://")[2] or target
    status = fault.partition("-")[2] if fault.startswith("status-") else ""
    number = int(status or 500)
    table = target.rpartition(" ")[2] if op == "db.query" and " " in target else "orders"
    return {
        "host": place.partition("/")[0].rpartition("@")[2].partition(":")[0] or "localhost", "path": target, "url": target, "table": table,
        "status": status or "500", "reason": REASONS.get(number, ""), "side": "Client" if number < 500 else "Server",
        "code": S3_CODES.get(number, "InternalError"), "operation": op.title().replace(".", ""), "column": column or "value",
    }  # fmt: skip


def filled(given: Any, facts: dict[str, str]) -> Any:
    """An argument with `{…}` filled in."""
    if isinstance(given, dict):
        return {key: filled(value, facts) for key, value in given.items()}
    if not isinstance(given, str):
        return given
    for name, value in facts.items():
        given = given.replace("{" + name + "}", value)
    return given


def find_class(name: str) -> Any:
    """The class of a dotted name. Raises ImportError or AttributeError."""
    module, _, last = name.rpartition(".")
    if not module:
        return getattr(sys.modules["builtins"], last)
    __import__(module)
    return getattr(sys.modules[module], last)
