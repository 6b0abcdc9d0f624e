"""Which row explains a case, whose it then is, and why the others do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.runs.failure import Failure
from offduty.runs.tails.finding import Cause
from offduty.transactions.change import Change
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.diagnose import diagnose, why
from offduty.triage.propose import row_for
from offduty.triage.seen import Seen
from offduty.triage.table import LARGE, Table, of_values
from offduty.triage.verdict import Verdict

CATALOGUE = Verdict("input_missing", "data_provider", "file.missing", "catalogue", "t", "c", ("s",), evidence=("line 3",))
TEAMS = {"lab": "ext. 220", "it": "#it", "ds": "#ds"}


def table(*rows) -> Table:
    """Rows by their `when`, and what else they say."""
    made = of_values([({"id": f"R{number}", "cause": "c", **row}, "") for number, row in enumerate(rows, 1)])
    assert made.flaws == ()
    return made


def when(**conditions):
    """A row of nothing but conditions."""
    return {"when": conditions}


def raised(*types, message="boom", bases=()):
    """The failure of an exception with its causes."""
    chain = tuple(Cause(name, message, "cause" if number else None, bases=bases) for number, name in enumerate(types))
    return Failure("exception", "python", types[-1], message, chain=chain)


def failed(number=1, op="file.read", target="/data/lab.csv", **more):
    """A transaction that failed."""
    return Transaction(number, op, target, ok=False, **more)


def row_of(case, *rows):
    """The id of the row that explains the case."""
    return diagnose(case, table(*rows), TEAMS, {}, {}, decided=CATALOGUE).row


MATCHING = [
    (Case(failure=raised("KeyError")), when(exception="KeyError")),
    (Case(failure=raised("KeyError")), when(exception="LookupError")),
    (Case(failure=raised("KeyError")), when(exception="builtins.KeyError")),
    (Case(failure=raised("pandas.errors.ParserError", bases=("ValueError", "Exception"))), when(exception="ValueError")),
    (Case(failure=raised("pandas.errors.ParserError")), when(exception="ParserError")),
    (Case(failure=raised("json.decoder.JSONDecodeError")), when(exception="json.JSONDecodeError")),
    (Case(failure=raised("RuntimeError", "psycopg.OperationalError")), when(exception="psycopg.*")),
    (Case(failure=raised("java.sql.SQLException")), when(exception="SQLException")),
    (Case(failure=raised("E", message="ORA-00942: table")), when(message=r"ORA-\d+")),
    (Case(lines=("ok", "  disk quota exceeded  ")), when(log="^  disk .*  $")),
    (Case(lines=("a.b",)), when(log="a.b")),
    (Case(transactions=(failed(),)), when(transaction="file.*")),
    (Case(transactions=(failed(),)), when(target="*/lab.csv")),
    (Case(transactions=(failed(),)), when(target="re:lab\\.(csv|parquet)$")),
    (Case(transactions=(failed(),), dependencies={1: "lab-feed"}), when(dependency="lab-feed")),
    (Case(transactions=(failed(status=2),)), when(status="ENOENT")),
    (Case(transactions=(failed(op="http.request", status=503),)), when(status=["4??", "5??"])),
    (Case(transactions=(failed(op="db.query", status="42P01"),)), when(status="42P01")),
    (Case(failure=raised("E", message="HTTP Error 503: Service Unavailable")), when(status=503)),
    (Case(failure=raised("E", message="[Errno 2] No such file or directory: '/data/lab.csv'")), when(target="/data/*", status="ENOENT")),
    (Case(exit_code=137), when(exit_code=[1, 137])),
    (Case(exit_code=137), when(signal="KILL")),
    (Case(signal=15), when(signal=["SIGTERM", 9])),
    (Case(checks=({"name": "stores_present", "outcome": "warned"},)), when(check="stores_*")),
    (Case(outcome="missed"), when(outcome=["missed", "overdue"])),
    (Case(changes=(Change("input.columns", "/d", "lost x"),)), when(changed="input.*")),
    (Case(changes=(Change("input.rows", "/d", "222", unusual=True),)), when(changed="input.rows")),
    (Case(), when(category="input_*")),
    (
        Case(
            transactions=(Transaction(1, "file.read", "/d", ok=True),), dependencies={1: "f"}, changes=(Change("input.columns", "/d", "x"),)
        ),
        when(changed="input.columns", dependency="f"),
    ),
]


@pytest.mark.parametrize("case, row", MATCHING)
def test_a_condition_that_holds(case, row):
    """One case for each thing a condition can see."""
    assert row_of(case, row) == "R1"


MISSING = [
    (Case(failure=raised("MyKeyError")), when(exception="KeyError")),
    (Case(failure=raised("other.json.Thing")), when(exception="json.JSONDecodeError")),
    (Case(lines=("one", "two")), when(log="one.*two")),
    (Case(lines=("axb",)), when(log="a\\.b")),
    (Case(transactions=(Transaction(1, "file.read", "/d", ok=True),)), when(transaction="file.read")),
    (Case(transactions=(failed(), Transaction(2, "file.read", "/data/lab.csv", ok=True))), when(transaction="file.read")),
    (Case(transactions=(failed(), failed(2, "http.request", "http://x", status=503))), when(target="/data/*", status=503)),
    (Case(transactions=(Transaction(1, "db.query", "pg", ok=None), failed(2))), when(transaction="db.query")),
    (Case(changes=(Change("input.rows", "/d", "3 more"),)), when(changed="input.rows")),
    (Case(checks=({"name": "a", "outcome": "passed"},)), when(check="a")),
    (Case(exit_code=1), when(exit_code=1, outcome="timed_out")),
]


@pytest.mark.parametrize("case, row", MISSING)
def test_a_condition_that_does_not_hold(case, row):
    """Near misses: another class of that name, a failure that was made good, conditions that hold of different things."""
    assert row_of(case, row) == "file.missing"
    [judged] = why(case, table(row), decided=CATALOGUE)
    assert not judged.matches
    assert any(not reason.holds and reason.why for reason in judged.reasons)


def test_the_first_row_that_matches_wins_as_written():
    """B5: two rows match, order swapped, none match."""
    case = Case(exit_code=3)
    assert row_of(case, when(exit_code=1), when(exit_code=3), when(outcome="failed")) == "R2"
    assert row_of(case, when(outcome="failed"), when(exit_code=3)) == "R1"
    judged = why(case, table(when(outcome="failed"), when(exit_code=3)), decided=CATALOGUE)
    assert [(one.matches, one.wins) for one in judged] == [(True, True), (True, False)]


def test_own_rows_keep_what_the_catalogue_says():
    """Category, kind of owner and evidence are still there, behind the reasons of the row."""
    verdict = diagnose(Case(exit_code=3), table(when(exit_code=3)), TEAMS, {}, {}, decided=CATALOGUE)
    assert (verdict.category, verdict.owner_kind, verdict.source) == ("input_missing", "data_provider", "table")
    assert verdict.evidence == ("the exit code is 3", "line 3")


OWNERS = {"data_provider": "it"}
DEPENDENCIES = {"lab-feed": "lab"}
STRUCK = Case(transactions=(failed(),), dependencies={1: "lab-feed"})


@pytest.mark.parametrize(
    "case, row, owners, expected",
    [
        (STRUCK, {**when(outcome="failed"), "team": "ds"}, OWNERS, "ds"),
        (STRUCK, when(outcome="failed"), OWNERS, "lab"),
        (STRUCK, when(exit_code=9), OWNERS, "lab"),
        (Case(), when(outcome="failed"), OWNERS, "it"),
        (Case(), when(outcome="failed"), {"data_*": "it"}, "it"),
        (Case(), when(outcome="failed"), {}, "ds"),
    ],
)
def test_whose_it_is(case, row, owners, expected):
    """The row's team, else the failed dependency's, else the owner kind's, else the job's owner."""
    verdict = diagnose(case, table(row), TEAMS, owners, DEPENDENCIES, job_owner="ds", decided=CATALOGUE)
    assert (verdict.team, verdict.contact) == (expected, TEAMS[expected])


def test_long_texts_are_cut():
    """B5: a cause of 1 MB is cut at 4 kB, and how much is said."""
    verdict = diagnose(Case(), table({**when(outcome="failed"), "cause": "x" * 1_000_000}), {}, {}, {}, decided=CATALOGUE)
    assert len(verdict.cause) < 4200
    assert verdict.cause.endswith("[995904 more characters]")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*a){25}", "(a|a)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_patterns_take_linear_time(pattern):
    """T26: what takes other engines years is over at once; pytest's own limit would tell."""
    case = Case(lines=("a" * 200_000 + "!",), failure=raised("E", message="a" * 4000 + "!"))
    row_of(case, when(log=pattern), when(message=pattern))


@pytest.mark.parametrize("case", [case for case, _ in MATCHING])
def test_the_proposed_row_explains_the_case(case):
    """Whatever nothing explains, the row to add does."""
    proposed = row_for(case, Verdict())
    assert diagnose(case, of_values([(proposed, "")]), {}, {}, {}, decided=Verdict()).source == "table"


def test_ten_thousand_rows_are_held_against_a_log():
    """B5: 10 000 rows with patterns over a log of 256 KiB; the last one matches."""
    rows = [when(log=f"error {number} in \\w+ of table_{number}") for number in range(10_000)]
    lines = tuple(f"2026-11-23 06:00:00 INFO batch {number} of 4000 done in 0.3 s, nothing odd" for number in range(3_600))
    assert row_of(Case(lines=(*lines, "error 9999 in load of table_9999")), *rows) == "R10000"


def test_seen_without_a_failure_is_empty():
    """A case of nothing but an outcome has nothing to look at."""
    seen = Seen(Case(outcome="missed"))
    assert (seen.touches, seen.exceptions, seen.messages, seen.text) == ((), (), (), "")


WORDS = st.sampled_from(
    ["error 7", "err(or|atum) 7", "(?i)ERROR", "e.ror", "x?yz", "[[:alpha:]]rr", "\\x65rror", "(?:abc)+", "a{0,2}bcd", "ab|error"]
)
LINES = st.sampled_from(["Error 7", "error 7", "erratum 7", "yz", "bcd", "abcabc", "ab", "nothing"])


@given(patterns=st.lists(WORDS, min_size=1, max_size=6), lines=st.lists(LINES, max_size=4))
def test_a_large_table_finds_the_same_row(patterns, lines):
    """Looking for literals first saves time and changes nothing."""
    rows = [when(log=pattern) for pattern in patterns]
    filler = [when(log=f"never-there-{number}") for number in range(LARGE)]
    case = Case(lines=tuple(lines))
    assert row_of(case, *rows, *filler) == row_of(case, *rows)
