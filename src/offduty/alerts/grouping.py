"""Which messages go together: a digest, a storm, and what is too old to be news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offduty.alerts.keys import digest_of
from offduty.alerts.owed import Owed
from offduty.alerts.plan import DAY

STORM = 5
"""More messages than this, due at once for one channel, are one."""
MOST_MEMBERS = 50
"""What one message can name: 50 lines of 150 characters are what the smallest receiver takes."""
NEWS_FOR = DAY
"""Seconds after which a message is not worth an interruption of its own: a channel was away, or a backup was restored (F77)."""


@dataclass(frozen=True)
class Batch:
    """`alone`: rows that are messages of their own. `groups`: a new row each, and those that it is to tell of."""

    alone: tuple[Owed, ...]
    groups: tuple[tuple[Owed, tuple[Owed, ...]], ...]


def batch(rows: Sequence[Owed], now: float, *, pages: bool) -> Batch:
    """Sort what was claimed for one channel. What was tried before stays as it was: receivers know it by its key."""
    fresh = [row for row in rows if row.attempts == 1 and not row.ambiguous and row.event not in ("digest", "weekly")]
    calm = [row for row in fresh if _is_calm(row, now)] if not pages else []
    loud = [row for row in fresh if row not in calm and (row.status == "firing" or not pages)]
    sets = [members for members in (calm if len(calm) > 1 else [], loud if len(loud) > STORM else []) if members]
    grouped = {row.number for members in sets for row in members}
    return Batch(
        tuple(row for row in rows if row.number not in grouped),
        tuple((_group(tuple(members), now, pages), tuple(members)) for members in sets),
    )


def _is_calm(row: Owed, now: float) -> bool:
    return row.urgency == "digest" or abs(now - row.at) > NEWS_FOR


def _group(members: tuple[Owed, ...], now: float, pages: bool) -> Owed:
    key = digest_of("group", members[0].channel, *(row.key for row in members))
    jobs = sorted({row.job for row in members})
    return Owed(
        key=key, chain=key, job=jobs[0] if len(jobs) == 1 else "", event="digest", channel=members[0].channel,
        status="firing" if pages else "info", team=members[0].team, at=now, not_before=now,
        facts={"count": len(members), "jobs": len(jobs), "storm": all(row.urgency == "now" for row in members)},
    )  # fmt: skip
