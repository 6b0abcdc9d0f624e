"""Libraries that check data, the real ones: what they refuse is a check of the run, raised or not, and no value of the data shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty_probe.checked import CHECKED

PATH = Path(__file__).resolve().parents[2] / "src" / "offduty_probe" / "path"
DATA = '{"units": [1, -2, -3], "store": ["a", "SECRET", "a"]}'

PANDERA = f"""
import pandas as pd, pandera.pandas as pa
frame = pd.DataFrame({DATA})
columns = {{"units": pa.Column(int, pa.Check.ge(0)), "store": pa.Column(str, pa.Check.isin(["a"])), "gone": pa.Column(int)}}
schema = pa.DataFrameSchema(columns, name="sales")
try:
    schema.validate(frame, lazy=True)
except pa.errors.SchemaErrors as error:
    print(len(error.schema_errors))
pa.DataFrameSchema({{"units": pa.Column(int)}}, name="loose").validate(frame)
class Model(pa.DataFrameModel):
    units: int = pa.Field(ge=0)
Model.validate(frame)
"""
PANDERA_POLARS = f"""
import polars as pl, pandera.polars as pa
pa.DataFrameSchema({{"units": pa.Column(int, pa.Check.ge(0))}}, name="sales").validate(pl.DataFrame({DATA}))
"""
GREAT_EXPECTATIONS = f"""
import great_expectations as gx, pandas as pd
frame = pd.DataFrame({DATA})
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {{"globally": False}}
asset = context.data_sources.add_pandas("p").add_dataframe_asset("sales")
batch = asset.add_batch_definition_whole_dataframe("b").get_batch({{"dataframe": frame}})
rules = [gx.expectations.ExpectColumnValuesToBeInSet(column="store", value_set=["a"]), gx.expectations.ExpectColumnToExist(column="gone")]
print(batch.validate(gx.ExpectationSuite("nightly", expectations=rules)).success)
print(batch.validate(gx.expectations.ExpectTableRowCountToBeBetween(min_value=1)).success)
"""
POINTBLANK = f"""
import pointblank as pb, polars as pl
plan = pb.Validate(pl.DataFrame({DATA}), label="nightly").col_vals_gt("units", 0).col_vals_gt("nope", 0).row_count_match(3)
plan = plan.interrogate()
print(plan.all_passed())
"""
POINTBLANK_LIMITS = f"""
import pointblank as pb, polars as pl
limits = pb.Thresholds(warning=0.1, error=0.9)
pb.Validate(pl.DataFrame({DATA}), thresholds=limits).col_vals_gt("units", 0).col_vals_gt("units", -5).interrogate()
"""
PATITO = f"""
import patito as pt, polars as pl
class Sale(pt.Model):
    units: int = pt.Field(ge=0)
    store: str
Sale.validate(pl.DataFrame({{"units": [1], "store": ["a"]}}))
Sale.validate(pl.DataFrame({DATA}))
"""
PYDANTIC = """
import pydantic
class Row(pydantic.BaseModel):
    units: int
    tags: dict[str, int] = {}
Row(units=1)
refused = 0
for units in range(100):
    try:
        Row(units="SECRET", tags={"SECRET": "SECRET"})
    except pydantic.ValidationError:
        refused += 1
print(refused)
try:
    pydantic.TypeAdapter(list[int]).validate_python(["SECRET"])
except ValueError:
    pass
Row.model_validate({"units": None})
"""

# script, exit status, what it prints, and the checks: (name, outcome, detail, count of all alike).
LIBRARIES = {
    "pandera": (
        PANDERA, 1, "3",
        [
            ("sales: gone column_in_dataframe", "failed", "", 1),
            ("sales: units greater_than_or_equal_to(0)", "failed", "2 of 3 rows", 1),
            ("sales: store isin(['a'])", "failed", "1 of 3 rows", 1),
            ("loose", "passed", "", 1),
            ("Model: units greater_than_or_equal_to(0)", "failed", "2 of 3 rows", 1),
        ],
    ),
    "pandera of polars": (PANDERA_POLARS, 1, "", [("sales: units greater_than_or_equal_to(0)", "failed", "2 of 3 rows", 1)]),
    "great_expectations": (
        GREAT_EXPECTATIONS, 0, "False\nTrue",
        [
            ("store expect_column_values_to_be_in_set", "failed", "1 of 3 rows", 1),
            ("gone expect_column_to_exist", "failed", "", 1),
            ("expect_table_row_count_to_be_between", "passed", "", 1),
        ],
    ),
    "pointblank": (
        POINTBLANK, 0, "False",
        [
            ("nightly: units col_vals_gt", "failed", "2 of 3 rows", 1),
            ("nightly: nope col_vals_gt", "failed", "could not be evaluated", 1),
            ("nightly: row_count_match", "passed", "", 1),
        ],
    ),
    "pointblank with limits": (
        POINTBLANK_LIMITS, 0, "", [("units col_vals_gt", "warned", "2 of 3 rows", 1), ("units col_vals_gt", "passed", "", 1)],
    ),
    "patito": (PATITO, 1, "", [("Sale", "passed", "", 1), ("Sale: units rowvalue", "failed", "2 rows", 1)]),
    "pydantic": (
        PYDANTIC, 1, "100",
        [("Row", "failed", "2 errors: units int_parsing, tags int_parsing", 101), ("list[int]", "failed", "1 error: int_parsing", 1)],
    ),
}  # fmt: skip


def play(script, folder, **environ):
    """The job's (exit status, stdout, stderr), with and without the probe, and the checks that were told."""
    (folder / "job.py").write_text(script)
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OFFDUTY"))}
    plain |= {"GX_ANALYTICS_ENABLED": "false", "COLUMNS": "200"}
    probe = {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": str(folder / "events"), "OFFDUTY_TOKEN": "t"}
    done = subprocess.run([sys.executable, "job.py"], cwd=folder, env=plain | probe | environ, capture_output=True, text=True, timeout=90)
    events = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
    assert [event for event in events if event["kind"] == "problem"] == []
    counted = {}
    for event in events:
        if event["kind"] == "check":
            key = (event["name"], event["outcome"])
            counted.setdefault(key, [event["detail"], 0])[1] += event["count"]
            assert "SECRET" not in json.dumps(event)
            assert event["where"].startswith(str(folder / "job.py"))
    return done, [(name, outcome, detail, count) for (name, outcome), (detail, count) in counted.items()]


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_library_refuses_is_a_check(library, tmp_path):
    """The rule, the column and how many rows, from the job's line; the job sees what it would see."""
    script, status, printed, checks = LIBRARIES[library]
    pytest.importorskip(library.partition(" ")[0])
    done, told = play(script, tmp_path)
    assert (done.returncode, done.stdout.strip()) == (status, printed), done.stderr
    assert told == checks
    assert "offduty" not in done.stderr  # no frame of ours in a traceback


def test_one_library_can_be_left_out(tmp_path):
    """`OFFDUTY_CAPTURE=-patito`, as for captures."""
    pytest.importorskip("patito")
    assert play(PATITO, tmp_path, OFFDUTY_CAPTURE="-patito")[1] == []


def test_libraries_that_only_use_pydantic_are_let_alone(tmp_path):
    """A package tries models one after the other and is refused by some: that is no check of the job's data."""
    pytest.importorskip("pydantic")
    package = tmp_path / "site-packages" / "lib"
    package.mkdir(parents=True)
    source = "import pydantic\nclass Row(pydantic.BaseModel):\n    units: int\n"
    source += "def attempt():\n    try:\n        Row(units='x')\n    except ValueError:\n        return 'refused'\n"
    (package / "__init__.py").write_text(source)
    script = f"import sys\nsys.path.insert(0, {str(package.parent)!r})\nimport lib\nprint(lib.attempt())\n"
    done, told = play(script, tmp_path)
    assert (done.stdout.strip(), told) == ("refused", [])


def test_nothing_is_imported_for_the_job(tmp_path):
    """A job that uses none of them has none of them, nor what watches them."""
    script = f"import sys\nnames = {sorted({library for library, _ in CHECKED.values()})!r}\n"
    script += (
        "ours = 'offduty_probe.checked.'\nprint([name for name in sys.modules if name.split('.')[0] in names or name.startswith(ours)])\n"
    )
    assert play(script, tmp_path)[0].stdout.strip() == "[]"
