"""PostgreSQL by psycopg, sync and async, and by psycopg2, against a real server."""

from __future__ import annotations

import asyncio

import psycopg
import psycopg2
import psycopg2.extras
import pytest
from psycopg import sql

SECRET = "hunter2"


@pytest.fixture
def url(postgres_port):
    """Of the server, with a password that must not be told."""
    return f"postgresql://postgres:{SECRET}@127.0.0.1:{postgres_port}/postgres"


@pytest.fixture
def shown(postgres_port):
    """How it is told."""
    return f"postgresql://127.0.0.1:{postgres_port}/postgres"


def test_psycopg_tells_connect_and_statements(watch, url, shown):
    """Once each: `execute` of a connection calls its cursor's."""
    watch.install("psycopg")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMP TABLE stores (name text)")
        connection.cursor().executemany("INSERT INTO stores VALUES (%s)", [(SECRET,), ("b",)])
        query = sql.SQL("SELECT * FROM {} WHERE name = {}").format(sql.Identifier("stores"), sql.Literal(SECRET))
        assert connection.execute(query).fetchall() == [(SECRET,)]
    told = watch.told()
    verbs = ["CREATE stores", "INSERT stores", "SELECT stores"]
    assert [event["target"] for event in told] == [shown, *(f"{shown} {verb}" for verb in verbs)]
    assert [event.get("rows") for event in told[2:]] == [2, 1]
    assert told[3]["attributes"]["server.address"] == "127.0.0.1"


def test_psycopg_async_tells_the_same(watch, url, shown):
    """Also the statements of tasks that run at the same time."""

    async def job():
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await (await connection.execute("SELECT %s", [SECRET])).fetchone()

    async def both():
        await asyncio.gather(job(), job())

    watch.install("psycopg")
    asyncio.run(both())
    assert sorted(watch.lines()) == sorted([f"db.connect {shown}", f"db.query {shown} SELECT"] * 2)


def test_what_a_server_says_of_data_is_masked(watch, url):
    """The key that is there twice, the text that is no number; what is not there is named."""
    watch.install("psycopg")
    statements = {"22P02": f"SELECT '{SECRET}'::int", "42P01": "SELECT * FROM missing", "42601": f"SELECT 1 '{SECRET}' 2"}
    with psycopg.connect(url, autocommit=True) as connection:
        for code, statement in statements.items():
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(statement)
            assert caught.value.sqlstate == code
    told = watch.told()[1:]
    assert [event["status"] for event in told] == list(statements)
    assert told[0]["error"]["message"] == 'invalid input syntax for type integer: "***"'
    assert told[1]["error"]["message"] == 'relation "missing" does not exist'


def test_a_refused_connection_is_told(watch):
    """The database refuses: the same exception, and what libpq says."""
    watch.install("psycopg", "psycopg2")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect("host=127.0.0.1 port=1 dbname=sales user=a password=hunter2")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=1, dbname="sales", password=SECRET)
    told = watch.told()
    assert [event["target"] for event in told] == ["postgresql://127.0.0.1:1/sales"] * 2
    assert all("refused" in event["error"]["message"] for event in told)


def test_psycopg2_tells_statements_of_every_kind_of_cursor(watch, url, shown):
    """Classes written in C: the job's own factories stay what they are."""
    watch.install("psycopg2")
    connection = psycopg2.connect(url, cursor_factory=psycopg2.extras.RealDictCursor)
    assert type(connection).__name__ == "connection"
    assert isinstance(connection, psycopg2.extensions.connection)
    with connection, connection.cursor() as cursor:
        assert isinstance(cursor, psycopg2.extras.RealDictCursor)
        cursor.execute("SELECT %s AS a FROM pg_class LIMIT 1", [SECRET])
        assert cursor.fetchone() == {"a": SECRET}
    with connection.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor:
        psycopg2.extras.execute_values(cursor, "SELECT * FROM (VALUES %s) v", [(1,), (2,)])
    with connection.cursor("named") as cursor:
        cursor.execute("SELECT 1")
    connection.close()
    assert watch.lines() == [
        f"db.connect {shown}",
        f"db.query {shown} SELECT pg_class",
        f"db.query {shown} SELECT",
        f"db.query {shown} SELECT",
    ]


def test_uninstalled_they_are_the_very_same(watch):
    """Module functions and methods."""

    def now():
        return [vars(psycopg.Connection)["connect"], vars(psycopg.Cursor)["execute"], psycopg.connect, psycopg2.connect]

    before = now()
    watch.install("psycopg", "psycopg2")
    assert not any(one is other for one, other in zip(now(), before, strict=True))
    watch.uninstall()
    assert all(one is other for one, other in zip(now(), before, strict=True))
