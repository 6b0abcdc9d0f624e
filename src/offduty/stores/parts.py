"""What goes with a run's record to and from a store: its ledger, fingerprint, checks and metrics, and who is told.

What a disk gives back is not to be trusted: only what is of the right form, and within bounds, is taken. Nothing here raises.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_TRANSACTIONS = 10_000
MOST_CHECKS = 1000
MOST_METRICS = 1000
MOST_NAMES = 5000  # packages, files or variables in one fingerprint
MOST_WORDS = 1000  # of a command
LONGEST_NAME, LONGEST_TEXT = 500, 4000  # characters
LONGEST_TELL = 65_536

SHARED = ("packages", "environment")

Entry = dict[str, Any]


def accepted_ledger(entries: object) -> list[Entry]:
    """The entries of a ledger, each with its number, op and target; what is not one, or is there twice, is left out."""
    found: dict[int, Entry] = {}
    for entry in entries[:MOST_TRANSACTIONS] if isinstance(entries, list) else ():
        if isinstance(entry, dict) and _is_entry(entry):
            found.setdefault(entry["number"], entry)
    return [found[number] for number in sorted(found)]


def _is_entry(entry: Mapping[str, Any]) -> bool:
    number, ok = entry.get("number"), entry.get("ok")
    return (
        isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**53
        and _is_text(entry.get("op")) and _is_text(entry.get("target")) and (ok is None or isinstance(ok, bool))
    )  # fmt: skip


def accepted_fingerprint(value: object) -> Entry | None:
    """A fingerprint with those of its keys that are what they should be; None if nothing is left."""
    if not isinstance(value, dict):
        return None
    code = value.get("code")
    known = _only(code, CODE) if isinstance(code, dict) else {}
    return {**({"code": known} if known else {}), **_only(value, FINGERPRINT)} or None


def halved(fingerprint: Mapping[str, Any]) -> tuple[Entry, Entry]:
    """A fingerprint as what is likely to be of this run alone, and what many runs share: most of it, and worth being kept once."""
    code = fingerprint.get("code", {})
    shared = {**{key: fingerprint[key] for key in SHARED if key in fingerprint}, **{key: code[key] for key in ("files",) if key in code}}
    own = {key: item for key, item in fingerprint.items() if key not in (*SHARED, "code")}
    return {**own, "code": {key: item for key, item in code.items() if key != "files"}}, shared


def joined(own: Mapping[str, Any], shared: Mapping[str, Any]) -> Entry:
    """The fingerprint whose halves these are."""
    code = {**(own.get("code") or {}), **{key: shared[key] for key in ("files",) if key in shared}}
    return {**own, **{key: shared[key] for key in SHARED if key in shared}, "code": code}


def accepted_checks(entries: object) -> list[Entry]:
    """Checks, each with its name and outcome, and of the other keys those that are what they should be."""
    found = (_only(entry, CHECK) for entry in (entries[:MOST_CHECKS] if isinstance(entries, list) else ()) if isinstance(entry, dict))
    return [entry for entry in found if "name" in entry and "outcome" in entry]


def accepted_metrics(entries: object) -> list[Entry]:
    """Metrics, each with its name and a finite value."""
    found = (_only(entry, METRIC) for entry in (entries[:MOST_METRICS] if isinstance(entries, list) else ()) if isinstance(entry, dict))
    return [entry for entry in found if "name" in entry and "value" in entry]


def accepted_parts(line: Mapping[str, Any]) -> dict[str, Any]:
    """What the `ended` line of a spool file carries beside the run, as `Store.put_run` takes it."""
    return {
        "transactions": accepted_ledger(line.get("transactions")),
        "fingerprint": accepted_fingerprint(line.get("fingerprint")),
        "checks": accepted_checks(line.get("checks")),
        "metrics": accepted_metrics(line.get("metrics")),
        "tell": accepted_tell(line.get("tell")),
    }


def accepted_tell(value: object) -> Entry | None:
    """Who is to be told: an object of sane size. What is in it is judged when it is read."""
    if not isinstance(value, dict):
        return None
    try:
        return value if len(json.dumps(value, allow_nan=False)) <= LONGEST_TELL else None
    except (ValueError, TypeError, RecursionError):
        return None


def _only(value: Mapping[str, Any], known: Mapping[str, Callable[[object], Any]]) -> Entry:
    """The known keys of `value`, each as its function takes it, without those that it does not take (None)."""
    return {key: taken for key, take in known.items() if (taken := take(value.get(key))) is not None}


def _is_text(value: object) -> bool:
    """A text that a database takes."""
    return isinstance(value, str) and "\0" not in value and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and _is_text(value) else None


def _text(value: object) -> str | None:
    return value[:LONGEST_TEXT] if isinstance(value, str) and _is_text(value) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else None


def _outcome(value: object) -> str | None:
    return value if isinstance(value, str) and value in ("passed", "warned", "failed") else None


def _names(value: object) -> dict[str, str] | None:
    """Names and a text for each, in order, so that two alike ones are alike as JSON, too."""
    if not isinstance(value, dict):
        return None
    pairs = sorted((name, text) for name, text in value.items() if _name(name) and _name(text))
    return dict(pairs[:MOST_NAMES])


def _words(limit: int, longest: int) -> Callable[[object], list[str] | None]:
    def take(value: object) -> list[str] | None:
        if not isinstance(value, list):
            return None
        return [word[:longest] for word in value[:limit] if isinstance(word, str) and _is_text(word)]

    return take


CODE: dict[str, Callable[[object], Any]] = {"commit": _name, "dirty": _flag, "files": _names}
FINGERPRINT: dict[str, Callable[[object], Any]] = {
    "packages": _names, "python": _name, "host": _name, "command": _words(MOST_WORDS, LONGEST_TEXT),
    "environment": _words(MOST_NAMES, LONGEST_NAME),
}  # fmt: skip
CHECK: dict[str, Callable[[object], Any]] = {
    "name": _name, "outcome": _outcome, "detail": _text, "source": _name, "where": _text, "count": _count,
}  # fmt: skip
METRIC: dict[str, Callable[[object], Any]] = {"name": _name, "value": _finite, "unit": _name}
