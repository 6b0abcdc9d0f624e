"""What every store promises, over every line of `STORES`."""

from __future__ import annotations

import importlib

import pytest

from offduty.errors import NotThere, StoreError
from offduty.stores import STORES
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, a_run

END = {"ended_at": "2026-11-23T07:00:00.000Z", "summary": {"what": "lost"}}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """An empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made
    made.close()


def test_what_was_put_comes_back(store):
    """A record comes back field by field as it went in."""
    run = a_run(command=["päth", "a b", "\\xff"], summary={"what": "ValueError: ü", "notes": ["x"], "failure": {"chain": []}})
    assert store.put_run(run) == "added"
    assert store.run(run["id"]) == run
    assert store.runs() == [run]


def test_a_record_put_twice_is_there_once(store):
    """Taking a spool file in again after a crash changes nothing."""
    run = a_run()
    assert [store.put_run(run), store.put_run(run)] == ["added", "same"]
    assert store.runs() == [run]


def test_a_run_starts_and_ends(store):
    """Running to ended is the ordinary way; the end replaces the start."""
    run = a_run(outcome="running")
    ended = a_run(outcome="failed", id=run["id"])
    assert [store.put_run(run), store.put_run(ended), store.put_run(run)] == ["added", "ended", "kept"]
    assert store.runs() == [ended]


def test_a_running_run_may_change(store):
    """While it runs, a newer record of it is the better one."""
    run = a_run(outcome="running")
    assert [store.put_run(run), store.put_run(run | {"attempts": 3})] == ["added", "updated"]
    assert store.run(run["id"])["attempts"] == 3


@pytest.mark.parametrize("first", ["succeeded", "warned", "failed", "timed_out", "terminated", "skipped"])
@pytest.mark.parametrize("then", ["running", "succeeded", "failed", "lost"])
def test_an_end_is_for_ever(store, first, then):
    """INV-4: a terminal outcome is never overwritten, and a store that refuses says so."""
    run = a_run(outcome=first)
    store.put_run(run)
    assert store.put_run(a_run(outcome=then, id=run["id"], exit_code=9)) == "kept"
    assert not store.mark_lost(run["id"], **END)
    assert store.run(run["id"]) == run


@pytest.mark.parametrize("then", ["succeeded", "failed", "terminated"])
def test_a_lost_run_may_turn_up(store, then):
    """INV-4: `lost` gives way to the real end, once, and to nothing else."""
    run = a_run(outcome="lost")
    end = a_run(outcome=then, id=run["id"])
    again = [a_run(outcome="running", id=run["id"]), a_run(outcome="lost", id=run["id"], exit_code=1), end, run]
    assert [store.put_run(run)] + [store.put_run(record) for record in again] == ["added", "kept", "kept", "recovered", "kept"]
    assert store.run(run["id"]) == end


def test_a_running_run_is_marked_lost_by_one(store):
    """F63: `running -> lost` is a claim, which only one can win."""
    run = a_run(outcome="running")
    store.put_run(run)
    assert [store.mark_lost(run["id"], **END), store.mark_lost(run["id"], **END)] == [True, False]
    assert store.run(run["id"]) == run | {"outcome": "lost"} | END
    assert not store.mark_lost(a_run()["id"], **END)


def test_runs_come_newest_first_in_pages(store):
    """A page begins where the one before it ended, also among runs of the same millisecond."""
    runs = [a_run(at=MONDAY + i // 3) for i in range(10)]
    for run in runs:
        store.put_run(run)
    wanted = sorted(runs, key=lambda run: (run["started_at"], run["id"]), reverse=True)
    pages, before = [], None
    while page := store.runs(limit=3, before=before):
        pages += page
        before = (page[-1]["started_at"], page[-1]["id"])
    assert pages == wanted


def test_runs_are_chosen_by_job_outcome_and_time(store):
    """`since` is in, `until` is out, and the conditions add up."""
    runs = [a_run(job, outcome, at=MONDAY + 60 * i) for i, job in enumerate(("a", "b")) for outcome in ("failed", "warned")]
    for run in runs:
        store.put_run(run)
    first, later = runs[0]["started_at"], runs[2]["started_at"]
    assert {run["job"] for run in store.runs("b")} == {"b"}
    assert store.runs("a", outcomes=("failed",)) == [runs[0]]
    assert len(store.runs(since=first)) == 4
    assert {run["job"] for run in store.runs(since=later)} == {"b"}
    assert {run["job"] for run in store.runs(until=later)} == {"a"}
    assert store.runs("c") == store.runs(outcomes=()) == store.runs(limit=0) == []


def test_a_run_is_found_by_its_beginning_or_end(store):
    """People type the last eight digits; any unique part from four digits on does, in either case, with or without dashes."""
    run = a_run(id="01932f6c-0000-7000-8000-00000000abcd")
    store.put_run(a_run(id="11932f6c-0000-7000-8000-000000001234"))
    store.put_run(run)
    for part in ("abcd", "ABCD", "0000abcd", "01932f6c", "0193", run["id"], run["id"].replace("-", ""), f" {run['id']}\n"):
        assert store.run(part) == run


def test_an_ambiguous_part_names_the_candidates(store):
    """E502: with two runs that fit, both are named."""
    runs = [a_run(id=f"0193{n}f6c-0000-7000-8000-00000000abcd") for n in range(2)]
    for run in runs:
        store.put_run(run)
    for part in ("0193", "abcd"):
        with pytest.raises(NotThere) as caught:
            store.run(part)
        assert caught.value.code == "E502"
        assert all(run["id"] in str(caught.value) for run in runs)


@pytest.mark.parametrize(
    "part, code",
    [
        ("beef", "E501"),
        ("f" * 32, "E501"),
        ("abc", "E503"),
        ("", "E503"),
        ("xyzt", "E503"),
        ("%%%%", "E503"),
        ("a'--", "E503"),
        ("----", "E503"),
    ],
)
def test_what_is_no_run_is_said(store, part, code):
    """E501 unknown, E503 not an id at all (T29: nothing of it reaches SQL as SQL)."""
    store.put_run(a_run(id="01932f6c-0000-7000-8000-00000000abcd"))
    with pytest.raises(NotThere) as caught:
        store.run(part)
    assert caught.value.code == code


def test_every_job_has_its_last_run_and_its_counts(store):
    """`status` shows the newest run that was not skipped, the newest good one, and how often each outcome came."""
    runs = [a_run("a", outcome, at=MONDAY + i) for i, outcome in enumerate(("warned", "failed", "failed", "skipped"))]
    skipped = a_run("b", "skipped")
    for run in (*runs, skipped):
        store.put_run(run)
    assert store.jobs() == ["a", "b"]
    assert store.last_runs() == [
        {"job": "a", "last": runs[2], "last_good": runs[0], "counts": {"warned": 1, "failed": 2, "skipped": 1}},
        {"job": "b", "last": skipped, "last_good": None, "counts": {"skipped": 1}},
    ]


def test_running_runs_are_listed_by_host(store):
    """What the watcher asks: who is at work here, longest first."""
    here = [a_run(outcome="running", at=MONDAY + i, host="here") for i in (1, 0)]
    for run in (*here, a_run(outcome="running", host="there"), a_run(host="here")):
        store.put_run(run)
    assert store.running("here") == here[::-1]
    assert len(store.running()) == 3


def test_forgetting_spares_what_runs(store):
    """Retention deletes what has ended, says how many, and never a run that is going on."""
    runs = [a_run() for _ in range(3)]
    going = a_run(outcome="running")
    for run in (*runs, going):
        store.put_run(run)
    assert store.delete_runs([runs[0]["id"], runs[1]["id"], going["id"], a_run()["id"]]) == 2
    assert {run["id"] for run in store.runs()} == {runs[2]["id"], going["id"]}
    assert store.delete_runs([]) == 0


@pytest.mark.parametrize(
    "field, value",
    [
        ("id", "../../etc/passwd"),
        ("job", "a/b"),
        ("job", "x" * 101),
        ("outcome", "fine"),
        ("trigger", None),
        ("attempt", "1"),
        ("attempt", True),
        ("exit_code", 2**63),
        ("started_at", "yesterday"),
        ("started_at", "2026-13-23T06:00:00.000Z"),
        ("started_at", "2026-11-23T06:00:00Z"),
        ("ended_at", None),
        ("duration_s", float("nan")),
        ("duration_s", -1.0),
        ("log", "a\0b"),
        ("command", "python x.py"),
        ("command", [1]),
        ("summary", [1]),
        ("summary", {"x": float("inf")}),
    ],
)
def test_what_is_no_record_is_refused(store, field, value):
    """E611: a store takes records and nothing else, and is as it was."""
    with pytest.raises(StoreError) as caught:
        store.put_run(a_run(**{field: value}))
    assert caught.value.code == "E611"
    assert store.runs() == []


def test_bytes_that_are_no_text_are_kept_readable(store):
    """A path that is no UTF-8 becomes `\\xNN`; a field of a newer offduty is left out."""
    store.put_run(a_run(cwd="/tmp/\udcff", command=["\udcfe", "\ud800"]) | {"mood": "good"})
    run = store.runs()[0]
    assert (run["cwd"], run["command"]) == ("/tmp/\\xff", ["\\xfe", "\\ud800"])
    assert "mood" not in run


def test_a_store_shares_nothing_with_its_callers(store):
    """Changing a record after putting or getting it changes nothing in the store."""
    run = a_run()
    store.put_run(run)
    run["summary"]["notes"].append("later")
    store.runs()[0]["command"].append("later")
    assert store.runs()[0]["summary"]["notes"] == []
    assert "later" not in store.run(run["id"])["command"]


def test_a_closed_store_opens_again(store):
    """`close` lets go of files; it is not the end."""
    store.put_run(a_run())
    store.close()
    store.close()
    assert len(store.runs()) == 1
    assert store.notes() == []


LEDGER = [
    {"number": 1, "op": "file.read", "target": "/feeds/sälés.csv", "ok": True, "rows": 81204, "shape": [["region", "str"]]},
    {
        "number": 2,
        "op": "db.connect",
        "target": "postgresql://dw/sales",
        "ok": False,
        "error": {"type": "OperationalError", "message": "no"},
    },
    {"number": 3, "op": "http.request", "target": "https://api/", "ok": None},
]


def test_the_ledger_comes_back_in_order(store):
    """What a run touched is remembered with its end, and goes when it goes."""
    run = a_run()
    assert store.put_run(run, LEDGER[::-1]) == "added"
    assert store.ledger(run["id"]) == LEDGER
    store.delete_runs([run["id"]])
    assert store.ledger(run["id"]) == []


def test_the_ledger_of_a_refused_record_is_refused(store):
    """INV-4: where the store knows better than a record, it knows better than its ledger."""
    run = a_run(outcome="succeeded")
    store.put_run(run, LEDGER)
    assert store.put_run(run | {"outcome": "failed"}, LEDGER[:1]) == "kept"
    assert store.ledger(run["id"]) == LEDGER


@pytest.mark.parametrize(
    "entry", [None, 7, {}, {"number": 0, "op": "x", "target": "y"}, {"number": 1, "op": 3, "target": "y"}, {"number": True}]
)
def test_what_is_no_transaction_is_left_out(store, entry):
    """B9: a ledger from disk is data; the run itself is kept."""
    run = a_run()
    assert store.put_run(run, [entry, LEDGER[1]]) == "added"
    assert store.ledger(run["id"]) == [LEDGER[1]]


FINGERPRINT = {
    "code": {"commit": "a1b2c3d", "dirty": False, "files": {"forecast.py": "0123456789ab"}},
    "packages": {"numpy": "2.1.0", "pandas": "2.2.3"},
    "python": "3.11.7",
    "host": "etl-3",
    "command": ["python", "forecast.py", "--key", "***"],
    "environment": ["HOME", "PATH"],
}
CHECKS = [
    {"name": "columns of sales-feed", "outcome": "warned", "detail": '"région" is gone', "source": "offduty", "count": 2},
    {"name": "stores_present", "outcome": "passed"},
]
METRICS = [{"name": "mape", "value": 0.081}, {"name": "rows", "value": 3.0, "unit": "rows"}]


def test_what_a_run_was_made_of_comes_back(store):
    """Fingerprint, checks and metrics are remembered with the end of a run; a run without them has none."""
    run, bare = a_run(), a_run()
    assert store.put_run(run, fingerprint=FINGERPRINT, checks=CHECKS, metrics=METRICS) == "added"
    store.put_run(bare)
    assert (store.fingerprint(run["id"]), store.checks(run["id"]), store.metrics(run["id"])) == (FINGERPRINT, CHECKS, METRICS)
    assert (store.fingerprint(bare["id"]), store.checks(bare["id"]), store.metrics(bare["id"])) == (None, [], [])


def test_what_a_run_was_made_of_goes_with_it(store):
    """What two runs share outlives the first of them, and no more than that."""
    first, second = a_run(), a_run()
    for run in (first, second):
        store.put_run(run, fingerprint=FINGERPRINT | {"host": run["id"]}, checks=CHECKS, metrics=METRICS)
    store.delete_runs([first["id"]])
    assert (store.fingerprint(first["id"]), store.checks(first["id"]), store.metrics(first["id"])) == (None, [], [])
    assert store.fingerprint(second["id"]) == FINGERPRINT | {"host": second["id"]}


def test_what_many_runs_share_is_kept_once(tmp_path):
    """INV-11: the packages of a thousand runs are one row, and none when the runs are gone."""
    store = open_store(str(tmp_path / "offduty.sqlite3"))
    runs = [a_run() for _ in range(3)]
    for run in runs:
        store.put_run(run, fingerprint=FINGERPRINT | {"host": run["id"]})
    assert store.open().execute("SELECT count(*) FROM content").fetchone() == (1,)
    store.delete_runs(run["id"] for run in runs)
    assert store.open().execute("SELECT count(*) FROM content").fetchone() == (0,)


@pytest.mark.parametrize(
    "parts, kept",
    [
        ({"fingerprint": {"python": 3, "packages": {"a": 1, "b": "2"}, "code": "x", "mood": "good"}}, {"packages": {"b": "2"}}),
        (
            {"fingerprint": {"code": {"commit": "a\0", "dirty": 1, "files": []}, "environment": ["HOME", 7, "\ud800"]}},
            {"environment": ["HOME"]},
        ),
        ({"fingerprint": {"packages": {f"p{n:05}": "1" for n in range(9000)}}}, {"packages": {f"p{n:05}": "1" for n in range(5000)}}),
        ({"fingerprint": {"python": "x" * 501}}, None),
    ],
)
def test_of_a_fingerprint_only_what_is_right_is_kept(store, parts, kept):
    """B9, INV-11: from disk or from another offduty, a fingerprint is data, and bounded."""
    run = a_run()
    store.put_run(run, **parts)
    assert store.fingerprint(run["id"]) == kept


def test_of_checks_and_metrics_only_what_is_right_is_kept(store):
    """B9, INV-11: what is no check or no metric is left out, and there is a limit to both."""
    run = a_run()
    checks = [None, {"name": "x"}, {"name": "", "outcome": "passed"}, {"name": "x", "outcome": "fine"}, *CHECKS]
    metrics = [7, {"name": "x", "value": float("nan")}, {"name": "x", "value": True}, *METRICS * 1000]
    store.put_run(run, checks=checks, metrics=metrics)
    assert store.checks(run["id"]) == CHECKS
    assert 900 < len(store.metrics(run["id"])) <= 1000


def test_good_runs_are_the_newest_that_ended_well(store):
    """What a run is compared with: drills, failures and runs after it are no example."""
    runs = [a_run("a", outcome, at=MONDAY + i) for i, outcome in enumerate(("succeeded", "failed", "warned", "succeeded", "running"))]
    drill = a_run("a", trigger="drill", at=MONDAY + 9)
    for run in (*runs, drill, a_run("b")):
        store.put_run(run)
    assert store.good_runs("a", 9) == [runs[3], runs[2], runs[0]]
    assert store.good_runs("a", 1, before=(runs[3]["started_at"], runs[3]["id"])) == [runs[2]]
    assert store.good_runs("c", 9) == []
