"""What the end of a run imports, imported while the job runs, when nobody waits for it: one small module a chore."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Chore = tuple[str, Callable[[], object]]

# For the end of every run that is long enough for chores: the comparison with good runs and the store.
EVERY_END = (
    "functools", "contextlib", "enum", "re", "typing", "zlib", "json", "ast", "dis", "inspect", "dataclasses", "datetime", "sqlite3",
    "offduty.stores.record", "offduty.stores.replay", "offduty.stores.sqlite", "offduty.wiring.retain",
    "offduty.transactions.transaction", "offduty.transactions.dependency", "offduty.transactions.baseline", "offduty.transactions.silent",
    "offduty.wiring.quality", "offduty.wiring.past",
)  # fmt: skip
# For one that has something to tell: what the probe saw, and failures. How they are explained is loaded when there is one.
TOLD_END = (
    "offduty.runs.tails.finding", "offduty.runs.tails.java", "offduty.runs.tails.python", "offduty.runs.tails.shell",
    "offduty.runs.tails.sql", "offduty.runs.tails.table", "offduty.runs.failure", "textwrap", "offduty.transactions.change",
    "offduty.runs.summary", "offduty.transactions.events", "offduty.wiring.evidence", "offduty.wiring.compare", "offduty.wiring.findings",
    "offduty.runs.because",
)  # fmt: skip
# For the table as it is while the job runs.
TRIAGE = (
    "difflib", "offduty.triage.flaw", "offduty.triage.verdict", "offduty.triage.seen", "offduty.triage.row", "offduty.triage.table",
    "offduty.wiring.triage",
)  # fmt: skip
# For one that people are told of: it is explained before they are.
TOLD_OF = ("offduty.triage.categories", "offduty.triage.evidence", "offduty.triage.decide")


def imports(what: str, names: Iterable[str]) -> list[Chore]:
    """Chores that import `names`, in that order."""
    return [(what, lambda name=name: __import__(name)) for name in names]  # type: ignore[misc]
