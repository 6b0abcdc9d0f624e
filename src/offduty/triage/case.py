"""Everything that is known of one failure when it is judged: the evidence, however it came to be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offduty.runs.failure import Failure
    from offduty.transactions.change import Change
    from offduty.transactions.transaction import Transaction


@dataclass(frozen=True)
class Case:
    """One failure. Made from a run's record and evidence, or from nothing but a log.

    `lines`: the log's last lines, the job's own text, without offduty's column. `transactions`: the run's ledger, in order.
    `checks`: the run's checks (dicts as in events: name, outcome, detail, source). `changes`: since the last good run.
    `dependencies`: dependency name by transaction number, for those that a `[dependency.x]` matches. `oom`: whether the machine counted
    a kill for want of memory, None if nobody looked. `outcome`: the run's, or an absence (`missed`, `overdue`, `stale_output`, `too_fast`).
    """

    outcome: str = "failed"
    exit_code: int | None = None
    signal: int | None = None
    failure: Failure | None = None
    lines: tuple[str, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[Change, ...] = ()
    dependencies: Mapping[int, str] = field(default_factory=dict)
    oom: bool | None = None
    job: str = ""
    cwd: str = ""
