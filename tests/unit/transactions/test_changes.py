"""What is told as a change, how, and what is not one."""

from __future__ import annotations

import pytest

from offduty.transactions.baseline import Gathering
from offduty.transactions.changes import changes, is_named, ranked
from offduty.transactions.transaction import Transaction, from_json
from offduty.transactions.wording import day, in_words, name_of

SHAPE = [["date", "str"], ["region", "str"], ["units", "int64"]]
SALES = {"op": "file.read", "target": "/srv/sales.csv", "rows": 1000, "columns": 3, "shape": SHAPE}
REPORT = {"op": "file.write", "target": "/srv/report.csv", "rows": 14, "columns": 2}
MADE_OF = {
    "code": {"commit": "a" * 40, "dirty": False, "files": {"forecast.py": "1", "model.py": "2"}},
    "packages": {"numpy": "2.1.0", "pandas": "2.2.3"}, "python": "3.11.7", "host": "etl-3",
    "command": ["python", "forecast.py", "--date", "2026-11-21"], "environment": ["API_KEY", "HOME", "TERM"],
}  # fmt: skip


def usual(*entries, runs=3, made_of=MADE_OF):
    """The baseline of as many alike runs."""
    gathering = Gathering()
    for number in range(runs):
        gathering.add({"id": "x", "started_at": f"2026-11-{21 - number}T06:02:00.000Z", "duration_s": 9.0}, ledger(*entries), made_of)
    return gathering.baseline()


def ledger(*entries):
    """A ledger as a store gives it."""
    return [{"number": number, "ok": True, **entry} for number, entry in enumerate(entries, 1)]


def found(*entries, made_of=MADE_OF, known=None, came_to_end=True):
    """The changes of a run with these entries, as (kind, text, unusual)."""
    now = [from_json(entry) for entry in ledger(*entries)]
    known = usual(SALES, REPORT) if known is None else known
    return [(one.kind, one.text, one.unusual) for one in changes(known, now, made_of, came_to_end=came_to_end)]


def test_a_run_like_the_others_has_no_changes():
    """A little more or less within the range is none either."""
    assert found(SALES, REPORT) == []


def test_without_a_good_run_nothing_has_changed():
    """There is nothing to compare with, and nothing is said."""
    assert found(SALES, known=Gathering().baseline()) == []
    assert in_words([], Gathering().baseline(), [], MADE_OF) is None


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"shape": [SHAPE[0], SHAPE[2]], "columns": 2}, ("input.columns", "-region", True)),
        ({"shape": [*SHAPE, ["mood", "str"]], "columns": 4}, ("input.columns", "+mood", False)),
        ({"shape": [*SHAPE[:2], ["units", "str"]]}, ("input.types", "units int64 -> str", True)),
        ({"rows": 980}, ("input.rows", "980 rows (1 000 on 3 good runs)", False)),
        ({"rows": 0}, ("input.rows", "0 rows (1 000 on 3 good runs)", True)),
        ({"rows": 81204}, ("input.rows", "81 204 rows (1 000 on 3 good runs)", True)),
    ],
)
def test_what_is_told_of_an_input(changed, expected):
    """Columns, types, rows; whether it may well be the reason is told apart."""
    assert found({**SALES, **changed}, REPORT) == [expected]


def test_an_output_that_is_empty_or_was_not_written():
    """Missing is only what a run that came to its end did not write."""
    assert found(SALES, {**REPORT, "rows": 0}) == [("output.rows", "0 rows (14 on 3 good runs)", True)]
    assert found(SALES) == [("output.missing", "not written (it was on all 3 good runs)", True)]
    assert found(SALES, came_to_end=False) == []


def test_an_input_that_is_not_there():
    """The transaction failed because its target does not exist."""
    gone = {**SALES, "ok": False, "rows": None, "shape": [], "error": {"type": "FileNotFoundError", "message": "***"}}
    assert found(gone, came_to_end=False) == [("input.missing", "not there (it was on 3 good runs)", True)]


def test_of_a_wide_table_only_what_is_sure_is_told():
    """Of 10 000 columns the names of 1 000 are kept: a column that moved out of them is not gone."""
    wide = {**SALES, "columns": 10_000, "shape": [[f"c{n}", "f"] for n in range(1000)]}
    moved = {**wide, "shape": [["new", "f"], *wide["shape"][:-1]], "columns": 10_001}
    lost = {**wide, "shape": [*wide["shape"][1:], ["c1000", "f"]], "columns": 9_999}
    known = usual(wide, REPORT)
    assert found(moved, REPORT, known=known) == []
    assert found(lost, REPORT, known=known) == [("input.columns", "-c0", True)]


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"code": {**MADE_OF["code"], "files": {"forecast.py": "1", "model.py": "9"}}}, ("code", "changed: model.py", True)),
        ({"code": {**MADE_OF["code"], "commit": "b" * 40}}, ("code", "aaaaaaa (clean) -> bbbbbbb (clean), in no file that ran", False)),
        ({"code": {"commit": "b" * 40}}, ("code", "aaaaaaa (clean) -> bbbbbbb", True)),
        ({"code": {"commit": "a" * 40, "dirty": True}}, ("code", "changed since its commit", True)),
        ({"packages": {"numpy": "2.1.0", "pandas": "3.0.0", "six": "1"}}, ("packages", "pandas 2.2.3 -> 3.0.0, +six", True)),
        ({"packages": {"pandas": "2.2.3"}}, ("packages", "-numpy", True)),
        ({"python": "3.12.1"}, ("python", "3.11.7 -> 3.12.1", True)),
        ({"host": "etl-4"}, ("host", "etl-3 -> etl-4", True)),
        ({"command": ["python", "forecast.py", "--fast"]}, ("command", "+--fast, ---date, -#-#-#", True)),
        ({"environment": ["HOME", "NEW", "TERM"]}, ("environment", "-API_KEY, +NEW", True)),
    ],
)
def test_what_is_told_of_a_fingerprint(changed, expected):
    """Code by the files that ran, else by the commit; packages, Python, host, command, names of variables."""
    texts = found(SALES, REPORT, made_of={**MADE_OF, **changed})
    kind, text, unusual = texts[0]
    assert (kind, text, unusual) == expected
    assert len(texts) == 1


@pytest.mark.parametrize("changed", [{"command": ["python", "forecast.py", "--date", "2026-11-23"]}, {"environment": ["API_KEY", "HOME"]}])
def test_what_is_another_every_day_is_no_change(changed):
    """A date in the command; the variables of a terminal."""
    assert found(SALES, REPORT, made_of={**MADE_OF, **changed}) == []


@pytest.mark.parametrize("made_of", [None, {}, {"python": "3.11.7"}, {"code": {}}, {"packages": {}}, {"environment": ["API_KEY", "HOME"]}])
def test_what_is_not_known_is_not_compared(made_of):
    """Runs of another offduty, or without Python, have a part of a fingerprint or none."""
    assert found(SALES, REPORT, made_of=made_of) == []
    assert found(SALES, REPORT, known=usual(SALES, REPORT, made_of=made_of)) == []


def test_fifty_changes_are_enough():
    """INV-11: a run in which everything is another is told in bounds, the unusual first."""
    tables = [{**SALES, "target": f"/srv/{chr(97 + n % 26)}{chr(97 + n // 26)}.csv"} for n in range(200)]
    texts = found(*[{**table, "rows": 0 if n == 199 else 990} for n, table in enumerate(tables)], known=usual(*tables))
    assert len(texts) == 50
    assert texts[0][2]


def test_the_line_for_people():
    """Inputs first, then code and packages, also where they are the same."""
    known = usual(SALES, REPORT)
    now = [from_json(entry) for entry in ledger({**SALES, "shape": [SHAPE[0], SHAPE[2]], "columns": 2})]
    changed = changes(known, now, MADE_OF, came_to_end=False)
    said = "since the last good run (21 Nov 06:02): input sales.csv -region · code same · packages same"
    assert in_words(changed, known, now, MADE_OF) == said
    assert in_words([], known, [Transaction(1, **SALES, ok=True)], None) == "since the last good run (21 Nov 06:02): inputs as ever"


def test_what_the_failure_names_comes_first():
    """Of all that changed, the column that the exception speaks of."""
    known = usual(SALES, {**SALES, "target": "/srv/stores.csv", "columns": 2, "shape": [["store", "str"], ["x", "str"]]})
    now = [{**SALES, "columns": 1, "shape": SHAPE[:1]}, {**SALES, "target": "/srv/stores.csv", "columns": 1, "shape": [["x", "str"]]}]
    changed = changes(known, [from_json(entry) for entry in ledger(*now)], MADE_OF, came_to_end=False)
    assert ranked(changed, "KeyError: 'store'")[0].subject == "/srv/stores.csv"


@pytest.mark.parametrize(
    "name, text, named",
    [
        ("region", "KeyError: 'region'", True),
        ("region", "no regional data", False),
        ("a", "a", True),
        ("", "x", False),
        ("x.y", "'x.y'", True),
    ],
)
def test_a_name_is_a_word_of_its_own(name, text, named):
    """A part of another word is not the name."""
    assert is_named(name, text) == named


@pytest.mark.parametrize(
    "target, name",
    [
        ("/srv/feeds/sales.csv", "sales.csv"),
        ("s3://feeds/sales/2026-11-23.csv", "sales/2026-11-23.csv"),
        ("postgresql://dw/sales SELECT stores", "SELECT stores"),
        ("sqlite3 SELECT patients", "SELECT patients"),
        ("https://api.example/v1/calls?day=***", "api.example/v1/calls"),
        ("rclone", "rclone"),
        ("/", "/"),
    ],
)
def test_a_target_is_called_as_people_call_it(target, name):
    """Short, and still telling."""
    assert name_of(target) == name


def test_the_year_is_told_where_it_is_another():
    """21 Nov of this year needs no year."""
    assert (day("2026-11-21T06:02:00.000Z", "2026"), day("2025-12-31T06:02:00.000Z", "2026")) == ("21 Nov 06:02", "31 Dec 2025 06:02")
