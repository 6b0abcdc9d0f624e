"""What is found out about a run when it ends, beside its outcome: what goes into the record with it."""

from __future__ import annotations

from offduty.runs.spool import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from offduty.transactions.transaction import Transaction

MOST_BYTES, MOST_BYTES_OF_ONE = 4 << 20, 256 << 10  # of the ledger that goes into the record


def spooled_ledger(ledger: Iterable[Transaction]) -> list[dict[str, Any]]:
    """The ledger for the record, within `MOST_BYTES`: shapes and attributes go first, then what comes last."""
    room, kept = MOST_BYTES, []
    for one in ledger:
        entry = one.as_json()
        size = len(encode(entry))
        if size > min(room, MOST_BYTES_OF_ONE):
            entry = {key: value for key, value in entry.items() if key not in ("shape", "attributes")}
            size = len(encode(entry))
        if size <= min(room, MOST_BYTES_OF_ONE):
            kept.append(entry)
            room -= size
    return kept
