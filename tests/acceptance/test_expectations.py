"""`[dependency.NAME]` held against what a job reads, as the log, the summary and the outcome tell it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.clock import Clock
from offduty.stores.sqlite import open_store

TOOLS = Path(sys.executable).parent
JOB = '[job.j]\ncommand = ["{python}", "job.py"]\n\n[dependency.sales]\nmatch = "data/*.csv"\n'
CSV = "date,store,units\n" + "2026-11-23,a,1\n" * 9 + "2026-11-23,,1\n"


@pytest.fixture
def run(tmp_path):
    """Run a script as a job with these expectations; its (outcome, checks line, notes, log)."""

    def run(script, *expectations, csv=CSV):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/sales.csv").write_text(csv)
        (tmp_path / "job.py").write_text(script)
        (tmp_path / "offduty.toml").write_text(JOB.format(python=sys.executable) + "\n".join(expectations))
        env = {**os.environ, "OFFDUTY_STATE_DIR": str(tmp_path / "state")}
        done = subprocess.run([TOOLS / "offduty", "run", "j"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        subprocess.run([TOOLS / "offduty", "runs"], env=env, capture_output=True)
        store = open_store(str(tmp_path / "state/offduty.sqlite3"), clock=Clock())
        last = store.runs(limit=1)[0]
        store.close()
        assert done.returncode == 0, done.stderr
        return last["outcome"], last["summary"]["checks"], last["summary"]["notes"], Path(last["log"]).read_text()

    return run


READERS = {
    "pandas": "import pandas as pd\npd.read_csv('data/sales.csv')\n",
    "polars": "import polars as pl\npl.read_csv('data/sales.csv')\n",
    "pyarrow": "from pyarrow import csv\ncsv.read_csv('data/sales.csv', convert_options=csv.ConvertOptions(strings_can_be_null=True))\n",
}


@pytest.mark.parametrize("library", READERS)
def test_what_is_expected_and_there(run, library):
    """Every expectation that holds is a passed check, and the run a success."""
    pytest.importorskip(library)
    outcome, checks, notes, log = run(READERS[library], 'max_age = "1 h"', "min_rows = 10", 'columns = ["store", "date"]')
    assert (outcome, checks, notes) == ("succeeded", "3 passed", [])
    assert "* check    columns of sales                              ok" in log


@pytest.mark.parametrize("library", READERS)
def test_what_is_expected_and_not_there(run, library):
    """Columns and rows, named and counted; an expectation that is not met never changes the exit code."""
    pytest.importorskip(library)
    outcome, checks, _, log = run(READERS[library], "min_rows = 1000", 'columns = ["region", "store", "tax"]')
    assert outcome == "warned"
    assert checks == '2 warned (rows of sales: 10 rows, at least 1 000 are expected; columns of sales: "region", "tax" are gone)'
    assert '* check    columns of sales                              WARN    "region", "tax" are gone   job.py:2' in log


@pytest.mark.parametrize("library, known", [("polars", True), ("pyarrow", True), ("pandas", False)])
def test_the_share_of_nulls_where_the_library_counts_them(run, library, known):
    """polars and pyarrow tell it for nothing; pandas would have to look at every row, and so it is said that nobody looked."""
    pytest.importorskip(library)
    outcome, checks, notes, _ = run(READERS[library], "max_null_share = 0.05")
    if known:
        assert (outcome, checks) == ("warned", '1 warned (nulls of sales: empty: "store" 10.0%; at most 5.0% is expected)')
    else:
        assert (outcome, checks) == ("succeeded", None)
        assert notes == ["max_null_share of sales could not be judged: the way it was read does not tell (read, job.py:2)"]


def test_a_file_that_is_only_opened_tells_its_age(run):
    """What a plain `open` does not tell is said, once, however often it is opened."""
    script = "for _ in range(3):\n    open('data/sales.csv').close()\n"
    outcome, checks, notes, _ = run(script, 'max_age = "1 h"', "min_rows = 3")
    assert (outcome, checks) == ("succeeded", "3 passed")
    assert notes == ["min_rows of sales could not be judged: the way it was read does not tell (read, job.py:2)"]


def test_check_says_what_can_never_be_judged(tmp_path):
    """E225, once for each such setting; a list with one pattern that can be judged is all right."""
    (tmp_path / "offduty.toml").write_text(
        '[dependency.api]\nmatch = "https://api.example/*"\nmin_rows = 5\n'
        '[dependency.db]\nmatch = "postgresql://dw/*"\nmax_age = "1 h"\nmin_rows = 5\n'
        '[dependency.both]\nmatch = ["https://x/*", "*/x.csv"]\nmin_rows = 5\n'
        '[dependency.none]\nmatch = []\n[dependency.wrong]\nmatch = "x"\nmax_null_share = 5\n'
    )
    env = {**os.environ, "OFFDUTY_STATE_DIR": str(tmp_path / "state")}
    said = subprocess.run([TOOLS / "offduty", "check"], cwd=tmp_path, env=env, capture_output=True, text=True).stdout
    assert [line.split(":")[2].split()[-1] + " " + line.split()[1] for line in said.splitlines()[:-1]] == [
        "dependency.api.min_rows E225", "dependency.db.max_age E225", "dependency.none.match E225", "dependency.wrong.max_null_share E203",
    ]  # fmt: skip
