"""The catalogue's signatures: one kind of failure each, read from `catalogue/*.toml` and checked when they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import re2  # type: ignore[import-untyped]

from offduty.triage.categories import CATEGORIES, OWNER_KINDS
from offduty.triage.compiled import compiled

Sure = Literal["high", "medium", "low"]


class CatalogueError(ValueError):
    """A signature that cannot be used; the text names it and says why."""


@dataclass(frozen=True)
class When:
    """What one statement of a log has to show; all that is given must hold.

    `exception`: one of these classes is named (last part of the name); `text`: one of these patterns (RE2, letter case ignored) occurs in
    it; `facts`: all of these tags hold, `a|b` for either; `log`: one of these patterns occurs somewhere in the log; `no_…`: none does.
    """

    exception: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    no_text: tuple[str, ...] = ()
    no_facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signature:
    """One kind of failure.

    `weight`: how much the statement proves, 4 (decides wherever it stands) to 1 (only where nothing better is said);
    `confidence`: how often it is right; `general`: a special one that holds as well is preferred; `owner`: where it is not the
    category's; `example`: a short log that has it;
    `example_ended`: how the process of the example ended, where that is what counts.
    """

    id: str
    category: str
    weight: int
    when: When
    title: str
    cause: str
    steps: tuple[str, ...]
    example: str
    family: str
    owner: str
    confidence: Sure
    general: bool = False
    example_ended: tuple[tuple[str, Any], ...] = ()


@cache
def catalogue() -> tuple[Signature, ...]:
    """All signatures, family by family. Read once."""
    return tuple(map(load, compiled()["signatures"]))


def validate(signatures: Iterable[Signature]) -> list[str]:
    """What is wrong with them, a sentence each: for the tests, since it compiles every pattern on its own."""
    seen: set[str] = set()
    found = []
    for signature in signatures:
        if signature.id in seen:
            found.append(f"{signature.id}: the id is there twice")
        seen.add(signature.id)
        found += _bad_patterns(signature)
    return found


def _bad_patterns(signature: Signature) -> list[str]:
    found = []
    for pattern in (*signature.when.text, *signature.when.log, *signature.when.no_text):
        try:
            re2.compile(pattern)
        except re2.error as problem:
            found.append(f"{signature.id}: {pattern!r}: {problem}")
    return found


def load(row: Mapping[str, Any]) -> Signature:
    """One signature, of a row of `catalogue/*.toml` with its `family`. Raises `CatalogueError`."""
    family = str(row["family"])
    name = str(row.get("id", "without id"))
    category = CATEGORIES.get(str(row.get("category")))
    if category is None:
        raise CatalogueError(f"{family}: {name}: no category {row.get('category')!r}")
    owner = str(row.get("owner", category.owner))
    if owner not in OWNER_KINDS:
        raise CatalogueError(f"{family}: {name}: no owner kind {owner!r}")
    weight = int(row.get("weight", 3))
    steps = (*row.get("steps", ()), *category.steps)[:4]
    sure: Sure = row.get("confidence", "high" if weight >= 3 else "medium" if weight == 2 else "low")
    return Signature(
        id=name,
        category=category.name,
        weight=weight,
        when=_when(row.get("when", {}), name),
        title=row["title"],
        cause=row["cause"],
        steps=steps,
        example=row["example"],
        family=family,
        owner=owner,
        confidence=sure,
        general=bool(row.get("general")),
        example_ended=tuple(row.get("example_ended", {}).items()),
    )


_CONDITIONS = tuple(field.name for field in fields(When))


def _when(given: Mapping[str, Any], name: str) -> When:
    unknown = set(given) - set(_CONDITIONS)
    if unknown or not given:
        raise CatalogueError(f"{name}: `when` has {sorted(unknown) or 'no condition'}")
    return When(**{key: (value,) if isinstance(value, str) else tuple(value) for key, value in given.items()})
