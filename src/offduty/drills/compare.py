"""What happened in a drill, held against what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offduty.drills.faults import FAULTS
from offduty.drills.plan import Planned
from offduty.drills.store import Rehearsed
from offduty.durations import spoken

BAD = ("failed", "timed_out", "terminated", "lost")


@dataclass(frozen=True)
class Message:
    """One that would have gone out. `seconds`: from the run's end until it is sent, quiet hours and digests counted; None: it failed.

    `code`: by which it is confirmed, if it was sent for real.
    """

    channel: str
    team: str
    contact: str
    urgency: str
    title: str
    seconds: float | None
    code: str = ""


@dataclass(frozen=True)
class Observed:
    """What one rehearsal showed. `notes`: what the sandbox told. `speaks`: whether any channel is configured at all.

    `team`, `contact`: whose it is. `outcome`: of what nothing was run for (missed, overdue, lost); `noticed`: seconds until the watcher
    had noticed that, None: it would not, and `unnoticed` says why.
    """

    record: Mapping[str, Any]
    log: str = ""
    notes: Sequence[Mapping[str, Any]] = ()
    messages: Sequence[Message] = ()
    speaks: bool = True
    team: str = ""
    contact: str = ""
    outcome: str = ""
    noticed: float | None = None
    unnoticed: str = ""


def compare(job: str, at: float, planned: Planned, seen: Observed) -> Rehearsed:
    """The result of one drill."""
    verdict: Mapping[str, Any] = (seen.record.get("summary") or {}).get("verdict") or {}
    killed = seen.record.get("signal") is not None and FAULTS[planned.fault].by == "signal"
    struck = seen.outcome != "" or killed or any(one["did"] in ("struck", "hung") for one in seen.notes)
    outcome = seen.outcome or str(seen.record.get("outcome"))
    fault = FAULTS[planned.fault]
    hung = any(one["did"] == "hung" for one in seen.notes)
    loud = None if seen.outcome or not fault.loud else outcome in BAD and not hung
    named = None if not planned.spot.op or not struck else _is_named(planned, seen)
    won = (verdict.get("row") == planned.row) if planned.row else None
    told = any(one.team == seen.team for one in seen.messages) if seen.speaks else None
    sent = [one.seconds for one in seen.messages if one.seconds is not None]
    took = (float(seen.record.get("duration_s") or 0.0) + min(sent)) if sent else None
    wrong = list(_wrong(planned, seen, struck=struck, loud=loud, named=named, won=won, told=told, hung=hung))
    entry = {
        "outcome": outcome, "exit_code": seen.record.get("exit_code"), "what": (seen.record.get("summary") or {}).get("what"),
        "verdict": {key: verdict.get(key) for key in ("row", "source", "category", "team")}, "team": seen.team, "contact": seen.contact,
        "messages": [vars(one) for one in seen.messages], "notes": [dict(one) for one in seen.notes], "where": planned.spot.where,
        "noticed_s": seen.noticed,
    }  # fmt: skip
    said = "; ".join(wrong) or _as_promised(planned, outcome) + ("" if seen.noticed is None else f", noticed after {spoken(seen.noticed)}")
    return Rehearsed(
        job, at, planned.row, planned.fault, planned.spot.op, planned.spot.target, not wrong, said, loud, named, won, told, took, entry
    )


def never(job: str, at: float, row: str) -> Rehearsed:
    """A row that nothing can be done for."""
    said = "no fault of anything that the job touches makes this row win: it may never match"
    return Rehearsed(job, at, row, "", "", "", False, said, won=False)


def _as_promised(planned: Planned, outcome: str) -> str:
    return f"{outcome}, {planned.row} won" if planned.row else f"{outcome}, as it has to be"


def _wrong(
    planned: Planned,
    seen: Observed,
    *,
    struck: bool,
    loud: bool | None,
    named: bool | None,
    won: bool | None,
    told: bool | None,
    hung: bool,
) -> Iterator[str]:
    """Everything that is not as promised, in words; the reason first."""
    if seen.unnoticed:
        yield f"nobody would notice: {seen.unnoticed}"
        return
    if not struck:
        unable = next((str(one["why"]) for one in seen.notes if one["did"] == "unable"), "the job never came to it")
        yield f"it could not be brought about: {unable}"
        return
    if hung:
        yield "it hangs: the call has no time-out, and only max_duration would end the job"
    elif loud is False:
        wrote = sorted({str(one["target"]) for one in seen.notes if one["did"] in ("redirected", "undone", "refused")})
        more = f", and wrote {', '.join(wrote[:3])}" if wrote else ""
        yield f"the job went on{more}, and ended with exit {seen.record.get('exit_code')}: nobody would hear of it"
    if named is False:
        yield "its log does not name what was struck"
    if won is False:
        verdict = (seen.record.get("summary") or {}).get("verdict") or {}
        yield f"{planned.row} did not win, but {verdict.get('row') or 'nothing'}"
    if told is False and seen.record.get("outcome") == "succeeded":
        if loud is not False:  # else that has been said
            yield "the run counts as a success: nobody would hear of it"
    elif told is False:
        none = "has no channel, or wants to hear nothing of it"
        yield f"nobody is told: the team {seen.team} {none}" if seen.team else "nobody is told: no team is named"


def _is_named(planned: Planned, seen: Observed) -> bool:
    """Whether offduty's own lines of the log, beside that of a transaction that went well, name it."""
    spot = planned.spot
    words = [
        spot.target.partition("?")[0],
        spot.target.rpartition("/")[2],
        spot.where,
        *([spot.dependency.name] if spot.dependency else []),
    ]
    own = [line for line in seen.log.splitlines() if line[13:14] == "*" and "  ok  " not in line]
    return any(word and word in line for word in words for line in own)
