"""Libraries whose servers cannot be had here: the real library, and nobody who answers. What they execute is not tried."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROBE = Path(__file__).resolve().parents[3] / "src" / "offduty_probe" / "path"


def failed(watch: Any, captures: str, call: Any) -> dict[str, Any]:
    """What is told of `call`, which fails just as it does without the capture."""
    with pytest.raises(Exception) as plain:  # noqa: PT011  # whatever the library raises
        call()
    watch.install(captures)
    with pytest.raises(plain.type):
        call()
    watch.uninstall()
    (told,) = watch.told()
    assert told["ok"] is False
    assert told["error"]["type"].rpartition(".")[2] == plain.type.__name__
    return dict(told)


DESCRIPTION = "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=1))(CONNECT_DATA=(SERVICE_NAME=sales)))"


@pytest.mark.parametrize(
    "said", [{"dsn": "127.0.0.1:1/sales"}, {"dsn": DESCRIPTION}, {"host": "127.0.0.1", "port": 1, "service_name": "sales"}]
)
def test_an_oracle_database_that_is_not_there(watch: Any, said: dict[str, Any]) -> None:
    """The address is found in each way to give it; Oracle's code is the status."""
    oracledb = pytest.importorskip("oracledb")
    told = failed(watch, "oracledb", lambda: oracledb.connect(user="hunter2", password="hunter2", tcp_connect_timeout=2, **said))
    assert (told["op"], told["target"], told["status"]) == ("db.connect", "oracle://127.0.0.1:1/sales", "DPY-6005")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_snowflake_account_that_is_not_there(watch: Any) -> None:
    """`uv pip install snowflake-connector-python` (not in the group `captured`, because of its size)."""
    connector = pytest.importorskip("snowflake.connector")
    place = {"account": "acme", "host": "127.0.0.1", "port": 1, "protocol": "http", "database": "sales"}
    told = failed(watch, "snowflake", lambda: connector.connect(user="hunter2", password="hunter2", login_timeout=1, **place))
    assert (told["op"], told["target"]) == ("db.connect", "snowflake://127.0.0.1:1/sales")


KAFKA = """
from kafka import KafkaConsumer
KafkaConsumer("feeds", bootstrap_servers="127.0.0.1:1", bootstrap_timeout_ms=200)
"""


def test_a_kafka_broker_that_is_not_there(tmp_path: Path) -> None:
    """It is looked for when a consumer is made. In a process of its own: the library leaves a socket open."""
    pytest.importorskip("kafka")
    (tmp_path / "job.py").write_text(KAFKA)
    probe = {"PYTHONPATH": str(PROBE), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t"}
    assert subprocess.run([sys.executable, "job.py"], cwd=tmp_path, env=os.environ | probe, capture_output=True).returncode == 1
    told = [event for line in (tmp_path / "events").read_bytes().splitlines() if (event := json.loads(line))["kind"] == "transaction"]
    assert [(one["op"], one["target"], one["ok"]) for one in told] == [("queue.consume", "kafka://127.0.0.1:1/feeds", False)]


@pytest.mark.parametrize("library, capture, names", [
    ("oracledb", "oracledb", ["connect", "Cursor.execute", "Cursor.executemany", "AsyncCursor.execute"]),
    ("snowflake.connector", "snowflake", ["connect", "SnowflakeConnection"]),
])  # fmt: skip
def test_what_is_wrapped_looks_the_same_and_comes_back(watch: Any, library: str, capture: str, names: list[str]) -> None:
    """The very originals, with their signatures meanwhile."""
    module = pytest.importorskip(library)
    before = {name: find(module, name) for name in names}
    watch.install(capture)
    assert {name: inspect.signature(find(module, name)) for name in names} == {name: inspect.signature(one) for name, one in before.items()}
    watch.uninstall()
    assert all(find(module, name) is one for name, one in before.items())


def find(module: Any, name: str) -> Any:
    """What is there under a dotted name."""
    for part in name.split("."):
        module = getattr(module, part)
    return module
