"""From what is owed and what is known of it to the message. Pure: everything it says is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from offduty.alerts.alert import Alert, Severity
from offduty.alerts.incident import DRILL, NEVER_RAN
from offduty.alerts.owed import Owed
from offduty.alerts.wording import moment
from offduty.clock import rfc3339, wall_of
from offduty.durations import spoken

SEVERITIES: Mapping[str, Severity] = {
    "info": "info", "notice": "notice", "low": "notice", "warning": "warning", "medium": "warning", "error": "error", "high": "error",
    "critical": "critical",
}  # fmt: skip
WORDS = {
    "started": "STARTED", "succeeded": "SUCCEEDED", "warned": "WARNED", "failed": "FAILED", "timed_out": "TIMED OUT",
    "terminated": "TERMINATED", "recovered": "RECOVERED", "missed": "MISSED", "overdue": "OVERDUE", "lost": "LOST", "stuck": "STUCK",
    "stale": "STALE", "reminder": "STILL BROKEN", "escalated": "ESCALATED", "drill_failed": "DRILL FAILED",
}  # fmt: skip
LAST_LINES = 12


@dataclass(frozen=True)
class Known:
    """What a message may be made of. `run`: its record; `incident`: as JSON; `titles` and `contacts` by team; `told`: who else, in words.

    `before`: how many incidents of the job there were in the last 30 days, this one left out. `lines`: the end of the log.
    `verdict`: on what happened where no run has ended.
    """

    run: Mapping[str, Any] = field(default_factory=dict)
    incident: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    before: int = 0
    lines: tuple[str, ...] = ()
    link: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)


def compose(row: Owed, known: Known, members: Sequence[Owed] = ()) -> Alert:
    """The message that `row` owes. `members`: the rows that it tells of, if it is a digest."""
    if row.event == "digest":
        return _digest(row, members, known)
    if row.event == "drill_failed":
        return _drill(row, known)
    if row.event == "weekly":
        return _week(row, known)
    if row.event in ("silenced", "undelivered", "channel_broken", "acknowledged"):
        return _notice(row, known)
    return _of_job(row, known)


def _of_job(row: Owed, known: Known) -> Alert:
    summary = known.run.get("summary") or {}
    is_bad = row.status == "firing" or row.event == "warned"
    verdict = summary.get("verdict") or (known.verdict if is_bad else {})
    explained = summary if is_bad and row.run else {}
    team = verdict.get("team") or row.team
    says_little = is_bad and not (explained.get("because") or explained.get("do"))
    return Alert(
        key=row.key, event=row.event, job=row.job, title=_title(row, known, verdict), at=float(row.facts.get("at", row.at)),
        severity=_severity(row, verdict), status=row.status, incident=row.incident or None, outcome=str(known.run.get("outcome") or ""),
        run=row.run, what=_what(row, explained, known), because=explained.get("because") or "", where=explained.get("where") or "",
        triage=_triage(verdict) if explained or known.verdict else "", steps=tuple(_steps(row, explained, known.verdict)),
        team=known.titles.get(team, team), contact=known.contacts.get(team, ""), told=known.told, history=_history(row, known),
        duration_s=known.run.get("duration_s"), host=str(known.run.get("host") or ""), log=str(known.run.get("log") or ""), link=known.link,
        lines=known.lines[-LAST_LINES:] if says_little else (),
    )  # fmt: skip


def _title(row: Owed, known: Known, verdict: Mapping[str, Any]) -> str:
    """`FAILED forecast: the sales feed changed shape`."""
    outcome = str(known.run.get("outcome") or "")
    word = WORDS.get(outcome if row.event == "failed" and outcome in ("timed_out", "terminated") else row.event, row.event.upper())
    about = {"recovered": _recovered(row), "missed": _missed(row), "overdue": "it runs longer than it should"}.get(row.event, "")
    if row.event in ("failed", "reminder", "escalated", "warned"):
        about = verdict.get("title") or _first_line((known.run.get("summary") or {}).get("what")) or str(row.facts.get("cause") or "")
    if row.event == "stale":
        about = f"{str(row.facts.get('cause', '')).removeprefix('stale ')} is too old"
    return f"{word} {row.job}: {about}" if about else f"{word} {row.job}"


def _drill(row: Owed, known: Known) -> Alert:
    """What a drill that came by itself found, or why it could not be done."""
    facts = row.facts
    said = str(facts.get("said") or "")
    again = f"See what happened: offduty drill {row.job} --history. When it is mended: offduty drill {row.job}"
    word = "DRILL NOT DONE" if facts.get("outcome") == "could not" else WORDS["drill_failed"]
    return Alert(
        key=row.key, event=row.event, job=row.job, title=f"{word} {row.job}: {said}" if said else f"{word} {row.job}",
        at=float(facts.get("at", row.at)), severity="warning", status=row.status, incident=row.incident or None,
        what=str(facts.get("why") or ""), items=tuple(str(item) for item in facts.get("items") or ()), steps=(again,),
        team=known.titles.get(row.team, row.team), contact=known.contacts.get(row.team, ""), told=known.told, link=known.link,
    )  # fmt: skip


def _week(row: Owed, known: Known) -> Alert:
    """A team's digest: what it says was put together when it came to be owed."""
    facts = row.facts
    team = known.titles.get(row.team, row.team)
    return Alert(
        key=row.key, event="weekly", job="", title=str(facts.get("title") or f"{team}: the week"), at=row.at, team=team,
        what=str(facts.get("what") or ""), items=tuple(str(item) for item in facts.get("items") or ()),
        steps=tuple(str(step) for step in facts.get("do") or ()), link=known.link,
    )  # fmt: skip


def _recovered(row: Owed) -> str:
    """`well again after 3 h 2 min and 4 bad runs`."""
    facts = row.facts
    if facts.get("cause") == DRILL:
        return "its drills go as promised" + (f" (resolved by {facts['resolved_by']})" if facts.get("resolved_by") else "")
    lasted = float(facts.get("at") or row.at) - float(facts.get("opened_at") or row.at)
    bad = int(facts.get("failures") or 0)
    by = f" (resolved by {facts['resolved_by']})" if facts.get("resolved_by") else ""
    return f"well again after {spoken(max(lasted, 0.0))}" + (f" and {bad} bad run{'s' * (bad != 1)}" if bad else "") + by


def _missed(row: Owed) -> str:
    not_started = "has not started: it never ran at all" if row.facts.get("cause") == NEVER_RAN else "has not started"
    return f"it was due at {moment(float(row.facts['at']))} and {not_started}" if "at" in row.facts else f"it {not_started}"


def _what(row: Owed, summary: Mapping[str, Any], known: Known) -> str:
    if row.event == "overdue":
        return f"It started at {moment_of(known.run.get('started_at'))} and is still running."
    if row.event == "lost":
        return "Its supervisor is gone: killed, or the machine went down. How the job ended is not known."
    if row.event == "stuck":
        return str(row.facts.get("cause") or "")
    return str(summary.get("what") or known.verdict.get("cause") or "")


def _steps(row: Owed, summary: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[str]:
    steps = [str(step) for step in summary.get("do") or verdict.get("steps") or ()]
    if row.event == "missed" and verdict.get("source") != "table":
        never = row.facts.get("cause") == NEVER_RAN
        look = f"Has it been installed? offduty schedule install {row.job}" if never else "Is the scheduler up, and the machine it runs on?"
        steps = [look, f"Start it by hand if it is needed: offduty run {row.job}"]
    return steps


def _triage(verdict: Mapping[str, Any]) -> str:
    row, title = verdict.get("row") or verdict.get("category"), verdict.get("title") or verdict.get("cause")
    return f"{row} “{title}”" if row and title else str(row or "")


def _severity(row: Owed, verdict: Mapping[str, Any]) -> Severity:
    if row.event in ("recovered", "succeeded", "started"):
        return "info"
    if row.event == "warned":
        return "warning"
    return SEVERITIES.get(str(verdict.get("severity") or "error"), "error")


def _history(row: Owed, known: Known) -> str:
    """`4th bad run since 21 Nov 2026 06:02 UTC; 2 more incidents in 30 days`."""
    failures, opened = int(row.facts.get("failures") or 0), row.facts.get("opened_at")
    parts = []
    if failures > 1 and opened and row.event != "recovered":
        parts.append(f"{failures} bad runs since {moment(float(opened))}")
    if known.before:
        parts.append(f"{known.before} other incident{'s' * (known.before != 1)} of this job in 30 days")
    return "; ".join(parts)


def _digest(row: Owed, members: Sequence[Owed], known: Known) -> Alert:
    """Several messages as one: a line each, the bad ones first."""
    order = sorted(members, key=lambda one: (one.status != "firing", one.at))
    jobs = list(dict.fromkeys(one.job for one in order))
    title = f"{len(members)} message{'s' * (len(members) != 1)} about {_named(jobs)}"
    bad = sum(one.status == "firing" for one in members)
    news = f"{bad} of them {'is' if bad == 1 else 'are'} bad news." if bad else ""
    status: Literal["firing", "info"] = "firing" if row.status == "firing" else "info"
    items = tuple(_item(one) for one in order)
    return Alert(
        key=row.key, event="digest", job=row.job or (jobs[0] if len(jobs) == 1 else ""), title=title, at=row.at, items=items, status=status,
        severity="error" if bad else "info", team=known.titles.get(row.team, row.team), what=news,
    )  # fmt: skip


def _named(jobs: Sequence[str]) -> str:
    return ", ".join(jobs) if len(jobs) <= 3 else f"{', '.join(jobs[:2])} and {len(jobs) - 2} other jobs"


def _item(one: Owed) -> str:
    about = one.facts.get("cause") if one.status == "firing" else _recovered(one) if one.event == "recovered" else ""
    word = WORDS.get(one.event, one.event.upper())
    return f"{moment(float(one.facts.get('at', one.at)))}  {word} {one.job}" + (f": {about}" if about and about != one.event else "")


def _notice(row: Owed, known: Known) -> Alert:
    """News about telling people itself."""
    facts = row.facts
    title = {
        "silenced": f"SILENCED {row.job} until {moment(float(facts.get('until') or 0.0))}"
        if facts.get("set")
        else f"STILL BROKEN {row.job}",
        "undelivered": f"NOT DELIVERED to {facts.get('channel', 'a channel')}: alerts of {row.job or 'several jobs'}",
        "channel_broken": f"BROKEN channel {facts.get('channel', '')}: it refuses what it is sent",
        "acknowledged": f"ACKNOWLEDGED {row.job} by {facts.get('acked_by', 'somebody')}",
    }[row.event]
    what = str(facts.get("reason") or facts.get("error") or facts.get("cause") or "")
    suppressed = f"{facts['suppressed']} messages were kept back while it was silenced" if facts.get("suppressed") else ""
    bad = row.event in ("undelivered", "channel_broken") or row.status == "firing"
    return Alert(
        key=row.key, event=row.event, job=row.job, title=title, at=row.at, severity="error" if bad else "info", status=row.status,
        incident=row.incident or None, run=row.run, what=what, history=suppressed, team=known.titles.get(row.team, row.team),
        contact=known.contacts.get(row.team, ""), told=known.told,
    )  # fmt: skip


def told_in_words(row: Owed, titles: Mapping[str, str]) -> str:
    """`Data Platform by slack-dp 06:02:31 (delivered)`: a row as the summary and other messages show it."""
    team = titles.get(row.team, row.team)
    whom = f"{team} by {row.channel}" if team else row.channel
    if row.state == "delivered":
        return f"{whom} {rfc3339(row.done_at)[11:19]} (delivered)" if row.done_at is not None else f"{whom} (delivered)"
    if row.state == "silenced":
        return f"{whom} (silenced)"
    if row.state == "dead":
        return f"{whom} (NOT delivered: {row.error})" if row.error else f"{whom} (NOT delivered)"
    if row.state == "dropped":
        return f"{whom} (left out: {row.error})"
    if row.state == "folded":
        return f"{whom} (with others, in one message)"
    if row.error:
        return f"{whom} (not yet: {row.error}; it is tried again)"
    if row.urgency == "digest" or row.not_before > row.at:
        return f"{whom} at {rfc3339(row.not_before)[11:16]}" + (" in the digest" if row.urgency == "digest" else "")
    return f"{whom} (waiting)"


def moment_of(text: object) -> str:
    """A time of a record, as messages show it."""
    try:
        return moment(wall_of(str(text)))
    except ValueError:
        return "a time that is not known"


def _first_line(text: object) -> str:
    return str(text or "").partition("\n")[0]
