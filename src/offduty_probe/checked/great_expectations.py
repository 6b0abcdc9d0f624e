"""Expectations of Great Expectations: which one, of which column, in how many rows. It reports failures and raises nothing."""

from __future__ import annotations

from offduty_probe.checked.report import rows, word
from offduty_probe.telling import FAILED, PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable

    from offduty_probe.checked.report import Report, Rule

SUBJECTS = ("column", "column_A", "column_B", "column_list", "column_set")


def install(report: Report, module: ModuleType) -> Callable[[], bool]:
    """Watch `Validator.graph_validate`: batches, validation definitions and checkpoints all come through it."""
    return report.watch(
        vars(module)["Validator"], "graph_validate", lambda results, *_: report.rules("great_expectations", map(_rule, results))
    )


def _rule(result: Any) -> Rule:
    config = result.expectation_config
    kwargs = config.kwargs
    columns = [word(kwargs[key]) for key in SUBJECTS if key in kwargs]
    severity = getattr(getattr(config, "severity", None), "value", None)
    name = f"{', '.join(columns)}{' ' if columns else ''}{word(config.type)}"
    if result.success:
        return name, PASSED, ""
    return name, "warned" if severity in ("warning", "info") else FAILED, _extent(result)


def _extent(result: Any) -> str:
    if (result.exception_info or {}).get("raised_exception"):
        return "could not be evaluated"
    return rows(result.result.get("unexpected_count"), result.result.get("element_count"))
