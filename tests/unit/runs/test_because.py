"""Why a run failed: what each kind of evidence comes to, and that without evidence nothing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.runs.because import because
from offduty.runs.failure import Cause, Failure, Frame
from offduty.transactions.baseline import Gathering
from offduty.transactions.change import KINDS, Change
from offduty.transactions.changes import changes
from offduty.transactions.transaction import from_json

SHAPE = [["date", "str"], ["region", "str"], ["units", "int64"]]
SALES = {"op": "file.read", "target": "/srv/sales.csv", "rows": 1000, "columns": 3, "bytes": 9000, "shape": SHAPE, "took_s": 0.5}
DW = {"op": "db.connect", "target": "postgresql://dw/sales", "took_s": 0.2}
CALLS = {"op": "http.request", "target": "https://api.example/v1/calls", "took_s": 0.1, "status": 200}
MADE_OF = {"packages": {"pandas": "2.2.3", "pyyaml": "6"}, "environment": ["API_KEY"], "code": {"files": {"model.py": "1"}}}


def raised(kind, message, *frames):
    """A failure with one exception, and its frames as (file, own)."""
    chain = (Cause(kind, message, frames=tuple(Frame(file, 7, "f", own) for file, own in frames)),)
    return Failure("exception", "python", kind, message, chain=chain)


def ledger(*entries):
    """A ledger as a store gives it."""
    return [{"number": number, "ok": True, **entry} for number, entry in enumerate(entries, 1)]


def why(failure, *entries, good=(SALES, DW, CALLS), runs=12, made_of=MADE_OF, died=False):
    """The sentence for a run with these entries, after good runs with `good`."""
    gathering = Gathering()
    for number in range(runs):
        gathering.add({"started_at": f"2026-11-{21 - number}T06:02:00.000Z", "duration_s": 9.0}, ledger(*good), MADE_OF)
    now = [from_json(entry) for entry in ledger(*entries)]
    usual = gathering.baseline()
    found = changes(usual, now, made_of, came_to_end=False)
    return because(failure, found, now, usual, died=died, at="2026-11-23T06:00:00.000Z")


def failed(entry, kind, message, **known):
    """`entry` as it fails."""
    kept = {key: value for key, value in entry.items() if key in ("op", "target", "took_s")}
    return {**kept, "ok": False, "failed": 1, "error": {"type": kind, "message": message}, **known}


LOST = {**SALES, "shape": [SHAPE[0], SHAPE[2]], "columns": 2}


def test_the_lost_column_that_the_exception_names():
    """The product's own example."""
    said = why(raised("KeyError", "'region'"), LOST)
    assert said == 'sales.csv lost the column "region": it had 3 columns on every good run until 21 Nov, today 2'


def test_a_renamed_column_is_shown_with_its_new_name():
    """One went and one came: both are told."""
    renamed = {**SALES, "shape": [SHAPE[0], ["Region", "str"], SHAPE[2]]}
    assert why(raised("KeyError", "'region'"), renamed).endswith('today 3; it has a new one, "Region"')


def test_after_one_good_run_no_more_is_claimed_than_that():
    """One run is not every run."""
    assert "on the last good run, until 21 Nov" in why(raised("KeyError", "'region'"), LOST, runs=1)


@pytest.mark.parametrize("message", ["'units'", "'something else'"])
def test_a_lost_column_that_is_not_named_explains_no_key_error(message):
    """It is told as changed; whether it is the reason is not known."""
    assert why(raised("KeyError", message), LOST) is None


def test_a_model_that_misses_a_feature_names_no_column():
    """The number of features is about columns."""
    said = why(raised("ValueError", "X has 9 features, but StandardScaler is expecting 10 features as input."), LOST)
    assert said.startswith('sales.csv lost the column "region"')


@pytest.mark.parametrize(
    "failure, made_of, said",
    [
        (
            raised("KeyError", "'API_KEY'"),
            {"environment": []},
            "the environment variable API_KEY is not set; it was on 12 good runs until 21 Nov",
        ),
        (
            raised("ModuleNotFoundError", "No module named 'yaml'"),
            {"packages": {"pandas": "2.2.3"}},
            "the package pyyaml is not installed any more; it was on the last good run (21 Nov)",
        ),
        (
            raised("AttributeError", "no append", ("/x/site-packages/pandas/frame.py", False)),
            {"packages": {"pandas": "3.0.0", "pyyaml": "6"}},
            "the failure came up inside of the package pandas, which is of another version since 21 Nov (pandas 2.2.3 -> 3.0.0)",
        ),
        (
            raised("ValueError", "x", ("/srv/model.py", True)),
            {"code": {"files": {"model.py": "2"}}},
            "the failure came up in model.py, which has changed since the last good run (21 Nov)",
        ),
        (raised("ValueError", "x", ("/srv/other.py", True)), {"code": {"files": {"model.py": "2"}}}, None),
        (raised("ValueError", "x"), {"environment": [], "packages": {"pyyaml": "6"}}, None),
    ],
)
def test_what_it_is_made_of(failure, made_of, said):
    """A variable, a package, a file: only where the failure speaks of it, or came up in it."""
    assert why(failure, SALES, made_of={**MADE_OF, **made_of}) == said


@pytest.mark.parametrize(
    "entry, kind, message, known, said",
    [
        (
            DW,
            "OperationalError",
            "connection refused",
            {},
            "postgresql://dw/sales refused the connection; it took 0.2 s on the last 12 good runs",
        ),
        (CALLS, "HTTPError", "HTTP Error 503", {"status": 503}, "api.example/v1/calls answered 503; it did not on the last 12 good runs"),
        (
            CALLS,
            "ReadTimeout",
            "timed out",
            {"took_s": 10.0},
            "api.example/v1/calls did not answer within 10 s; it took 0.1 s on the last 12 good runs",
        ),
        (SALES, "FileNotFoundError", "***", {}, "sales.csv is not there; it was there on the last 12 good runs"),
        (
            SALES,
            "pandas.errors.EmptyDataError",
            "No columns to parse from file",
            {},
            "sales.csv is empty; it took 0.5 s on the last 12 good runs",
        ),
        (SALES, "ValueError", "strange", {}, "sales.csv failed; it took 0.5 s on the last 12 good runs"),
        ({**DW, "target": "postgresql://new/x"}, "OperationalError", "connection refused", {}, "postgresql://new/x refused the connection"),
        ({**DW, "target": "postgresql://new/x"}, "OperationalError", "strange", {}, None),
    ],
)
def test_the_transaction_that_is_the_failure(entry, kind, message, known, said):
    """What became of it in words, and how it was on good runs; nothing where the failure's own message says it all."""
    assert why(raised(kind, message), failed(entry, kind, message, **known)) == said


def test_it_failed_the_time_before_too():
    """A run may be good although this failed; then it is no news, and that is said."""
    broken = failed(CALLS, "HTTPError", "HTTP Error 503", status=503)
    said = why(raised("HTTPError", "HTTP Error 503"), broken, good=(SALES, broken))
    assert said == "api.example/v1/calls answered 503; it failed on the last good run, too"


def test_an_error_that_was_swallowed_before():
    """A 503 that was caught is the reason for the None later; on runs that always catch one it is not."""
    broken = failed(CALLS, "HTTPError", "HTTP Error 503", status=503)
    failure = raised("TypeError", "'NoneType' object is not subscriptable")
    said = "api.example/v1/calls answered 503; it did not on the last 12 good runs (transaction 2, after which the job went on)"
    assert why(failure, SALES, broken) == said
    assert why(failure, SALES, broken, good=(SALES, broken)) is None


@pytest.mark.parametrize(
    "failure, changed, said",
    [
        (
            raised("ValueError", "could not convert string to float: 'x'"), {"shape": [*SHAPE[:2], ["units", "str"]]},
            "sales.csv has other types than on 12 good runs: units int64 -> str",
        ),
        (raised("ValueError", "zero-size array to reduction operation"), {"rows": 0}, "sales.csv is empty: 0 rows (1 000 on 12 good runs)"),
        (raised("ValueError", "Input X contains NaN."), {"rows": 480}, "sales.csv had 480 rows (1 000 on 12 good runs)"),
        (raised("MemoryError", ""), {"rows": 9_000_000}, "sales.csv had 9 000 000 rows (1 000 on 12 good runs)"),
        (raised("ValueError", "x"), {"rows": 990}, None),
    ],
)  # fmt: skip
def test_an_input_that_is_another(failure, changed, said):
    """Types beside conversions, nothing beside what nothing causes, and rows far outside."""
    assert why(failure, {**SALES, **changed}) == said


def test_what_never_ended_when_the_job_was_killed():
    """The transaction that was going on is the likely culprit."""
    failure = Failure("timeout", message="ran longer than its limit")
    said = why(failure, {**DW, "ok": None, "took_s": None}, died=True)
    assert said == "postgresql://dw/sales was never answered; it took 0.2 s on the last 12 good runs"


def test_without_history_or_evidence_nothing_is_said():
    """Silence is better than a guess."""
    assert why(raised("KeyError", "'region'"), SALES, runs=0) is None
    assert why(raised("KeyError", "'region'"), SALES) is None
    assert why(Failure("exit"), SALES) is None


texts = st.text(max_size=20) | st.sampled_from(["region", "'region'", "timed out", "memory", "-", "+", "~"])
some = st.builds(Change, st.sampled_from(KINDS), texts, texts, st.lists(texts.filter(bool), max_size=3).map(tuple), st.booleans())


@given(st.builds(Failure, st.just("exception"), type=texts, message=st.none() | texts), st.lists(some, max_size=5), st.booleans())
def test_whatever_comes_it_answers(failure, found, died):
    """Total: changes of a newer offduty, an empty baseline, odd names; never an exception."""
    now = [from_json(entry) for entry in ledger(SALES, failed(CALLS, "x", "y"))]
    said = because(failure, found, now, Gathering().baseline(), died=died)
    assert said is None or isinstance(said, str)
