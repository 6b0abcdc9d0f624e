"""What readers of tables say of statements, databases and refused values: without literals and values."""

from __future__ import annotations

from offduty_probe.capture.targets import url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Known = dict[str, Any]

# In messages that quote the value which they could not take. Others quote names of columns and files, which are worth knowing.
REFUSALS = ("convert", "conversion", "parse", "literal", "cast", "invalid value", "invalid input", "out of range", "does not match")


def queried(connection: Any, statement: Any) -> str:
    """The target of a query: the database, the verb and the tables. A statement of one word is the name of a table."""
    from offduty_probe.capture.sql import summary_text  # here, because it compiles patterns

    text = str(statement)
    return f"{database_of(connection)} {summary_text(text) if ' ' in text.strip() else f'SELECT {text}'}"


def database_of(connection: Any) -> str:
    """A URL without credentials if there is one (a text, SQLAlchemy's engines and connections), else the name of the library."""
    if isinstance(connection, str):
        return url(connection)
    engine = getattr(connection, "engine", None)
    address = getattr(engine, "url", None) or getattr(getattr(connection, "bind", None), "url", None)
    if address is not None:
        return url(str(address))
    return str(type(connection).__module__).split(".")[0]


def refused(error: BaseException) -> Known:
    """For `failure` of a query: what the driver says, which quotes neither the statement nor its values any more."""
    from offduty_probe.capture.dbapi import status_known

    return status_known(None, str(error.__cause__ or error))


def unreadable(error: BaseException) -> Known:
    """For `failure` of a reader: its message, without values if it is about one."""
    message = str(error)
    if not any(word in message for word in REFUSALS) or isinstance(error, OSError):
        return {}
    from offduty_probe.capture.dbapi import status_known

    return status_known(None, message)
