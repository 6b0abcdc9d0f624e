"""offduty takes a data science job to a hands-off state.

The names below are what a job's author may import. They load on first use: the run command imports this package before it starts a job.
"""

from __future__ import annotations

from offduty.version import __version__

__all__ = ["OffdutyError", "__version__", "job", "run"]


def __getattr__(name: str) -> object:
    if name in ("run", "job"):
        from offduty.runs import inprocess

        return getattr(inprocess, name)
    if name == "OffdutyError":
        from offduty.errors import OffdutyError

        return OffdutyError
    raise AttributeError(f"module 'offduty' has no attribute {name!r}")
