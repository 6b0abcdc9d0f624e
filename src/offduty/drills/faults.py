"""What can go wrong with what a job touches, and with the job itself: the table that coverage asks by and that drills rehearse."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

By = Literal["probe", "signal", "watcher"]
NETWORK = ("http.request", "db.connect", "object.*", "queue.*", "mail.send", "file.transfer", "cache.call")
TABLES = ("file.read", "object.read", "db.query")


@dataclass(frozen=True)
class Fault:
    """`what`: in plain words. `ops`: what it strikes (globs); none: the job as a whole. `by`: who can bring it about.

    `loud`: whether the job has to fail by it. A stale file, say, is told by a check, and the job ends well.
    """

    name: str
    what: str
    ops: tuple[str, ...] = ()
    by: By = "probe"
    loud: bool = True

    def strikes(self, op: str) -> bool:
        """Whether it can happen to such a transaction."""
        return any(fnmatchcase(op, glob) for glob in self.ops)


FAULTS: dict[str, Fault] = {
    one.name: one
    for one in (
        Fault("missing", "the file is not there", ("file.read", "model.load")),
        Fault("empty", "the file is empty", ("file.read", "model.load")),
        Fault("torn", "the file ends in the middle", ("file.read", "model.load")),
        Fault("stale", "the file is an old one", ("file.read",), loud=False),
        Fault("column-gone", "a column is gone", TABLES),
        Fault("column-retyped", "the numbers of a column have become texts", TABLES),
        Fault("denied", "it may not be opened", ("file.*", "model.load")),
        Fault("disk-full", "the disk is full", ("file.write",)),
        Fault("refused", "nothing answers there", NETWORK),
        Fault("dns", "its name is not known", NETWORK),
        Fault("tls", "its certificate has expired", ("http.request",)),
        Fault("timeout", "it answers too late", ("http.request", "db.query", "object.*", "cache.call")),
        Fault("no-answer", "it takes the connection and says nothing", ("db.connect", "mail.send", "file.transfer")),
        Fault("status-401", "it does not know us any more", ("http.request",)),
        Fault("status-403", "it does not let us in", ("http.request", "object.*")),
        Fault("status-404", "it is not there", ("http.request", "object.read")),
        Fault("status-429", "it has had too much of us", ("http.request", "object.*")),
        Fault("status-500", "it is broken", ("http.request", "object.*")),
        Fault("garbage", "a page for people comes instead of data", ("http.request",)),
        Fault("login", "the password is not taken", ("db.connect",)),
        Fault("deadlock", "somebody else holds the lock", ("db.query",)),
        Fault("no-table", "the table is gone", ("db.query",)),
        Fault("memory", "the memory is used up", ("file.read", "object.read", "db.query", "compute.submit")),
        Fault("sigkill", "something kills the job", by="signal"),
        Fault("sigterm", "something asks the job to end", by="signal"),
        Fault("oom", "the machine kills the job, its memory being used up", by="signal"),
        Fault("missed", "nothing started the job", by="watcher"),
        Fault("overdue", "the job takes too long", by="watcher"),
        Fault("lost", "the machine went down in the middle", by="watcher"),
    )
}
"""By name. A new one is a line here, what libraries raise (`offduty_probe/fault_errors.py`), and how it is shown (`synthetic.py`)."""


def faults_of(op: str, target: str = "") -> list[Fault]:
    """What can happen to such a transaction; a statement that reads nothing has no columns to lose."""
    reads = op != "db.query" or target.partition(" ")[2].partition(" ")[0] in ("", "SELECT", "WITH")
    return [one for one in FAULTS.values() if one.strikes(op) and (reads or not one.name.startswith("column-"))]


def whole() -> list[Fault]:
    """What can happen to the job as a whole."""
    return [one for one in FAULTS.values() if not one.ops]
