"""What the captures of psycopg 2 and 3 share: where a connection leads, and which messages of the server hold no values."""

from __future__ import annotations

import os

from offduty_probe.capture.dbapi import Database, at_server, status_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from offduty_probe.capture.ledger import Known

ADDRESS = ("host", "hostaddr", "port", "dbname", "service")
ABOUT_NAMES = ("08", "28", "3D", "3F", "42", "53", "54", "55", "57", "58")  # classes of SQLSTATE: quoted are names, not values
SYNTAX_ERROR = "42601"


def address(said: Mapping[str, Any]) -> Database:
    """The database of the parameters of a connection; what is missing comes from the environment, as libpq has it."""
    host = str(said.get("host") or said.get("hostaddr") or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or "")
    port = str(said.get("port") or os.environ.get("PGPORT") or ("" if said.get("service") else "5432"))
    name = said.get("dbname") or os.environ.get("PGDATABASE") or said.get("service") or said.get("user") or ""
    first = host.split(",", maxsplit=1)[0]
    return at_server("postgresql", "postgresql", first, port.split(",", maxsplit=1)[0], name)


def failure(error: Any) -> Known:
    """The server's own message, without the DETAIL and the LINE that quote data; a failure to connect has no SQLSTATE."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    diagnosis = getattr(error, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(error)
    names = str(state).startswith(ABOUT_NAMES) and state != SYNTAX_ERROR
    return status_known(state, message, tells_values=not names and _is_of_data(error, state))


def _is_of_data(error: Any, state: Any) -> bool:
    """Whether the server spoke: libpq's own messages are about hosts and time limits."""
    return bool(state) or type(error).__name__ != "OperationalError"
