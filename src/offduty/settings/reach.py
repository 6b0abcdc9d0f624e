"""Whether everybody who should be told of something can be: for `offduty check`, because a run goes on without."""

from __future__ import annotations

from collections.abc import Iterator

from offduty.settings.load import Settings
from offduty.settings.mistakes import Mistake, Path
from offduty.settings.schema import Telling


def unreached(settings: Settings) -> Iterator[Mistake]:
    """E227 for every gap. Where there is no channel at all, nobody expects to be told."""
    if not settings.channels:
        return
    yield from _mute_teams(settings)
    yield from _orphans(settings)
    yield from _idle_channels(settings)
    yield from _escalations(("alerts",), settings.alerts, settings.alerts)
    for name, job in settings.jobs.items():
        yield from _escalations(("job", name, "alerts"), job.alerts, settings.alerts)


def _mute_teams(settings: Settings) -> Iterator[Mistake]:
    """Teams that something is sent to, and that listen to no channel."""
    for name, path in _named(settings).items():
        if name in settings.teams and not settings.teams[name].channels:
            what, why = f"team {name} has no channel", "what is theirs reaches nobody at once, or only the job's owner"
            yield Mistake("E227", path, what, why, f"add channels to [team.{name}]")


def _named(settings: Settings) -> dict[str, Path]:
    """Where each team is first named as one that is told."""
    found: dict[str, Path] = {}
    for name, job in settings.jobs.items():
        found.setdefault(job.owner or "", ("job", name, "owner"))
        found.setdefault(job.alerts.escalate_to or "", ("job", name, "alerts", "escalate_to"))
    for number, row in enumerate(settings.triage):
        found.setdefault(row.team or "", ("triage", number, "team"))
    for name, dependency in settings.dependencies.items():
        found.setdefault(dependency.team or "", ("dependency", name, "team"))
    for kind, team in settings.owners.items():
        found.setdefault(team, ("owners", kind))
    found.setdefault(settings.alerts.escalate_to or "", ("alerts", "escalate_to"))
    found.pop("", None)
    return found


def _orphans(settings: Settings) -> Iterator[Mistake]:
    """Jobs that belong to nobody: a failure that no row explains is told to nobody."""
    for name, job in settings.jobs.items():
        if not job.owner:
            what = f"nobody is told of {name}, unless a row names a team"
            yield Mistake("E227", ("job", name), what, fix="give it an owner")


def _idle_channels(settings: Settings) -> Iterator[Mistake]:
    used = {channel for team in settings.teams.values() for channel in team.channels}
    telling = [settings.alerts, *(job.alerts for job in settings.jobs.values())]
    used |= {channel for one in telling for channel in one.fallback or ()}
    for name in settings.channels:
        if name not in used:
            yield Mistake("E227", ("channel", name), f"no team listens to {name}", fix="add it to the channels of a team, or remove it")


def _escalations(path: Path, said: Telling, general: Telling) -> Iterator[Mistake]:
    """`escalate_after` and `escalate_to` are nothing without each other; what a job does not say, `[alerts]` may."""
    after, to = (getattr(said, key) or getattr(general, key) for key in ("escalate_after", "escalate_to"))
    if said.escalate_after and not to:
        yield Mistake("E227", (*path, "escalate_after"), "there is nobody to escalate to", fix="add escalate_to")
    if said.escalate_to and not after:
        yield Mistake("E227", (*path, "escalate_to"), "it is never escalated", fix="add escalate_after")
    if said.remind_max and not (said.remind or general.remind):
        yield Mistake("E227", (*path, "remind_max"), "there are no reminders", fix="add remind")
