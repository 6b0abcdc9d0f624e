"""Words that speak of trouble: which lines and statements are worth a closer look, found by plain text search."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import ahocorasick_rs

_WORDS = (
    "error fail exception denied refus certificat expired cannot can't unable errno timed time-out timeout resol quota proxy "
    "abort lost kill terminat segmentation dumped cancel evict oom exceed limit died dead invalid missing mismatch corrupt "
    "unavailable locked throttl exhaust doesn't forbidden unauthorized fatal panic insufficient empty interrupt aucun "
    "impossible erreur nicht fehl kein inconnu "
).split()  # fmt: skip
_PHRASES = (
    "could not", "couldn't", "not found", "no such", "no space", "reset by", "out of", "not exist", "does not", "did not",
    "no module", "too many", "not enough", "no existe", "non trov", " 401", " 403", " 404", " 407", " 410", " 429", " 500",
    " 502", " 503", " 504", "(4", "(5",
)  # fmt: skip
_ABROAD = ("denegado", "verweigert", "错误", "失败", "不存在", "拒绝", "エラー", "失敗", "ошибка", "Ошибка", "не удалось")
_STRONG = re.compile(rb"traceback|error|exception|fatal|critical|panic|caused by|killed|no space|denied|oom|exceeded", re.IGNORECASE)
_VARIES = re.compile(rb"[0-9a-f]{0,64}[0-9][0-9a-f]{0,64}")
_SHAPE_BYTES = 160
_OFTEN = 3  # what is said so in so many places or fewer is rare

PLACES = 40
BEFORE, AFTER = 25, 20


def speaks_of_trouble(text: str) -> bool:
    """Whether a text has a word of trouble, or is in letters that these words are not written in."""
    return not text.isascii() or bool(_words().find_matches_as_indexes(text.lower()))


def around_trouble(lines: Sequence[str]) -> list[int]:
    """Of many lines the places of those that are near trouble, at most some 1,800: what was said rarely goes first."""
    near: set[int] = set()
    for place in _chosen(lines):
        near.update(range(max(place - BEFORE, 0), min(place + AFTER + 1, len(lines))))
    return sorted(near)


def _chosen(lines: Sequence[str]) -> list[int]:
    """The places with trouble that say most: the rare, those with strong words, those near the beginning or the end. Each kind once."""
    first: dict[bytes, int] = {}
    count: dict[bytes, int] = {}
    for place, line in _troubled(lines):
        shape = _VARIES.sub(b"#", line[:_SHAPE_BYTES])
        first.setdefault(shape, place)
        count[shape] = count.get(shape, 0) + 1

    def rank(shape: bytes) -> tuple[bool, bool, int, int]:
        return count[shape] > _OFTEN, not _STRONG.search(shape), count[shape], min(first[shape], len(lines) - first[shape])

    return [first[shape] for shape in sorted(first, key=rank)[:PLACES]]


def _troubled(lines: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """The lines with a word of trouble, with their places."""
    text = "\n".join(lines).encode("utf-8", "surrogatepass").lower()
    place, counted, end = 0, 0, -1
    for _, hit, _ in _words_of_bytes().find_matches_as_indexes(text):
        if hit > end:
            place, counted = place + text.count(b"\n", counted, hit), hit
            begin, end = text.rfind(b"\n", 0, hit) + 1, text.find(b"\n", hit)
            end = end if end >= 0 else len(text)
            yield place, text[begin:end]


@cache
def _words() -> Any:
    return ahocorasick_rs.AhoCorasick([*_WORDS, *_PHRASES])


@cache
def _words_of_bytes() -> Any:
    words = [word.encode() for word in (*_WORDS, *_PHRASES, *_ABROAD)]
    return ahocorasick_rs.BytesAhoCorasick(words, ahocorasick_rs.MatchKind.LeftmostFirst, ahocorasick_rs.Implementation.DFA)
