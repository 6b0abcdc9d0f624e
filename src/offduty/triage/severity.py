"""How bad it is, in the words of a triage table."""

from __future__ import annotations

from typing import Literal

Severity = Literal["info", "notice", "low", "warning", "medium", "error", "high", "critical"]
