"""One attempt of the job to touch the outside world, as it is remembered and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from offduty.durations import spoken, spoken_size

VERBS = {
    "file.read": "read",
    "file.write": "write",
    "file.delete": "delete",
    "file.transfer": "transfer",
    "db.connect": "connect",
    "db.query": "query",
    "http.request": "call",
    "object.read": "read",
    "object.write": "write",
    "object.list": "list",
    "queue.publish": "publish",
    "queue.consume": "consume",
    "cache.call": "cache",
    "mail.send": "mail",
    "process.spawn": "start",
    "model.load": "load",
    "compute.submit": "submit",
}


@dataclass(frozen=True)
class Transaction:
    """`number`: its place in the run, from 1. `ok`: None if it began and never ended. Seconds (`at` since 1970) and bytes.

    `count`: how many alike ones it stands for, `failed` of them in vain. `shape`: (column, type). `attributes`: OpenTelemetry names.
    `nulls`: how many values each column of `shape` lacks, where the library keeps count.
    """

    number: int
    op: str
    target: str
    where: str | None = None
    at: float = 0.0
    took_s: float | None = None
    ok: bool | None = None
    error: Mapping[str, str] | None = None
    count: int = 1
    failed: int = 0
    bytes: int | None = None
    rows: int | None = None
    columns: int | None = None
    status: int | str | None = None
    modified: float | None = None
    shape: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    nulls: tuple[int, ...] = ()

    @property
    def verb(self) -> str:
        """What it did, in one word."""
        return VERBS.get(self.op, self.op)

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it and `--json` shows it; what is not known is left out."""
        found = {**asdict(self), "shape": [list(pair) for pair in self.shape], "nulls": list(self.nulls)}
        return {key: value for key, value in found.items() if value not in (None, [], {}) or key == "ok"}


def from_json(found: Mapping[str, Any]) -> Transaction:
    """The inverse of `as_json`. Raises KeyError or TypeError for what is not one."""
    known = {name: found[name] for name in Transaction.__dataclass_fields__ if name in found}
    shape = tuple((str(name), str(kind)) for name, kind in known.get("shape", ()))
    return Transaction(**{**known, "shape": shape, "nulls": tuple(known.get("nulls", ()))})


def size_of(one: Transaction) -> str:
    """`81 204 rows x 13`, `status 503`, `1.2 MB`: the most telling that is known, or nothing."""
    if one.rows is not None:
        return f"{one.rows:,}".replace(",", " ") + " rows" + (f" x {one.columns}" if one.columns is not None else "")
    if one.columns is not None:
        return f"{one.columns} columns"
    if one.status is not None:
        return f"status {one.status}"
    return spoken_size(one.bytes) if one.bytes is not None else ""


def result_of(one: Transaction) -> str:
    """`ok`, `FAILED`, or `never ended`; with how many, where it stands for several."""
    if one.ok is None:
        return "never ended"
    if one.count > 1:
        return f"{one.count}x" + (f", {one.failed} FAILED" if one.failed else " ok")
    return "ok" if one.ok else "FAILED"


def target_of(one: Transaction, cwd: str = "") -> str:
    """Its target; a path below the folder `cwd` relative to it."""
    return one.target.removeprefix(f"{cwd}/") if cwd else one.target


def log_line(one: Transaction, cwd: str = "") -> str:
    """`read   s3://feeds/sales/2026-11-23.csv            ok     0.61 s   81 204 rows x 13   [3] forecast.py:31`."""
    took = spoken(one.took_s) if one.took_s is not None else ""
    error = f"{one.error['type']}: {one.error['message'].partition(chr(10))[0][:120]}" if one.error else ""
    shown = "   ".join(part for part in (size_of(one), error) if part)
    return f"{one.verb:8} {target_of(one, cwd):44}  {result_of(one):7} {took:>8}   {shown}   [{one.number}] {one.where or ''}".rstrip()
