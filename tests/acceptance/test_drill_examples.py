"""The examples, drilled: every row of the clinic and of the shop, in a notebook's kernel; the shell scripts, enclosed by the kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.drills.receiver import Receiver, reply

pytestmark = pytest.mark.timeout(900)  # each starts dozens of processes, of pandas and kernels some
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOLS = Path(sys.executable).parent
ROWS = {
    "LAB-01": "missing", "LAB-02": "column-gone", "LAB-03": "torn", "LAB-04": "stale", "CALLS-01": "status-500", "CALLS-02": "refused",
    "CALLS-03": "garbage", "DB-01": "timeout", "DB-02": "no-table", "DB-03": "refused",
}  # fmt: skip


def copied(name, folder):
    """A copy of an example; the notebook and the shell script read the clinic's data beside them. The clinic's model learns less: time."""
    leave = shutil.ignore_patterns("world", "forecasts.csv", "__pycache__")
    shutil.copytree(EXAMPLES / "clinic", folder / "clinic", ignore=leave)
    model = folder / "clinic" / "model.py"
    model.write_text(model.read_text().replace("n_estimators=100", "n_estimators=3").replace("KFold(5", "KFold(2"))
    return folder / "clinic" if name == "clinic" else shutil.copytree(EXAMPLES / name, folder / name, ignore=leave)


def drilled(folder, *words, **more):
    """The answer of `offduty drill … --json` there."""
    env = {
        "PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(folder), "OFFDUTY_STATE_DIR": f"{folder.parent}/state", "OMP_NUM_THREADS": "1",
        **more,
    }  # fmt: skip
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=800)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """The clinic's default drill: {row: result}, those without a row under their fault; and its folder."""
    folder = copied("clinic", tmp_path_factory.mktemp("clinic"))
    answer = drilled(folder, "python", "world.py", "--", "offduty", "drill", "forecast", "--json")
    return {one["row"] or one["fault"]: one for one in answer["drills"]}, folder


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_clinic_is_rehearsed(clinic, row):
    """The fault that the row is about was brought about in the real job, and everything came as promised."""
    one = clinic[0][row]
    assert (one["fault"], one["passed"], one["won"]) == (ROWS[row], True, True), one["said"]
    assert one["verdict"]["row"] == row


def test_rows_for_whole_kinds_of_failure_are_rehearsed_too(clinic):
    """The file that the nurses open, and the machine, have rows by category: they win as the others do, and the job fails loudly."""
    assert all((clinic[0][row]["won"], clinic[0][row]["loud"]) == (True, True) for row in ("ACCESS-01", "MACHINE-01"))


def test_the_clinic_is_left_as_it_was(clinic):
    """No forecast in the file nor in the database: everything was written into the drill's own copies."""
    import sqlite3

    assert not (clinic[1] / "forecasts.csv").exists()
    base = sqlite3.connect(clinic[1] / "world" / "clinic.sqlite3")
    assert base.execute("select count(*) from forecasts").fetchone() == (0,)
    base.close()


def test_a_notebook_is_struck_in_its_kernel(tmp_path):
    """The kernel is a Python of its own: the probe is there too, and the notebook fails by the missing file."""
    pytest.importorskip("ipykernel")
    answer = drilled(copied("notebook", tmp_path), "offduty", "drill", "progression", "--fault", "missing", "--json")
    assert [(one["loud"], one["named"]) for one in answer["drills"]] == [(True, True)] * len(answer["drills"])
    assert answer["of"] >= 1


def test_a_shell_script_is_struck_from_outside(tmp_path):
    """The file that its command names is gone, for the script alone: it fails, and its log names it."""
    folder = copied("shell", tmp_path)
    answer = drilled(folder, "offduty", "drill", "outliers", "--fault", "missing", "--json")
    if answer.get("error", {}).get("code") == "E820":
        pytest.skip(f"the kernel gives no namespaces here: {answer}")
    assert [(one["loud"], one["named"], Path(one["target"]).name) for one in answer["drills"]] == [(True, True, "diabetes.csv")]
    assert (tmp_path / "clinic" / "data" / "diabetes.csv").exists()


SHELL_ROWS = {
    "missing": "FEED-01", "denied": "FEED-01", "empty": "FEED-02", "torn": "FEED-02", "column-gone": "FEED-03",
    "column-retyped": "FEED-03", "stale": "FEED-04", "disk-full": "DISK-01", "sigkill": "KILL-01", "refused": "NORMS-01",
    "timeout": "NORMS-01", "status-401": "NORMS-01", "status-403": "NORMS-01", "status-404": "NORMS-01", "status-429": "NORMS-01",
    "status-500": "NORMS-01", "garbage": "NORMS-02",
}  # fmt: skip


@pytest.fixture(scope="module")
def intervals(tmp_path_factory):
    """The shell job with its service, drilled with everything: {fault: result}; its folder; and what its service was asked."""
    folder = copied("intervals", tmp_path_factory.mktemp("intervals"))
    with Receiver(reply(200, b"150.5")) as norms:
        answer = drilled(folder, "offduty", "drill", "intervals", "--limit", "2 min", "--json", NORMS=f"{norms.url}/norm?sex=all")
    if answer.get("error", {}).get("code") == "E820":
        pytest.skip(f"the kernel gives no namespaces here: {answer}")
    return {one["fault"]: one for one in answer["drills"]}, folder, norms.requests


@pytest.mark.parametrize("fault", SHELL_ROWS)
def test_a_shell_job_is_rehearsed_with_every_fault(intervals, fault):
    """Brought about from outside, in the files, the disk, the process and the network: it fails, its log names it, the row wins."""
    one = intervals[0][fault]
    assert (one["passed"], one["row"], one["verdict"]["row"]) == (True, SHELL_ROWS[fault], SHELL_ROWS[fault]), one
    assert one["loud"] in (True, None) and one["named"] in (True, None)


def test_a_shell_job_leaves_everything_as_it_was(intervals):
    """No file was written; the service was only asked; rows that nothing makes win are told, and here there are none."""
    found, folder, asked = intervals
    assert "" not in found and not list(folder.glob("intervals.csv*"))
    assert {request.method for request in asked} == {"GET"}


SHOP_ROWS = {
    "SUP-01": "missing", "SUP-02": "column-gone", "SUP-03": "empty", "SUP-04": "stale", "SUP-05": "denied", "DB-01": "no-table",
    "DB-02": "timeout",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The notebook with a database, SQLite: {row: result}, those without a row under their fault; and its folder."""
    for module in ("ipykernel", "sqlalchemy", "pandas"):
        pytest.importorskip(module)
    folder = copied("reorder", tmp_path_factory.mktemp("reorder"))
    subprocess.run([sys.executable, "world.py"], cwd=folder, check=True, timeout=60)
    return {one["row"] or one["fault"]: one for one in drilled(folder, "offduty", "drill", "reorder", "--json")["drills"]}, folder


@pytest.mark.parametrize("row", SHOP_ROWS)
def test_every_row_of_the_shop_is_rehearsed(shop, row):
    """In the kernel of the notebook: files, tables, locks."""
    one = shop[0][row]
    assert (one["passed"], one["fault"], one["won"]) == (True, SHOP_ROWS[row], True), one


def test_the_shop_is_left_as_it_was(shop):
    """No order in the file nor in the database."""
    import sqlite3

    assert not (shop[1] / "orders.csv").exists()
    base = sqlite3.connect(shop[1] / "stock.sqlite3")
    assert base.execute("select count(*) from orders").fetchone() == (0,)
    base.close()


def test_the_shop_on_a_server_is_left_as_it_was(tmp_path, postgres_port):
    """PostgreSQL: the notebook deletes and inserts in its own transactions, ends well, and nothing of it remains (B: database rows)."""
    psycopg = pytest.importorskip("psycopg")
    pytest.importorskip("ipykernel")
    folder = copied("reorder", tmp_path)
    address = f"postgresql+psycopg://postgres@127.0.0.1:{postgres_port}/postgres"
    subprocess.run([sys.executable, "world.py"], cwd=folder, check=True, timeout=60, env={**os.environ, "STOCK": address})
    answer = drilled(folder, "offduty", "drill", "reorder", "--row", "DB-01", "--json", STOCK=address)
    assert [(one["fault"], one["loud"], one["passed"]) for one in answer["drills"]] == [("no-table", True, True)], answer
    with psycopg.connect(f"host=127.0.0.1 port={postgres_port} user=postgres dbname=postgres") as base:
        assert base.execute("select count(*) from orders").fetchone() == (0,)
