"""What should have been owed: the rules of incidents as the documentation has them, played over what the store committed.

Written a second time on purpose, in other words than production: one dictionary of open cases by job, moved by one deed after the other.
Beside it: what no store can excuse, as a reminder that came hours late.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sim_world import Deed

DAY = 86_400.0
MONTH = 30 * DAY
SLACK = 4 * 3600.0  # seconds: the store is away for half an hour, keepers die, and both again and again
NOTICED = 900.0  # seconds: a clock that is set back by less only delays
FIRING = ("failed", "missed", "reminder", "escalated", "silenced")

Wanted = tuple[str, str, str, str]  # channel, event, job, run


@dataclass
class Case:
    """One job being broken for one cause. `heard`: who was told, and how urgently. `kept`: who was spared what, and when."""

    job: str
    cause: str
    event: str
    opened: float
    last: float
    run: str
    count: int = 0
    told: bool = False
    told_run: str = ""
    told_at: float = 0.0
    settling: bool = False
    flaps: int = 0
    reminders: int = 0
    acked: bool = False
    escalated: bool = False
    patience: float = 0.0
    asleep_until: float | None = None
    due: float | None = None
    wait: float = 0.0
    planned: float = 0.0
    heard: dict[str, str] = field(default_factory=dict)
    kept: dict[str, list[tuple[float, str, str]]] = field(default_factory=dict)


@dataclass
class Expected:
    """`wanted`: how many different messages of each kind. `not_before`: for each of them when it was owed (true) and due (wall).

    `cases`: what is still broken at the end, by job. `ended`: by job and the run that was told of first, when it was over (true).
    `late`: sentences about what time should have brought long before.
    """

    wanted: Counter[Wanted] = field(default_factory=Counter)
    not_before: dict[Wanted, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    cases: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[tuple[str, str], float] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)


def expected(deeds: Iterable[Deed], steps: list[float]) -> Expected:
    """What all of it comes to. `steps`: when clocks were set."""
    model = Model(steps)
    for deed in deeds:
        model.now, model.true, model.late_news = _moment_of(deed), deed.true, False
        getattr(model, f"on_{deed.kind}")(*deed.what)
    return model.found


def _moment_of(deed: Deed) -> float:
    """What the clock showed when somebody looked at it: that may be minutes before he did something, if he was stopped in between."""
    place = {"tick": 0, "silence": 1, "end_silence": 1, "happen": 1, "act": 2}.get(deed.kind)
    return float(deed.wall if place is None else deed.what[place])


class Model:
    """The rules, one method for each kind of deed."""

    def __init__(self, steps: list[float]) -> None:
        self.found, self.steps = Expected(), steps
        self.plans: dict[str, dict[str, Any]] = {}
        self.known: set[str] = set()
        self.silences: dict[str, list[Any]] = {}  # id: [silence, until]
        self.bad_news: dict[str, dict[str, float]] = defaultdict(dict)
        self.now = self.true = 0.0
        self.late_news = False

    def policy(self, job: str, name: str, usual: Any = None) -> Any:
        return self.plans[job]["policy"].get(name, usual)

    def audience(self, job: str, event: str) -> dict[str, str]:
        found = self.plans[job]["owed"].get(event, ())
        return {to["channel"]: to["urgency"] for to in found if to["urgency"] != "quiet"}

    # Telling

    def want(self, channel: str, event: str, job: str, run: str, urgency: str = "") -> None:
        """Without an urgency: at once, whatever the hour."""
        one = (channel, event, job, run)
        self.found.wanted[one] += 1
        due = self.now if self.late_news or not urgency else self.may_go_at(job, urgency)
        self.found.not_before[one].append((self.true, due))

    def may_go_at(self, job: str, urgency: str) -> float:
        """In UTC, which all jobs here live in."""
        midnight, hour = self.now - self.now % DAY, self.now % DAY / 3600
        if urgency == "digest":
            at = [int(text[:2]) for text in self.policy(job, "digest_at", ["09:00"])]
            return midnight + 3600 * min(it if it > hour else it + 24 for it in at)
        for begin, end in ((int(a[:2]), int(b[:2])) for a, b in self.policy(job, "quiet_hours", ())):
            if hour >= begin or hour < end:
                return midnight + 3600 * (end + 24 * (hour >= begin))
        return self.now

    def is_silenced(self, job: str) -> bool:
        return any(it.starts_at <= self.now < until and fnmatchcase(job, it.job) for it, until in self.silences.values())

    def tell(self, case: Case, event: str, audience: dict[str, str], run: str) -> None:
        """A case's news. What is kept back is kept with it; who is told anything of it knows."""
        for channel, urgency in audience.items():
            heard = "digest" if self.late_news else urgency  # what is told late interrupts nobody
            if event != "recovered" and self.is_silenced(case.job):
                if event in FIRING:
                    case.kept.setdefault(channel, []).append((self.now, run, heard))
                continue
            self.want(channel, event, case.job, run, urgency)
            if event in FIRING:
                case.heard[channel] = heard
                case.kept.pop(channel, None)
                self.bad_news[case.job][channel] = self.now

    def over(self, case: Case, run: str) -> None:
        self.found.cases[case.job].remove(case)
        if case.told:
            self.found.ended[case.job, case.told_run] = self.true
            wanted = {**self.audience(case.job, "escalated"), **self.audience(case.job, case.event), **self.audience(case.job, "recovered")}
            self.tell(case, "recovered", {channel: wanted.get(channel, "now") for channel in case.heard}, run)

    # Time

    def plan(self, case: Case, wait: float) -> None:
        case.due, case.wait, case.planned = self.now + wait, wait, self.true

    def plan_next(self, case: Case) -> None:
        waits = []
        if self.policy(case.job, "escalate_s") and not case.escalated and not case.acked:
            waits.append(case.patience)
        if (first := self.policy(case.job, "remind_s")) and not case.acked:
            waits.append(
                min(first * self.policy(case.job, "remind_factor", 2.0) ** case.reminders, self.policy(case.job, "remind_max_s", DAY))
            )
        case.due = None
        if waits:
            asleep = min(max(0.0, (case.asleep_until or self.now) - self.now), MONTH)
            case.asleep_until = case.asleep_until if asleep else None
            self.plan(case, max(min(waits), asleep))

    def count_down(self, case: Case) -> None:
        """Patience wears off while a case is told of and nobody sleeps; no clock that is set takes more of it than was planned."""
        if case.due is not None and case.asleep_until is None:
            ahead = case.due - self.now
            passed = case.wait if ahead <= 0 or ahead > case.wait + NOTICED else case.wait - ahead
            case.patience -= min(max(0.0, passed), case.patience)

    def on_tick(self, _: float) -> None:
        every = [case for cases in self.found.cases.values() for case in cases]
        for case in every:
            if case.due is not None and (case.due <= self.now or case.due - self.now > case.wait + NOTICED):
                if self.true - case.planned > case.wait + SLACK:
                    self.found.late.append(f"late: {case.job} {case.cause} at {self.true:.0f}, planned at {case.planned:.0f}")
                self.time_has_come(case)
        for silence, until in list(self.silences.values()):
            if silence.starts_at <= self.now and not self.now < until:
                del self.silences[silence.id]
                self.silence_is_over(silence)

    def time_has_come(self, case: Case) -> None:
        if case.settling:
            return self.over(case, case.run)
        if case.acked:
            case.due = None
            return None
        self.count_down(case)
        case.asleep_until = None
        if self.policy(case.job, "escalate_s") and not case.escalated and case.patience < 1:
            case.escalated = True
            self.tell(case, "escalated", self.audience(case.job, "escalated"), case.run)
        elif self.policy(case.job, "remind_s"):
            self.remind(case, case.run)
        return self.plan_next(case)

    def remind(self, case: Case, run: str) -> None:
        case.reminders, case.told_at, self.late_news = case.reminders + 1, self.now, False
        self.tell(case, "reminder", self.audience(case.job, "reminder") or self.audience(case.job, case.event), run)

    # Runs, and what has none

    def on_run(self, record: dict[str, Any], tell: dict[str, Any]) -> None:
        job, outcome, key = record["job"], record["outcome"], record["id"]
        if key in self.known:
            return
        self.plans[job] = tell
        if outcome == "running":
            return
        self.known.add(key)
        at = datetime.fromisoformat(record["ended_at"]).timestamp()
        self.late_news = abs(self.now - at) > DAY
        if outcome == "succeeded":
            self.well(job, key, at, record["trigger"] == "manual")
        elif tell.get("final", True):
            self.bad(job, "failed", tell["cause"], key, at)

    def on_happen(self, happening: Any, _: float, tell: dict[str, Any]) -> None:
        self.plans[happening.job] = tell
        if happening.key not in self.known:
            self.known.add(happening.key)
            self.bad(happening.job, "missed", "missed", "", happening.at)

    def well(self, job: str, run: str, at: float, by_hand: bool) -> None:
        heard: set[str] = set()
        for case in list(self.found.cases[job]):
            if at < case.last:
                continue
            left = self.policy(job, "settle_s") - (at - case.last)
            if not case.told or left <= 0 or (by_hand and not case.flaps):
                self.over(case, run)
                heard |= set(case.heard)
            elif not case.settling:
                self.count_down(case)
                case.settling = True
                self.plan(case, left)
        self.late_news = False
        if not self.is_silenced(job):
            for channel, urgency in self.audience(job, "succeeded").items():
                if channel not in heard:
                    self.want(channel, "succeeded", job, run, urgency)

    def bad(self, job: str, event: str, cause: str, run: str, at: float) -> None:
        case = next((case for case in self.found.cases[job] if case.cause == cause), None)
        if case is None:
            case = Case(job, cause, event, at, at, run)
            self.found.cases[job].append(case)
        case.count, case.last, case.run = case.count + 1, max(case.last, at), run or case.run
        if not case.told:
            if case.event == "failed" and case.count < self.policy(job, "after_failures", 1):
                return
            case.told, case.told_run = True, run
            case.told_at, case.patience = self.now, self.policy(job, "escalate_s", 0.0)
            self.tell(case, case.event, self.audience(job, case.event), run)
            self.plan_next(case)
        elif case.settling:
            self.count_down(case)
            case.settling, case.flaps = False, case.flaps + 1
            if not 0 <= self.now - case.told_at < 900:
                self.remind(case, run)
            self.plan_next(case)

    # People

    def on_act(self, _: str, act: Any, now: float) -> None:
        about = act.about
        case = next((it for it in self.found.cases[about.job] if (it.cause, it.opened) == (about.cause, about.opened_at)), None)
        if case is None or act.kind == "note":
            return
        if act.kind == "resolve":
            self.over(case, case.run)
        elif act.kind == "ack" and case.told and not case.acked:
            case.acked = True
            case.due = case.due if case.settling else None
            self.tell(case, "acknowledged", {channel: "now" for channel, urgency in case.heard.items() if urgency == "now"}, case.run)
        elif act.kind == "snooze" and case.told and not case.settling:
            self.count_down(case)
            case.asleep_until = now + act.seconds
            self.plan(case, act.seconds)

    def on_silence(self, silence: Any, now: float) -> None:
        self.silences[silence.id] = [silence, silence.until]
        concerned: set[str] = set()
        for job in self.plans:
            if fnmatchcase(job, silence.job):
                concerned |= set(self.audience(job, "failed"))
        for job, channels in self.bad_news.items():
            if fnmatchcase(job, silence.job):
                concerned |= {channel for channel, at in channels.items() if at >= now - MONTH}
        for channel in concerned:
            self.want(channel, "silenced", silence.job, "")

    def on_end_silence(self, name: str, now: float) -> None:
        if name in self.silences:
            self.silences[name][1] = now
        self.on_tick(now)

    def silence_is_over(self, silence: Any) -> None:
        """Who was spared something that is still bad, and has not heard of it since, is told now, or kept waiting by another silence."""
        for job, cases in self.found.cases.items():
            for case in cases if fnmatchcase(job, silence.job) else ():
                for channel, kept in list(case.kept.items()):
                    since = [one for one in kept if one[0] >= silence.starts_at]
                    if since and case.told:
                        self.tell(case, "silenced", {channel: since[0][2]}, since[0][1])
