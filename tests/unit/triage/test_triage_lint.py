"""What lint finds in a table that can be read."""

from __future__ import annotations

import time

import pytest

from offduty.triage.lint import lint
from offduty.triage.table import of_values

WHOLE = {"cause": "c", "steps": ["s"], "team": "lab"}


def findings(*rows, owned=True):
    """Code and row of each finding."""
    table = of_values([({**WHOLE, "id": f"R{number}", **row}, f"t:{number}") for number, row in enumerate(rows, 1)])
    assert table.flaws == ()
    found = lint(table, teams=["lab"], dependencies=["lab-feed"], categories=["disk_full"], owned=owned)
    return [(flaw.code, flaw.where) for flaw in found]


def when(**conditions):
    """A row of nothing but conditions."""
    return {"when": conditions}


NEVER_COUNTS = [
    (when(exception="LookupError"), when(exception="KeyError")),
    (when(exception="KeyError"), when(exception="KeyError", outcome="failed")),
    (when(exit_code=[1, 2, 3]), when(exit_code=[3, 1])),
    (when(transaction="db.*"), when(transaction="db.query", status=42)),
    (when(category="*"), when(category="disk_full", log="x")),
    (when(signal=9), when(signal="SIGKILL")),
    (when(log="a|b"), when(log="a|b", exit_code=1)),
    (when(changed="input.*"), when(changed="input.columns", exception="KeyError")),
]


@pytest.mark.parametrize("earlier, later", NEVER_COUNTS)
def test_a_row_that_an_earlier_one_always_beats(earlier, later):
    """B5: contradictory rows; swapped, both count."""
    assert findings(earlier, later) == [("E410", "t:2")]
    assert findings(later, earlier) == ([("E410", "t:2")] if set(map(str, later["when"])) == {"signal"} else [])


BOTH_COUNT = [
    (when(exception="KeyError"), when(exception="LookupError")),
    (when(dependency="lab-feed"), when(dependency="lab-feed", changed="input.columns")),
    (when(exit_code=1, outcome="failed"), when(exit_code=1)),
    (when(log="a"), when(log="ab")),
]


@pytest.mark.parametrize("earlier, later", BOTH_COUNT)
def test_rows_that_both_count(earlier, later):
    """Nothing is called unreachable that is not."""
    assert findings(earlier, later) == []


@pytest.mark.parametrize(
    "row, code",
    [
        ({**when(outcome="missed", exception="KeyError")}, "E411"),
        ({**when(signal="KILL", exit_code=1)}, "E411"),
        ({**when(outcome="failed", exit_code=0)}, "E411"),
        ({**when(category="disk_fall")}, "E411"),
        ({**when(transaction="file.raed")}, "E411"),
        ({**when(dependency="lap-feed")}, "E207"),
        ({**when(exit_code=1), "team": "lap"}, "E207"),
        ({**when(exit_code=1), "steps": []}, "E413"),
        ({**when(exit_code=1), "cause": ""}, "E413"),
        ({**when(log="a*", exit_code=1)}, "E415"),
        ({**when(message=".*", exit_code=1)}, "E415"),
        ({**when(target="*", exit_code=1)}, "E415"),
    ],
)
def test_a_row_that_is_no_use(row, code):
    """Rows that never match, names nobody knows, patterns that fit anything, nothing to do."""
    assert findings(row) == [(code, "t:1")]


def test_a_row_without_a_team_where_not_every_job_has_an_owner():
    """B5: no team. Where every job has an owner, or a dependency a team, it goes there."""
    assert findings({**when(exit_code=1), "team": ""}, owned=False) == [("E413", "t:1")]
    assert findings({**when(exit_code=1), "team": ""}) == []
    assert findings({**when(dependency="lab-feed"), "team": ""}, owned=False) == []


def test_an_id_that_is_there_twice():
    """Else nobody knows which row is meant."""
    assert findings({**when(exit_code=1), "id": "A"}, {**when(exit_code=2), "id": "A"}) == [("E414", "t:2")]


def test_ten_thousand_rows_are_linted():
    """B5: also where many begin alike."""
    rows = [when(log=f"error {number}", outcome="failed") for number in range(10_000)]
    assert findings(*rows, when(log="error 7", outcome="failed", exit_code=1)) == [("E410", "t:10001")]


def test_ten_thousand_patterns_are_checked_in_seconds():
    """T26: patterns with stars and question marks in them are not compared each with each; equal ones are found."""
    rows = [({"when": {"log": f"(?i)error {n} in [a-z]+"}, "cause": "c", "steps": ["s"], "team": "lab"}, "") for n in range(10_000)]
    table = of_values([*rows, rows[7]])
    began = time.monotonic()
    found = lint(table, teams=["lab"], dependencies=[], categories=[], owned=True)
    assert [flaw.code for flaw in found] == ["E410"]
    assert time.monotonic() - began < 20
