"""Why a run failed, in a sentence, where the evidence says so: what its failure names, beside what changed and what it touched.

`because` asks the rules in `RULES` one by one, from those that need the closest match to those that only put two facts side by side.
A rule says nothing where its evidence is not there, and never more than its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from offduty.runs.failure import Failure
from offduty.runs.reasons import told
from offduty.transactions.baseline import Baseline, Key, Seen, Subject, seen_in
from offduty.transactions.change import Change, Kind
from offduty.transactions.changes import is_named
from offduty.transactions.ledger import culprit, swallowed
from offduty.transactions.transaction import Transaction
from offduty.transactions.wording import day, good_runs, name_of

CHAIN_CHARS = 20_000
IMPORT_NAMES = {
    "scikit-learn": "sklearn", "pyyaml": "yaml", "pillow": "PIL", "opencv-python": "cv2", "opencv-python-headless": "cv2",
    "beautifulsoup4": "bs4", "python-dateutil": "dateutil", "psycopg2-binary": "psycopg2", "mysqlclient": "MySQLdb",
    "google-cloud-bigquery": "google.cloud.bigquery", "google-cloud-storage": "google.cloud.storage",
}  # fmt: skip
IMPORT_ERRORS = ("ModuleNotFoundError", "ImportError", "PackageNotFoundError")
SHAPE_WORDS = ("feature", "column", "shape", "dimension", "length mismatch", "usecols", "not in index")
TYPE_WORDS = (
    "could not convert", "cannot convert", "unable to parse", "invalid literal", "unsupported operand", "dtype", "can only concatenate",
    "not supported between", "must be str", "must be numeric", "cannot astype", "cannot compare", "schema", "type mismatch", "casting",
)  # fmt: skip
EMPTY_WORDS = (
    "zero-size", "no columns to parse", "0 sample", "empty", "out of bounds", "out of range", "division by zero", "at least one",
    "no objects to concatenate", "stopiteration", "no data", "nothing to", "non-empty", "invalid index", "not enough values",
)  # fmt: skip
MEMORY_WORDS = ("memory", "sigkill", "oom")


@dataclass(frozen=True)
class Known:
    """All that a rule may look at. `changes`: since the good runs; `died`: killed or out of time; `at`: the run's start (RFC 3339)."""

    failure: Failure
    changes: Sequence[Change]
    ledger: Sequence[Transaction]
    usual: Baseline
    died: bool
    at: str

    @cached_property
    def seen(self) -> Mapping[Key, Seen]:
        """What this run saw of each target."""
        return seen_in(self.ledger)

    @cached_property
    def text(self) -> str:
        """What the failure says of itself: types, messages, notes; without an exception, the last words that were printed."""
        told = [part for cause in self.failure.chain for part in (cause.type, cause.message, *cause.notes) if part]
        told = told or [part for part in (self.failure.type, self.failure.message, *self.failure.tail[-3:]) if part]
        return "\n".join(told)[:CHAIN_CHARS]

    def of(self, *kinds: Kind) -> list[Change]:
        """The changes of these kinds."""
        return [one for one in self.changes if one.kind in kinds]

    def says(self, words: Iterable[str]) -> bool:
        """Whether the failure's text has one of the words."""
        text = self.text.lower()
        return any(word in text for word in words)

    @property
    def until(self) -> str:
        """The day of the last good run, its time if it was today."""
        last = day(self.usual.started_at[0], self.at[:4])
        return last if self.at[:10] == self.usual.started_at[0][:10] else last[:-6]


def because(
    failure: Failure, changes: Sequence[Change], ledger: Sequence[Transaction], usual: Baseline, *, died: bool = False, at: str = ""
) -> str | None:
    """The sentence of the first rule that has one; None where nothing explains the failure."""
    compared = changes if usual.runs else ()
    known = Known(failure, compared, ledger, usual, died, at or "".join(usual.started_at[:1]))
    return next((sentence for rule in RULES if (sentence := rule(known))), None)


# What the failure names


def _column_named(known: Known) -> str | None:
    """A column is gone that the failure speaks of."""
    for change in known.of("input.columns"):
        gone = [name[1:] for name in change.names if name.startswith("-")]
        if named := [name for name in gone if is_named(name, known.text)]:
            return _lost(known, change, named, gone)
    return None


def _columns_spoken_of(known: Known) -> str | None:
    """Columns are gone, and the failure is about columns, features or shapes, without a name."""
    for change in known.of("input.columns"):
        gone = [name[1:] for name in change.names if name.startswith("-")]
        if gone and known.says(SHAPE_WORDS):
            return _lost(known, change, gone, gone)
    return None


def _lost(known: Known, change: Change, named: Sequence[str], gone: Sequence[str]) -> str:
    """`sales.csv lost the column "region": it had 14 columns on every good run until 21 Nov, today 13`."""
    which = " and ".join(f'"{name}"' for name in named[:2]) + (f" and {len(named) - 2} more" if len(named) > 2 else "")
    seen, subject = _both(known, change.subject)
    had = f"it had {'it' if len(named) == 1 else 'them'}"
    if subject and subject.columns and subject.columns.low == subject.columns.high:
        had = f"it had {subject.columns.low:.0f} columns"
    today = f", today {seen.columns}" if seen and seen.columns is not None else ""
    new = [name[1:] for name in change.names if name.startswith("+")]
    instead = f'; it has a new one, "{new[0]}"' if len(new) == 1 == len(gone) else ""
    column = "column" if len(named) == 1 else "columns"
    return f"{name_of(change.subject)} lost the {column} {which}: {had} on {_every(known, subject)} until {known.until}{today}{instead}"


def _every(known: Known, subject: Subject | None) -> str:
    return "every good run" if (subject.runs if subject else known.usual.runs) > 1 else "the last good run,"


def _variable_named(known: Known) -> str | None:
    """A variable of the environment is gone that the failure speaks of."""
    for change in known.of("environment"):
        for name in change.names:
            if name.startswith("-") and is_named(name[1:], known.text):
                return f"the environment variable {name[1:]} is not set; it was on {good_runs(known.usual.runs)} until {known.until}"
    return None


def _package_named(known: Known) -> str | None:
    """A package is gone that the failure wanted to import."""
    if not any((kind or "").rpartition(".")[2] in IMPORT_ERRORS for kind, _ in known.failure.links):
        return None
    for change in known.of("packages"):
        for name in change.names:
            if name.startswith("-") and any(is_named(spelling, known.text) for spelling in spellings(name[1:])):
                return f"the package {name[1:]} is not installed any more; it was on the last good run ({known.until})"
    return None


def spellings(package: str) -> tuple[str, ...]:
    """Under which names a package is imported, as far as that can be known from its own."""
    return (IMPORT_NAMES.get(package.lower(), package), package.replace("-", "_"), package)


# What the run touched


def _failed_transaction(known: Known) -> str | None:
    """The failure is a transaction's own, or the job died while one was going on."""
    one = culprit(known.ledger, known.failure.links, died=known.died)
    return told(one, known.usual.of(one)) if one is not None else None


def _swallowed(known: Known) -> str | None:
    """A transaction failed before that does not on good runs, and the job went on without what it wanted."""
    for one in reversed(swallowed(known.ledger, known.failure.links)):
        subject = known.usual.of(one)
        if subject is not None and subject.unfailing == subject.runs and (sentence := told(one, subject)):
            return f"{sentence} (transaction {one.number}, after which the job went on)"
    return None


# What changed in its inputs


def _types(known: Known) -> str | None:
    """A column is of another type, and the failure is about converting, comparing or calculating."""
    for change in known.of("input.types"):
        named = [name[1:] for name in change.names if is_named(name[1:], known.text)]
        if named or known.says(TYPE_WORDS):
            return f"{name_of(change.subject)} has other types than on {good_runs(known.usual.runs)}: {change.text}"
    return None


def _empty(known: Known) -> str | None:
    """An input is empty, and the failure is of the kind that nothing causes."""
    for change in known.of("input.rows", "input.size"):
        seen, _ = _both(known, change.subject)
        if seen and 0 in (seen.rows, seen.bytes) and known.says(EMPTY_WORDS):
            return f"{name_of(change.subject)} is empty: {change.text}"
    return None


def _too_much(known: Known) -> str | None:
    """An input is far larger, and memory ran out."""
    return _far_outside(known, "above") if known.says(MEMORY_WORDS) else None


def _rows(known: Known) -> str | None:
    """An input is far larger or smaller. It may be the reason; that it is so is all that is said."""
    return _far_outside(known, "below") or _far_outside(known, "above")


def _far_outside(known: Known, side: str) -> str | None:
    for change in known.of("input.rows", "input.size"):
        seen, subject = _both(known, change.subject)
        if not change.unusual or seen is None or subject is None:
            continue
        value, usual = (seen.rows, subject.rows) if change.kind == "input.rows" else (seen.bytes, subject.bytes)
        if value is not None and usual is not None and usual.judge(value) == side:
            return f"{name_of(change.subject)} had {change.text}"
    return None


def _stale(known: Known) -> str | None:
    """An input is older than ever: also only said, not claimed."""
    change = next((one for one in known.of("input.age") if one.unusual), None)
    return f"{name_of(change.subject)} was {change.text}" if change else None


def _both(known: Known, target: str) -> tuple[Seen | None, Subject | None]:
    """What this run saw of an input, and what good runs did."""
    for (op, name), seen in known.seen.items():
        if name == target and (subject := known.usual.like(op, name)):
            return seen, subject
    return None, None


# What changed in what it is made of


def _package_changed(known: Known) -> str | None:
    """A package is of another version, and the failure came up inside of it."""
    files = [frame.file for cause in known.failure.chain[-1:] for frame in cause.frames[-1:]]
    for change in known.of("packages"):
        for name in (name[1:] for name in change.names if name.startswith("~")):
            if any(f"-packages/{spelling.partition('.')[0]}/" in file for file in files for spelling in spellings(name)):
                versions = next((f" ({part})" for part in change.text.split(", ") if part.startswith(f"{name} ")), "")
                return f"the failure came up inside of the package {name}, which is of another version since {known.until}{versions}"
    return None


def _code_changed(known: Known) -> str | None:
    """A file of the job is another, and the failure came up in it."""
    frames = [frame for cause in known.failure.chain[-1:] for frame in cause.frames if frame.own]
    for change in known.of("code"):
        for name in (name[1:] for name in change.names if name[0] in "~+"):
            if frames and (frames[-1].file == name or frames[-1].file.endswith(f"/{name}")):
                return f"the failure came up in {name}, which has changed since the last good run ({known.until})"
    return None


RULES: tuple[Callable[[Known], str | None], ...] = (
    _column_named, _variable_named, _package_named, _failed_transaction, _types, _empty, _columns_spoken_of, _too_much, _swallowed,
    _package_changed, _code_changed, _rows, _stale,
)  # fmt: skip
