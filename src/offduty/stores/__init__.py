"""Remembering runs: stores that all satisfy `offduty.runs.store.Store`."""

from __future__ import annotations

STORES = {
    "memory": "offduty.stores.memory:MemoryStore",
    "sqlite": "offduty.stores.sqlite:open_store",
}
"""Kind of store: where to find what opens it. The contract suite runs over every line."""
