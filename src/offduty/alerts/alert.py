"""One message to one channel, before it is put into that channel's form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Event = Literal[
    "started", "succeeded", "warned", "failed", "recovered", "missed", "overdue", "lost", "stuck", "stale",
    "reminder", "acknowledged", "escalated", "digest", "silenced", "channel_broken", "undelivered", "test",
    "drill_failed", "drill_passed", "weekly",
]  # fmt: skip
"""What happened. `weekly`: the digest of a team's week. `failed` stands for timed_out and terminated too; `outcome` tells them apart.

`undelivered`: another channel did not take an alert that was owed there. `silenced`: a silence was set, or ended."""

Severity = Literal["debug", "info", "notice", "warning", "error", "critical"]


@dataclass(frozen=True)
class Alert:
    """What a channel is given. Texts come from anywhere (a job's data too) and are not escaped: each channel does that for its own form.

    `key`: the same for every attempt to deliver this message, different for any other (a dedup key, a Message-ID).
    `incident`: the same for all messages of one incident, None outside of one; PagerDuty's dedup_key, the thread of mails.
    `status`: `firing` opens or goes on with an incident, `resolved` ends it, `info` is neither.
    `at`: seconds since 1970. `lines`: the log's last lines, where nothing better is known. `items`: the entries of a digest or a storm.
    """

    key: str
    event: Event
    job: str
    title: str
    at: float
    severity: Severity = "info"
    status: Literal["firing", "resolved", "info"] = "info"
    incident: str | None = None
    outcome: str = ""
    run: str = ""
    what: str = ""
    because: str = ""
    where: str = ""
    triage: str = ""
    steps: tuple[str, ...] = ()
    team: str = ""
    contact: str = ""
    told: tuple[str, ...] = ()
    history: str = ""
    duration_s: float | None = None
    host: str = ""
    log: str = ""
    link: str = ""
    lines: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    code: str = ""
    drill: bool = False
