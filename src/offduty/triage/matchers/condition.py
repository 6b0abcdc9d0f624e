"""What every condition of a `when` is: one or several values, of which one has to fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.seen import Seen, Touch

Value = str | int
MOST_VALUES = 100
SHOWN_CHARS = 120
TEXT_CHARS = 4000


@dataclass(frozen=True)
class Condition:
    """One `key = value` of a `when`. `values`: any of them will do.

    `key` as it is written; `takes`: what its values are, in words; `example`: one, as TOML. Those that look at nothing but one thing the
    failure may have struck say so by `touches`. `dear`: whether it is looked at after the others, because it costs more.
    """

    values: tuple[Value, ...]
    key: ClassVar[str] = ""
    takes: ClassVar[str] = ""
    example: ClassVar[str] = ""
    touches: ClassVar[bool] = False
    dear: ClassVar[bool] = False

    @classmethod
    def read(cls, value: object, report: Report) -> Self | None:
        """The condition with that value, or that list of them, out of TOML or a cell; None after reporting what is wrong with it."""
        given: list[Any] = value if isinstance(value, list) else [value]
        flaws: list[Flaw] = []
        if not 1 <= len(given) <= MOST_VALUES:
            flaws.append(Flaw("E403", f"{len(given)} values", why=f"a condition has 1 to {MOST_VALUES} of them"))
        for one in given[:MOST_VALUES]:
            flaws += cls.flaws(one)
        for flaw in flaws:
            report(flaw)
        return None if flaws else cls(tuple(dict.fromkeys(cls.normal(one) for one in given)))

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """What is wrong with one value."""
        if not isinstance(value, str):
            return [Flaw("E403", f"expected {cls.takes}, found {quoted(value)}")]
        return [] if value.strip() else [Flaw("E403", "is empty", fix="fill it in, or leave the condition out")]

    @classmethod
    def normal(cls, value: Value) -> Value:
        """A value as it is kept."""
        return value.strip() if isinstance(value, str) else value

    def match(self, seen: Seen) -> str | None:
        """Why it holds, in words; None if it does not."""
        raise NotImplementedError

    def miss(self, seen: Seen) -> str:
        """What there was instead, in words."""
        raise NotImplementedError

    def covers(self, other: Condition) -> bool:
        """Whether it surely holds wherever `other`, of the same key, does."""
        return all(any(covers(mine, theirs) for mine in self.values) for theirs in other.values)

    def as_toml(self) -> Value | list[Value]:
        """The inverse of `read`."""
        return self.values[0] if len(self.values) == 1 else list(self.values)

    def describe(self) -> str:
        """`exception is KeyError or ValueError`."""
        return f"{self.key.replace('_', ' ')} is {' or '.join(map(str, self.values))}"


class TouchCondition(Condition):
    """A condition on one thing the failure may have struck: those of one row must hold of the same one."""

    touches: ClassVar[bool] = True

    def match(self, seen: Seen) -> str | None:
        """The first that fits."""
        return next((why for one in seen.touches if (why := self.match_touch(one)) is not None), None)

    def match_touch(self, touch: Touch) -> str | None:
        """Why it holds of `touch`; None if it does not."""
        raise NotImplementedError


def covers(pattern: Value, value: Value) -> bool:
    """Whether the glob `pattern` fits all that `value` fits, as far as can be seen."""
    return str(pattern).casefold() == str(value).casefold() or (not is_glob(str(value)) and fits(str(pattern), str(value)))


def is_glob(text: str) -> bool:
    """Whether `text` has `*` or `?` in it."""
    return "*" in text or "?" in text


def fits(pattern: str, text: str) -> bool:
    """Whether the glob `pattern` fits all of `text`: `*` is any text, `?` one character; case does not count.

    At most len(pattern) x len(text) steps: the last star takes one more character whenever what follows it does not fit.
    """
    pattern, text = pattern.casefold(), text[:TEXT_CHARS].casefold()
    at = star = kept = 0
    seen_star = False
    i = 0
    while i < len(text):
        if at < len(pattern) and pattern[at] == "*":
            seen_star, star, kept = True, at, i
            at += 1
        elif at < len(pattern) and pattern[at] in (text[i], "?"):
            at, i = at + 1, i + 1
        elif seen_star:
            kept += 1
            at, i = star + 1, kept
        else:
            return False
    return not pattern[at:].strip("*")


def cut(text: str) -> str:
    """`text` on one line, short enough for a reason."""
    line = " ".join(text[:2000].split())
    return line if len(line) <= SHOWN_CHARS else f"{line[:SHOWN_CHARS]}…"
