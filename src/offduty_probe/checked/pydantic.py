"""Models of pydantic that refuse what the job gives them: which fields, for which kind of reason. What holds is not counted: it is the
way of all rows, and counting would cost more than the validation.

Only where a line of the job itself called: libraries try models one after the other, and a refusal is nothing to them.
"""

# ruff: noqa: SLF001  # `sys._getframe`: who called
from __future__ import annotations

import sys

from offduty_probe.chain import is_own
from offduty_probe.checked.report import word
from offduty_probe.telling import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable

    from offduty_probe.checked.report import Report, Rule

METHODS = {
    "BaseModel": ("__init__", "model_validate", "model_validate_json", "model_validate_strings"),
    "TypeAdapter": ("validate_python", "validate_json", "validate_strings"),
}
MOST_FIELDS = 8
MOST_LOOKED_AT = 1000


def install(report: Report, module: ModuleType) -> Callable[[], object]:
    """Watch what validates."""

    def failed(error: Any, args: Any, kwargs: Any) -> None:
        caller = sys._getframe(3)  # of the wrapper: this, `quietly`, the wrapper
        if (
            type(error).__name__ == "ValidationError"
            and type(error).__module__.startswith("pydantic_core")
            and is_own(caller.f_code.co_filename)
        ):
            report.rules("pydantic", [_rule(error, args[0] if args else None)])

    undos = []
    for name, methods in METHODS.items():
        owner = vars(module).get(name)
        undos += [report.watch(owner, method, None, failed) for method in methods if owner is not None and hasattr(owner, method)]
    return lambda: [undo() for undo in undos]


def _rule(error: Any, model: Any) -> Rule:
    """`Row`, `3 errors: units int_parsing, date missing`. A place in the data may be a key of it: only names of fields are told."""
    cls = model if isinstance(model, type) else type(model)
    fields = getattr(cls, "model_fields", None) or {}
    names = {*fields, *(field.alias for field in fields.values() if isinstance(getattr(field, "alias", None), str))}
    found: dict[str, None] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_LOOKED_AT]:
        field = one["loc"][0] if one["loc"] and one["loc"][0] in names else ""
        found[f"{field} {one['type']}".strip()] = None
    count = error.error_count()
    shown = ", ".join(list(found)[:MOST_FIELDS]) + (", …" if len(found) > MOST_FIELDS else "")
    return word(error.title), FAILED, f"{count} error{'s' if count != 1 else ''}: {shown}"
