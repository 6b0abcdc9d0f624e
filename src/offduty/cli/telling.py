"""What the commands about alerts and incidents stand on: the store, the configuration, and rows and incidents in words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from offduty.alerts.incident import Incident
from offduty.alerts.owed import Owed
from offduty.cli.show import Cell, one_line
from offduty.cli.show import moment as spoken_moment
from offduty.clock import rfc3339
from offduty.durations import spoken

if TYPE_CHECKING:
    from offduty.cli.reach import Reach
    from offduty.stores.sqlite import SqliteStore

STATE_STYLE = {
    "waiting": "yellow", "leased": "yellow", "folded": "yellow", "delivered": "green", "dead": "bold red", "dropped": "dim",
    "silenced": "dim", "open": "bold red", "settling": "yellow", "pending": "yellow", "resolved": "green",
}  # fmt: skip


def store_of(reach: Reach) -> SqliteStore:
    """The store with what it has beside runs; the one in memory, where nothing ever ran, has it too."""
    store: Any = reach.store
    return store  # type: ignore[no-any-return]  # both kinds of store that `open_for_reading` opens have it


def who(args: argparse.Namespace) -> str:
    """The person who does this: `--by`, else the user."""
    import getpass

    try:
        return args.by or getpass.getuser()
    except (OSError, KeyError):
        return str(os.geteuid())


def add_by_option(parser: argparse.ArgumentParser) -> None:
    """`--by NAME`: whose doing it is."""
    parser.add_argument("--by", metavar="NAME", help="who does this, for the record (default: the user)")


def alert_json(row: Owed) -> dict[str, Any]:
    """A row of the outbox for programs."""
    plain = {
        name: getattr(row, name) for name in ("key", "event", "channel", "team", "job", "run", "incident", "status", "urgency", "state")
    }
    more = {"attempts": row.attempts, "ambiguous": row.ambiguous, "error": row.error or None, "receipt": row.receipt or None}
    done = rfc3339(row.done_at) if row.done_at is not None else None
    return {**plain, **more, "owed_at": rfc3339(row.at), "not_before": rfc3339(row.not_before), "done_at": done}


def alert_cells(row: Owed, now: float) -> list[Cell]:
    """A row of the outbox as a line of a table."""
    when = row.done_at if row.done_at is not None else row.not_before
    about = row.error or row.receipt
    return [
        Cell(row.key[:8]), Cell(row.state, STATE_STYLE.get(row.state, "")), Cell(one_line(row.event)), Cell(one_line(row.job)),
        Cell(one_line(row.channel)), Cell(spoken_moment(when, now)), Cell(str(row.attempts or "-")), Cell(one_line(about)),
    ]  # fmt: skip


ALERT_HEADERS = ("alert", "state", "event", "job", "channel", "when", "tries", "")


def incident_json(incident: Incident) -> dict[str, Any]:
    """An incident for programs."""
    moments = ("opened_at", "last_at", "acked_at", "snoozed_until", "resolved_at")
    times = {name: rfc3339(at) if (at := getattr(incident, name)) is not None else None for name in moments}
    plain = {
        name: getattr(incident, name) for name in ("id", "job", "cause", "event", "state", "failures", "flaps", "reminders", "escalated")
    }
    people = {"acked_by": incident.acked_by or None, "resolved_by": incident.resolved_by or None}
    notes = [{"at": rfc3339(at), "by": by, "text": text} for at, by, text in incident.notes]
    return {**plain, **times, **people, "first_run": incident.first_run or None, "last_run": incident.last_run or None, "notes": notes}


def incident_lines(incident: Incident, now: float) -> Iterator[tuple[str, str]]:
    """(label, text) for everything about an incident; what is not is left out."""
    lasted = spoken(max((incident.resolved_at or now) - incident.opened_at, 0.0))
    facts = [
        ("incident", incident.id), ("job", incident.job), ("cause", incident.cause), ("state", incident.state),
        ("opened", f"{rfc3339(incident.opened_at)}, " + (f"for {lasted}" if incident.resolved_at else f"{lasted} ago")),
        ("failures", f"{incident.failures}, the last {rfc3339(incident.last_at)}"),
        ("flapped", f"{incident.flaps} times" if incident.flaps else ""),
        ("first run", incident.first_run), ("last run", incident.last_run),
        ("acked", _done(incident.acked_at, incident.acked_by)), ("escalated", "yes" if incident.escalated else ""),
        ("snoozed", f"until {rfc3339(incident.snoozed_until)}" if incident.snoozed_until and incident.snoozed_until > now else ""),
        ("resolved", _done(incident.resolved_at, incident.resolved_by)),
        *(("note", f"{rfc3339(at)} {by}: {text}") for at, by, text in incident.notes),
    ]  # fmt: skip
    yield from ((label, one_line(text)) for label, text in facts if text)


def _done(at: float | None, by: str) -> str:
    return "" if at is None else rfc3339(at) + (f" by {by}" if by else "")
