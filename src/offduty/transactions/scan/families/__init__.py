"""What calls touch, one file a family; each has the tables that `rules.Tables` describes. Adding a family is its file and its name here."""

from __future__ import annotations

from offduty.transactions.scan.families import cloud, compute, databases, dataframes, files, http, messaging, processes
from offduty.transactions.scan.rules import Rule, Tables

FAMILIES = (files, dataframes, databases, http, cloud, messaging, processes, compute)


def tables() -> Tables:
    """All families' tables as one. A method that several families have on objects of unknown type is asked of each in turn."""
    methods: dict[str, Rule] = {}
    for family in FAMILIES:
        for name, rule in family.METHODS.items():
            methods[name] = _either(methods[name], rule) if name in methods else rule
    return Tables(
        calls={name: rule for family in FAMILIES for name, rule in family.CALLS.items()},
        on={name: rules for family in FAMILIES for name, rules in family.ON.items()},
        methods=methods,
        same={name: other for family in FAMILIES for name, other in family.SAME.items()},
        handles=frozenset().union(*(family.HANDLES for family in FAMILIES)),
    )


def _either(first: Rule, second: Rule) -> Rule:
    return lambda call: first(call) or second(call)
