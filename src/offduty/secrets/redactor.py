"""Masks secrets in the bytes of a job's output and in the texts of its record.

How it goes fast (docs/explanation/decisions/0003-redaction.md): a chunk in which none of the literals occurs that every secret contains
is given back as it is. Only in a chunk with such a literal is each place confirmed, with work bounded by the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from offduty.secrets import shapes
from offduty.secrets.formats import FORMATS, Found
from offduty.secrets.keyed import Keyed, is_key, is_value_of
from offduty.secrets.known import Known, collect
from offduty.secrets.secret import MASK

_MASK = MASK.encode()
_BLOCK = 64 << 10  # bytes confirmed at once, so that a text full of candidates does not fill the memory with them
# Up to 64 literals a searcher compares vectors (5 to 14 GB/s), beyond that it walks an automaton (0.5 GB/s).
# Our own literals are short and do better in smaller groups.
_OWN_GROUP, _KNOWN_GROUP = 48, 64
_MOST_IN_GROUPS = 512  # with more known literals than this one automaton over all is faster
_LONGEST_WORD = 4096  # bytes of an unfinished word held back
_LONGEST_HELD = 16 << 10  # bytes held back for an unfinished secret; then it is masked and only its beginning carried on
_CARRIED = 4096  # bytes: enough to know a secret again by its beginning
_USERINFO = re.compile(rb"://[^\s:/@\"'<>]{0,256}:([^\s/\"'<>]{1,512})@")


class Finder(Protocol):
    """One kind of secret, found where one of its literals stands."""

    @property
    def literals(self) -> list[bytes]:
        """Byte strings of at least three bytes, one of which every secret of the kind contains."""

    def find(self, view: bytes, at: int) -> Found | None:
        """The secret whose literal stands at `at`; an empty one says how far nothing else of the kind can begin."""


class Redactor:
    """Masks the secrets of one run. It keeps no state between calls: what has to be carried on is in what `redact` holds back.

    `environ`: variables whose names look secret give their values; so do `names` (exact names of variables) and `values`.
    `notes`: one sentence for each secret value that cannot be masked. Building it is cheap; the searchers are built at first use.
    """

    def __init__(self, environ: Mapping[str, str], *, names: Iterable[str] = (), values: Iterable[str] = ()) -> None:
        collected = collect(environ, names, values)
        self.notes = collected.notes
        self._values = collected.values
        self._search: Search | None = None

    @property
    def _ready(self) -> Search:
        if self._search is None:
            self._search = Search(Known(self._values))
        return self._search

    def redact(self, chunk: bytes, *, final: bool) -> tuple[bytes, bytes]:
        """(clean, held) of the next bytes of a stream, in front of which the caller has put what was held of the bytes before.

        `clean` may be written; it is `chunk` itself if nothing had to be done. `held` may be the beginning of a secret; it is empty
        if `final`, and at most 20 KiB. Never raises, whatever the bytes.
        """
        search = self._ready
        if b"\x1b" not in chunk and not search.may_hold(chunk):
            return _split(search, chunk, final)
        if len(chunk) <= _BLOCK:
            return _redact(search, chunk, final)
        clean, held = [], b""
        for block, is_last in _blocks(chunk):
            done, held = _redact(search, held + block, final and is_last)
            clean.append(done)
        return b"".join(clean), held

    def text(self, text: str) -> str:
        """`text`, whole, with its secrets masked."""
        data = _encoded(text)
        clean = self.redact(data, final=True)[0]
        return text if clean is data else _decoded(clean)

    def argv(self, arguments: list[str]) -> list[str]:
        """A command line: each argument masked, and also the one after an option that is called like a secret (`--password X`)."""
        masked = [self.text(argument) for argument in arguments]
        for index in range(1, len(arguments)):
            option, value = arguments[index - 1], arguments[index]
            if option.startswith("-") and is_key(option) and is_value_of(option, value):
                masked[index] = MASK
        return masked

    def url(self, url: str) -> str:
        """A URL with its password, and the values of its query that are called like secrets, masked; then as any text."""
        base, mark, query = url.partition("?")
        pairs = [_masked_pair(pair) for pair in query.split("&")]
        return self.text(base + mark + "&".join(pairs))


def _masked_pair(pair: str) -> str:
    key, mark, value = pair.partition("=")
    return f"{key}={MASK}" if value and is_key(key) else key + mark + value


class Search:
    """The searchers over all literals: one that answers "is there any?" fast, and one that tells all places."""

    def __init__(self, known: Known, kinds: Iterable[Finder] | None = None) -> None:
        self.known = known
        finders: dict[bytes, list[Finder]] = {}
        for finder in kinds or (*FORMATS, Keyed()):
            for literal in finder.literals:
                finders.setdefault(literal, []).append(finder)
        self._literals = list(finders.keys() | known.anchors.keys())
        self._any = _searchers(sorted(finders), sorted(known.anchors.keys() - finders.keys()))
        self._meaning = [(known.anchors.get(literal, ()), finders.get(literal, ())) for literal in self._literals]
        self._all: BytesAhoCorasick | None = None

    def may_hold(self, view: bytes) -> bool:
        """Whether anything in `view` has to be looked at closely."""
        if any(group.find_matches_as_indexes(view) for group in self._any):
            return True
        return b"@" in view and _USERINFO.search(view) is not None

    def found(self, view: bytes) -> list[Found]:
        """The secrets in `view`, in no order; they may overlap."""
        return [*self.by_literal(view), *userinfo(view)] if self.may_hold(view) else []

    def by_literal(self, view: bytes) -> Iterator[Found]:
        """Places inside what a finder has already judged are not looked at again: that keeps dense candidates linear."""
        judged: dict[Finder | bytes, int] = {}
        for index, at, _ in self._places(view):
            anchored, finders = self._meaning[index]
            for form, offset in anchored:
                span = self.known.find(view, at, form, offset) if judged.get(form, 0) <= at else None
                if span:
                    judged[form] = span[1]
                    yield Found(*span)
            for finder in finders:
                found = finder.find(view, at) if judged.get(finder, 0) <= at else None
                if found:
                    judged[finder] = found.end
                    if found.unfinished or found.end > found.start:
                        yield found

    def _places(self, view: bytes) -> list[tuple[int, int, int]]:
        if self._all is None:
            self._all = BytesAhoCorasick(self._literals, MatchKind.Standard, Implementation.DFA)
        return self._all.find_matches_as_indexes(view, overlapping=True)


def _searchers(own: list[bytes], known: list[bytes]) -> list[BytesAhoCorasick]:
    if len(known) > _MOST_IN_GROUPS:
        return [BytesAhoCorasick(own + known, MatchKind.LeftmostFirst, Implementation.DFA)]
    return [*_groups(own, _OWN_GROUP), *_groups(known, _KNOWN_GROUP)]


def _groups(literals: list[bytes], size: int) -> Iterator[BytesAhoCorasick]:
    """Searchers over neighbours in the alphabet (strangers in one group cost four times as much), in groups of about one size."""
    count = -(-len(literals) // size)
    for number in range(count):
        group = literals[number * len(literals) // count : (number + 1) * len(literals) // count]
        yield BytesAhoCorasick(group, MatchKind.LeftmostFirst)


def userinfo(view: bytes) -> Iterator[Found]:
    """The password of `scheme://user:password@host`."""
    if b"@" in view:
        for match in _USERINFO.finditer(view):
            yield Found(*match.span(1), context=match.start())


def _blocks(chunk: bytes) -> Iterator[tuple[bytes, bool]]:
    """`chunk` in blocks that end with a line where they can, and whether it is the last."""
    start = 0
    while start < len(chunk):
        stop = chunk.rfind(b"\n", start, start + _BLOCK) + 1 or start + _BLOCK
        stop = len(chunk) if start + _BLOCK >= len(chunk) else stop
        yield chunk[start:stop], stop >= len(chunk)
        start = stop


def _split(search: Search, chunk: bytes, final: bool) -> tuple[bytes, bytes]:
    """`redact` for a chunk without any literal."""
    cut = len(chunk) if final else _cut(search, chunk, [])
    return (chunk, b"") if cut == len(chunk) else (chunk[:cut], chunk[cut:])


def _redact(search: Search, chunk: bytes, final: bool) -> tuple[bytes, bytes]:
    """`redact` for one block: find, decide where to stop, mask."""
    code = None if final else shapes.UNFINISHED_CODE.search(chunk, max(0, len(chunk) - 80))
    text, rest = (chunk[: code.start()], code[0]) if code else (chunk, b"")
    plain = shapes.Without(text, shapes.CODE) if b"\x1b" in text else None
    view = plain.view if plain else text
    found = search.found(view)
    cut = len(view) if final else _cut(search, view, found)
    if len(view) - cut > _LONGEST_HELD:
        return _overflow(text, plain, found, cut, rest)
    spans = _joined(found, cut)
    text_cut = len(text) if cut == len(view) else _text_index(plain, cut)
    if not spans:
        return (chunk, b"") if text_cut == len(chunk) else (text[:text_cut], text[text_cut:] + rest)
    return _masked(text[:text_cut], plain, spans), text[text_cut:] + rest


def _cut(search: Search, view: bytes, found: list[Found]) -> int:
    """Where in `view` the part begins that must be held back, because a secret may have begun there."""
    cut = min(search.known.begun_at(view), _word_begun_at(view), *(item.context for item in found if item.unfinished), len(view))
    for item in sorted(found, key=_end, reverse=True):
        if item.end <= cut:
            break
        cut = min(cut, item.context)
    return cut


def _end(item: Found) -> int:
    return item.end


def _word_begun_at(view: bytes) -> int:
    """Where the last word begins, which may be the beginning of a token or a key; `len(view)` after white space."""
    tail = view[-_LONGEST_WORD:]
    last = max(tail.rfind(mark) for mark in (b" ", b"\t", b"\r", b"\n"))
    return len(view) - len(tail) + last + 1


def _joined(found: list[Found], cut: int) -> list[tuple[int, int]]:
    """The spans before `cut` in order, those that touch made one."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted((item.start, item.end) for item in found if item.start < item.end <= cut):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _text_index(plain: shapes.Without | None, index: int) -> int:
    return plain.text_index(index) if plain else index


def _masked(text: bytes, plain: shapes.Without | None, spans: list[tuple[int, int]]) -> bytes:
    """`text` with each span of its view masked."""
    out, last = [], 0
    for start, end in spans:
        low, high = _text_index(plain, start), _text_index(plain, end - 1) + 1
        out += [text[last:low], shapes.masked(text[low:high], _MASK)]
        last = high
    return b"".join([*out, text[last:]])


def _overflow(text: bytes, plain: shapes.Without | None, found: list[Found], cut: int, rest: bytes) -> tuple[bytes, bytes]:
    """An unfinished secret that is too long to be held: all of it so far is masked, and its beginning, in one line, is carried on."""
    spans = _joined(found, len(text))
    view = plain.view if plain else text
    last = max((item for item in found if item.context == cut), key=_end, default=None)
    clean = _masked(text, plain, spans)
    if last is None or not last.unfinished:
        return clean, rest
    key = view[last.context : last.start]
    secret = shapes.BREAK.sub(b"", view[last.start : last.end])
    return clean, shapes.BREAK.sub(b"", key) + secret[:_CARRIED] + rest


def _encoded(text: str) -> bytes:
    """UTF-8; what is no character (undecodable bytes of a command line, half of a pair) survives the way there and back."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")
