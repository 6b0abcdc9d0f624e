"""One row of the triage table: when this is seen, what it is, what to do first, whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.matchers import read_when
from offduty.triage.matchers.condition import Condition
from offduty.triage.severity import Severity

SEVERITIES: tuple[str, ...] = get_args(Severity)
TEXTS = ("id", "title", "cause", "team", "notes")
LISTS = ("steps", "links")
LONGEST_NAME = 100
KEYS = ("id", "when", "cause", "steps", "team", "severity", "title", "links", "notes")
"""What a row may say, in the order in which tables show it."""


@dataclass(frozen=True)
class Row:
    """`number`: its place in the table, from 1. `where`: the file and line it stands on. Texts are plain, whatever is in them."""

    number: int
    when: tuple[Condition, ...]
    id: str = ""
    title: str = ""
    cause: str = ""
    steps: tuple[str, ...] = ()
    team: str = ""
    severity: str = "error"
    links: tuple[str, ...] = ()
    notes: str = ""
    where: str = ""

    @property
    def name(self) -> str:
        """Its id, or `row 3`."""
        return self.id or f"row {self.number}"

    def as_values(self) -> dict[str, Any]:
        """As TOML holds it; what is empty, and the usual severity, is left out. The inverse of `read`."""
        values: dict[str, Any] = {key: _plain(getattr(self, key)) for key in KEYS if key != "when"}
        values = {key: value for key, value in values.items() if value and (key, value) != ("severity", "error")}
        when = {condition.key: condition.as_toml() for condition in self.when}
        return {key: when if key == "when" else values[key] for key in KEYS if key == "when" or key in values}


def read(values: Mapping[str, Any], number: int, report: Report, where: str = "") -> Row | None:
    """The row that `values` say, as TOML gives them; None after reporting everything that is wrong with it (E401, E403)."""
    flaws: list[Flaw] = [Flaw("E403", "unknown key", (key,), fix=f"known are {', '.join(KEYS)}") for key in values if key not in KEYS]
    when = values.get("when", {})
    if not isinstance(when, Mapping):
        flaws.append(Flaw("E403", "expected a table of conditions", ("when",), fix='write it like when = { exception = "KeyError" }'))
        when = {}
    texts = {key: _text(key, values.get(key, ""), flaws.append) for key in TEXTS}
    lists = {key: _texts(key, values.get(key, []), flaws.append) for key in LISTS}
    severity = values.get("severity") or "error"
    if severity not in SEVERITIES:
        flaws.append(Flaw("E403", f"there is no severity {quoted(severity)}", ("severity",), fix=f"known are {', '.join(SEVERITIES)}"))
    conditions = read_when(when, flaws.append) if isinstance(values.get("when", {}), Mapping) else ()
    for flaw in flaws:
        report(flaw)
    return None if flaws else Row(number, conditions, severity=severity, where=where, **texts, **lists)  # type: ignore[arg-type]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _text(key: str, value: object, report: Report) -> str:
    if not isinstance(value, str):
        report(Flaw("E403", f"expected a text, found {quoted(value)}", (key,)))
        return ""
    if "\0" in value:
        report(Flaw("E403", "holds a NUL byte", (key,), fix="remove it"))
    if key in ("id", "team") and not (value.strip().isprintable() and len(value) <= LONGEST_NAME):
        why = f"a name has at most {LONGEST_NAME} characters, and none that nobody sees"
        report(Flaw("E403", f"{quoted(value)} is no name", (key,), why=why, fix="choose another"))
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def _texts(key: str, value: object, report: Report) -> tuple[str, ...]:
    if not isinstance(value, list):
        report(Flaw("E403", f"expected a list of texts, found {quoted(value)}", (key,)))
        return ()
    texts = tuple(text for one in value if (text := _text(key, one, report)))
    for text in texts if key == "links" else ():
        if len(text.split()) > 1:
            report(Flaw("E403", f"{quoted(text)} is no link", (key,), why="there are spaces in it", fix="write them as %20"))
    return texts
