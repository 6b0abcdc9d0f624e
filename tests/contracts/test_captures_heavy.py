"""Ray and Spark, which take half a gigabyte and a minute: only with OFFDUTY_TEST_HEAVY=1; captures "pyspark", "pyspark_classic", "ray"."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from tests.contracts.test_captures_older import PATH, environment_with

pytestmark = [pytest.mark.skipif(not os.environ.get("OFFDUTY_TEST_HEAVY"), reason="OFFDUTY_TEST_HEAVY=1 runs it"), pytest.mark.timeout(300)]
OPS = ("file.read", "file.write", "compute.submit")  # both also start programs and remove files of their own
RAY = """
import ray
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

@ray.remote
def double(number):
    return number * 2 if number < 9 else 1 / 0

assert ray.get([double.remote(1), double.remote(2)]) == [2, 4]
try:
    ray.get(double.remote(9))
except ZeroDivisionError:
    pass
ray.shutdown()
"""
SPARK = """
import os
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.range(5).write.parquet("out.parquet")
table = spark.read.parquet(os.path.abspath("out.parquet"))
assert table.count() == 5
assert len(table.collect()) == 5
table.createOrReplaceTempView("stores")
spark.sql("SELECT * FROM stores WHERE id = 'CANARY'")
try:
    spark.read.csv("missing.csv")
except AnalysisException:
    pass
spark.stop()
"""


def told(tmp_path: Path, python: str, job: str) -> list[tuple[str, str, bool]]:
    """Op, target and outcome of what a job did, of its own lines."""
    (tmp_path / "job.py").write_text(job)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
    probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(tmp_path / "events"), "OFFDUTY_TOKEN": "t", "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([python, "job.py"], cwd=tmp_path, env=plain | probe, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "events").read_text()
    assert "CANARY" not in text
    events = [msgspec.json.decode(line) for line in text.splitlines()]
    assert [event for event in events if event["kind"] == "problem"] == []
    own = [event for event in events if event["kind"] == "transaction" and event["op"] in OPS and "/job.py:" in (event["where"] or "")]
    main = events[0]["pid"]
    return [(event["op"], event["target"].replace(f"{tmp_path}/", ""), event["ok"]) for event in own if event["pid"] == main]


def test_ray_tells_what_it_waited_for(tmp_path: Path) -> None:
    """Starting it, results, and the task that failed."""
    submit = "compute.submit"
    found = told(tmp_path, environment_with("ray"), RAY)
    assert found == [(submit, "ray://", True), (submit, "ray://", True), (submit, "ray://", False)]


def test_spark_tells_files_statements_and_actions(tmp_path: Path) -> None:
    """One transaction each, whatever Spark makes of it."""
    if shutil.which("java") is None:
        pytest.skip("java is not installed (Debian: default-jre-headless)")
    assert told(tmp_path, environment_with("pyspark"), SPARK) == [
        ("file.write", "out.parquet", True),
        ("file.read", "out.parquet", True),
        ("compute.submit", "spark://", True),
        ("compute.submit", "spark://", True),
        ("compute.submit", "spark:// SELECT stores", True),
        ("file.read", "missing.csv", False),
    ]
