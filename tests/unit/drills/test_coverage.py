"""Coverage: what explains each fault of each place, and what nothing does."""

from __future__ import annotations

import pytest

from offduty.drills.coverage import cover, spots_of
from offduty.drills.faults import FAULTS, faults_of, whole
from offduty.drills.synthetic import Spot, case_of, whole_case
from offduty.transactions.dependency import Dependency
from offduty.transactions.scan import scan
from offduty.transactions.transaction import VERBS, Transaction
from offduty.triage.diagnose import diagnose
from offduty.triage.table import of_values
from offduty.wiring.coverage import catches_all

FEED = Dependency("feed", ("*/sales.csv",), max_age=3600.0, columns=("day", "units"))
SOURCE = """\
import pandas as pd
import requests
def load():
    return pd.read_csv("sales.csv")
def ask(url):
    try:
        return requests.get(url).json()
    except Exception:
        return None
"""


def coverage(rows, spots):
    """The coverage of these rows over these spots, nobody being named."""
    table = of_values((row, "") for row in rows)
    assert not table.flaws
    return cover(
        "job", spots, [row.name for row in table.rows], lambda case, decided: diagnose(case, table, {}, {}, {}, decided=decided)
    )  # fmt: skip


@pytest.fixture
def spots(tmp_path):
    """What the source above touches; a run has shown where the file is."""
    (tmp_path / "job.py").write_text(SOURCE)
    seen = [Transaction(1, "file.read", f"{tmp_path}/sales.csv", "job.py:4 in load", ok=True)]
    return spots_of(scan([str(tmp_path)]).places, seen, [FEED], str(tmp_path), f"{tmp_path}/")


def by_of(found):
    """{(line, fault): by} of a coverage."""
    return {(one.spot.where, one.fault): (one.by, one.row) for one in found.answers}


def test_source_and_runs_are_one_place(spots):
    """The line that the source has and a run has shown counts once, with the target and the dependency that the run knew."""
    assert [(one.where, one.op, one.scanned, one.seen) for one in spots] == [
        ("job.py:4", "file.read", True, True),
        ("job.py:7", "http.request", True, False),
    ]
    assert (spots[0].via, spots[0].dependency) == ("pandas.read_csv", FEED)


def test_a_row_explains_the_faults_it_is_about_and_no_others(spots):
    """A missing file is the row's, an empty one only the catalogue's, an old one by the check that the dependency asks for."""
    rows = [
        {"id": "GONE", "when": {"dependency": "feed", "exception": "FileNotFoundError"}},
        {"id": "OLD", "when": {"check": "age of feed"}},
    ]
    found = by_of(coverage(rows, spots))
    assert found["job.py:4", "missing"] == ("row", "GONE")
    assert found["job.py:4", "stale"] == ("row", "OLD")
    assert found["job.py:4", "empty"] == ("catalogue", "")


def test_a_swallowed_exception_is_a_hole_that_no_row_fills(spots):
    """Seeded defect: behind `except Exception: return None` no log would tell, so not even a row that fits counts."""
    found = coverage([{"id": "ALL", "when": {"transaction": "http.request"}}], spots)
    hole = next(one for one in found.holes if one.spot.where == "job.py:7")
    assert hole.spot.swallowed and hole.proposed is None and "except" in hole.what
    assert by_of(found)["job.py:7", "status-500"][0] == "hidden"


def test_a_row_that_can_never_match_is_named(spots):
    """Seeded defect: a column of a dependency that the job does not touch."""
    found = coverage([{"id": "NEVER", "when": {"dependency": "ledger"}}, {"id": "GONE", "when": {"exception": "FileNotFoundError"}}], spots)
    assert found.unreached == ("NEVER",)


def test_the_share_counts_rows_of_ones_own(spots):
    """Without a table it is nothing; with a row that takes everything it is all but what an `except` hides."""
    assert coverage([], spots).share == 0.0
    everything = coverage([{"id": "ALL", "when": {"outcome": ["failed", "warned", "lost", "missed", "overdue"]}}], spots)
    hidden = sum(one.by == "hidden" for one in everything.answers)
    assert everything.share == pytest.approx(1 - hidden / len(everything.answers))


def test_a_proposed_row_fills_its_hole(spots):
    """Whoever adds the rows that are proposed has no hole left of faults that strike the transaction itself."""
    before = coverage([], spots[:1])
    after = coverage([dict(one.proposed, id=f"NEW-{number}") for number, one in enumerate(before.holes) if one.proposed], spots[:1])
    assert after.share > before.share
    assert len(after.holes) <= len(before.holes)


def test_broad_rows_fill_all_that_the_catalogue_knows(spots):
    """One for each kind of failure, the widest first: with them, nothing is left to the catalogue alone."""
    bare = coverage([], spots)
    filled = coverage([dict(row) for row in bare.broad], spots)
    assert all(list(row["when"]) == ["category"] for row in bare.broad) and len(bare.broad) < len(bare.answers)
    assert filled.share >= bare.known > bare.share and filled.broad == ()


def test_a_row_for_whatever_else_explains_nothing():
    """`category = "*"` says whom to call, and is not counted: else one line would make a job ready."""
    rows = of_values(
        ({"when": when, "cause": "?"}, "") for when in ({"category": "*"}, {"category": ["x", "*"]}, {"category": "disk_full"})
    )
    assert [catches_all(row) for row in rows.rows] == [True, True, False]
    mixed = of_values([({"when": {"category": "*", "exception": "KeyError"}, "cause": "?"}, "")])
    assert not catches_all(mixed.rows[0])


def test_a_job_that_touches_nothing_has_the_faults_of_jobs():
    """Missed, overdue, lost, killed: no code shows them."""
    assert {one.fault for one in coverage([], []).answers} == {fault.name for fault in whole()}


@pytest.mark.parametrize("op", VERBS)
def test_every_fault_makes_a_case_that_triage_can_judge(op):
    """Contract of the table: any op, with a library or without; what a library has no words for is left out, and nothing raises."""
    for fault in faults_of(op):
        for via in ("", "pandas.read_csv", "requests.get", "psycopg.connect().execute", "sqlite3.connect", "httpx.get"):
            case = case_of(Spot(op, "s3://a/b", "a.py:1", via), fault.name)
            assert case is None or case.outcome in ("failed", "warned")


@pytest.mark.parametrize("name", [fault.name for fault in whole()])
def test_a_fault_of_the_whole_job_says_how_it_ended(name):
    """A kill has its signal, an absence its name."""
    case = whole_case(name)
    assert case.outcome == name or case.signal in (9, 15)
    assert FAULTS[name].by in ("signal", "watcher")
