"""The closing block of a run: what stands in it, what is left out, and that nothing the job says can forge a line of it."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.runs import closing
from offduty.runs.failure import Cause, Failure, find_failure
from offduty.runs.summary import Summary, Warnings, fold, render

LOG = "/var/lib/offduty/logs/forecast/2026-11-23T06-00-00Z-7f3a91c2.log"
RUN = {
    "id": "01932f6c-0000-7000-8000-00007f3a91c2", "trigger": "scheduled", "attempt": 3, "attempts": 3, "outcome": "failed", "exit_code": 1,
    "signal": None, "started_at": "2026-11-23T06:00:00.412Z", "duration_s": 134.2, "log": LOG,
}  # fmt: skip
FAILURE = Failure("exception", "python", "KeyError", "'region'", "forecast.py:88 in features", source="probe")


def run(**more):
    """A record of a run."""
    return {**RUN, "attempt": 1, "attempts": 1, **more}


def test_the_block_is_the_one_the_product_promises():
    """docs: outcome, what, because, triage, do, where, changed, checks, told, log; in that order, in these columns."""
    summary = fold(
        FAILURE,
        because='sales.csv lost the column "region": it had 14 columns on every good run until 21 Nov, today 13',
        triage='FEED-02 "The sales feed changed shape"     team Data Platform',
        do=["Ask Data Platform to restore the column.", "Then run: offduty run forecast"],
        where="after transaction 3 of 9: read s3://feeds/sales/2026-11-23.csv  (ok, 81 204 rows x 13)",
        changed="since the last good run: input sales.csv -region",
        checks="11 passed, 1 warned",
        told="Data Platform by Slack 06:02:31 (delivered)",
    )
    assert render(summary, RUN) == [
        "== summary ==========================================================================",
        "outcome     FAILED after 2 min 14 s (exit 1), attempt 3 of 3           run 7f3a91c2  scheduled 06:00",
        "what        KeyError: 'region'  (forecast.py:88 in features)",
        'because     sales.csv lost the column "region": it had 14 columns on every good run until 21 Nov, today 13',
        'triage      FEED-02 "The sales feed changed shape"     team Data Platform',
        "do          1. Ask Data Platform to restore the column.",
        "            2. Then run: offduty run forecast",
        "where       after transaction 3 of 9: read s3://feeds/sales/2026-11-23.csv  (ok, 81 204 rows x 13)",
        "changed     since the last good run: input sales.csv -region",
        "checks      11 passed, 1 warned",
        "told        Data Platform by Slack 06:02:31 (delivered)",
        f"log         {LOG}",
    ]


def test_a_success_with_nothing_to_tell_has_three_lines():
    """What has nothing to say is left out; outcome and log never are. The cheap path says the same as the whole one."""
    record = run(outcome="succeeded", exit_code=0, duration_s=0.61, trigger="manual")
    block = closing.success(record)
    assert block == render(Summary(), record)
    assert block[1:] == [
        "outcome     SUCCEEDED after 0.61 s                                     run 7f3a91c2  manual 06:00",
        f"log         {LOG}",
    ]


TIMEOUT = find_failure(outcome="timed_out", exit_code=124, timed_out_after=2700)
REFUSED = find_failure(outcome="failed", exit_code=127, not_started="no such program: forcast")
OUTCOMES = {
    "succeeded": (Summary(), {"outcome": "succeeded"}, "SUCCEEDED after 2 min 14 s"),
    "warned": (Summary(), {"outcome": "warned"}, "WARNED after 2 min 14 s"),
    "failed": (fold(FAILURE), {}, "FAILED after 2 min 14 s (exit 1)"),
    "by a signal": (Summary(), {"exit_code": 139, "signal": 11}, "FAILED after 2 min 14 s (SIGSEGV, exit 139)"),
    "timed out": (fold(TIMEOUT), {"outcome": "timed_out", "duration_s": 2701}, "TIMED OUT after 45 min 1 s (limit 45 min)"),
    "terminated": (Summary(), {"outcome": "terminated", "signal": 15}, "TERMINATED by SIGTERM after 2 min 14 s"),
    "lost": (Summary(), {"outcome": "lost", "duration_s": None}, "LOST"),
    "not started": (fold(REFUSED), {"exit_code": 127, "duration_s": 0}, "FAILED to start (exit 127)"),
    "skipped": (
        Summary(what="run 7f3a91c2 is still going (since 06:00)"),
        {"outcome": "skipped"},
        "SKIPPED: run 7f3a91c2 is still going (since 06:00)",
    ),
}


@pytest.mark.parametrize("summary, record, expected", OUTCOMES.values(), ids=OUTCOMES)
def test_every_outcome_has_its_words(summary, record, expected):
    """F02, F04, F06, F14, F15: the word first, so that no colour is needed."""
    line = render(summary, run(**record), limit_s=2700)[1]
    assert line.removeprefix("outcome     ").partition("   ")[0].partition("  run ")[0] == expected
    assert "run 7f3a91c2  scheduled 06:00" in line


def test_the_word_to_colour_is_found():
    """Colour is put on elsewhere; it needs to know what and where."""
    lines = render(fold(FAILURE), RUN)
    assert [closing.style_of(line) for line in lines] == [None, (12, 18, "bad"), None, None]


WHATS = {
    "no message at all": (Failure("exit", tail=("a", "b", "c", "all is lost")), "b / c / all is lost"),
    "no output either": (Failure("exit"), "it said nothing"),
    "sys.exit's message": (Failure("exit", "python", "SystemExit", "no data", "job.py:12 in main"), "no data  (job.py:12 in main)"),
    "several lines": (Failure("exception", type="E", message="one\ntwo\n\nthree"), "E: one [2 more lines]"),
    "very long": (Failure("exception", type="E", message="x" * 1500), f"E: {'x' * 297}… [1 203 more characters]"),
    "a cause": (
        Failure(
            "exception", type="OSError", message="gone", chain=(Cause("RuntimeError", "no features"), Cause("OSError", "gone", "cause"))
        ),
        "OSError: gone; seen as RuntimeError: no features",
    ),
    "a cause that the outer one quotes": (
        Failure(
            "exception", type="OSError", message="gone", chain=(Cause("RuntimeError", "(OSError) gone"), Cause("OSError", "gone", "cause"))
        ),
        "OSError: gone",
    ),
    "a tab": (Failure("exception", type="E", message="a\tb"), "E: a b"),
}


@pytest.mark.parametrize("failure, expected", WHATS.values(), ids=WHATS)
def test_what_went_wrong_is_said_in_a_line(failure, expected):
    """INV-13: the first line of the message, the rest counted; the job's last words where there is no message."""
    assert fold(failure).what == expected


def warning(message, count=1, category="FutureWarning", where="forecast.py:12"):
    """A warning as the probe counts them."""
    return {"kind": "warning", "at": 1.0, "pid": 1, "category": category, "message": message, "where": where, "count": count}


def test_alike_warnings_are_one_with_a_count():
    """Four thousand lines of the same warning are one line; what differs (numbers, names in quotes) does not part them."""
    events = [warning(f"column 'c{i}' at row {i} is deprecated", count=2) for i in range(2000)]
    events.append(
        {"kind": "log", "at": 1.0, "pid": 1, "level": "ERROR", "levelno": 40, "message": "feed late", "where": "load.py:3", "count": 1}
    )
    events.append(warning("another", where="/srv/app/forecast.py:12"))
    block = render(fold(events=events), run(outcome="succeeded"), width=300)
    assert block[2] == (
        'warnings    3 kinds, 4 002 times: 1x ERROR "feed late" (load.py:3); '
        '4 000x FutureWarning "column \'c0\' at row 0 is deprecated" (forecast.py:12); 1x FutureWarning "another" (forecast.py:12)'
    )


def test_warnings_without_end_stay_bounded_and_counted():
    """INV-11, INV-13: a hundred kinds are kept, the others counted together, and the line says that there are more."""
    counted = Warnings()
    for i in range(5000):
        counted.add(warning("x", where=f"f{i}.py:1"))
    folded = counted.folded()
    assert (len(folded), sum(one.count for one in folded)) == (101, 5000)
    assert render(fold(warnings=counted), run(), width=500)[2].startswith("warnings    over 100 kinds, 5 000 times: ")


def test_what_was_lost_is_noted():
    """INV-13: events that could not be read, were too many, or that the probe could not make."""
    problems = [{"kind": "problem", "at": 1.0, "pid": 1, "what": "cannot patch logging"}] * 3
    summary = fold(events=problems, notes=["2 processes left: 4711 sleep"], protocol_errors=1234, dropped=2)
    assert summary.notes == (
        "2 processes left: 4711 sleep",
        "probe: cannot patch logging",
        "1 234 lines of the events file could not be understood, and were left out",
        "2 events were too many, and were left out",
    )
    assert fold(notes=[str(i) for i in range(50)]).notes[-1] == "30 more notes"


FORGERIES = [
    "a\n06:00:00.000 * outcome  SUCCEEDED",
    "a\rb",
    "\x1b[2Ka",
    "\x9b2J",
    "a\x85b",
    "a\u2028b",
    "\u202eevil",
    "a\x00b",
    "\ud800",
    "a\x07",
    "\u200b",
]


@pytest.mark.parametrize("text", FORGERIES)
def test_nothing_the_job_says_forges_a_line_or_moves_the_cursor(text):
    """T05, T06: C0, C1, CR, LF, NEL, U+2028, bidi overrides and lone surrogates are escaped wherever they come from."""
    failure = Failure("exception", None, text, text, text, tail=(text,))
    summary = fold(failure, [warning(text, category=text, where=text)], notes=[text], told=text, because=text, do=[text], checks=text)
    block = [*render(summary, run(log=text, trigger=text)), *closing.success(run(log=text, trigger=text), [text])]
    for line in block:
        line.encode()
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}, line
    assert sum(line.startswith("outcome") for line in block) == 2


@given(st.text(max_size=400), st.text(max_size=400), st.integers(40, 200))
def test_any_text_gives_printable_lines_under_known_keys(message, place, width):
    """Total, and a continued line is indented: it can never be taken for a key."""
    summary = fold(Failure("exception", "python", "E", message, place), notes=[place], told=message)
    for line in render(summary, RUN, width=width)[1:]:
        assert line.isprintable()
        assert line[:12].strip() in ("outcome", "what", "note", "told", "log", "")


def test_the_summary_can_be_stored():
    """how-the-parts-meet: `summary` is a JSON object of exactly these keys."""
    stored = json.loads(json.dumps(fold(FAILURE, [warning("x")], notes=["n"], do=["d"]).as_json()))
    texts = {"what", "where", "because", "triage", "changed", "checks", "metrics", "told"}
    assert set(stored) == texts | {"do", "notes", "warnings", "failure", "verdict", "changes"}
    assert stored["warnings"] == [{"category": "FutureWarning", "message": "x", "where": "forecast.py:12", "count": 1}]


def test_a_plain_success_imports_nothing_heavy():
    """The budget of `offduty run -- true` is a few milliseconds for everything after the job."""
    code = (
        "import sys; from offduty.runs import closing;"
        "closing.success({'id': 'x' * 36, 'outcome': 'succeeded', 'duration_s': 1.0, 'started_at': '2026-11-23T06:00:00Z', 'log': '/x'});"
        "print(*sorted({'re', 'json', 'enum', 'dataclasses', 'typing', 'signal', 'textwrap', 'pathlib'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {_src()!r}); {code}"], stdout=subprocess.PIPE, check=True
    )
    assert found.stdout.strip() == b""


def _src():
    """The folder that holds the package."""
    return closing.__file__.rpartition("/offduty/runs/")[0]
