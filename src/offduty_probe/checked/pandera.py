"""Schemas of pandera: which column broke which rule, in how many rows. One check a rule that was broken, one for a schema that holds."""

from __future__ import annotations

import sys

from offduty_probe.checked.report import length, rows, word
from offduty_probe.telling import FAILED, PASSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Iterator

    from offduty_probe.checked.report import Report, Rule

SCHEMAS = ("DataFrameSchema", "SeriesSchema")


def install(report: Report, module: ModuleType) -> Callable[[], object]:
    """Watch `validate` of the schemas that `module` defines; models, decorators and `schema(frame)` come through it, too."""

    def passed(result: Any, args: Any, kwargs: Any) -> None:
        report.rules("pandera", [(_schema_name(args[0]), PASSED, "")])

    def failed(error: Any, args: Any, kwargs: Any) -> None:
        errors = sys.modules["pandera.errors"]
        total = length(args[1] if len(args) > 1 else kwargs.get("check_obj"))
        if isinstance(error, errors.SchemaErrors):
            report.rules("pandera", _each(error.schema_errors, args[0], total))
        elif isinstance(error, errors.SchemaError):
            report.rules("pandera", _each([error], args[0], total))

    owners = [vars(module)[name] for name in SCHEMAS if name in vars(module)]
    undos = [report.watch(owner, "validate", passed, failed) for owner in owners if "validate" in vars(owner)]
    return lambda: [undo() for undo in undos]


def _each(errors: Any, schema: Any, total: int | None) -> Iterator[Rule]:
    for error in errors:
        yield f"{_schema_name(schema)}: {_subject(error)}{_rule(error)}", FAILED, _extent(error, total)


def _schema_name(schema: Any) -> str:
    name = getattr(schema, "name", None) or getattr(schema, "title", None)
    return word(name) if name else "schema"


def _subject(error: Any) -> str:
    """The column; of one that is not there, the name that the schema gives it."""
    column = getattr(error, "column_name", None)
    if column is None and getattr(error, "check", None) == "column_in_dataframe":
        column = error.failure_cases
    elif column is None and error.schema is not None and hasattr(error.schema, "checks") and not hasattr(error.schema, "columns"):
        column = error.schema.name
    return f"{word(column)} " if column is not None else ""


def _rule(error: Any) -> str:
    """What the schema asks for: its own words, which name limits but no values of the data."""
    check = error.check
    if check is None or isinstance(check, str):
        return word(check or "rule")
    return word(getattr(check, "error", None) or getattr(check, "name", None) or "check")


def _extent(error: Any, total: int | None) -> str:
    cases = error.failure_cases
    if cases is None or isinstance(cases, str):
        return ""
    return rows(length(cases), total)
