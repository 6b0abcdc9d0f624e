"""Values that never show themselves, and the masking of secrets in bytes and texts before they are written anywhere.

Importing this package costs next to nothing: `Redactor` and what it needs are loaded when the name is first used.
"""

from __future__ import annotations

from offduty.secrets.secret import MASK, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.secrets.redactor import Redactor

__all__ = ["MASK", "Redactor", "Secret"]


def __getattr__(name: str) -> object:
    if name == "Redactor":
        from offduty.secrets.redactor import Redactor

        return Redactor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
