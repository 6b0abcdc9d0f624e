"""What should have happened, worked out from what did, by rules of its own: lost, duplicated, unexcused, unexpected.

- lost: owed, and neither delivered nor dead and told by another channel (or shown by `counts`, where no other channel could tell).
- duplicated: copies beyond the first. unexcused: those of them for which no answer was lost and nobody died or slept (INV-7).
- unexpected: delivered and not owed; or the end of an incident before, or without, its beginning on the same channel (INV-8).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sim_world import Sent, World, final_store

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


Wanted = tuple[str, str, str, str]  # channel, event, job, run


def owed(world: World) -> set[Wanted]:
    """Run by run as the store took them: a job is bad from its n-th failure of one cause until it is good again."""
    wanted: set[Wanted] = set()
    failing: dict[str, dict[str, int]] = {}
    for entry in in_order(world):
        record, tell = entry["record"], entry["tell"]
        causes = failing.setdefault(record["job"], {})
        for event, destinations in _events(record, tell, causes):
            wanted |= {(to["channel"], event, record["job"], record["id"]) for to in destinations if to["urgency"] != "quiet"}
    return wanted


def in_order(world: World) -> list[dict[str, Any]]:
    """What the store took, and what it never saw: each run once, in the order in which the runs began."""
    ended = {entry["record"]["id"]: entry for entry in (*world.vanished, *world.committed) if entry["record"]["outcome"] != "running"}
    return [ended[run_id] for run_id in sorted(ended)]


def _events(record: dict[str, Any], tell: dict[str, Any], causes: dict[str, int]) -> list[tuple[str, list[dict[str, str]]]]:
    enough = tell["policy"]["after_failures"]
    if record["outcome"] == "failed":
        causes[tell["cause"]] = causes.get(tell["cause"], 0) + 1
        return [("failed", tell["owed"]["failed"])] if causes[tell["cause"]] == enough else []
    told = [cause for cause, times in causes.items() if times >= enough]
    causes.clear()
    if not told:
        return [("succeeded", tell["owed"]["succeeded"])]
    heard = {to["channel"] for to in tell["owed"]["recovered"]}
    rest = [to for to in tell["owed"]["succeeded"] if to["channel"] not in heard]
    return [("recovered", tell["owed"]["recovered"]), ("succeeded", rest)]


def judge(world: World) -> Verdict:
    """Hold what the receivers took against what was owed."""
    verdict = Verdict()
    wanted = owed(world)
    told: Counter[Wanted] = Counter()
    for sent in world.sent:
        for _key, event, job, run, *_ in sent.members:
            told[(sent.channel, event, job, run)] += 1
    verdict.owed, verdict.delivered = len(wanted), sum(1 for one in wanted if told[one])
    _lost(world, verdict, wanted, told)
    _copies(world, verdict)
    _unexpected(world, verdict, wanted, told)
    return verdict


def _lost(world: World, verdict: Verdict, wanted: set[Wanted], told: Counter[Wanted]) -> None:
    rows = final_store(world).alerts.alerts(limit=10**9)
    by_want: dict[Wanted, list[Any]] = {}
    for row in rows:
        by_want.setdefault((row.channel, row.event, row.job, row.run), []).append(row)
    noticed = {item[6] for sent in world.sent for item in sent.members if item[1] == "undelivered"}
    dead_groups = {row.key for row in rows if row.event == "digest" and row.state == "dead"}
    for row in rows:
        if row.state in ("waiting", "leased", "folded"):
            verdict.lost += 1
            verdict.wrong.append(f"lost: still {row.state} after days: {row.channel} {row.event} {row.key}")
    for one in sorted(wanted):
        if told[one] or any(_is_accounted(row, noticed, by_want) for row in by_want.get(one, ())):
            verdict.dead += not told[one]
            continue
        verdict.lost += 1
        states = [(row.state, row.error, row.group in dead_groups) for row in by_want.get(one, ())]
        verdict.wrong.append(f"lost: {one} {states}")


def _is_accounted(row: Any, noticed: set[str], by_want: dict[Wanted, list[Any]]) -> bool:
    """Given up, and told elsewhere; or the end of something whose beginning was; or part of a page that stands for many."""
    if row.state == "dead":
        return row.key in noticed or row.group in noticed
    if row.state == "dropped" and row.event == "recovered":
        chain = [it for rows in by_want.values() for it in rows if it.chain == row.chain and it.channel == row.channel]
        begun = [it for it in chain if it.event == "failed"]
        return bool(begun) and all(_is_accounted(it, noticed, by_want) for it in begun)
    return row.state == "delivered" and row.group.startswith("storm-")


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
    return (one.marked is None or one.marked > again.taken) and (unsure or overdue)


def _unexpected(world: World, verdict: Verdict, wanted: set[Wanted], told: Counter[Wanted]) -> None:
    for one in sorted(set(told) - wanted):
        if one[1] not in ("undelivered", "channel_broken"):
            verdict.unexpected += 1
            verdict.wrong.append(f"unexpected: {one}")
    begun: set[tuple[str, str]] = set()
    keys: dict[Wanted, set[str]] = {}
    for sent in world.sent:
        for key, event, job, run, status, incident, *_ in sent.members:
            keys.setdefault((sent.channel, event, job, run), set()).add(key)
            if status == "firing":
                begun.add((sent.channel, incident))
            elif event == "recovered" and (sent.channel, incident) not in begun:
                verdict.unexpected += 1
                verdict.wrong.append(f"resolved before firing: {sent.channel} {job} {run} at {sent.taken:.1f}")
    for one, names in sorted(keys.items()):
        if len(names) > 1 and one[1] not in ("undelivered", "channel_broken"):
            verdict.unexpected += len(names) - 1
            verdict.wrong.append(f"the same told under {len(names)} keys: {one}")
