"""`exception`: the class of an exception, or one of its base classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from offduty.triage.matchers.condition import Condition, Value, cut, fits
from offduty.triage.seen import Seen, bases


@dataclass(frozen=True)
class ExceptionClass(Condition):
    """Any exception of the chain, in whatever language: the uncaught one, its causes, and those it was raised in the handling of.

    A name without dots fits the class in any module; with dots, the module's last part is
    enough (`errors.ParserError`), or the package (`pandas.ParserError`).
    """

    key: ClassVar[str] = "exception"
    takes: ClassVar[str] = "the name of an exception class, with or without its module; `*` fits any text; base classes count"
    example: ClassVar[str] = '["KeyError", "pandas.errors.ParserError"]'

    def match(self, seen: Seen) -> str | None:
        """The first exception that is one of them."""
        for name, above in seen.exceptions:
            for wanted in map(str, self.values):
                if is_class(wanted, name):
                    return f"the exception is {cut(name)}"
                if base := next((base for base in above if is_class(wanted, base)), None):
                    return f"the exception is {cut(name)}, which is a {cut(base)}"
        return None

    def miss(self, seen: Seen) -> str:
        """Which exceptions there were."""
        names = ", ".join(dict.fromkeys(cut(name) for name, _ in seen.exceptions[:8]))
        return f"the exception is {names}" if names else "there was no exception"

    def covers(self, other: Condition) -> bool:
        """Also a base class covers what is below it."""
        return all(any(_above(str(mine), theirs) for mine in self.values) for theirs in other.values)


@lru_cache(8192)  # coverage asks about the same few classes for every place
def is_class(wanted: str, name: str) -> bool:
    """Whether the class `name`, as a traceback shows it, is the one that is meant by `wanted`.

    Libraries hand out classes under shorter names than they have: `json.JSONDecodeError` is `json.decoder.JSONDecodeError`.
    """
    if fits(wanted, name) or fits(f"*.{wanted}", name) or fits(f"builtins.{name}", wanted):
        return True
    package, last = wanted.partition(".")[0], wanted.rpartition(".")[2]
    return package != wanted and fits(f"{package}.*.{last}", name)


def _above(mine: str, theirs: Value) -> bool:
    name = str(theirs)
    return mine == name or ("*" not in name and any(is_class(mine, one) for one in (name, *bases(name))))
