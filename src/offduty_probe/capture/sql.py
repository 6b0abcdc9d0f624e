"""The verb and the tables of a statement: `SELECT stores, sales`. Never a literal, whatever the dialect.

Dialects disagree on what a quotation mark ends, so that a reader who errs takes literals for names. Where that could happen (a
backslash or a `q` before a mark, a string that is not closed) it stops: what it has found by then is right.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Tuple

    Summary = Tuple[str, Tuple[str, ...]]

MOST_CHARACTERS = 4096
MOST_TABLES = 8
MOST_REMEMBERED = 512

PART = r'(?:[^\W\d][\w$]*|"[\w $.#@/-]{1,128}"|`[\w $.#@/-]{1,128}`|\[[^\W\d][\w $.#@/-]{0,127}\])'
TOKEN = (
    rf"\s+|--[^\n]*|/\*.*?(?:\*/|\Z)|(?P<stop>[qQ]')|(?P<text>'[^']*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    rf"|(?P<name>{PART}(?:\s?\.\s?{PART})*)|(?P<other>\d[\w.]*|.)"
)

VERBS = frozenset(
    "SELECT INSERT UPDATE DELETE MERGE REPLACE UPSERT CREATE ALTER DROP TRUNCATE COPY CALL EXEC EXECUTE BEGIN START COMMIT ROLLBACK END "
    "SAVEPOINT RELEASE SET RESET SHOW EXPLAIN VACUUM ANALYZE ANALYSE PRAGMA GRANT REVOKE LOCK UNLOCK LISTEN UNLISTEN NOTIFY WITH VALUES "
    "TABLE DECLARE FETCH CLOSE USE DESCRIBE DESC REFRESH REINDEX ATTACH DETACH LOAD UNLOAD PUT GET INSTALL FROM PREPARE DEALLOCATE DO "
    "COMMENT CLUSTER CHECKPOINT EXPORT IMPORT OPTIMIZE PIVOT UNPIVOT SUMMARIZE".split()
)
WITH_TABLES = frozenset(
    "SELECT INSERT UPDATE DELETE MERGE REPLACE UPSERT CREATE ALTER DROP TRUNCATE COPY EXPLAIN VACUUM ANALYZE ANALYSE LOCK WITH TABLE "
    "DECLARE FETCH DESCRIBE DESC REFRESH FROM UNLOAD OPTIMIZE SUMMARIZE".split()
)
TABLE_NEXT = frozenset(
    "UPDATE TRUNCATE COPY TABLE VIEW VACUUM ANALYZE ANALYSE DESCRIBE DESC OPTIMIZE SUMMARIZE".split()
)  # as the first word
AFTER = frozenset("JOIN INTO TABLE VIEW USING".split())
BETWEEN = frozenset(
    "ONLY LATERAL IF NOT EXISTS TABLE TEMP TEMPORARY UNLOGGED IGNORE LOW_PRIORITY DELAYED OR ABORT FAIL ROLLBACK REPLACE OVERWRITE "
    "MATERIALIZED VIEW CONCURRENTLY FULL VERBOSE FREEZE ANALYZE".split()
)
NO_NAME = frozenset(
    "SELECT VALUES WHERE SET AS ON GROUP ORDER HAVING LIMIT UNION STDIN STDOUT OUTFILE DUMPFILE UNNEST FROM WITH LEFT RIGHT INNER CROSS "
    "JOIN NATURAL OUTER RETURNING WHEN".split()
)
ENDS_FROM = frozenset(
    "WHERE GROUP ORDER HAVING LIMIT OFFSET FETCH UNION EXCEPT INTERSECT WINDOW SET RETURNING QUALIFY FOR SELECT WHEN INTO".split()
)
QUERY = frozenset("SELECT WITH VALUES TABLE FROM".split())
HEAD_OVER = frozenset("SELECT INSERT UPDATE DELETE MERGE REPLACE".split())

_finditer: Any = None
_remembered: dict[tuple[int, int], Summary] = {}  # not the statements themselves: they hold literals


def summary(statement: Any) -> Summary:
    """`("SELECT", ("stores", "sales"))` of `statement`, a text; the verb is `OTHER` if it is none that is known."""
    key = (hash(statement), len(statement))
    known = _remembered.get(key)
    if known is None:
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        known = _remembered[key] = _summarised(statement[:MOST_CHARACTERS])
    return known


def summary_text(statement: Any) -> str:
    """`SELECT stores, sales`."""
    verb, tables = summary(str(statement))
    return f"{verb} {', '.join(tables)}".rstrip()


def _summarised(text: str) -> Summary:
    reader = Reader()
    for match in _tokens()(text):
        kind = match.lastgroup
        if kind is None:
            continue
        token = match.group()
        if (
            kind == "stop"
            or (kind != "name" and token[0] in "'\"`" and (len(token) == 1 or token.endswith("\\'")))
            or not reader.read(kind, token)
        ):
            break
    reader.settle("")
    return reader.verb or "OTHER", tuple(reader.tables)


def _tokens() -> Any:
    """The pattern, compiled when the first statement comes: not every job that imports a driver has one."""
    global _finditer
    if _finditer is None:
        import re

        _finditer = re.compile(TOKEN, re.DOTALL).finditer
    return _finditer


def _is_open(token: str) -> bool:
    """Whether what follows may be the inside of a string."""
    return token in ("'", '"', "`", "\\") or token.endswith("\\'")


class Reader:
    """Reads the tokens of one statement."""

    def __init__(self) -> None:
        self.verb = ""
        self.tables: list[str] = []
        self.with_names: set[str] = set()
        self.in_head = False  # between WITH and the verb it leads to
        self.word = ""  # the last word, in capitals
        self.expected = ""  # the word after which a table has to come
        self.found: tuple[str, str] | None = None  # a name, not yet known whether it is a function's, and `expected`
        self.levels: list[bool | None] = [True]  # for each open bracket whether it holds a query; None: not known yet
        self.from_levels: set[int] = set()

    def read(self, kind: str, token: str) -> bool:
        """One more token. False: the rest does not matter."""
        if token == ";":
            return not self.verb
        self.settle(token)
        if kind == "name":
            return self.name(token)
        if token == "(":
            self.levels.append(None)
            self.expected = self.expected if self.expected in ("FROM", "JOIN") else ""
        elif token == ")" and len(self.levels) > 1:
            self.from_levels.discard(len(self.levels))
            self.levels.pop()
            self.expected = ""
        elif token == ",":
            self.expected = "FROM" if len(self.levels) in self.from_levels else ""
            self.word = ","
        else:
            self.expected, self.word = "", ""
        return True

    def settle(self, token: str) -> None:
        """A name that was found is a table, unless a bracket makes it a function."""
        if self.found is None:
            return
        name, after = self.found
        self.found = None
        if (token == "(" and after in ("FROM", "JOIN", "USING")) or name.upper() in self.with_names:
            return
        if name not in self.tables and len(self.tables) < MOST_TABLES:
            self.tables.append(name)

    def name(self, token: str) -> bool:
        """A word or a name."""
        word = token.upper()
        first, self.word = self.word, word
        if self.levels[-1] is None:
            self.levels[-1] = word in QUERY
        if not self.verb:
            return self.first(word)
        if self.in_head and len(self.levels) == 1:
            self.head(word, first)
        elif self.expected and word not in BETWEEN:
            self.place(token, word)
        elif not self.expected:
            self.keyword(word, first)
        return not (self.verb in ("INSERT", "REPLACE", "UPSERT") and word == "VALUES")

    def first(self, word: str) -> bool:
        self.verb = word if word in VERBS else "OTHER"
        self.in_head = word == "WITH"
        self.expected = word if word in TABLE_NEXT else ""
        if word == "FROM":
            self.keyword(word, "")
        self.word = "," if self.in_head else word
        return self.verb in WITH_TABLES

    def head(self, word: str, before: str) -> None:
        if word in HEAD_OVER:
            self.verb, self.in_head = word, False
            self.expected = word if word in TABLE_NEXT else ""
        elif before == "," and word != "RECURSIVE":
            self.with_names.add(word.strip('"`[]'))
        elif word == "RECURSIVE":
            self.word = ","

    def place(self, token: str, word: str) -> None:
        if word not in NO_NAME:
            self.found = (_unquoted(token), self.expected)
        self.expected = ""
        if word in ENDS_FROM:
            self.from_levels.discard(len(self.levels))

    def keyword(self, word: str, before: str) -> None:
        if word == "FROM":
            if self.levels[-1] and before != "DISTINCT" and self.verb != "COPY":
                self.expected = "FROM"
                self.from_levels.add(len(self.levels))
        elif word in AFTER:
            self.expected = word
        elif word == "ON" and self.verb == "CREATE" and not self.tables:
            self.expected = "TABLE"  # CREATE INDEX … ON
        elif word in ENDS_FROM:
            self.from_levels.discard(len(self.levels))


def _unquoted(name: str) -> str:
    return name.translate({ord(mark): None for mark in '"`[]'})
