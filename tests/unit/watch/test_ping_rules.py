"""What pings do to a check and to its runs, in whatever order they come (F83)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offduty.watch.pings.address import Refused, parse
from offduty.watch.pings.buckets import MOST_KNOWN, Buckets
from offduty.watch.pings.check import MOST_OPEN, Check, Filters, Ping, read_check, written
from offduty.watch.pings.rules import take

A, B = "684e2e73-017e-465f-8149-d70b7c5aaa49", "0b5f8f6e-6c1b-4f35-9a1d-0d8f0b2f6c11"
NEW = Check("backup", A, "backup")


def after(*pings, check=NEW):
    """The check after these pings, ten seconds apart: ("start", rid), …; and the effects."""
    effects = []
    for number, (action, rid) in enumerate(pings):
        effects.append(take(check, Ping(action, 1000.0 + 10 * number, rid=rid), f"run-{number}"))
        check = effects[-1].check
    return check, effects


def test_success_and_failure_move_it_and_a_start_does_not():
    """healthchecks: a start leaves `last_ping`, and the status."""
    check, _ = after(("start", ""))
    assert (check.status, check.last_start, check.last_ping) == ("new", 1000.0, None)
    assert after(("success", ""))[0].status == "up" and after(("success", ""), ("fail", ""))[0].status == "down"


def test_a_log_counts_and_changes_nothing_else():
    """`n_pings` goes up with every ping."""
    check, (effect,) = after(("log", ""))
    assert replace(check, pings=0) == NEW and check.pings == 1 and effect.begins is effect.ends is None


@pytest.mark.parametrize(
    "start, end, last_start, duration",
    [
        (("start", A), ("success", A), None, 10.0),
        (("start", A), ("success", B), 1000.0, None),
        (("start", A), ("success", ""), None, None),
        (("start", A), ("fail", B), None, None),
        (("start", ""), ("success", ""), None, 10.0),
        (("start", ""), ("fail", ""), None, 10.0),
        (("start", ""), ("success", A), 1000.0, None),
    ],
)
def test_what_ends_the_start(start, end, last_start, duration):
    """The same rid ends it and tells how long it took; a failure always does; a success without a rid does too; another rid does not."""
    check, _ = after(start, end)
    assert (check.last_start, check.last_duration) == (last_start, duration)


def test_an_end_without_a_start_is_a_run_of_its_own():
    """Most jobs ping once, when they are done."""
    _, (effect,) = after(("success", ""))
    assert (effect.ends.run, effect.alone) == ("run-0", True)


def test_runs_that_overlap_are_told_apart_by_their_rid():
    """Each end belongs to its own start, in whichever order."""
    _, effects = after(("start", A), ("start", B), ("fail", B), ("success", A))
    assert [effect.ends.run for effect in effects[2:]] == ["run-1", "run-0"]


def test_a_failure_of_another_run_leaves_the_one_that_goes_on():
    """It clears `last_start`, as in healthchecks; the run with the other rid still ends when it says so."""
    check, effects = after(("start", A), ("fail", B), ("success", A))
    assert effects[1].alone and effects[2].ends.run == "run-0" and check.open == ()


def test_a_start_sent_again_is_the_same_run():
    """`curl --retry` after an answer that was lost; with a rid however late, without one within a minute."""
    assert after(("start", ""), ("start", ""))[1][1].begins is None
    late = take(after(("start", A))[0], Ping("start", 9999.0, rid=A), "again")
    assert late.begins is None and late.given_up == ()


def test_a_start_after_one_that_never_ended_gives_that_up():
    """Nobody will ever say how it ended: it is lost, and told."""
    check, _ = after(("start", ""))
    effect = take(check, Ping("start", 9999.0), "next")
    assert (effect.begins.run, [gone.run for gone in effect.given_up]) == ("next", ["run-0"])


def test_starts_that_never_end_are_bounded():
    """INV-11: with a rid each, the oldest is given up."""
    check, given_up = NEW, 0
    for number in range(3 * MOST_OPEN):
        effect = take(check, Ping("start", float(number), rid=f"{number:032x}"), f"run-{number}")
        check, given_up = effect.check, given_up + len(effect.given_up)
    assert (len(check.open), given_up) == (MOST_OPEN, 2 * MOST_OPEN)


@pytest.mark.parametrize(
    "check, ping, action",
    [
        (replace(NEW, status="paused", manual_resume=True), Ping("fail", 1.0), "ign"),
        (replace(NEW, status="paused"), Ping("success", 1.0), "success"),
        (replace(NEW, filters=Filters(post_only=True)), Ping("fail", 1.0), "ign"),
        (replace(NEW, filters=Filters(post_only=True)), Ping("fail", 1.0, method="POST"), "fail"),
        (replace(NEW, filters=Filters(by_body=True, failure=("ERR",), success=("OK",))), Ping("success", 1.0, body=b"OK, no ERR"), "fail"),
        (replace(NEW, filters=Filters(by_body=True, success=("OK",))), Ping("fail", 1.0, body=b"OK"), "success"),
        (replace(NEW, filters=Filters(by_body=True, start=("GO",))), Ping("success", 1.0, body=b"\xffGO"), "start"),
        (replace(NEW, filters=Filters(by_body=True, success=("OK",))), Ping("success", 1.0, body=b"hm"), "ign"),
        (replace(NEW, filters=Filters(by_body=True, default_fail=True)), Ping("success", 1.0), "fail"),
    ],
)
def test_what_counts_of_a_ping(check, ping, action):
    """Paused by hand, then methods, then words: in healthchecks' order."""
    assert take(check, ping, "run").ping.action == action


@given(st.lists(st.tuples(st.sampled_from(["start", "success", "fail", "log", "ign"]), st.sampled_from(["", A, B])), max_size=30))
def test_whatever_comes_every_run_ends_once(pings):
    """No run begins twice, ends twice, or is left without being in the check; the check survives the store."""
    check, effects = after(*pings)
    begun = [effect.begins.run for effect in effects if effect.begins]
    ended = [effect.ends.run for effect in effects if effect.ends and not effect.alone]
    ended += [gone.run for effect in effects for gone in effect.given_up]
    assert sorted(begun) == sorted(ended + [one.run for one in check.open])
    assert check.pings == len(pings) and read_check(written(check)) == check


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_address_is_more_than_refused(path, query):
    """Whatever stands in the request line is an address, or refused."""
    with contextlib.suppress(Refused):
        parse(path, query)


def test_a_bucket_fills_again_and_is_nobody_elses():
    """F81: beyond its burst a key is refused until time has passed; a clock that goes back gives nothing away."""
    buckets = Buckets(burst=3, rate=1)
    assert [buckets.take(b"a", 10.0) for _ in range(4)] == [True, True, True, False]
    assert buckets.take(b"b", 10.0) and not buckets.take(b"a", 5.0) and buckets.take(b"a", 11.5)


def test_buckets_are_bounded():
    """INV-11: a million addresses are not remembered."""
    buckets = Buckets(burst=1, rate=1)
    for number in range(MOST_KNOWN + 500):
        buckets.take(b"%d" % number, 0.0)
    assert len(buckets._levels) == MOST_KNOWN
