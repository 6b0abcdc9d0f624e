"""Coverage of one job: its sources and past runs in; what the table explains of all that can fail, out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from offduty.drills.coverage import Coverage, cover, spots_of
from offduty.errors import OffdutyError
from offduty.runs.store import Store
from offduty.transactions import transaction
from offduty.transactions.scan import scan
from offduty.transactions.scan.found import Place
from offduty.transactions.transaction import Transaction
from offduty.triage.diagnose import diagnose
from offduty.triage.row import Row
from offduty.wiring.triage import Duty, duty_of

if TYPE_CHECKING:
    from offduty.drills.coverage import Judge
    from offduty.settings.load import Settings

LOOKED_AT = 20
"""Runs whose ledgers are looked at."""


def coverage_of(settings: Settings, name: str, store: Store | None, paths: Iterable[str] = ()) -> Coverage:
    """What the table explains. `paths`: the sources (default: of the last run, or the job's folder). Raises as `Settings.launch`."""
    duty = duty_of(settings, places=True)
    folder = str(settings.launch(name)["cwd"])
    past = store.runs(name, limit=LOOKED_AT) if store is not None else []
    base, places = places_of(folder, list(paths) or sources(store, name, folder), settings.launch(name)["notebook"])
    seen = ledger_of(store, [run["id"] for run in past]) if store is not None else []
    spots = spots_of(places, seen, duty.dependencies, folder, base)
    duty = replace(duty, table=replace(duty.table, rows=tuple(row for row in duty.table.rows if not catches_all(row))))
    return cover(name, spots, [row.name for row in duty.table.rows], judge_of(duty, name))


def catches_all(row: Row) -> bool:
    """Whether it is about nothing in particular, as `category = "*"`: it says whom to call, and explains nothing."""
    return all(condition.key == "category" and "*" in map(str, condition.values) for condition in row.when)


def judge_of(duty: Duty, job: str) -> Judge:
    """Triage, the catalogue having been asked already."""
    owner = duty.jobs.get(job)
    return lambda case, decided: diagnose(
        case, duty.table, duty.teams, duty.owners, duty.dependency_teams, job_owner=owner, decided=decided
    )  # fmt: skip


def places_of(folder: str, paths: list[str], notebook: str | None) -> tuple[str, list[Place]]:
    """What the sources touch, and what the places' paths begin with."""
    wanted = [path if os.path.isabs(path) else f"{folder}/{path}" for path in paths]
    wanted = [notebook if os.path.isabs(notebook) else f"{folder}/{notebook}"] if notebook and not paths else wanted or [folder]
    found = scan([path for path in wanted if os.path.exists(path)])
    return f"{folder}/", list(found.places)


def sources(store: Store | None, name: str, folder: str) -> list[str]:
    """The files that the newest run with a fingerprint was made of; none if nobody knows."""
    if store is None:
        return []
    for run in store.good_runs(name, 5):
        files = ((store.fingerprint(run["id"]) or {}).get("code") or {}).get("files") or {}
        there = [path for path in files if os.path.exists(f"{folder}/{path}")]
        if there:
            return there
    return []


def ledger_of(store: Store, runs: Iterable[str]) -> list[Transaction]:
    """What those runs touched, each once, the newest first."""
    found: dict[tuple[str, str, str], Transaction] = {}
    for run in runs:
        try:
            entries = store.ledger(run)
        except OffdutyError:
            continue
        for entry in entries:
            one = transaction.from_json(entry)
            found.setdefault((one.op, one.where or "", "" if one.where else one.target), one)
    return list(found.values())
