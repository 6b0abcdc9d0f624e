"""What should have happened, worked out from what did, by rules of its own: lost, duplicated, unexcused, unexpected.

- lost: owed (see `sim_model`), and neither delivered nor dead and told by another channel (or shown by `counts`, where no other channel
  could tell); or hours late.
- duplicated: copies beyond the first. unexcused: those of them for which no answer was lost and nobody died or slept (INV-7).
- unexpected: delivered and not owed, or before its time; the end of an incident before, or without, its beginning on the same channel, or
  its beginning after its end (INV-8); a page that is open where nothing is broken, or the reverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sim_model import FIRING, Expected, Wanted, expected
from sim_world import HOUR, Sent, World, final_store

from offduty.alerts.owed import UNFINISHED

LEASE = 90.0  # seconds
SURE = 15.0  # seconds: a sender that lives has its answer by then


@dataclass
class Verdict:
    """The oracle's count, and a sentence for each thing that is wrong."""

    owed: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    unexcused: int = 0
    unexpected: int = 0
    dead: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(world: World) -> Verdict:
    """Hold what the receivers took against what was owed."""
    verdict, found = Verdict(), expected(world.deeds, world.steps)
    told: dict[Wanted, dict[str, Sent]] = {}  # by key, the first copy of it
    for sent in world.sent:
        for key, event, job, run, *_ in sent.members:
            told.setdefault((sent.channel, event, job, run), {}).setdefault(key, sent)
    verdict.owed = sum(found.wanted.values())
    verdict.delivered = sum(min(times, len(told.get(one, ()))) for one, times in found.wanted.items())
    _lost(world, verdict, found, told)
    _copies(world, verdict)
    _unexpected(world, verdict, found, told)
    _out_of_order(world, verdict)
    _pages(world, verdict, found)
    return verdict


def _blame(verdict: Verdict, word: str, sentence: str, times: int = 1) -> None:
    setattr(verdict, word, getattr(verdict, word) + times)
    verdict.wrong.append(sentence)


def _lost(world: World, verdict: Verdict, found: Expected, told: dict[Wanted, dict[str, Sent]]) -> None:
    rows = final_store(world).alerts.alerts(limit=10**9)
    by_want: dict[Wanted, list[Any]] = {}
    for row in rows:
        by_want.setdefault((row.channel, row.event, row.job, row.run), []).append(row)
    noticed = {item[6] for sent in world.sent for item in sent.members if item[1] == "undelivered"}
    dead_groups = {row.key for row in rows if row.event == "digest" and row.state == "dead"}
    for row in rows:
        if row.state in UNFINISHED and not _is_for_later(world, row):
            _blame(verdict, "lost", f"lost: still {row.state} after days: {row.channel} {row.event} {row.key}")
    for one, times in sorted(found.wanted.items()):
        arrived = told.get(one, {})
        rest = [row for row in by_want.get(one, ()) if row.key not in arrived]
        missing = times - len(arrived) - sum(_is_for_later(world, row) for row in rest)
        within = sum(row.state == "delivered" and row.group.startswith("storm-") for row in rest)  # its page goes on for others
        verdict.delivered, missing = verdict.delivered + min(max(0, missing), within), missing - within
        accounted = sum(_is_accounted(row, noticed, by_want) for row in rest)
        verdict.dead += min(max(0, missing), accounted)
        if missing > accounted:
            states = [(row.state, row.error, row.group in dead_groups) for row in rest]
            _blame(verdict, "lost", f"lost: {one} {states}", missing - accounted)
    for sentence in found.late:
        _blame(verdict, "lost", sentence)


def _is_for_later(world: World, row: Any) -> bool:
    """A digest, or the end of quiet hours, that is still to come (or came while everything was being ended)."""
    return row.state in UNFINISHED and row.not_before > world.clock.wall() - HOUR


def _is_accounted(row: Any, noticed: set[str], by_want: dict[Wanted, list[Any]]) -> bool:
    """Given up, and told elsewhere; or the end of something whose beginning was."""
    if row.state == "dead":
        return row.key in noticed or row.group in noticed
    if row.state == "dropped" and row.event == "recovered":
        chain = [it for rows in by_want.values() for it in rows if it.chain == row.chain and it.channel == row.channel]
        begun = [it for it in chain if it.event in FIRING and it.state != "silenced"]
        return bool(begun) and all(_is_accounted(it, noticed, by_want) for it in begun)
    return False


def _copies(world: World, verdict: Verdict) -> None:
    before: dict[tuple[str, str], list[Sent]] = {}
    for sent in world.sent:
        earlier = before.setdefault((sent.channel, sent.key), [])
        for one in earlier[-1:]:
            verdict.duplicated += 1
            if not _is_excused(one, sent):
                verdict.unexcused += 1
                verdict.wrong.append(f"unexcused: {sent.channel} {sent.event} {sent.key} at {one.taken:.1f} and {sent.taken:.1f}")
        earlier.append(sent)
    within: dict[tuple[str, str], str] = {}
    for sent in world.sent:
        for key, *_ in sent.members:
            if within.setdefault((sent.channel, key), sent.key) != sent.key:
                verdict.unexcused += 1
                verdict.wrong.append(f"unexcused: {sent.channel} {key} alone and within another message")


def _is_excused(one: Sent, again: Sent) -> bool:
    """Nobody had on record that it arrived; and whoever sent it was told that it may not have, or should have been told long ago."""
    unsure = one.ended is not None and one.ended <= again.began
    overdue = again.began >= one.began + SURE or again.began >= one.claimed + LEASE  # he died, or slept past his lease (F46)
    stopped = again.asked < again.claimed + LEASE <= again.began  # between the last look at his lease and the first byte: nobody can tell
    return stopped or ((one.marked is None or one.marked > again.taken) and (unsure or overdue))


def _unexpected(world: World, verdict: Verdict, found: Expected, told: dict[Wanted, dict[str, Sent]]) -> None:
    for one, arrived in sorted(told.items()):
        if one[1] in ("undelivered", "channel_broken"):
            continue
        times = found.wanted[one]
        if len(arrived) > times:
            what = f"the same told under {len(arrived)} keys" if times else "unexpected"
            _blame(verdict, "unexpected", f"{what}: {one}", len(arrived) - times)
            continue
        if one[1] == "silenced" and not one[3]:
            continue  # that it begins, and that a missed run is still missed at its end, have one name: which is which is not known
        for sent, (owed, due) in zip(sorted(arrived.values(), key=lambda it: it.taken), sorted(found.not_before[one]), strict=False):
            is_clock_to_blame = any(owed <= step <= sent.taken for step in world.steps)
            if sent.wall < due - 1 and not is_clock_to_blame:
                _blame(verdict, "unexpected", f"before its time: {one} at {sent.taken:.1f}, {due - sent.wall:.0f} s early")


def _out_of_order(world: World, verdict: Verdict) -> None:
    begun: set[tuple[str, str]] = set()
    over: set[tuple[str, str]] = set()
    seen: set[tuple[str, str]] = set()
    for sent in world.sent:
        for key, event, job, run, status, incident, *_ in sent.members:
            one = (sent.channel, incident)
            if (sent.channel, key) in seen:
                continue
            seen.add((sent.channel, key))
            if status == "firing":
                begun.add(one)
                if one in over:
                    _blame(verdict, "unexpected", f"firing after resolved: {sent.channel} {event} {job} {run} at {sent.taken:.1f}")
            elif event == "recovered":
                over.add(one)
                if one not in begun:
                    _blame(verdict, "unexpected", f"resolved before firing: {sent.channel} {job} {run} at {sent.taken:.1f}")


def _pages(world: World, verdict: Verdict, found: Expected) -> None:
    """What the pager believes to be broken at the end is what is broken: alone, or within a page that stands for many (F47)."""
    alerts = final_store(world).alerts
    broken = sorted((case.job, case.cause) for cases in found.cases.values() for case in cases)
    kept = {(it.job, it.cause): it.id for it in alerts.incidents(limit=10**6)}
    if broken != sorted(kept):
        _blame(verdict, "unexpected", f"broken are {broken}, on record as broken {sorted(kept)}")
    if alerts.alerts(states=["dead"], channel="pager"):
        return  # what was given up is not open there, or never closed: another channel was told
    shown, of_storm = _open_pages(world, verdict, found)
    told = {kept.get((case.job, case.cause), "") for cases in found.cases.values() for case in cases if "pager" in case.heard}
    for page in sorted(shown):
        if not (of_storm.get(page, {page}) & told):
            _blame(verdict, "unexpected", f"a page is open, and nothing is broken: {page}")
    later = {row.incident for row in alerts.alerts(states=UNFINISHED, channel="pager", limit=10**6)}  # after quiet hours, or in a digest
    for one in sorted(told - later):
        if one not in shown and not any(one in of_storm.get(page, ()) for page in shown):
            _blame(verdict, "lost", f"broken, and no page is open: {one}")


def _open_pages(world: World, verdict: Verdict, found: Expected) -> tuple[set[str], dict[str, set[str]]]:
    """Pages that nothing has closed, by the name that the pager has for them; and what those of storms stand for."""
    shown: set[str] = set()
    of_storm: dict[str, set[str]] = {}
    began: dict[str, set[tuple[str, str]]] = {}
    seen: set[str] = set()
    for sent in world.sent:
        if sent.channel != "pager" or sent.key in seen:
            continue
        seen.add(sent.key)
        if sent.status == "firing":
            shown.add(sent.incident or "")
            if sent.event == "digest":
                of_storm.setdefault(sent.incident or "", set()).update(member[5] for member in sent.members)
                began.setdefault(sent.incident or "", set()).update((it[2], it[3]) for it in sent.members if it[1] == "failed")
        elif sent.status == "resolved":
            shown.discard(sent.incident or "")
            for one in sorted(began.get(sent.incident or "", ())):
                if found.ended.get(one, sent.taken + 1) > sent.taken:
                    _blame(verdict, "unexpected", f"a page is closed, and one that it stands for is not over: {sent.incident} {one}")
    return shown, of_storm
