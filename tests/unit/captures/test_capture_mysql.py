"""MariaDB by PyMySQL, against a real server."""

from __future__ import annotations

import pymysql
import pytest


def test_statements_and_failures_are_told(watch, mariadb_port):
    """Once each, without literals; a number for every error."""
    watch.install("pymysql")
    shown = f"mysql://127.0.0.1:{mariadb_port}/test"
    with pymysql.connect(host="127.0.0.1", port=mariadb_port, user="root", password="hunter2", database="test") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE stores (name VARCHAR(20) PRIMARY KEY)")
        assert cursor.executemany("INSERT INTO stores VALUES (%s)", [("hunter2",), ("b",)]) == 2
        with pytest.raises(pymysql.IntegrityError, match="hunter2"):
            cursor.execute("INSERT INTO stores VALUES (%s)", ("hunter2",))
        with pytest.raises(pymysql.ProgrammingError):
            cursor.execute("SELECT * FROM missing")
    told = watch.told()
    verbs = ["CREATE stores", "INSERT stores", "INSERT stores", "SELECT missing"]
    assert [event["target"] for event in told] == [shown, *(f"{shown} {verb}" for verb in verbs)]
    assert [event.get("status") for event in told[3:]] == [1062, 1146]
    assert "'test.missing' doesn't exist" in told[4]["error"]["message"]


def test_a_refused_connection_is_told(watch):
    """With the number of the driver."""
    watch.install("pymysql")
    with pytest.raises(pymysql.OperationalError):
        pymysql.connect(host="127.0.0.1", port=1, user="root", password="hunter2", database="sales")
    (told,) = watch.told()
    assert (told["op"], told["target"], told["status"]) == ("db.connect", "mysql://127.0.0.1:1/sales", 2003)
