"""What the captures of drivers for MySQL and MariaDB share: which messages of the server hold no values."""

from __future__ import annotations

from offduty_probe.capture.dbapi import status_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from offduty_probe.capture.ledger import Known

# Access, databases, tables and columns that are not there, hosts: what they quote are names.
ABOUT_NAMES = frozenset(
    [1040, 1044, 1045, 1046, 1049, 1050, 1051, 1054, 1061, 1091, 1142, 1143, 1146, 1205, 1213, 1317, *range(2000, 2070)]
)


def failure(error: Any) -> Known:
    """The number of an error, and its message."""
    args = getattr(error, "args", ())
    number = getattr(error, "errno", None) or (args[0] if args and isinstance(args[0], int) else None)
    return status_known(number, str(error), tells_values=number not in ABOUT_NAMES)
