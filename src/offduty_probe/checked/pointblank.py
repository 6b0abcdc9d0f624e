"""Validation plans of pointblank: which step, of which column, in how many rows. An interrogation raises nothing."""

from __future__ import annotations

from offduty_probe.checked.report import rows, word
from offduty_probe.telling import FAILED, PASSED, WARNED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Iterator

    from offduty_probe.checked.report import Report, Rule


def install(report: Report, module: ModuleType) -> Callable[[], bool]:
    """Watch `Validate.interrogate`."""
    return report.watch(vars(module)["Validate"], "interrogate", lambda result, *_: report.rules("pointblank", _rules(result)))


def _rules(plan: Any) -> Iterator[Rule]:
    label = getattr(plan, "label", None) or getattr(plan, "tbl_name", None)
    for step in plan.validation_info:
        if step.active is False and not step.eval_error:  # one that could not be evaluated is switched off, too
            continue
        column = f"{word(step.column)} " if isinstance(step.column, str) else ""
        name = f"{f'{word(label)}: ' if label else ''}{column}{word(step.assertion_type)}"
        if step.all_passed:
            yield name, PASSED, ""
        elif step.eval_error:
            yield name, FAILED, "could not be evaluated"
        else:
            yield name, _outcome(step), rows(_count(step.n_failed), _count(step.n)) if step.n and step.n > 1 else ""


def _outcome(step: Any) -> str:
    """A step with limits of its own says how bad it is: below all of them it holds, at its warning level it is a warning."""
    thresholds = step.thresholds
    if thresholds is None or not any(getattr(thresholds, name, None) is not None for name in ("warning", "error", "critical")):
        return FAILED
    if step.error or step.critical:
        return FAILED
    return WARNED if step.warning else PASSED


def _count(value: Any) -> int | None:
    return int(value) if value is not None else None
