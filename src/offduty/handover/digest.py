"""The week of a team, as a document people read: what ran, what needed a human, what changed, and the one thing worth doing next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from offduty.handover import document as doc
from offduty.handover.document import Document, Section
from offduty.handover.readiness import LEVELS, Readiness
from offduty.handover.value.judge import Verdict

MOST_LINES, MOST_TOUCHES, LONGEST = 40, 5, 250
"""Of a message: lines, touches of one job, characters of a line."""
URGENT = ("look again", "fix first")


@dataclass(frozen=True)
class JobWeek:
    """A job's week. `bad`: runs that ended badly. `touches`: what people did, in words. `before`: its level a week ago, "" if unknown.

    `open_incidents`: what is broken now, in words. `drills`: what the last ones found, if not everything went as promised.
    """

    job: str
    good: int
    bad: int
    touches: tuple[str, ...]
    hours: float
    before: str
    ready: Readiness
    verdict: Verdict
    open_incidents: tuple[str, ...] = ()
    drills: str = ""


def digest(team: str, weeks: Sequence[JobWeek], unproven: Sequence[str], span: str, command_of_proof: str) -> Document:
    """The document. `unproven`: channels, each with how long ago it was proven; `span`: the days it is about."""
    ran = [(one.job, str(one.good), str(one.bad), one.ready.level, one.verdict.headline) for one in weeks]
    hands = [(one.job, text) for one in weeks for text in one.touches]
    sections = [
        Section("next", "The one thing worth doing next", (doc.text(next_thing(weeks, unproven, command_of_proof)),)),
        Section("ran", "What ran", (doc.grid(("job", "good", "bad", "level", "value"), ran) if ran else doc.text("Nothing."),)),
        Section(
            "hands", "What needed a human", (doc.grid(("job", "what"), hands) if hands else doc.text("Nothing: it all ran by itself."),)
        ),
        Section("levels", "What changed in readiness", (_levels(weeks),)),
        Section("drills", "What drills found", (_drilled(weeks),)),
        Section("channels", "Channels not proven lately", (doc.steps(unproven) if unproven else doc.text("None."),)),
    ]
    return Document(doc.line(f"{team}: the week"), _in_short(weeks), doc.line(span), tuple(sections))


def _in_short(weeks: Sequence[JobWeek]) -> str:
    good, bad, hours = (sum(getattr(one, name) for one in weeks) for name in ("good", "bad", "hours"))
    return f"jobs {len(weeks)} · runs {good + bad:g} · ended badly {bad:g} · hours of people {hours:.1f}"


def _levels(weeks: Sequence[JobWeek]) -> doc.Block:
    rows = [(one.job, one.before, one.ready.level) for one in weeks if one.before and one.before != one.ready.level]
    return doc.grid(("job", "a week ago", "now"), rows) if rows else doc.text("Nothing.")


def _drilled(weeks: Sequence[JobWeek]) -> doc.Block:
    rows = [(one.job, one.drills) for one in weeks if one.drills]
    return doc.grid(("job", "what"), rows) if rows else doc.text("Nothing.")


def is_empty(weeks: Sequence[JobWeek]) -> bool:
    """Nothing ran, nobody did anything, nothing changed and nothing is broken: not worth a message."""
    return not any(
        one.good or one.bad or one.touches or one.open_incidents or one.drills or (one.before and one.before != one.ready.level)
        for one in weeks
    )


def message(team: str, weeks: Sequence[JobWeek], unproven: Sequence[str], span: str, command_of_proof: str) -> dict[str, Any]:
    """The same for a channel: `title`, `what` in short, `items` (a line each, what is bad first), `do` (the one thing). Small."""
    runs, bad = sum(one.good + one.bad for one in weeks), sum(one.bad for one in weeks)
    ran = f"{runs} run{'s' * (runs != 1)}, {bad or 'none'} ended badly" if runs else "nothing ran"
    title = f"The week of {team}: {ran}"
    lines = [doc.line(line)[:LONGEST] for line in _lines(weeks, unproven)]
    items = [*lines[:MOST_LINES], *([f"and {len(lines) - MOST_LINES} more: offduty digest"] if len(lines) > MOST_LINES else [])]
    return {"title": doc.line(title), "what": f"{span} · {_in_short(weeks)}", "items": items,
            "do": [doc.line(next_thing(weeks, unproven, command_of_proof))]}  # fmt: skip


def _lines(weeks: Sequence[JobWeek], unproven: Sequence[str]) -> Iterator[str]:
    for one in weeks:
        yield from (f"broken: {one.job}, {incident}" for incident in one.open_incidents)
    for one in sorted(weeks, key=lambda one: -one.bad):
        worth = "" if one.verdict.kind == "too early" else f"; {one.verdict.headline}"
        yield f"{one.job}: {one.good} good, {one.bad} bad; {one.ready.level}{worth}"
    for one in weeks:
        yield from (f"needed a human: {one.job} {touch}" for touch in one.touches[:MOST_TOUCHES])
        if len(one.touches) > MOST_TOUCHES:
            yield f"needed a human: {one.job} {len(one.touches) - MOST_TOUCHES} times more"
    yield from (f"readiness: {one.job} was {one.before}, is {one.ready.level}" for one in weeks if one.before not in ("", one.ready.level))
    yield from (f"drills: {one.job} {one.drills}" for one in weeks if one.drills)
    yield from (f"not proven: {channel}" for channel in unproven)


def next_thing(weeks: Sequence[JobWeek], unproven: Sequence[str], command_of_proof: str) -> str:
    """What is broken; what would break, as drills found; what drifts or eats the hours; proof of a channel; what the least ready lacks."""
    for one in weeks:
        if one.open_incidents:
            return f"{one.job} is broken ({one.open_incidents[0]}): offduty incidents --job {one.job}"
    for one in weeks:
        if one.drills:
            return f"{one.job}: {one.drills}. offduty drill {one.job} --history"
    for one in weeks:
        if one.verdict.kind in URGENT:
            return f"{one.job}: {one.verdict.headline}. offduty value {one.job}"
    if unproven:
        return f"Prove that {unproven[0]}. {command_of_proof}"
    lacking = sorted((one for one in weeks if one.ready.missing), key=lambda one: (LEVELS.index(one.ready.level), one.ready.score))
    if lacking:
        item = lacking[0].ready.missing[0]
        return f"{lacking[0].job}: {item.title} ({item.evidence}). {item.command}"
    return "Nothing: leave it alone."
