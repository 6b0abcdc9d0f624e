"""Where coverage and drill results come from: what their part keeps in the store, as readiness and the runbook read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offduty.handover.seams import NotYet, Rehearsal

if TYPE_CHECKING:
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore


def rehearsal_of(settings: Settings, store: SqliteStore) -> Rehearsal:
    """What coverage and drills have found out for the jobs of this configuration."""
    return NotYet()
