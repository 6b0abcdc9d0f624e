"""offduty takes a data science job to a hands-off state.

The names below are what a job's author may import. They load on first use: the run command imports this package before it starts a job.
"""

from __future__ import annotations

from offduty.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.errors import OffdutyError
    from offduty.runs.inprocess import job, run
    from offduty_probe.telling import check, metric, transaction

__all__ = ["OffdutyError", "__version__", "check", "job", "metric", "run", "transaction"]


def __getattr__(name: str) -> object:
    if name in ("run", "job"):
        from offduty.runs import inprocess

        return getattr(inprocess, name)
    if name in ("check", "metric", "transaction"):
        from offduty_probe import telling

        return getattr(telling, name)
    if name == "OffdutyError":
        from offduty.errors import OffdutyError

        return OffdutyError
    raise AttributeError(f"module 'offduty' has no attribute {name!r}")
