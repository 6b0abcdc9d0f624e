"""A watcher with all it needs, on a clock that the test moves."""

from __future__ import annotations

from offduty.settings.load import load
from offduty.testing import FakeClock, a_run
from offduty.wiring.watching import DAY, KEEP_TOLD, Station

TELL = {"job": "forecast", "cause": "X", "owed": {"failed": [{"channel": "chat", "urgency": "now"}]}, "policy": {"settle_s": 0}}


def test_what_was_told_long_ago_is_forgotten(tmp_path):
    """INV-11: an outbox of years must not grow; what is still waiting, and incidents that are open, stay."""
    clock = FakeClock()
    station = Station(load(str(tmp_path), {"OFFDUTY_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}), clock, name="w")
    for job in ("over", "open"):
        station.store.put_run(a_run(job, "failed", at=clock.wall() - 12), tell={**TELL, "job": job})
    station.store.put_run(a_run("over", at=clock.wall() + 60), tell={**TELL, "job": "over"})
    for row in station.store.alerts.alerts():
        station.store.alerts.drop(row.key, "told by hand", clock.wall())
    station.tick()
    assert len(station.store.alerts.alerts()) >= 2
    clock.advance(KEEP_TOLD + DAY)
    station.tick()
    assert {row.job for row in station.store.alerts.alerts()} == {"open"}
    station.store.close()
