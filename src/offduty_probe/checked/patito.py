"""Models of patito: which column broke which kind of rule."""

from __future__ import annotations

import sys

from offduty_probe.capture.wrapping import argument
from offduty_probe.checked.report import rows, word
from offduty_probe.telling import FAILED, PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Iterator

    from offduty_probe.checked.report import Report, Rule


def install(report: Report, module: ModuleType) -> Callable[[], bool]:
    """Watch `validate` where models call it; `DataFrame.validate` comes through it, too."""

    def passed(result: Any, args: Any, kwargs: Any) -> None:
        report.rules("patito", [(_model_name(argument(args, kwargs, 1, "schema")), PASSED, "")])

    def failed(error: Any, args: Any, kwargs: Any) -> None:
        if isinstance(error, sys.modules["patito.exceptions"].DataFrameValidationError):
            report.rules("patito", _rules(error))

    return report.watch(module, "validate", passed, failed)


def _model_name(model: Any) -> str:
    return word(getattr(model, "__name__", "model"))


def _rules(error: Any) -> Iterator[Rule]:
    """The library's messages may quote values of the data: only the beginning that counts rows is kept."""
    model = _model_name(error.model)
    for one in error.errors():
        column, message = ".".join(map(word, one["loc"])), one["msg"]
        first = message.split(" ", 1)[0]
        yield f"{model}: {column} {word(one['type'].rpartition('.')[2])}", FAILED, rows(int(first), None) if first.isdigit() else ""
