"""From everything known of a failure to a verdict: which statement proves what, and which of them decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from offduty.triage.case import Case
from offduty.triage.categories import CATEGORIES
from offduty.triage.compiled import all_kept, compiled
from offduty.triage.evidence import AFTER_LOG, Evidence, gather
from offduty.triage.patterns import PatternSet
from offduty.triage.reading.statements import Statement
from offduty.triage.reading.trouble import speaks_of_trouble
from offduty.triage.signature import Signature, When, catalogue
from offduty.triage.verdict import GUESSED, Confidence, Verdict

# A statement's weight is the signature's times ten, less this: what was only warned of, or told in passing, rarely ends a job.
_LESS = {"raised": 0, "error": 0, "ended": 1, "said": 0, "transaction": 5, "warning": 9, "info": 22}
_FAR_LINES, _FAR = 400, 5
_GOT_OVER, _SAID = 13, 15
_CALM = 12  # a line that speaks of no trouble
_RIVAL, _AGREES = 4, 12
_LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low", "low": "low"}
_SHOWN_CHARS = 300
_FIRST, _LAST = 350, 450  # of a log full of trouble, so many statements of its beginning and its end are judged
_NEAR = 150  # statements of the end that are judged even if they speak of no trouble


@dataclass(frozen=True)
class Candidate:
    """One signature that one statement has."""

    signature: Signature
    statement: Statement
    strength: int

    @property
    def rank(self) -> tuple[int, bool, tuple[int, int], int]:
        """Smaller decides: the stronger, then the less general, then the deeper or earlier, then the one that asks for more."""
        when = self.signature.when
        asked = sum(map(bool, (when.exception, when.text, when.log))) + len(when.facts)
        return -self.strength, self.signature.general, self.statement.order, -asked


def decide(case: Case) -> Verdict:
    """The catalogue's verdict on a failure; `unknown`, with what was seen and the row to add, if no signature explains it."""
    evidence = gather(case)
    return weigh(candidates(evidence), evidence, case)


def weigh(found: Sequence[Candidate], evidence: Evidence, case: Case) -> Verdict:
    """The verdict that these candidates come to; without any, what the words suggest, or unknown."""
    ranked = sorted(found, key=lambda candidate: candidate.rank)
    return _verdict(ranked[0], ranked, case) if ranked else _guessed(evidence, case)


def candidates(evidence: Evidence) -> list[Candidate]:
    """Every signature that some statement has: of those that speak of trouble or stand at the end; only if none is found, of the others."""
    worth = [at for at, statement in enumerate(evidence.statements) if _is_worth(statement, at, len(evidence.statements))]
    chosen = [*worth[:_FIRST], *worth[_FIRST:][-_LAST:]]
    others = sorted(set(range(len(evidence.statements))) - set(worth))[-_LAST:]
    return _without_retries(_held(evidence, chosen) or _held(evidence, others))


def _without_retries(found: list[Candidate]) -> list[Candidate]:
    """Warnings count for less still where an error, or how the process ended, says something: most of them were got over."""
    if not any(
        one.statement.kind in ("raised", "error", "ended") or (one.statement.kind == "said" and one.strength > _SAID) for one in found
    ):
        return found
    return [replace(one, strength=one.strength - _GOT_OVER) if one.statement.kind == "warning" else one for one in found]


def _is_worth(statement: Statement, at: int, count: int) -> bool:
    return statement.kind not in ("said", "info") or at >= count - _NEAR or speaks_of_trouble(statement.text)


def _held(evidence: Evidence, places: Sequence[int]) -> list[Candidate]:
    """The signatures that the statements at these places have."""
    index = _index()
    hits = [(statement, index.hits(statement)) for statement in (evidence.statements[place] for place in places)]
    anywhere = {hit for _, found in hits for hit in found} | (
        set(index.patterns.matches(evidence.around, index.logs)) if index.logs else set()
    )
    found = []
    for statement, hit in hits:
        possible = list(index.possible(statement, hit))
        if possible:
            seen = _Seen(statement, frozenset(hit), anywhere, evidence.facts(statement))
            found += [_candidate(signature, statement, evidence) for signature in possible if index.holds(signature.when, seen)]
    return found


def _candidate(signature: Signature, statement: Statement, evidence: Evidence) -> Candidate:
    far = _FAR if statement.number < evidence.last - _FAR_LINES and statement.number else 0
    calm = _CALM if statement.kind == "said" and not speaks_of_trouble(statement.text) else 0
    return Candidate(signature, statement, signature.weight * 10 - _LESS[statement.kind] - far - calm)


@dataclass(frozen=True)
class _Seen:
    """One statement and what was found in it: patterns of its own, patterns anywhere in the log, tags."""

    statement: Statement
    hits: frozenset[int]
    anywhere: set[int]
    facts: frozenset[str]


class _Index:
    """The catalogue made ready: one set of all its patterns, and which signatures a pattern could prove."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        self._ids: dict[str, int] = {}
        self._by_pattern: dict[int, list[Signature]] = defaultdict(list)
        self._without_text: list[Signature] = []
        for signature in signatures:
            self._add(signature)
        pieces = compiled()["pieces"]
        self.patterns = PatternSet(list(self._ids), [pieces[pattern] for pattern in self._ids])
        self.logs = {self._ids[pattern] for signature in signatures for pattern in signature.when.log}

    def _add(self, signature: Signature) -> None:
        for pattern in (*signature.when.text, *signature.when.log, *signature.when.no_text):
            self._ids.setdefault(pattern, len(self._ids))
        for pattern in signature.when.text:
            self._by_pattern[self._ids[pattern]].append(signature)
        if not signature.when.text:
            self._without_text.append(signature)

    def hits(self, statement: Statement) -> list[int]:
        """The patterns that occur in what a statement says; how a process ended is known by its tags, not by our words for them."""
        return [] if statement.kind == "ended" else self.patterns.matches(statement.text)

    def possible(self, statement: Statement, hits: list[int]) -> Iterator[Signature]:
        """The signatures that may hold for a statement, each once."""
        yield from {id(signature): signature for hit in hits for signature in self._by_pattern[hit]}.values()
        if statement.types or statement.extra or statement.kind in ("raised", "error") or speaks_of_trouble(statement.text):
            yield from self._without_text

    def holds(self, when: When, seen: _Seen) -> bool:
        """Whether all that a signature asks for is there."""
        return (
            (not when.text or self._any(when.text, seen.hits))
            and (not when.exception or _named(when.exception, seen.statement.types))
            and all(any(fact in seen.facts for fact in either.split("|")) for either in when.facts)
            and not any(fact in seen.facts for fact in when.no_facts)
            and not self._any(when.no_text, seen.hits)
            and (not when.log or self._any(when.log, seen.anywhere))
        )

    def _any(self, patterns: tuple[str, ...], hits: Iterable[int]) -> bool:
        return any(self._ids[pattern] in hits for pattern in patterns)


@cache
def _index() -> _Index:
    with all_kept():
        return _Index(catalogue())


def _named(wanted: tuple[str, ...], types: tuple[str, ...]) -> bool:
    """Whether one of the classes is named: by its last part, or by as much of the name as is asked for."""
    return any(name == want or name.endswith(f".{want}") for name in types for want in wanted)


def _verdict(best: Candidate, found: list[Candidate], case: Case) -> Verdict:
    signature = best.signature
    return Verdict(
        category=signature.category,
        owner_kind=signature.owner,
        row=signature.id,
        source="catalogue",
        title=signature.title,
        cause=signature.cause,
        steps=signature.steps,
        confidence=_confidence(best, found, case),
        evidence=tuple(_sentences(best, found, case)),
    )


def _confidence(best: Candidate, found: list[Candidate], case: Case) -> Confidence:
    """The signature's own; a step lower for each: it was only warned of; it is general and nothing more special agrees; something of
    another category says almost as much; it was swallowed, and an exception of which nothing is known ended the run."""
    sure: Confidence = best.signature.confidence
    near = [other.signature for other in found if other.strength >= best.strength - _AGREES]
    rivals = [other for other in found if other.strength >= best.strength - _RIVAL and other.signature.category != best.signature.category]
    alone = all(other.category != best.signature.category or other is best.signature for other in near)
    swallowed = best.statement.kind == "transaction" and case.failure is not None and bool(case.failure.chain)
    for doubt in (best.statement.kind in ("warning", "info"), best.signature.general and alone, bool(rivals), swallowed):
        sure = _LOWER[sure] if doubt else sure
    return sure


def _sentences(best: Candidate, found: list[Candidate], case: Case) -> Iterator[str]:
    """What the verdict rests on, strongest first."""
    yield _sentence(best.statement)
    agreeing = (other.statement for other in found if other.signature.category == best.signature.category)
    seen = {best.statement.text}
    for statement in agreeing:
        if statement.text not in seen and len(seen) < 3:
            seen.add(statement.text)
            yield _sentence(statement)
    if case.exit_code is not None and best.statement.kind != "ended":
        yield f"exit status {case.exit_code}"


def _sentence(statement: Statement) -> str:
    text = " ".join(statement.text.split())
    shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]} …"
    own = [frame for frame in statement.frames if frame.own and frame.file]
    place = f" (at {own[-1].file}{f':{own[-1].line}' if own[-1].line else ''})" if own else ""
    return f"line {statement.number}: {shown}{place}" if 0 < statement.number < AFTER_LOG else f"{shown}{place}"


def _guessed(evidence: Evidence, case: Case) -> Verdict:
    """What the words of the errors suggest, with low confidence and what was seen; unknown if they say nothing."""
    from offduty.triage.weak import guess  # rarely needed

    judged = [one for one in evidence.statements if one.kind not in ("said", "info") or speaks_of_trouble(one.text)]
    unknown, found = _unknown(evidence, case), guess(judged)
    if found is None or case.outcome == "warned":  # a warning that nothing explains is left as it is
        return unknown
    category = CATEGORIES[found.category]
    words = " and ".join(f"“{word}”" for word in dict.fromkeys((found.sign, found.thing)) if word)
    return replace(
        unknown,
        category=category.name,
        owner_kind=category.owner,
        row=f"{GUESSED}{category.name}",
        source="catalogue",
        title=f"Not known yet; its words suggest: {category.meaning}",
        cause=f"No signature of the catalogue explains this failure; this is a guess from {words}.",
        steps=(*category.steps[:3], unknown.steps[-1]),
        evidence=tuple(dict.fromkeys((_sentence(found.statement), *unknown.evidence)))[:3],
    )


def _unknown(evidence: Evidence, case: Case) -> Verdict:
    """Nothing explains it: what was seen, and the row that would."""
    order = {"raised": 0, "error": 1, "transaction": 2, "ended": 3, "said": 4}
    shown = sorted((s for s in evidence.statements if s.kind in order and s.text), key=lambda s: (order[s.kind], -s.number))[:3]
    named = next((statement.types[0] for statement in shown if statement.types), None)
    when = f'exception = "{named.rpartition(".")[2]}"' if named else f"exit_code = {case.exit_code}" if case.exit_code else 'log = "…"'
    return Verdict(
        title="Not known yet",
        cause="No signature of the catalogue explains this failure.",
        steps=("Read the evidence: what was said last, and where.", f"Once the cause is known, add a row: [[triage]] when = {{ {when} }}."),
        evidence=tuple(map(_sentence, shown)),
    )
