"""Every error offduty can show, as a tree; each has a code, a sentence, and a page in the docs.

An error is one line for people: *code, what, where: why; how to fix*. It never carries a traceback, and what it quotes
from outside is escaped and cut by `quoted`. Nothing here may import anything heavy: the run command needs it before the job starts.
"""

from __future__ import annotations

# Exit statuses, as `sysexits.h`, `timeout(1)` and `env(1)` use them.
FINDINGS, USAGE, BAD_DATA, NO_INPUT, UNAVAILABLE, BUG, CANNOT_WRITE, TRY_LATER, NOT_PERMITTED, BAD_CONFIG = (
    1, 2, 65, 66, 69, 70, 73, 75, 77, 78,
)  # fmt: skip
TIMED_OUT, OFFDUTY_FAILED, NOT_EXECUTABLE, NOT_FOUND = 124, 125, 126, 127

QUOTED_LENGTH = 80


def quoted(value: object) -> str:
    """`value` as it may be shown in an error: in quotes, control characters escaped, cut at 80 characters."""
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    shown = "".join(c if c.isprintable() and c not in '"\\' else c.encode("unicode_escape").decode("ascii") for c in text)
    return f'"{shown[:QUOTED_LENGTH]}…"' if len(shown) > QUOTED_LENGTH else f'"{shown}"'


class OffdutyError(Exception):
    """Something offduty could not do.

    `code`: stable, like `E201`. `what` went wrong, `where` (a file:line, an option, a setting), `why`, and how to `fix` it;
    all but `what` may be empty. `status` is the exit status of the command that ends with it.
    """

    status = BUG

    def __init__(self, code: str, what: str, *, where: str = "", why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.where, self.why, self.fix = code, what, where, why, fix

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        why = f": {self.why}" if self.why else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.code} {where}{self.what}{why}{fix}"

    def as_json(self) -> dict[str, str]:
        """The error as the `--json` forms show it."""
        return {"code": self.code, "what": self.what, "where": self.where, "why": self.why, "fix": self.fix}


class UsageError(OffdutyError):
    """The command line asks for something that does not exist or does not fit (E1xx)."""

    status = USAGE


class ConfigError(OffdutyError):
    """A configuration file, variable or option holds something offduty cannot use (E2xx)."""

    status = BAD_CONFIG


class ScheduleError(ConfigError):
    """A schedule, time zone or time that cannot be (E3xx)."""


class NotThere(OffdutyError):
    """The run, job or log that was asked for does not exist (E5xx)."""

    status = NO_INPUT


class StoreError(OffdutyError):
    """The store cannot be opened, read or written (E6xx)."""

    status = UNAVAILABLE


class MissingExtra(OffdutyError):
    """A feature needs an extra that is not installed (E7xx)."""

    status = UNAVAILABLE


class CannotStart(OffdutyError):
    """offduty could not start the job (E8xx); `status` is what `env` and `timeout` would have answered."""

    def __init__(self, code: str, what: str, *, status: int, where: str = "", why: str = "", fix: str = "") -> None:
        super().__init__(code, what, where=where, why=why, fix=fix)
        self.status = status


class CannotDrill(OffdutyError):
    """A drill that cannot be made, or not safely (E82x)."""

    status = UNAVAILABLE


class Busy(OffdutyError):
    """Another run of the job is going on (E9xx)."""

    status = TRY_LATER
