"""What the captures of database drivers share: the address of a database, the words of a statement, messages without values.

Drivers written in Python have methods to wrap. Those written in C have classes that cannot be changed; they offer factories, and
`Subclasses` makes classes for these: the connection is still an instance of what the job expects, and has its name.
"""

from __future__ import annotations

from _weakref import ref

from offduty_probe.capture.sql import summary
from offduty_probe.capture.wrapping import wrapped
from offduty_probe.guard import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

MASK = "***"
MARKS = "'\"`"
MOST_REMEMBERED = 256
NOTHING: dict[str, Any] = {}


class Database:
    """One database, as a connection has it: its address without user and password, and its attributes."""

    __slots__ = ("attributes", "said", "url")

    def __init__(self, system: str, url: str, attributes: Known | None = None) -> None:
        self.url = url
        self.attributes = {"db.system.name": system, **(attributes or {})}
        self.said: dict[Any, Said] = {}

    def connect(self) -> Said:
        """For `describe` of the call that connects."""
        return "db.connect", self.url, self.attributes

    def query(self, statement: Any) -> Said:
        """For `describe` of a call that executes `statement`."""
        if type(statement) is str:
            said = self.said.get((hash(statement), len(statement)))  # not the statement itself: it holds literals
            if said is not None:
                return said
        return self._look_at(statement)

    def _look_at(self, statement: Any) -> Said:
        """`query`, remembered."""
        text = statement_text(statement)
        verb, tables = summary(text)
        attributes = dict(self.attributes, **{"db.operation.name": verb})
        if tables:
            attributes["db.collection.name"] = ", ".join(tables)
        if len(self.said) >= MOST_REMEMBERED:
            self.said.clear()
        said = self.said[hash(text), len(text)] = ("db.query", f"{self.url} {verb} {', '.join(tables)}".rstrip(), attributes)
        return said


def at_server(system: str, scheme: str, host: Any, port: Any, name: Any) -> Database:
    """A database that is reached over the network, or through a socket whose folder is `host`."""
    host, name = _text(host), _text(name)
    number = int(port) if str(port).isdigit() else None
    attributes: Known = {key: value for key, value in (("server.address", host), ("db.namespace", name)) if value}
    if number is not None and not host.startswith("/"):
        attributes["server.port"] = number
    place = "" if host.startswith("/") else f"[{host}]" if ":" in host else host
    port_text = f":{number}" if number is not None and place else ""
    return Database(system, f"{scheme}://{place}{port_text}/{name}", attributes)


def _text(value: Any) -> str:
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    return value if isinstance(value, str) else ""


def statement_text(statement: Any) -> str:
    """The statement as text; of those that are put together from parts (psycopg's `sql`, template strings) with their names."""
    if isinstance(statement, str):
        return statement
    if isinstance(statement, (bytes, bytearray)):
        return bytes(statement[:8192]).decode(errors="replace")
    strings = getattr(statement, "strings", None)  # a template string: its values are left out
    if isinstance(strings, tuple):
        return "?".join(strings)
    as_string = getattr(statement, "as_string", None)
    return str(as_string(None)) if as_string is not None else ""


class Beside:
    """What is known of objects, kept beside them for as long as they live: the job's objects get no new attributes."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Any, Any]] = {}

    def get(self, owner: Any) -> Any:
        """What is known of `owner`, or None."""
        found = self.kept.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None

    def put(self, owner: Any, value: Any) -> Any:
        """Keep `value`, and give it."""
        me = id(owner)
        self.kept[me] = (ref(owner, lambda gone: self._forget(me, gone)), value)
        return value

    def take(self, owner: Any) -> Any:
        """`get`, and forget it."""
        value = self.get(owner)
        self.kept.pop(id(owner), None)
        return value

    def _forget(self, me: int, gone: Any) -> None:
        if me in self.kept and self.kept[me][0] is gone:
            del self.kept[me]


class Subclasses:
    """Classes with wrapped methods, one for each class that the job uses: `methods` are `name: (describe, known)`."""

    def __init__(self, record: Ledger, methods: dict[str, Any], failure: Callable[[Any], Known], slots: tuple[str, ...] = ()) -> None:
        self.record, self.methods, self.failure, self.slots = record, methods, failure, slots
        self.made: dict[type, type] = {}

    def of(self, base: Any, others: Callable[[Any], dict[str, Any]] | None = None) -> Any:
        """The one for `base`; `base` itself if it is no class, or none that lets itself be derived from. `others`: more methods."""
        if not isinstance(base, type) or base in self.made.values():
            return base
        if base not in self.made:
            made = quietly(self._make, base, others)
            if made is None or len(self.made) >= MOST_REMEMBERED:
                return made or base
            self.made[base] = made
        return self.made[base]

    def _make(self, base: Any, others: Callable[[Any], dict[str, Any]] | None) -> type:
        members: dict[str, Any] = {"__slots__": self.slots, "__module__": base.__module__, "__doc__": base.__doc__}
        members["__qualname__"] = base.__qualname__
        for name, (describe, known) in self.methods.items():
            if hasattr(base, name):
                members[name] = wrapped(self.record, getattr(base, name), describe, known, self.failure)
        members.update(others(base) if others is not None else {})
        return type(base)(base.__name__, (base,), members)  # type: ignore[no-any-return]


def count(cursor: Any) -> Known:
    """Rows that were changed or found, where the driver knows."""
    rows = cursor.rowcount
    return {"rows": rows} if isinstance(rows, int) and rows >= 0 else {}


def counted(result: Any, args: Any, kwargs: Any) -> Known:
    """`count` for a method of a cursor."""
    rows = args[0].rowcount
    return {"rows": rows} if isinstance(rows, int) and rows >= 0 else NOTHING


def status_known(status: Any, message: str, tells_values: bool = True) -> Known:
    """For `failure`: the code of the driver's own, and the first line of its message, without values if it `tells_values`."""
    line = (message.strip().splitlines() or [""])[0]
    known: Known = {"message": without_values(line) if tells_values else line}
    if status:
        known["status"] = status
        known["attributes"] = {"db.response.status_code": str(status)}
    return known


def without_values(text: str) -> str:
    """`text` without what is in quotation marks, and without numbers: drivers quote the values they refuse."""
    masked, at = [], 0
    while at < len(text):
        character = text[at]
        if character in MARKS and not (character == "'" and _is_inside_word(text, at)):
            end = text.rfind(character) if character == "'" else text.find(character, at + 1)
            masked.append(f"{character}{MASK}{character}")
            at = end + 1 if end > at else len(text)
        elif character.isdigit():
            masked.append("#" if not (masked and masked[-1] == "#") else "")
            masked = [part for part in masked if part]
            at += 1
        else:
            masked.append(character)
            at += 1
    return "".join(masked)


def _is_inside_word(text: str, at: int) -> bool:
    """The apostrophe of `doesn't`."""
    return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()
