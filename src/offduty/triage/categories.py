"""The 33 kinds of failure: whose each is unless a signature says otherwise, and what always helps."""

from __future__ import annotations

from dataclasses import dataclass

from offduty.triage.compiled import compiled

OWNER_KINDS = ("data_scientist", "data_provider", "platform", "dba", "network", "security/identity", "vendor_api")


@dataclass(frozen=True)
class Category:
    """`owner`: one of `OWNER_KINDS`; `meaning`: one sentence; `steps`: what to do first, whatever the library."""

    name: str
    owner: str
    meaning: str
    steps: tuple[str, ...]


CATEGORIES: dict[str, Category] = {
    row["name"]: Category(row["name"], row["owner"], row["meaning"], tuple(row["steps"])) for row in compiled()["categories"]
}
