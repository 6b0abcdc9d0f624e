"""What the watchers of checking libraries share: telling a rule's result, and a wrapper that the job does not notice."""

from __future__ import annotations

from offduty_probe.capture.wrapping import looking_like
from offduty_probe.guard import quietly
from offduty_probe.patching import replace
from offduty_probe.telling import MOST_NAME, told_to
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Tuple

    from offduty_probe.recorder import Recorder

    Rule = Tuple[str, str, str]  # name, outcome, detail

MOST_RULES = 64  # of one validation, told each by its name
MOST_WORD = 80


class Report:
    """Where the results of the rules of a library go."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def rules(self, source: str, rules: Iterable[Rule]) -> None:
        """Tell the results of a validation: (name, outcome, detail) each."""
        told = told_to(self.recorder)
        if not told.listening():
            return
        for number, (name, outcome, detail) in enumerate(rules):
            if number == MOST_RULES:
                self.recorder.problem(f"{source}: more than {MOST_RULES} rules at once: the others are not told")
                return
            told.check(cut(name, MOST_NAME), outcome, source, lambda detail=detail: detail)  # type: ignore[misc]

    def watch(
        self, owner: Any, name: str, passed: Callable[..., object] | None, failed: Callable[..., object] | None = None
    ) -> Callable[[], bool]:
        """After each call of `owner.name`: `passed(result, args, kwargs)` or `failed(error, args, kwargs)`. The job sees no difference."""

        def make_wrapper(original: Any) -> Any:
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                try:
                    result = original(*args, **kwargs)
                except Exception as error:
                    if failed is not None:
                        quietly(failed, error, args, kwargs)
                    error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
                    raise
                if passed is not None:
                    quietly(passed, result, args, kwargs)
                return result

            return looking_like(original, wrapper)

        return replace(owner, name, make_wrapper)


def rows(failed: object, total: object) -> str:
    """`2 of 412 rows`, `2 rows`, or nothing where nobody counted."""
    if not isinstance(failed, int) or isinstance(failed, bool):
        return ""
    of = f" of {total}" if isinstance(total, int) and not isinstance(total, bool) and total else ""
    return f"{failed}{of} row{'s' if of or failed != 1 else ''}"


def word(value: object) -> str:
    """A name of the rule's own world (a schema, a column, a rule) as short text."""
    return cut(safe(value), MOST_WORD)


def length(thing: object) -> int | None:
    """How many rows a table has, if that costs nothing to ask; not of lazy ones."""
    try:
        return len(thing)  # type: ignore[arg-type]
    except Exception:
        return None
