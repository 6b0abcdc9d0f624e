"""What is asked of a database, without literals: the verb and the tables of a statement, and which database it is."""

from __future__ import annotations

from offduty_probe.capture.targets import url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

MOST_LOOKED_AT = 20000
MOST_TABLES = 8
BEFORE_TABLES = ("FROM", "JOIN", "INTO", "UPDATE", "TABLE", "EXISTS")
NO_TABLES = ("SELECT", "SET", "VALUES", "ONLY", "IF", "NOT", "LATERAL", "UNNEST", "WHERE", "AS")


def summary(statement: Any) -> str:
    """`SELECT stores, sales` for `select * from stores join sales on …`; only the verb where no table is found."""
    verb, tables, before = "", [], ""
    for word in _words(str(statement)[:MOST_LOOKED_AT]):
        upper = word.upper()
        if not verb:
            verb = upper if word.isalpha() else "?"
        elif before in BEFORE_TABLES and upper not in NO_TABLES and word[0] not in "(),;" and word not in tables:
            tables.append(word)
        before = "FROM" if word == "," and before == "table" else "table" if before in BEFORE_TABLES and upper not in NO_TABLES else upper
    return f"{verb} {', '.join(tables[:MOST_TABLES])}".strip()


def _words(text: str) -> Iterator[str]:
    """Words, quoted names without their quotes, brackets and commas one by one; no strings, no comments."""
    at, end = 0, len(text)
    while at < end:
        character = text[at]
        if character == "'" or text.startswith(("--", "/*"), at):
            at = _behind(text, at)
        elif character in '"`[':
            close = text.find("]" if character == "[" else character, at + 1)
            close = end if close < 0 else close
            yield text[at + 1 : close] or "?"
            at = close + 1
        elif character.isalnum() or character in "_.$#@":
            start = at
            while at < end and (text[at].isalnum() or text[at] in "_.$#@"):
                at += 1
            yield text[start:at]
        else:
            if character in "(),;":
                yield character
            at += 1


def _behind(text: str, at: int) -> int:
    """Where a string or a comment that begins at `at` is over."""
    close = {"'": "'", "-": "\n", "/": "*/"}[text[at]]
    found = text.find(close, at + (1 if close == "'" else 2))
    return len(text) if found < 0 else found + len(close)


def database_of(connection: Any) -> str:
    """A URL without credentials if there is one (a text, SQLAlchemy's engines and connections), else the name of the library."""
    if isinstance(connection, str):
        return url(connection)
    engine = getattr(connection, "engine", None)
    address = getattr(engine, "url", None) or getattr(getattr(connection, "bind", None), "url", None)
    if address is not None:
        return url(str(address))
    return str(type(connection).__module__).split(".")[0]
