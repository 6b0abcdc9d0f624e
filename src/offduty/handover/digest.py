"""The week of a team, as a document people read: what ran, what needed a human, what changed, and the one thing worth doing next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offduty.handover import document as doc
from offduty.handover.document import Document, Section
from offduty.handover.readiness import LEVELS, Readiness
from offduty.handover.value.judge import Verdict

URGENT = ("look again", "fix first")


@dataclass(frozen=True)
class JobWeek:
    """A job's week. `bad`: runs that ended badly. `touches`: what people did, in words. `before`: its level a week ago, "" if unknown.

    `open_incidents`: what is broken now, in words.
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
        Section("channels", "Channels not proven lately", (doc.steps(unproven) if unproven else doc.text("None."),)),
    ]
    return Document(doc.line(f"{team}: the week"), _in_short(weeks), doc.line(span), tuple(sections))


def _in_short(weeks: Sequence[JobWeek]) -> str:
    good, bad, hours = (sum(getattr(one, name) for one in weeks) for name in ("good", "bad", "hours"))
    return f"jobs {len(weeks)} · runs {good + bad:g} · ended badly {bad:g} · hours of people {hours:.1f}"


def _levels(weeks: Sequence[JobWeek]) -> doc.Block:
    rows = [(one.job, one.before, one.ready.level) for one in weeks if one.before and one.before != one.ready.level]
    return doc.grid(("job", "a week ago", "now"), rows) if rows else doc.text("Nothing.")


def next_thing(weeks: Sequence[JobWeek], unproven: Sequence[str], command_of_proof: str) -> str:
    """What is broken; then what drifts or eats the hours; then proof of a channel; then the next item of the job that is least ready."""
    for one in weeks:
        if one.open_incidents:
            return f"{one.job} is broken ({one.open_incidents[0]}): offduty incidents --job {one.job}"
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
