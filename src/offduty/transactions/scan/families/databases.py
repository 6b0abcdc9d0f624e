"""Databases: whatever a DBAPI module connects to, SQLAlchemy, DuckDB, MongoDB, Redis, Snowflake, BigQuery."""

from __future__ import annotations

import ast

from offduty.transactions.scan import targets
from offduty.transactions.scan.rules import Call, Rule, Touch, each, nothing, touches

# A module's function that connects: what its databases are called in a URL.
CONNECTS = {
    "psycopg.connect": "postgresql", "psycopg2.connect": "postgresql", "asyncpg.connect": "postgresql", "asyncpg.create_pool": "postgresql",
    "psycopg_pool.ConnectionPool": "postgresql", "psycopg2.pool.SimpleConnectionPool": "postgresql",
    "redshift_connector.connect": "redshift",
    "pymysql.connect": "mysql", "MySQLdb.connect": "mysql", "mysql.connector.connect": "mysql", "aiomysql.connect": "mysql",
    "pyodbc.connect": "odbc", "turbodbc.connect": "odbc", "pymssql.connect": "mssql",
    "oracledb.connect": "oracle", "cx_Oracle.connect": "oracle",
    "oracledb.create_pool": "oracle", "snowflake.connector.connect": "snowflake", "databricks.sql.connect": "databricks",
    "vertica_python.connect": "vertica", "teradatasql.connect": "teradata", "trino.dbapi.connect": "trino",
    "prestodb.dbapi.connect": "presto",
    "pyhive.hive.connect": "hive", "pyhive.presto.connect": "presto", "impala.dbapi.connect": "impala", "hdbcli.dbapi.connect": "hana",
    "ibm_db_dbi.connect": "db2", "clickhouse_connect.get_client": "clickhouse", "clickhouse_driver.Client": "clickhouse",
    "clickhouse_driver.connect": "clickhouse", "adbc_driver_postgresql.dbapi.connect": "postgresql", "pyexasol.connect": "exasol",
    "firebirdsql.connect": "firebird", "cassandra.cluster.Cluster": "cassandra", "influxdb_client.InfluxDBClient": "influxdb",
}  # fmt: skip
ON_FILES = ("sqlite3.connect", "aiosqlite.connect", "duckdb.connect", "adbc_driver_sqlite.dbapi.connect")
ENGINES = ("sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlmodel.create_engine", "records.Database")
SESSIONS = ("sqlalchemy.orm.Session", "sqlalchemy.orm.sessionmaker", "sqlalchemy.ext.asyncio.async_sessionmaker")
STRINGS = ("conninfo", "dsn", "uri", "connection_string", "connstring", "url")
RECEIVERS = frozenset("cursor cur curs crsr conn con cnx connection db database session engine tx transaction dbh sess".split())
QUERIES = (
    "execute executemany executescript callproc execute_async query sql command copy_expert copy_from copy_to copy fetch fetchrow fetchval"
)
QUERIES += (
    " query_df insert insert_df scalar scalars stream exec_driver_sql fetch_pandas_all bulk_save_objects bulk_insert_mappings flush commit"
)
PASSIVE = frozenset({"commit", "flush", "fetch_pandas_all"})
MONGO = (
    "find find_one find_one_and_update find_one_and_delete insert_one insert_many update_one update_many replace_one delete_one delete_many"
)
MONGO += " aggregate count_documents estimated_document_count distinct bulk_write create_index drop list_collection_names server_info"


def connects(kind: str, first: int = 0) -> Rule:
    """`db.connect` with the address that a connection string or the keywords give."""

    def rule(call: Call) -> Touch:
        string = call.text(-1, *STRINGS)
        if string is None and call.node.args:
            string = call.text(first)
        if string is not None and call.text(-1, "port", *targets.DATABASES[:3]) is None:
            return "db.connect", targets.from_connection_string(kind, string)
        host = call.text(-1, *targets.HOSTS) or string
        return "db.connect", targets.address(kind, host, call.text(-1, "port"), call.text(-1, *targets.DATABASES))

    return rule


def connects_mysql(call: Call) -> Touch:
    """MySQL's modules take host, user, password and database in that order."""
    host, database = call.text(0, "host", "unix_socket"), call.text(3, "database", "db")
    return "db.connect", targets.address("mysql", host, call.text(-1, "port"), database)


def connects_to_file(call: Call) -> Touch | None:
    """SQLite and DuckDB: the file; nothing in memory."""
    path = call.text(0, "database", "uri", "path")
    return None if path in (None, "", ":memory:") else ("db.connect", path)


def makes_engine(call: Call) -> Touch | None:
    """SQLAlchemy: a URL, or `URL.create(drivername, …)`."""
    node = call.given(0, "url")
    if node is not None and call.kind(node).endswith("URL.create()"):
        made = call.made(node)
        node = node if made is None else made.node
        return "db.connect", _created(made) if made is not None else None
    url = call.text(0, "url")
    return None if url in ("sqlite://", "sqlite:///:memory:") else ("db.connect", url)


def _created(url: Call) -> str:
    kind = url.text(0, "drivername") or "sql"
    return targets.address(kind, url.text(3, "host"), url.text(4, "port"), url.text(5, "database"))


def database_of(maker: Call | None) -> str:
    """The address of the database that a connection, cursor, engine or session belongs to, or ""."""
    if maker is not None and maker.name.startswith(SESSIONS):
        maker = engine_of(maker)
    touch = maker.touch() if maker is not None and maker.name in CALLS else None
    return (touch[1] or "") if touch is not None else ""


def engine_of(session: Call) -> Call | None:
    """What a session, or the `sessionmaker` that makes it, is bound to."""
    maker: Call | None = session
    if session.name.endswith("()"):
        maker = session.made(session.node.func)
    bound = maker.given(0, "bind") if maker is not None else None
    return maker.made(bound) if maker is not None and bound is not None else None


def query_text(call: Call, index: int = 0, *keywords: str) -> str:
    """`SELECT stores` of the query that is passed."""
    node = call.given(index, *keywords)
    if node is None:
        return ""
    verb = call.kind(node).partition("()")[0].rpartition(".")
    if verb[0].startswith("sqlalchemy") and verb[2] in ("select", "insert", "update", "delete"):
        return verb[2].upper()
    return targets.statement(call.texts.known(node, call.context))


def queries(call: Call) -> Touch | None:
    """A query on a connection, cursor or engine that is known."""
    maker = call.maker()
    database = database_of(maker)
    if not database and maker is not None and maker.name in ("sqlite3.connect", "aiosqlite.connect"):
        return None  # in memory
    said = call.method.upper() if call.method in PASSIVE else query_text(call, 0, "query", "sql", "operation", "statement")
    return "db.query", f"{database} {said}".strip() or None


def reconnects(call: Call) -> Touch:
    """`engine.connect()`: the address is the engine's."""
    return "db.connect", database_of(call.maker()) or None


def asks(call: Call) -> Touch | None:
    """`execute` on an object of unknown type: a query if it says so, or if the object is called like a connection."""
    said = query_text(call, 0, "query", "sql", "operation", "statement")
    if not said and call.method != "executemany" and _last_word(call) not in RECEIVERS:
        return None
    return "db.query", said or None


def _last_word(call: Call) -> str:
    """`self._conn` is called `conn`."""
    receiver = call.receiver
    word = str(getattr(receiver, "attr", None) or getattr(receiver, "id", ""))
    return word.strip("_").lower().rpartition("_")[2]


def reads_sql(call: Call) -> Touch | None:
    """`pandas.read_sql(query, connection)`; a table's name instead of a query is a SELECT."""
    connection = call.given(1, "con", "connection", "connection_or_uri", "uri")
    said = query_text(call, 0, "sql", "query", "table_name")
    plain = call.known(0, "sql", "query", "table_name")
    if not said and plain and " " not in plain:
        said = f"SELECT {plain}"
    return "db.query", f"{_address(call, connection)} {said}".strip() or None


def writes_table(call: Call) -> Touch | None:
    """`frame.to_sql(table, connection)`."""
    connection, table = call.given(1, "con", "connection"), call.text(0, "name", "table_name")
    return "db.query", f"{_address(call, connection)} INSERT {table or ''}".strip()


def _address(call: Call, connection: object) -> str:
    if not isinstance(connection, ast.expr):
        return ""
    known = call.texts.known(connection, call.context)
    return known if known and "://" in known else database_of(call.made(connection))


def on_mongo(call: Call) -> Touch:
    """`client.sales.orders.find()`: the collection is in the name, or in brackets."""
    maker = call.maker()
    place = mongo_address(maker) if maker is not None else ""
    return "db.query", f"{place} {call.method} {_collection(call)}".strip()


def _collection(call: Call) -> str:
    node = call.receiver
    for place in call.names.values(node, call.context) if node is not None else ():
        node = place[0]
    if isinstance(node, ast.Subscript):
        return call.texts.shown(node.slice, call.context)
    return node.attr if isinstance(node, ast.Attribute) else ""


def mongo_address(call: Call) -> str:
    """Where a MongoClient goes."""
    host = call.text(0, "host") or "localhost"
    return host if "://" in host else targets.address("mongodb", host, call.text(1, "port"), None)


def on_redis(call: Call) -> Touch:
    """Any command of Redis."""
    maker = call.maker()
    url = maker.text(-1, "url") or (maker.text(0) if maker.method == "from_url" else None) if maker is not None else None
    if url is not None or maker is None:
        return "cache.call", url
    return "cache.call", targets.address("redis", maker.text(0, "host") or "localhost", maker.text(1, "port"), maker.text(2, "db"))


def on_bigquery(call: Call) -> Touch:
    """BigQuery: the project, and the query or the table."""
    maker = call.maker()
    project = (maker.text(0, "project") if maker is not None else None) or ""
    said = query_text(call, 0, "query") or (call.text(1, "destination") if call.method.startswith("load_") else call.text(0, "table")) or ""
    return "db.query", f"bigquery://{project} {said}".strip()


def on_duckdb(call: Call) -> Touch:
    """The module's own functions use a database in memory; the query may name files."""
    return "db.query", f"duckdb: {query_text(call, 0, 'query')}".strip(": ") or None


DBAPI = {**each("", QUERIES, queries), **each("", "connect acquire getconn begin", nothing)}
ENGINE = {**DBAPI, **each("", "connect begin raw_connection", reconnects)}
MYSQL = ("pymysql.connect", "MySQLdb.connect", "mysql.connector.connect", "aiomysql.connect")

CALLS: dict[str, Rule] = {
    **{name: connects(kind, first=2 if kind == "oracle" else 0) for name, kind in CONNECTS.items()},
    **dict.fromkeys(MYSQL, connects_mysql),
    **dict.fromkeys(ON_FILES, connects_to_file),
    **dict.fromkeys(ENGINES, makes_engine),
    **each("duckdb.", "sql query execute", on_duckdb),
    **each("duckdb.", "read_csv read_parquet read_json", touches("file.read", 0)),
    **each("pymongo.", "MongoClient", lambda call: ("db.connect", mongo_address(call))),
    "motor.motor_asyncio.AsyncIOMotorClient": lambda call: ("db.connect", mongo_address(call)),
}

REDIS = {"*": on_redis, **each("", "pipeline pubsub close register_script lock from_url", nothing)}

ON: dict[str, dict[str, Rule]] = {
    **dict.fromkeys((*CONNECTS, *ON_FILES), DBAPI),
    **dict.fromkeys(ENGINES, ENGINE),
    "sqlalchemy.orm.Session": {**DBAPI, **each("", "query get merge", queries)},
    **dict.fromkeys(("pymongo.MongoClient", "motor.motor_asyncio.AsyncIOMotorClient"), each("", MONGO, on_mongo)),
    **dict.fromkeys(
        "redis.Redis redis.from_url redis.Redis.from_url redis.cluster.RedisCluster pymemcache.client.base.Client".split(), REDIS
    ),
    "google.cloud.bigquery.Client": each(
        "", "query query_and_wait load_table_from_dataframe load_table_from_uri insert_rows_json list_rows get_table", on_bigquery
    ),
}

METHODS: dict[str, Rule] = {**each("", "execute executemany executescript exec_driver_sql", asks)}

SAME: dict[str, str] = {
    "psycopg.Connection()": "psycopg.connect()",
    "psycopg.Cursor()": "psycopg.connect().cursor()",
    "psycopg.Connection.connect": "psycopg.connect",
    "psycopg.AsyncConnection.connect": "psycopg.connect",
    "psycopg2.extensions.connection()": "psycopg2.connect()",
    "asyncpg.Connection()": "asyncpg.connect()",
    "sqlite3.Connection()": "sqlite3.connect()",
    "sqlite3.Cursor()": "sqlite3.connect().cursor()",
    "oracledb.Connection()": "oracledb.connect()",
    "snowflake.connector.SnowflakeConnection()": "snowflake.connector.connect()",
    **dict.fromkeys("sqlalchemy.Engine() sqlalchemy.engine.Engine() sqlalchemy.engine.base.Engine()".split(), "sqlalchemy.create_engine()"),
    **dict.fromkeys("sqlalchemy.Connection() sqlalchemy.engine.Connection()".split(), "sqlalchemy.create_engine().connect()"),
    "sqlalchemy.engine.create_engine": "sqlalchemy.create_engine",
    **dict.fromkeys((f"{name}()()" for name in SESSIONS[1:]), "sqlalchemy.orm.Session()"),
    "sqlalchemy.ext.asyncio.AsyncSession()": "sqlalchemy.orm.Session()",
    "redis.StrictRedis": "redis.Redis",
    "redis.asyncio.Redis": "redis.Redis",
    "redis.asyncio.from_url": "redis.from_url",
    "redis.client.Redis": "redis.Redis",
    "duckdb.DuckDBPyConnection()": "duckdb.connect()",
    "pymongo.mongo_client.MongoClient": "pymongo.MongoClient",
}

HANDLES: frozenset[str] = frozenset()
