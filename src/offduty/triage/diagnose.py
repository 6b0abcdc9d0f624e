"""From a case to its verdict: the first row of the user's own that matches, else the catalogue; then, whose it is.

Whose: the row's `team`; else the team of the dependency that failed; else the team that `[owners]` names for the catalogue's kind of
owner; else the owner of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from offduty import failpoints
from offduty.triage.case import Case
from offduty.triage.matchers.condition import Condition, TouchCondition, fits
from offduty.triage.row import Row
from offduty.triage.seen import Seen, Touch
from offduty.triage.table import Table
from offduty.triage.verdict import Verdict

LONGEST, MOST = 4096, 50  # characters of a text; steps, links and pieces of evidence


@dataclass(frozen=True)
class Reason:
    """Why one condition of a row holds, or does not."""

    key: str
    condition: str
    holds: bool
    why: str


@dataclass(frozen=True)
class Judged:
    """A row held against a case. `matches`: all its conditions hold. `wins`: it is the first of which that is so."""

    row: Row
    matches: bool
    wins: bool
    reasons: tuple[Reason, ...]


def diagnose(
    case: Case,
    table: Table,
    teams: Mapping[str, str],
    owners: Mapping[str, str],
    dependencies: Mapping[str, str | None],
    *,
    job_owner: str | None = None,
    decided: Verdict | None = None,
    targets: Mapping[str, str] | None = None,
) -> Verdict:
    """The verdict on `case`.

    `teams`: how each is reached, by name; `owners`: team by the catalogue's kind of owner (or a glob); `dependencies`: the team that
    runs each, if one is named. `decided`: the catalogue's verdict, where it is known already. `targets`: the dependency of each target that
    a message names, for a case without transactions.
    """
    seen = Seen(case, decided or catalogued(case), targets or {})
    verdict = next((found for row in table.possible(seen.text_bytes) if (found := _explained(row, seen)) is not None), seen.verdict)
    verdict = verdict if verdict.dependency else replace(verdict, dependency=_dependency(seen))
    team = _team(verdict, owners, dependencies, job_owner)
    return replace(verdict, team=team, contact=teams.get(team or "", ""))


def why(case: Case, table: Table, *, decided: Verdict | None = None) -> tuple[Judged, ...]:
    """For each row, and each of its conditions, why it holds or does not."""
    seen = Seen(case, decided or catalogued(case))
    judged: list[Judged] = []
    won = False
    for row in table.rows:
        matches = _match(row, seen) is not None
        judged.append(Judged(row, matches, matches and not won, _reasons(row, seen, matches)))
        won = won or matches
    return tuple(judged)


def catalogued(case: Case) -> Verdict:
    """What the catalogue says."""
    failpoints.hit("verdict")
    from offduty.triage.decide import decide

    return decide(case)


def plain(text: str) -> str:
    """A text of the table as it is shown: cut where it is longer than anybody reads."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… [{len(text) - LONGEST} more characters]"


def _explained(row: Row, seen: Seen) -> Verdict | None:
    """The verdict of a row that matches. The catalogue's category and evidence stay."""
    found = _match(row, seen)
    if found is None:
        return None
    reasons, touch = found
    catalogue = seen.verdict
    cause = plain(row.cause)
    return Verdict(
        category=catalogue.category, owner_kind=catalogue.owner_kind, row=row.name, source="table", title=plain(row.title), cause=cause,
        steps=tuple(map(plain, row.steps[:MOST])), team=row.team or None, severity=row.severity, confidence="high",
        evidence=tuple(dict.fromkeys((*reasons, *catalogue.evidence)))[:MOST], links=row.links[:MOST],
        dependency=touch.dependency if touch else None,
    )  # fmt: skip


def _match(row: Row, seen: Seen) -> tuple[tuple[str, ...], Touch | None] | None:
    """Why each condition holds, and what they say was struck; None if one does not hold. The cheap ones are asked first."""
    reasons: dict[str, str] = {}
    for condition in sorted(_alone(row), key=lambda one: one.dear):
        reason = condition.match(seen)
        if reason is None:
            return None
        reasons[condition.key] = reason
    struck = _struck(row, seen)
    if struck is None:
        return None
    touch, more = struck
    reasons |= more
    return tuple(dict.fromkeys(reasons[condition.key] for condition in row.when)), touch


def _struck(row: Row, seen: Seen) -> tuple[Touch | None, dict[str, str]] | None:
    """The first thing of which all the row's conditions on such things hold, and why; nothing for a row that has none."""
    conditions = [condition for condition in row.when if isinstance(condition, TouchCondition)]
    if not conditions:
        return None, {}
    groups = _grouped(conditions)
    first: Touch | None = None
    reasons: dict[str, str] = {}
    for kinds, group in groups:
        found = next((hit for touch in seen.touches if touch.by in kinds and (hit := _all_hold(group, touch)) is not None), None)
        if found is None:
            return None
        first = first if first and first.dependency else found[0]
        reasons |= found[1]
    return first, reasons


def _grouped(conditions: list[TouchCondition]) -> list[tuple[tuple[str, ...], list[TouchCondition]]]:
    """Conditions that must hold of the same thing, with what kind of thing that is.

    `target` and `dependency` tell more of what changed or was checked, unless `transaction` or `status` ask for one that failed.
    """
    special = {"changed": "change", "check": "check"}
    about = [one for one in conditions if one.key in ("target", "dependency")]
    own = [one for one in conditions if one.key in ("transaction", "status")]
    groups: list[tuple[tuple[str, ...], list[TouchCondition]]] = []
    for one in conditions:
        if one.key in special:
            groups.append(((special[one.key],), [one, *(() if own else about)]))
    if own or not groups:
        groups.append((("transaction", "message"), [*own, *about]))
    return groups


def _all_hold(conditions: list[TouchCondition], touch: Touch) -> tuple[Touch, dict[str, str]] | None:
    reasons = {condition.key: condition.match_touch(touch) for condition in conditions}
    known = {key: reason for key, reason in reasons.items() if reason is not None}
    return (touch, known) if len(known) == len(reasons) else None


def _alone(row: Row) -> list[Condition]:
    return [condition for condition in row.when if not condition.touches]


def _reasons(row: Row, seen: Seen, matches: bool) -> tuple[Reason, ...]:
    struck = _struck(row, seen)
    together = struck[1] if struck is not None else {}
    found = []
    for condition in row.when:
        reason = together.get(condition.key) or condition.match(seen)
        found.append(Reason(condition.key, condition.describe(), reason is not None, reason or condition.miss(seen)))
    if not matches and all(reason.holds for reason in found):
        apart = Reason("when", "all of the same", False, "each holds of something, and not all of the same thing")
        found.append(apart)
    return tuple(found)


def _dependency(seen: Seen) -> str | None:
    """The dependency that the failure struck, if it struck one."""
    return next((touch.dependency for touch in seen.touches if touch.by in ("transaction", "message") and touch.dependency), None)


def _team(verdict: Verdict, owners: Mapping[str, str], dependencies: Mapping[str, str | None], job_owner: str | None) -> str | None:
    """See the head of this module."""
    return verdict.team or dependencies.get(verdict.dependency or "") or _owner(verdict.owner_kind, owners) or job_owner


def _owner(kind: str | None, owners: Mapping[str, str]) -> str | None:
    """The team for a kind of owner: named as such, else by the first glob that fits."""
    return owners.get(kind) or next((team for pattern, team in owners.items() if fits(pattern, kind)), None) if kind else None
