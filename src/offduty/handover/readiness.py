"""How ready a job is to be left alone: items that are earned by evidence, and the level they add up to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from offduty.durations import spoken
from offduty.handover.evidence import Evidence
from offduty.handover.store import GOOD, Past

DAY = 86_400.0
UNATTENDED, FEW_UNATTENDED, LONG_UNATTENDED = 20, 5, 28 * DAY
"""Runs in a row; or so few, for a job that runs seldom, over at least so long."""
PROVEN_FOR, REHEARSED_FOR, SEEN_FOR = 90 * DAY, 180 * DAY, 3600.0
"""How long a proof of a channel counts, a drill, and a look of the watcher."""
COVERED = 0.9
KEPT = 14 * DAY
SAME_PACKAGES = 5
NAMED = 3

Level = Literal["on duty", "watched", "rehearsed", "off duty"]
LEVELS: tuple[Level, ...] = ("on duty", "watched", "rehearsed", "off duty")
State = Literal["met", "not met", "not yet"]
"""`not yet`: nobody has looked, or nothing is there to be looked at."""


@dataclass(frozen=True)
class Answer:
    """What a check says: the state, the evidence in words, and the command that earns it ("" where it is earned)."""

    state: State
    evidence: str
    command: str = ""


@dataclass(frozen=True)
class Check:
    """One item. `level`: the one that it is needed for."""

    code: str
    title: str
    level: Level
    judge: Callable[[Evidence], Answer]


@dataclass(frozen=True)
class Item:
    """One item, judged."""

    code: str
    title: str
    level: Level
    state: State
    evidence: str
    command: str

    def as_json(self) -> dict[str, Any]:
        """As `offduty ready --json` shows it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Readiness:
    """`score`: items earned, in per cent. `level`: the highest of which, and of all below, every item is earned."""

    job: str
    level: Level
    score: int
    items: tuple[Item, ...]

    @property
    def missing(self) -> list[Item]:
        """What the next level lacks; nothing if there is none."""
        wanted = LEVELS[min(LEVELS.index(self.level) + 1, len(LEVELS) - 1)]
        return [item for item in self.items if item.level == wanted and item.state != "met"]


def judge(evidence: Evidence) -> Readiness:
    """The readiness that the evidence earns."""
    items = tuple(_item(check, evidence) for check in CHECKS)
    score = 100 * sum(item.state == "met" for item in items) // len(items)
    return Readiness(evidence.job, level_of(items), score, items)


def level_of(items: Iterable[Item]) -> Level:
    """The highest level of which, and of all below, every item is earned."""
    lacking = [LEVELS.index(item.level) for item in items if item.state != "met"]
    return LEVELS[min(lacking, default=len(LEVELS)) - 1]


def _item(check: Check, evidence: Evidence) -> Item:
    answer = check.judge(evidence)
    return Item(check.code, check.title, check.level, answer.state, answer.evidence, answer.command if answer.state != "met" else "")


def _schedule(e: Evidence) -> Answer:
    if not e.schedule:
        return Answer("not met", "nothing says when it is due", f'set schedule = "…" in [job.{e.job}], then: offduty schedule install')
    started = [run for run in e.runs if run.trigger == "scheduled"]
    if not started:
        return Answer("not met", f"due {e.schedule}, but no schedule has ever started it", f"offduty schedule install {e.job}")
    return Answer("met", f"due {e.schedule}; last started by it {_ago(started[-1].at, e.now)}")


def _watched(e: Evidence) -> Answer:
    if not e.watched:
        return Answer("not met", "no watcher knows when it is due: nobody would notice that it is missing", "offduty watch")
    if e.watcher_seen is None or e.now - e.watcher_seen > SEEN_FOR:
        seen = "no watcher has ever looked" if e.watcher_seen is None else f"the watcher last looked {_ago(e.watcher_seen, e.now)}"
        return Answer("not met", f"it is known when it is due, but {seen}", "offduty watch")
    return Answer("met", f"its absence is noticed; the watcher looked {_ago(e.watcher_seen, e.now)}")


def _contacts(e: Evidence) -> Answer:
    if not e.teams:
        return Answer("not met", "no team is named: nobody would be told", f"set owner in [job.{e.job}], and write [team.NAME] for it")
    mute = [team.name for team in e.teams if not team.channels]
    if mute:
        return Answer("not met", f"no channel reaches {_some(mute)}", f"set channels in [team.{mute[0]}]")
    alone = [f"{team.name} ({team.alone})" for team in e.teams if team.alone]
    if alone:
        return Answer("not met", f"a single person is all of {_some(alone)}", "name a channel that a second person reads")
    return Answer("met", f"{_count(len(e.teams), 'team')}, each with a channel: {_some([team.name for team in e.teams])}")


def _channels(e: Evidence) -> Answer:
    names = sorted({channel for team in e.teams for channel in team.channels})
    if not names:
        return Answer("not yet", "there is no channel to prove", "write [channel.NAME], then: offduty alerts test")
    old = [name for name in names if not _within(e.proven.get(name), PROVEN_FOR, e.now)]
    if old:
        proven = e.proven.get(old[0])
        said = "never proven to arrive" if proven is None else f"last proven {_ago(proven, e.now)}"
        return Answer("not met", f"{_some(old)}: {said}", f"offduty alerts test {old[0]}, then offduty alerts confirm CODE")
    oldest = min(at for name in names if (at := e.proven.get(name)) is not None)
    return Answer("met", f"{_some(names)} proven to arrive, the oldest proof {_ago(oldest, e.now)}")


def _logs(e: Evidence) -> Answer:
    said = f"logs are kept {spoken(e.keep_s)}, {e.keep_runs} runs at most"
    return Answer("met", said) if e.keep_s >= KEPT else Answer("not met", said, f'set log = {{ keep = "30 d" }} in [job.{e.job}]')


def _secrets(e: Evidence) -> Answer:
    if e.secrets:
        command = "take it from a variable or a file, and change it: every copy of the file has it"
        return Answer("not met", f"a secret seems to stand open at {_some(e.secrets)}", command)
    if not e.sources:
        return Answer("met", "no secret stands in the configuration; no run has told which files its code is")
    return Answer("met", f"no secret stands in the configuration, or in {_count(e.sources, 'file')} of its code")


def _dependencies(e: Evidence) -> Answer:
    if not e.dependencies:
        return Answer("not yet", "no dependency is named", "offduty scan shows what it touches; write [dependency.NAME] with a team")
    orphans = [name for name, team in e.dependencies.items() if not team]
    if orphans:
        return Answer("not met", f"nobody is named for {_some(orphans)}", f"set team in [dependency.{orphans[0]}]")
    return Answer("met", f"{_count(len(e.dependencies), 'dependency', 'dependencies')}, each with a team")


def _coverage(e: Evidence) -> Answer:
    command = f"offduty triage coverage {e.job}"
    if e.coverage is None:
        return Answer("not yet", "nobody has compared what can fail with the triage table", command)
    at = e.coverage.at
    said = f"{int(e.coverage.share * 100)} % of what can fail is explained, {_count(e.coverage.holes, 'hole')}"
    said += f", looked at {_ago(at, e.now)}" if at is not None else ""
    if at is not None and not _within(at, REHEARSED_FOR, e.now):
        return Answer("not met", f"{said}: too long ago", command)
    return Answer("met", said) if e.coverage.share >= COVERED else Answer("not met", f"{said}; {int(COVERED * 100)} % are needed", command)


def _drills(e: Evidence) -> Answer:
    if e.turn is not None and e.turn.outcome == "could not" and e.turn.ended_at is not None:
        return Answer("not met", f"{_ago(e.turn.ended_at, e.now)} they could not be done: {e.turn.said}", f"offduty drill {e.job}")
    mine = [drill for drill in e.drills if not drill.row or drill.row in e.rows]
    if not mine or not e.rows:
        said = "nothing was rehearsed" if e.rows else "there is no row to rehearse"
        return Answer("not yet", said, f"offduty drill {e.job} --all")
    failed = [drill for drill in mine if not drill.passed]
    if failed:
        only = f" --row {failed[0].row}" if failed[0].row else ""
        return Answer("not met", f"{_some(one.row or one.fault for one in failed)} did not go as promised", f"offduty drill {e.job}{only}")
    fresh = {drill.row for drill in mine if _within(drill.at, REHEARSED_FOR, e.now)}
    never = [row for row in e.rows if row not in fresh]
    if never:
        return Answer("not met", f"{_some(never)} not rehearsed in {spoken(REHEARSED_FOR)}", f"offduty drill {e.job} --row {never[0]}")
    return Answer("met", f"{_count(len(e.rows), 'row')} rehearsed, the oldest {_ago(min(drill.at for drill in mine), e.now)}")


def _environment(e: Evidence) -> Answer:
    if e.pinned:
        return Answer("met", f"pinned by {e.pinned}")
    if e.same_packages >= SAME_PACKAGES:
        return Answer("met", f"the packages of the last {e.same_packages} runs were the very same")
    return Answer("not met", "nothing pins the versions of its packages", "write a lock file: uv lock, or pip freeze > requirements.txt")


def _committed(e: Evidence) -> Answer:
    if e.commit and e.dirty is None:
        said = f"the last run was of commit {e.commit}, or not: whether its files are the commit's could not be told"
        return Answer("not met", said, "the documentation (what changed) names what cannot be read of a repository")
    if e.dirty is None:
        return Answer("not met", "the last run knows of no commit", f"git init && git add . && git commit, then: offduty run {e.job}")
    if e.dirty:
        return Answer("not met", f"the last run's code differs from its commit {e.commit}", f"git commit, then: offduty run {e.job}")
    return Answer("met", f"the last run was of commit {e.commit}, unchanged")


def _unattended(e: Evidence) -> Answer:
    count, since = unattended(e.runs)
    said = f"{_count(count, 'run')} in a row without a hand" + (f", since {_ago(since, e.now)}" if since is not None else "")
    long_enough = since is not None and count >= FEW_UNATTENDED and e.now - since >= LONG_UNATTENDED
    if count >= UNATTENDED or long_enough:
        return Answer("met", said)
    need = f"{UNATTENDED} are needed, or {FEW_UNATTENDED} over {int(LONG_UNATTENDED / DAY)} days"
    return Answer("not met", f"{said}; {need}", "leave it alone: its schedule earns this")


def _resolved(e: Evidence) -> Answer:
    with_table = [one for one in e.resolved if one.row]
    others = [one for one in with_table if one.by.casefold() not in e.authors]
    if others:
        return Answer("met", f"{others[-1].by} resolved one by {others[-1].row}, {_ago(others[-1].at, e.now)}")
    said = "only its author has resolved incidents with the table" if with_table else "nobody has resolved an incident with the table"
    return Answer("not met", said, "let somebody else take the next: offduty incidents ack ID --by NAME, then resolve")


def _accepted(e: Evidence) -> Answer:
    wanting = [one for one in e.stands if one.standing != "accepted"]
    if not e.stands:
        return Answer("not yet", "there is nothing to hand over: no owner, no row", f"set owner in [job.{e.job}]")
    if not wanting:
        return Answer("met", f"{_count(len(e.stands), 'row')} accepted, the job among them")
    first = wanting[0]
    what = first.ours.row or "the job itself"
    words = {"open": "is not accepted", "changed": "has changed since it was accepted", "refused": "is refused", "nobody": "has no team"}
    said = f"{what} {words[first.standing]}" + (f" by {first.ours.team}" if first.standing in ("open", "refused") else "")
    more = f", and {len(wanting) - 1} more" if len(wanting) > 1 else ""
    return Answer("not met", f"{said}{more}", f"offduty handover accept {e.job} --team {first.ours.team or 'TEAM'} --by NAME")


def unattended(runs: Sequence[Past]) -> tuple[int, float | None]:
    """(how many of the newest runs, the attempts of one counted once, were started by no person and ended well; the first one's start)."""
    count, since = 0, None
    by_hand = {run.root_id for run in runs if run.trigger == "manual"}
    seen: set[str] = set()
    for run in reversed(runs):
        if run.root_id in seen:
            continue
        seen.add(run.root_id)
        if run.root_id in by_hand or run.outcome not in GOOD:
            break
        count, since = count + 1, run.at
    return count, since


def _within(at: float | None, span: float, now: float) -> bool:
    return at is not None and now - at <= span


def _ago(at: float, now: float) -> str:
    """A clock that was set back must not make a proof look like one of the future."""
    return f"{spoken(now - at)} ago" if now - at >= 1 else "just now"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


CHECKS = (
    Check("R01", "schedule", "watched", _schedule),
    Check("R02", "absence watched", "watched", _watched),
    Check("R03", "contacts reachable", "watched", _contacts),
    Check("R04", "channels proven", "watched", _channels),
    Check("R05", "logs kept", "watched", _logs),
    Check("R06", "secrets not in files", "watched", _secrets),
    Check("R07", "dependencies owned", "rehearsed", _dependencies),
    Check("R08", "triage covers what can fail", "rehearsed", _coverage),
    Check("R09", "drills passed", "rehearsed", _drills),
    Check("R10", "environment pinned", "rehearsed", _environment),
    Check("R11", "code committed", "rehearsed", _committed),
    Check("R12", "unattended runs", "off duty", _unattended),
    Check("R13", "somebody else resolved one", "off duty", _resolved),
    Check("R14", "handover accepted", "off duty", _accepted),
)
"""What readiness is made of. Adding an item is its function and its line here; each code has a section in docs/explanation/readiness.md."""
