"""In a drill: statements that write are executed in a transaction that is never committed, where a driver lets us see to that.

Held like this are connections of psycopg 3 (not async), psycopg2, PyMySQL and mysql-connector, unless they commit each statement by
themselves. `commit` sets a savepoint instead, which a later `rollback` goes back to; the end of the connection undoes everything.
MySQL commits by itself before it changes a schema, and keeps what is written to tables without transactions: these stay refused.
"""

# ruff: noqa: SLF001  # drivers have no other way to what they know
from __future__ import annotations

import sys
from fnmatch import fnmatchcase

from offduty_probe.capture.dbapi import Beside, statement_text
from offduty_probe.capture.sql import summary
from offduty_probe.capture.wrapping import argument, looking_like, unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.wrapping import Patches
    from offduty_probe.drill import Drill

POINT = "offduty_drill"
SAVE, BACK = f"SAVEPOINT {POINT}", f"ROLLBACK TO SAVEPOINT {POINT}"
LOCK_SECONDS = 5
"""What an earlier statement of the drill has locked stays locked: another connection of the job is not to wait for ever."""
WRITES = {
    "postgresql": frozenset("INSERT UPDATE DELETE MERGE CREATE ALTER DROP TRUNCATE REFRESH COMMENT LOCK CALL DO COPY".split()),
    "mysql": frozenset("INSERT UPDATE DELETE REPLACE".split()),
}
ENDS = frozenset("COMMIT END ABORT PREPARE".split())
BEGINS = frozenset("BEGIN START LOCK UNLOCK".split())
"""What commits in MySQL."""
SYSTEMS = {"psycopg": "postgresql", "psycopg2": "postgresql", "pymysql": "mysql", "mysql": "mysql"}
IDLE, FAILED = 0, 3  # of a transaction, as libpq has it
WITH_TRANSACTIONS = ("innodb", "ndbcluster", "tokudb", "rocksdb")

saved, real = Beside(), Beside()
"""The connections in which something has been committed, as the job sees it; and those that the user lets commit for real."""
METHODS = ("execute", "executemany", "copy_expert", "callproc")


class Hold:
    """One connection, whatever its driver: `run(sql)` executes past all wrappers and gives the rows' first values."""

    def __init__(self, connection: Any, library: str) -> None:
        self.connection, self.library, self.system = connection, library, SYSTEMS[library]
        self.run = RUNS[library](connection)

    def commits_by_itself(self) -> bool:
        """Whether each statement is committed at once."""
        if self.library == "mysql":
            return self.run("SELECT @@session.autocommit") != ["0"]
        if self.library == "pymysql":
            return bool(self.connection.get_autocommit())
        return bool(self.connection.autocommit)

    def is_idle(self) -> bool:
        """Whether PostgreSQL is in no transaction."""
        info = self.connection.info
        return int(info.transaction_status) == IDLE

    def prepare(self) -> None:
        """Before a statement: writing is let through in this transaction, and nobody waits long for a lock."""
        if self.system == "mysql":
            self.run(f"SET SESSION innodb_lock_wait_timeout={LOCK_SECONDS}")
        elif self.is_idle():
            saved.take(self.connection)
            if self.library == "psycopg":
                self.run(self.connection._get_tx_start_command().decode() or "BEGIN")
            if not getattr(self.connection, "read_only", False) and not getattr(self.connection, "readonly", False):
                self.run("SET TRANSACTION READ WRITE")
            self.run(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")

    def why_not(self, verb: str, text: str) -> str | None:
        """Why a statement that writes, or ends a transaction, cannot be undone; None if it can, or does neither."""
        if verb in ENDS or hides_an_end(text):
            return f"{verb} in a statement cannot be undone: only `commit` of the connection can"
        if self.system == "postgresql":
            return "COPY reaches files of the server" if verb == "COPY" and not {"STDIN", "STDOUT"} & words_of(text) else None
        if verb in BEGINS or turns_on_autocommit(text) or ";" in text.strip().rstrip(";"):
            return f"{verb} commits what was done before it"
        return self._without_transactions(text) if verb in WRITES["mysql"] else None

    def _without_transactions(self, text: str) -> str | None:
        for table in summary(text)[1]:
            schema, _, name = table.replace("`", "").rpartition(".")
            where = f"table_name = '{name}' AND table_schema = " + (f"'{schema}'" if schema else "DATABASE()")
            if "'" in name + schema or "\\" in name + schema:
                return f"the table {table} cannot be looked up"
            engines = self.run(f"SELECT LOWER(engine) FROM information_schema.tables WHERE {where}")
            if any(one not in WITH_TRANSACTIONS for one in engines):
                return f"the table {table} knows no transactions"
        return None


def hides_an_end(text: str) -> bool:
    """Whether one of several statements ends the transaction. Errs on the safe side: what is in quotes counts too."""
    import re

    return bool(re.search(r"(?is);(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:commit|end|abort|prepare|rollback)\b", text)) or bool(
        re.match(r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:commit|end|abort|prepare)\b", text)
    )


def turns_on_autocommit(text: str) -> bool:
    """`SET autocommit = 1`, in any of its spellings; drivers turn it off so when they connect."""
    import re

    found = re.findall(r"(?i)autocommit`?\s*:?=\s*(\w+)", text)
    return any(one.lower() not in ("0", "off", "false") for one in found)


def words_of(text: str) -> set[str]:
    """The words of a statement, in capitals."""
    return set(text.upper().replace("(", " ").replace(")", " ").replace(";", " ").split())


def judge(drill: Drill, original: Any, args: tuple[Any, ...], kwargs: dict[str, Any], target: str) -> str | None:
    """What is to become of a statement: "" lets it through, to be undone; a reason refuses it; None: that is not for us to say."""
    library = module_of(original).partition(".")[0]
    if library == "pandas" and "://" in target:
        return ""  # the driver below is asked
    if library not in SYSTEMS or getattr(original, "__name__", "") not in METHODS:
        return None
    connection = args[0]._connection.cmd_query.__self__ if library == "mysql" else args[0].connection
    if not is_held(connection, library):
        return None
    statement = argument(args, kwargs, 1, "operation" if library == "mysql" else "query", kwargs.get("sql"))
    try:
        return _judged(Hold(connection, library), drill, statement, target)
    except Exception as error:  # what cannot be asked cannot be undone
        return f"{type(error).__name__}: {error}"


def _judged(hold: Hold, drill: Drill, statement: Any, target: str) -> str | None:
    if hold.commits_by_itself():
        return None
    if any(fnmatchcase(target.partition(" ")[0], glob.partition(" ")[0]) for glob in drill.allow):
        real.put(hold.connection, True)
        hold.prepare()
        return None
    is_parts = hold.library == "psycopg2" and hasattr(statement, "as_string")
    text = statement.as_string(hold.connection) if is_parts else statement_text(statement)
    verb = summary(text)[0].upper()
    why = hold.why_not(verb, text)
    if why is None:
        hold.prepare()
    if why is not None or verb not in WRITES[hold.system]:
        return why
    drill.note("undone", "db.query", target, "in a transaction that is rolled back")
    return ""


def module_of(original: Any) -> str:
    """Where a function or method comes from; methods that are written in C know it by their class only."""
    owner = getattr(original, "__objclass__", original)
    return getattr(original, "__module__", None) or getattr(owner, "__module__", None) or ""


def is_held(connection: Any, library: str) -> bool:
    """Whether the commits of this connection come to us. Async ones do not."""
    if library == "psycopg":
        return isinstance(connection, sys.modules["psycopg"].Connection)
    return library != "psycopg2" or "commit" in vars(type(connection))


def hold_commits(patches: Patches, owner: Any, library: str) -> None:
    """Have `commit` and `rollback` of the class `owner` come to us; and what begins a transaction in MySQL."""
    for name, make in committing(library).items():
        if hasattr(owner, name):
            patches.put(owner, name, make)


def overrides(base: Any, library: str) -> dict[str, Any]:
    """The same as members of a class derived from `base`, whose own cannot be replaced."""
    return {name: make(getattr(base, name)) for name, make in committing(library).items() if hasattr(base, name)}


def committing(library: str) -> dict[str, Callable[[Any], Any]]:
    """For each method that ends a transaction, what makes another one of it."""
    found: dict[str, Callable[[Any], Any]] = {"commit": lambda original: _commit(original, library)}
    found["rollback"] = lambda original: _rollback(original, library)
    if library == "psycopg":
        found["transaction"] = _transaction
    if SYSTEMS[library] == "postgresql":
        found["tpc_begin"] = found["tpc_prepare"] = found["tpc_commit"] = _refused
    if library in ("pymysql", "mysql"):
        found["begin"] = found["start_transaction"] = lambda original: _begin(original, library)
    return found


def _commit(original: Any, library: str) -> Any:
    @unseen("commit")
    def commit(self: Any, *args: Any, **kwargs: Any) -> Any:
        hold = Hold(self, library)
        if real.get(self) or hold.commits_by_itself() or (hold.system == "postgresql" and hold.is_idle()):
            return original(self, *args, **kwargs)
        _save(hold)
        return None

    return looking_like(original, commit)


def _save(hold: Hold) -> None:
    """What was done so far stays, for the job; a transaction that has failed goes back, as `COMMIT` would have it."""
    failed = hold.system == "postgresql" and int(hold.connection.info.transaction_status) == FAILED
    if not failed:
        hold.run(SAVE)
        saved.put(hold.connection, True)
    elif saved.get(hold.connection):
        hold.run(BACK)
    else:
        hold.run("ROLLBACK")


def _rollback(original: Any, library: str) -> Any:
    @unseen("rollback")
    def rollback(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not saved.get(self):
            return original(self, *args, **kwargs)
        try:
            Hold(self, library).run(BACK)
        except Exception:  # a deadlock has undone everything
            saved.take(self)
            return original(self, *args, **kwargs)
        return None

    return looking_like(original, rollback)


def _begin(original: Any, library: str) -> Any:
    @unseen("begin")
    def begin(self: Any, *args: Any, **kwargs: Any) -> Any:
        if saved.get(self):
            return None  # it goes on, in the one that is undone
        return original(self, *args, **kwargs)

    return looking_like(original, begin)


def _transaction(original: Any) -> Any:
    """psycopg's own block: inside of a transaction it is a savepoint, which is what it becomes."""

    @unseen("transaction")
    def transaction(self: Any, *args: Any, **kwargs: Any) -> Any:
        hold = Hold(self, "psycopg")
        if not real.get(self) and not hold.commits_by_itself():
            hold.prepare()
        return original(self, *args, **kwargs)

    return looking_like(original, transaction)


def refuse_procedures(patches: Patches, owner: Any) -> None:
    """A procedure of MySQL may commit by itself."""
    if hasattr(owner, "callproc"):
        patches.put(owner, "callproc", _refused)


def _refused(original: Any) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = getattr(original, "__name__", "it")
        raise PermissionError(1, "refused in a drill: it cannot be undone", name)

    return looking_like(original, refuse)


def _by_psycopg(connection: Any) -> Callable[[str], list[Any]]:
    def run(sql: str) -> list[Any]:
        result = connection.pgconn.exec_(sql.encode())
        if result.error_message:
            raise sys.modules["psycopg"].OperationalError(result.error_message.decode(errors="replace"))
        return []

    return run


def _by_psycopg2(connection: Any) -> Callable[[str], list[Any]]:
    extensions = sys.modules["psycopg2.extensions"]

    def run(sql: str) -> list[Any]:
        cursor = extensions.cursor(connection)
        cursor.execute(sql)
        cursor.close()
        return []

    return run


def _by_pymysql(connection: Any) -> Callable[[str], list[Any]]:
    def run(sql: str) -> list[Any]:
        connection.query(sql)
        result = connection._result
        return [_text(row[0]) for row in (getattr(result, "rows", None) or ())]

    return run


def _by_mysql(connection: Any) -> Callable[[str], list[Any]]:
    def run(sql: str) -> list[Any]:
        found = connection.cmd_query(sql)
        if not (getattr(connection, "have_next_result", False) or (isinstance(found, dict) and "columns" in found)):
            return []
        rows = connection.get_rows()[0]
        if hasattr(connection, "free_result"):
            connection.free_result()
        return [_text(row[0]) for row in rows]

    return run


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)


RUNS: dict[str, Callable[[Any], Callable[[str], list[Any]]]] = {
    "psycopg": _by_psycopg,
    "psycopg2": _by_psycopg2,
    "pymysql": _by_pymysql,
    "mysql": _by_mysql,
}
