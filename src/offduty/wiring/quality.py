"""Whether a run that ended well went well: what is expected of its dependencies, what good runs do, and what `strict` makes of it."""

from __future__ import annotations

from dataclasses import replace

from offduty.clock import wall_of
from offduty.runs.store import Record
from offduty.transactions.check import PASSED, Check
from offduty.transactions.dependency import Dependency, dependencies_of, dependency_of, from_settings
from offduty.transactions.expectations import judge
from offduty.transactions.silent import RUNS, Declared, Finding, Past, relative, silent
from offduty.transactions.transaction import Transaction, from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from offduty.runs.attempts import Attempt
    from offduty.runs.job import Job
    from offduty.settings.load import Settings
    from offduty.wiring.evidence import Evidence
    from offduty.wiring.past import GoodRuns

STRICT = 1  # exit status of a job that ended with 0, and whose table says that this is not good enough
NOT_COMPARED = ("shape", "attributes", "nulls")
NUMBERS = ("at", "took_s", "count", "failed", "bytes", "rows", "modified")


class Expected:
    """What the configuration expects of the runs of one job; nothing, where it cannot be read or there is none."""

    def __init__(self, job: str, settings: Settings | None, cwd: str) -> None:
        self._cwd = cwd
        self.dependencies: list[Dependency] = from_settings(settings.dependencies) if settings else []
        configured = settings.jobs.get(job) if settings else None
        self.good_enough: dict[str, str] = {name: str(bound) for name, bound in configured.good_enough.items()} if configured else {}
        self._told: set[str] = set()
        self.notes: list[str] = []

    def of(self, one: Transaction) -> list[Check]:
        """The checks of a transaction that has ended."""
        dependency = dependency_of(one, self.dependencies, self._cwd)
        if dependency is None:
            return []
        self._note_unknown(one, dependency)
        return judge(one, dependency)

    def _note_unknown(self, one: Transaction, dependency: Dependency) -> None:
        """Say once what could not be judged: an expectation that nobody looks at is worse than none."""
        unknown = {
            "max_null_share": dependency.max_null_share is not None and bool(one.rows) and not one.nulls,
            "max_age": dependency.max_age is not None and one.op.endswith(".read") and one.modified is None,
            "columns": bool(dependency.columns) and one.op == "file.read" and not one.shape,
            "min_rows": dependency.min_rows is not None and one.op == "file.read" and one.rows is None,
        }
        for setting, is_unknown in unknown.items():
            if is_unknown and one.ok and f"{dependency.name}.{setting}" not in self._told:
                self._told.add(f"{dependency.name}.{setting}")
                self.notes.append(
                    f"{setting} of {dependency.name} could not be judged: the way it was read does not tell ({one.verb}, {one.where})"
                )

    def declared(self, entries: Sequence[Transaction], job: Job) -> Declared:
        """What counts for more than what is usual."""
        aged = frozenset(one.name for one in self.dependencies if one.max_age is not None)
        sized = frozenset(one.name for one in self.dependencies if one.min_rows is not None)
        return Declared(dependencies_of(entries, self.dependencies, self._cwd), aged, sized, job.min_duration is not None)


def good_runs(past: GoodRuns, *, ledgers: bool = True) -> list[Past]:
    """The last good runs of a job, the newest first, as many as there is time to read. May raise StoreError."""
    return [_past(run, past.ledger(run) if ledgers else []) for run in past.while_there_is_time(past.records[:RUNS])]


def _past(run: Record, ledger: Sequence[Mapping[str, object]]) -> Past:
    sound = ({key: value for key, value in entry.items() if key not in NOT_COMPARED} for entry in ledger if _is_sound(entry))
    entries = [from_json(entry) for entry in sound]
    return Past(wall_of(run["started_at"]), run["duration_s"], _relative(entries, run["cwd"]))


def _is_sound(entry: Mapping[str, object]) -> bool:
    """Whether what is compared is what it should be: a store may have been written by others."""
    error = entry.get("error")
    numbers = all(isinstance(entry.get(key), int | float | None) for key in NUMBERS)
    return numbers and (
        error is None or (isinstance(error, dict) and isinstance(error.get("type"), str) and isinstance(error.get("message"), str))
    )


def _relative(entries: Sequence[Transaction], cwd: str) -> tuple[Transaction, ...]:
    return tuple(replace(one, target=relative(one.target, cwd)) for one in entries)


def doubts(attempt: Attempt, evidence: Evidence | None, expected: Expected | None, past: Sequence[Past]) -> list[str]:
    """Look at a run that ended well, and make it `warned` where it did not go well; the notes on it."""
    record, job = attempt.record, attempt.job
    entries = evidence.ledger.entries if evidence else []
    run = Past(wall_of(record["started_at"]), record["duration_s"], _relative(entries, record["cwd"]))
    declared = expected.declared(entries, job) if expected else Declared({}, duration=job.min_duration is not None)
    found = silent(run, past, declared)
    if evidence and evidence.checks.worst() not in ("", PASSED):
        found += _of_checks(evidence)
    if any(one.warns for one in found) and record["outcome"] == "succeeded":
        record["outcome"] = attempt.ended.outcome = "warned"
    return [one.text for one in found] + (expected.notes if expected else [])


def _of_checks(evidence: Evidence) -> list[Finding]:
    """The worst check; all of them are in the line `checks`."""
    worst = evidence.checks.worst()
    bad = [one for one in evidence.checks.entries if one.outcome == worst] or [Check("other checks", worst)]
    text = f"check {worst}: {bad[0].name}" + (f": {bad[0].detail}" if bad[0].detail else "")
    return [Finding(f"{text} (and {len(bad) - 1} more)" if len(bad) > 1 else text)]


def be_strict(attempt: Attempt, notes: Sequence[str]) -> str | None:
    """`strict`: a job that ended with 0 and went wrong has failed, by offduty's word. Why; None where it may stay as it is.

    It is not tried again: with the same data it would go wrong again.
    """
    if not attempt.job.strict or attempt.record["outcome"] != "warned" or attempt.record["exit_code"] != 0:
        return None
    ended = attempt.ended
    ended.outcome, ended.exit_code, ended.exit_source = "failed", STRICT, "offduty"
    attempt.record.update(outcome=ended.outcome, exit_code=ended.exit_code, exit_source=ended.exit_source)
    return notes[0] if notes else "it ended with a warning"
