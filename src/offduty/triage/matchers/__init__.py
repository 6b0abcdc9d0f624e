"""The conditions that a row's `when` may combine. A new one is its file and its line in `MATCHERS`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.matchers.condition import Condition

MATCHERS: dict[str, str] = {
    "exception": "offduty.triage.matchers.exception:ExceptionClass",
    "message": "offduty.triage.matchers.message:Message",
    "log": "offduty.triage.matchers.log:Log",
    "transaction": "offduty.triage.matchers.transaction:Kind",
    "target": "offduty.triage.matchers.target:Target",
    "dependency": "offduty.triage.matchers.dependency:DependencyName",
    "status": "offduty.triage.matchers.status:Status",
    "exit_code": "offduty.triage.matchers.exit_code:ExitCode",
    "signal": "offduty.triage.matchers.signal:Signal",
    "check": "offduty.triage.matchers.check:Check",
    "outcome": "offduty.triage.matchers.outcome:Outcome",
    "changed": "offduty.triage.matchers.changed:Changed",
    "category": "offduty.triage.matchers.category:Category",
}


@cache
def matcher(key: str) -> type[Condition]:
    """The class of the condition `key`. Raises KeyError."""
    module, _, name = MATCHERS[key].partition(":")
    found: type[Condition] = getattr(import_module(module), name)
    return found


def read_when(when: Mapping[str, object], report: Report) -> tuple[Condition, ...]:
    """The conditions of a `when`, in their order; those that are wrong are reported (E401, E403) and left out."""
    conditions = []
    for key, value in when.items():
        if key not in MATCHERS:
            near = difflib.get_close_matches(key.lower().replace("-", "_"), list(MATCHERS), n=1, cutoff=0.6)
            fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(MATCHERS))}"
            report(Flaw("E403", f"there is no condition {quoted(key)}", ("when", key), fix=fix))
        elif condition := matcher(key).read(value, lambda flaw, key=key: report(replace(flaw, path=("when", key)))):  # type: ignore[misc]
            conditions.append(condition)
    if not when:
        report(Flaw("E403", "there is no condition", ("when",), fix='to explain whatever is left, write category = "*"'))
    return tuple(conditions)
